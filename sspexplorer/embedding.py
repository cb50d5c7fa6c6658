"""A plane on which alike SEDs lie close together, and how far an SED is from all that are known.

Domínguez Sánchez et al. (2026), Sect. 6 and Appendix E, lay mocks and galaxies out with UMAP
(McInnes et al. 2020). To place a new SED, UMAP searches and optimises for seconds; here a network
that has learnt UMAP's own map from SEDs to the plane places it at once. How faithful it is stands
in its card (see ``scripts/make_embedding.py``).

Two dimensions hide much: an SED that is like nothing among the mocks is put somewhere, too. So its
distance from the training set is measured among SEDs, not on the plane.

>>> embedding = load_embedding()  # doctest: +SKIP
>>> embedding.place(flux), embedding.distance(flux)  # doctest: +SKIP
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from sspexplorer import artifact
from sspexplorer.bands import BAND_NAMES, N_BANDS
from sspexplorer.errors import InputError
from sspexplorer.gaps import complete
from sspexplorer.libraries import LIBRARY_NAMES, load_library
from sspexplorer.mocks import split_of
from sspexplorer.noise import NoiseModel
from sspexplorer.photometry import synthesize
from sspexplorer.resources import data_path

# Fluxes, in units of their median, below which the scale of :func:`features` is linear.
SOFTENING = 0.5
WIDTHS = (N_BANDS, 256, 256, 256, 2)
# Finer than the grid of the mocks: on that, dust between two of its values would look unknown.
EBV_STEPS = tuple(float(value) for value in np.arange(0, 0.801, 0.05).round(2))

_CHUNK = 512
_PLACED_AT_ONCE = 20_000
_FEWEST_ERRORS = 20  # bands with an error from which a typical S/N makes sense
_ARRAYS = ("feature_mean", "feature_std", "plane_mean", "plane_std")


def features(flux: np.ndarray) -> np.ndarray:
    """SEDs as UMAP and the network see them: asinh(F / (0.5 median F)).

    Close to magnitudes where a band is bright, so that no band counts for more than another; but
    a faint mock has bands of no or negative flux, and there the scale is linear (Lupton, Gunn &
    Szalay 1999, AJ 118, 1406).

    Parameters
    ----------
    flux : ndarray, shape (n, 57)
        Complete F_ν on any scale.

    Returns
    -------
    ndarray, shape (n, 57), float32
    """
    relative = flux / np.median(flux, axis=1, keepdims=True)
    return np.arcsinh(relative / SOFTENING).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Templates:
    """Noise-free SEDs of the SSPs of the training split, behind dust in steps of 0.05 mag.

    Attributes
    ----------
    flux : ndarray, shape (n, 57), float32
        F_ν over its median.
    labels : DataFrame, n rows
        ``library``, ``log_age`` (log10 yr), ``metallicity`` (dex), ``ebv`` (mag) and ``ssp``.
    """

    flux: np.ndarray
    labels: pd.DataFrame

    def rows(self, library: str) -> np.ndarray:
        """Numbers of the rows of a library."""
        return np.flatnonzero((self.labels["library"] == library).to_numpy())


@cache
def training_templates() -> Templates:
    """Make the templates of all libraries; takes half a second, once."""
    fluxes, frames = [], []
    for name in LIBRARY_NAMES:
        library = load_library(name)
        rows = np.flatnonzero(split_of(library.ids) == "train")
        for ebv in EBV_STEPS:
            fluxes.append(synthesize(library.spectra[rows], library.wavelength, ebv))
            columns = {"log_age": library.log_age[rows], "metallicity": library.metallicity[rows]}
            ids = np.asarray(library.ids, dtype=object)[rows]
            frames.append(pd.DataFrame({"library": name, **columns, "ebv": ebv, "ssp": ids}))
    flux = np.concatenate(fluxes)
    flux = (flux / np.median(flux, axis=1, keepdims=True)).astype(np.float32)
    return Templates(flux, pd.concat(frames, ignore_index=True))


@dataclass(frozen=True, eq=False)
class Nearest:
    """The template of each library that is nearest to each of n SEDs.

    Attributes
    ----------
    distances : DataFrame, n rows
        A column for each library; see :meth:`Embedding.nearest`. NaN for an SED that cannot be
        used.
    index : DataFrame, n rows
        Row of that template in :func:`training_templates`; −1 where there is none.
    """

    distances: pd.DataFrame
    index: pd.DataFrame

    @property
    def distance(self) -> np.ndarray:
        """Distance from the nearest library, shape (n,)."""
        return self.distances.min(axis=1).to_numpy()

    @property
    def library(self) -> np.ndarray:
        """Name of that library, shape (n,); "" for an SED that cannot be used."""
        known = self.distances.notna().all(axis=1).to_numpy()
        best = self.distances.fillna(np.inf).to_numpy().argmin(axis=1)
        return np.where(known, np.array(self.distances.columns, dtype=object)[best], "")


@dataclass(frozen=True, eq=False)
class Embedding:
    """The plane, and how to get there.

    Attributes
    ----------
    network : torch.nn.Module
        From 57 scaled :func:`features` to two scaled coordinates; in evaluation mode.
    feature_mean, feature_std : ndarray, shape (57,)
    plane_mean, plane_std : ndarray, shape (2,)
        Scalings around the network.
    magnitudes : ndarray, shape (n_mag,)
        i magnitudes (AB) of the held-out mocks.
    reference : ndarray, shape (n_mag, 1001)
        Distances of held-out mocks of each magnitude from the training set, at the quantiles 0,
        0.001 … 1.
    card : dict
        How it was made, and how faithful it is.
    """

    network: nn.Module
    feature_mean: np.ndarray
    feature_std: np.ndarray
    plane_mean: np.ndarray
    plane_std: np.ndarray
    magnitudes: np.ndarray
    reference: np.ndarray
    card: dict

    def place(self, flux: np.ndarray) -> np.ndarray:
        """Place SEDs on the plane.

        Parameters
        ----------
        flux : ndarray, shape (n, 57)
            F_ν on any scale, NaN where a band is missing: it is filled in as for predictions
            (:func:`complete`).

        Returns
        -------
        ndarray, shape (n, 2), float64
            NaN for an SED that cannot be used.
        """
        filled, usable = complete(flux, sparse_templates())
        plane = np.full((len(flux), 2), np.nan)
        rows = np.flatnonzero(usable)
        for start in range(0, len(rows), _PLACED_AT_ONCE):
            some = rows[start : start + _PLACED_AT_ONCE]
            scaled = (features(filled[some]) - self.feature_mean) / self.feature_std
            with torch.inference_mode():
                output = self.network(torch.from_numpy(scaled)).numpy()
            plane[some] = output * self.plane_std + self.plane_mean
        return plane

    def distance(self, flux: np.ndarray, libraries: Sequence[str] = LIBRARY_NAMES) -> np.ndarray:
        """Distance of SEDs from the training set, shape (n,); see :meth:`nearest`."""
        return self.nearest(flux, libraries).distance

    def nearest(self, flux: np.ndarray, libraries: Sequence[str] = LIBRARY_NAMES) -> Nearest:
        """Find the nearest template of each library.

        The distance of an SED F from a template T is how much their ratio varies from band to
        band: the standard deviation of F/T over its mean, so the root mean square of F/(aT) − 1
        with the amplitude a that makes its mean vanish. 0.03 is 3 % a band, by noise or because
        no template has that shape. Sought in single precision: templates that differ by less
        than 0.1 % may be taken for each other.

        Parameters
        ----------
        flux : ndarray, shape (n, 57)
            As for :meth:`place`.
        libraries : sequence of str
            Those to search.
        """
        filled, usable = complete(flux, sparse_templates())
        scaled = filled[usable] / np.median(filled[usable], axis=1, keepdims=True)
        distances = np.full((len(flux), len(libraries)), np.nan)
        index = np.full((len(flux), len(libraries)), -1)
        for k, name in enumerate(libraries):
            rows = training_templates().rows(name)
            best = rows[_nearest_rows(scaled.astype(np.float32), name)]
            ratio = scaled / training_templates().flux[best]
            index[usable, k] = best
            distances[usable, k] = ratio.std(axis=1) / np.abs(ratio.mean(axis=1))
        return Nearest(
            pd.DataFrame(distances, columns=list(libraries)),
            pd.DataFrame(index, columns=list(libraries)),
        )

    def fraction_nearer(self, distance: np.ndarray, magnitude: np.ndarray | float) -> np.ndarray:
        """Fraction of held-out mocks of a magnitude that are nearer to the training set.

        Held-out mocks are of SSPs that are not among the templates, behind any dust, with the
        noise of their magnitude: galaxies as they should be if models were right.

        Parameters
        ----------
        distance : ndarray, shape (n,)
            As of :meth:`distance`.
        magnitude : ndarray, shape (n,), or float
            i magnitude (AB); the nearest that is known is taken. See :func:`equal_magnitude`.

        Returns
        -------
        ndarray, shape (n,)
            NaN where the distance is.
        """
        distance, magnitude = np.broadcast_arrays(np.asarray(distance, float), magnitude)
        row = np.abs(np.subtract.outer(magnitude, self.magnitudes)).argmin(axis=-1)
        levels = np.linspace(0, 1, self.reference.shape[1])
        found = np.full(len(distance), np.nan)
        for k in np.unique(row):
            those = (row == k) & np.isfinite(distance)
            found[those] = np.interp(distance[those], self.reference[k], levels, left=0, right=1)
        return found

    def save(self, folder: Path) -> None:
        """Write ``weights.safetensors`` and ``card.json`` into ``folder``, made if missing.

        Raises
        ------
        InputError
            If the folder cannot be written.
        """
        state = self.network.state_dict().items()
        arrays = {f"network.{name}": value.numpy() for name, value in state}
        for name in (*_ARRAYS, "magnitudes", "reference"):
            arrays[name] = np.asarray(getattr(self, name), dtype=np.float32)
        artifact.save(folder, arrays, self.card)

    @classmethod
    def load(cls, folder: Path) -> "Embedding":
        """Read what :meth:`save` wrote.

        Raises
        ------
        InputError
            If the folder does not hold a map.
        """
        tensors, card = artifact.load(folder, "map")
        with artifact.readable(folder, "map"):
            if tuple(card["bands"]) != BAND_NAMES:
                raise InputError(f"{folder} holds a map of SEDs in other bands.")
            arrays = {name: tensors.pop(name) for name in (*_ARRAYS, "magnitudes", "reference")}
            network = make_network()
            state = {k.removeprefix("network."): torch.from_numpy(v) for k, v in tensors.items()}
            network.load_state_dict(state)
        network.eval().requires_grad_(False)
        return cls(network=network, card=card, **arrays)


def make_network() -> nn.Module:
    """Multilayer perceptron from 57 features to the plane, with random weights."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(WIDTHS):
        layers += [nn.Linear(fan_in, fan_out), nn.SiLU()]
    return nn.Sequential(*layers[:-1])


def equal_magnitude(
    flux: np.ndarray, flux_err: np.ndarray, noise: NoiseModel | None = None
) -> np.ndarray:
    """Magnitude at which a mock has the signal-to-noise ratio of an SED, within 16 to 22.

    Parameters
    ----------
    flux, flux_err : ndarray, shape (n, 57)
        F_ν and σ on the same scale; NaN is missing.
    noise : NoiseModel, optional
        :meth:`NoiseModel.default` unless given.

    Returns
    -------
    ndarray, shape (n,)
        i magnitude (AB), to 0.1 mag; NaN where fewer than 20 bands have an error.
    """
    grid = np.arange(16.0, 22.05, 0.1)
    typical = np.median(1 / (noise or NoiseModel.default()).relative_error(grid), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = flux / np.where(flux_err > 0, flux_err, np.nan)
    known = np.isfinite(ratio).sum(axis=1) >= _FEWEST_ERRORS
    found = np.full(len(flux), np.nan)
    if known.any():
        snr = np.maximum(np.nanmedian(ratio[known], axis=1), 1e-3)
        # Faintest first, as interpolation wants signal-to-noise ratios to increase.
        found[known] = np.interp(np.log(snr), np.log(typical[::-1]), grid[::-1])
    return found.round(1)


@cache
def load_embedding(folder: Path | None = None) -> Embedding:
    """Load the map that ships with the package, or that of a folder.

    Raises
    ------
    InputError
        If there is none, or it cannot be read.
    """
    return Embedding.load(folder or data_path("embedding"))


@cache
def sparse_templates() -> np.ndarray:
    """Every fifth template: enough to continue an SED beyond its ends, and quick."""
    return np.ascontiguousarray(training_templates().flux[::5])


@cache
def _inverse(library: str) -> tuple[np.ndarray, np.ndarray]:
    """1/T and 1/T² of a library's templates, shape (57, n) each."""
    inverse = 1 / training_templates().flux[training_templates().rows(library)].T
    return np.ascontiguousarray(inverse), np.ascontiguousarray(inverse**2)


def _nearest_rows(flux: np.ndarray, library: str) -> np.ndarray:
    """Place, among the templates of a library, of the one nearest to each SED, shape (n,)."""
    inverse, squared = _inverse(library)
    best = np.empty(len(flux), int)
    for start in range(0, len(flux), _CHUNK):
        part = flux[start : start + _CHUNK]
        # (mean F/T)² over mean (F/T)²: 1 where the ratio is the same in every band.
        alike = part @ inverse
        np.square(alike, out=alike)
        alike /= part**2 @ squared
        best[start : start + _CHUNK] = alike.argmax(axis=1)
    return best

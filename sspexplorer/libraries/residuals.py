"""Residuals drawn at random, of the kind by which libraries differ from each other.

The measured differences (:mod:`sspexplorer.libraries.differences`) are described by a factor
analysis: a row of magnitudes is x = W z + ε, with z of independent standard normals, a few
columns of W (smooth and correlated from band to band), and ε independent in each band. It is
fitted by the EM algorithm of Rubin & Thayer (1982), for rows with bands missing as in Ghahramani
& Jordan (1994), about a mean of zero: for each difference there is the opposite one. Each pair of
libraries counts alike. Last, each band is scaled so that its variance is the one measured, about
the mean over the bands that both libraries cover.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sspexplorer import artifact
from sspexplorer.bands import N_BANDS
from sspexplorer.errors import InputError
from sspexplorer.libraries.differences import Differences
from sspexplorer.resources import data_path

FOLDER = "library_differences"
KINDS = ("fitted", "same")
N_COMPONENTS = 10

_STEPS = 200
_LEAST = 1e-4  # mag; of what is left in a band
_FIELDS = ("residual", "same", "shift", "log_age", "metallicity")


@dataclass(frozen=True)
class LibraryResiduals:
    """How libraries differ, as numbers to draw from.

    >>> residuals = LibraryResiduals.load(without=("m11",))
    >>> magnitudes = residuals.draw(1000, np.random.default_rng(0))
    >>> flux = flux * 10 ** (-0.4 * magnitudes)  # doctest: +SKIP

    Attributes
    ----------
    components : ndarray, shape (n_components, 57)
        Principal components in mag: orthogonal, the largest first, each as large as it is at 1 σ.
    remainder : ndarray, shape (57,)
        σ in mag of what no component says, independent in each band.
    kind : str
        "fitted": what is left when one library fits the other. "same": the difference at the same
        age, metallicity and E(B−V), which holds as well what a fit would take for another age,
        metallicity or reddening.
    pairs : tuple of (str, str)
        Libraries whose SSPs were seen, and those that they were compared with.
    """

    components: np.ndarray
    remainder: np.ndarray
    kind: str
    pairs: tuple[tuple[str, str], ...]

    @property
    def sigma(self) -> np.ndarray:
        """σ of a draw in each band in mag, shape (57,)."""
        return np.sqrt((self.components**2).sum(axis=0) + self.remainder**2)

    @property
    def explained(self) -> np.ndarray:
        """Share of the variance of all bands in each component, shape (n_components,)."""
        return (self.components**2).sum(axis=1) / (self.sigma**2).sum()

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw residuals at random.

        Parameters
        ----------
        n : int
        rng : Generator

        Returns
        -------
        ndarray, shape (n, 57), float32
            mag, to be added to magnitudes; normal, with mean zero and :attr:`sigma` in each band.
        """
        strength = rng.standard_normal((n, len(self.components)), dtype=np.float32)
        rest = rng.standard_normal((n, N_BANDS), dtype=np.float32)
        rest *= self.remainder.astype(np.float32)
        return strength @ self.components.astype(np.float32) + rest

    @classmethod
    def of(
        cls, differences: Differences, kind: str = "fitted", n_components: int = N_COMPONENTS
    ) -> "LibraryResiduals":
        """Describe measured differences.

        Parameters
        ----------
        differences : Differences
        kind : {"fitted", "same"}
        n_components : int

        Raises
        ------
        InputError
            If there is no such kind, or nothing was measured.
        """
        if kind not in KINDS:
            raise InputError(f"Differences are {' or '.join(KINDS)}, not {kind!r}.")
        rows = differences.residual if kind == "fitted" else differences.same
        there = np.isfinite(rows).any(axis=1)
        if not there.any():
            raise InputError("Differences need at least two libraries to be of.")
        measured = differences.rows(there)
        factors, remainder = _factors(rows[there], measured.weight, n_components)
        pairs = sorted({*zip(measured.of.tolist(), measured.by.tolist(), strict=True)})
        return cls(factors, remainder, kind, tuple(pairs))

    @classmethod
    def load(cls, kind: str = "fitted", without: Sequence[str] = ()) -> "LibraryResiduals":
        """Differences of the libraries that ship, made once.

        Parameters
        ----------
        kind : {"fitted", "same"}
        without : sequence of str
            Libraries in whose pairs nothing is to be looked at, as when they are held out.

        Raises
        ------
        InputError
            If there is no such kind, or nothing is left.
        """
        return _described(kind, tuple(sorted(without)))


@lru_cache(maxsize=16)
def _described(kind: str, without: tuple[str, ...]) -> LibraryResiduals:
    return LibraryResiduals.of(load_differences().without(*without), kind)


def save_differences(differences: Differences, card: dict) -> None:
    """Write what was measured into data/, with three digits."""
    names = sorted({*differences.of.tolist(), *differences.by.tolist()})
    arrays = {name: getattr(differences, name).astype(np.float16) for name in _FIELDS}
    for side in ("of", "by"):
        arrays[side] = np.searchsorted(names, getattr(differences, side)).astype(np.uint8)
    artifact.save(data_path(FOLDER), arrays, card | {"libraries": names})


@lru_cache(maxsize=1)
def load_differences() -> Differences:
    """Differences of the libraries that ship, as ``scripts/make_differences.py`` measured them.

    Raises
    ------
    InputError
        If their file is missing or cannot be read.
    """
    arrays, card = artifact.load(data_path(FOLDER), "table of differences between libraries")
    names = np.array(card["libraries"])
    fields = {name: arrays[name].astype(float) for name in _FIELDS}
    return Differences(**fields, of=names[arrays["of"]], by=names[arrays["by"]])


def _factors(
    rows: np.ndarray, weight: np.ndarray, n_components: int
) -> tuple[np.ndarray, np.ndarray]:
    """Components (n_components, 57) and remainder (57,) of rows with gaps.

    Raises
    ------
    InputError
        If no row has some band.
    """
    present = np.isfinite(rows)
    x = np.where(present, rows, 0.0)
    seen = weight @ present
    if not (seen > 0).all():
        raise InputError("No pair of these libraries covers all bands.")
    measured = weight @ x**2 / seen
    groups = _moments(x, present, weight)
    values, vectors = np.linalg.eigh((x * weight[:, None]).T @ x)
    loading = vectors[:, -n_components:] * np.sqrt(np.maximum(values[-n_components:], _LEAST**2))
    noise = 0.1 * measured + _LEAST**2
    for _ in range(_STEPS):
        loading, noise = _step(groups, loading, noise)
    loading = loading - loading.mean(axis=0)
    scale = np.sqrt(measured / ((loading**2).sum(axis=1) + noise))
    vectors, sizes, _ = np.linalg.svd(loading * scale[:, None], full_matrices=False)
    components = (vectors * sizes).T
    components *= np.sign(components[:, :1])  # a sign that is the same at each run
    return components, np.sqrt(noise) * scale


@dataclass(frozen=True)
class _Group:
    """Rows with the same bands: which, how much they weigh, and their second moments."""

    bands: np.ndarray
    weight: float
    moments: np.ndarray


def _moments(x: np.ndarray, present: np.ndarray, weight: np.ndarray) -> list[_Group]:
    patterns, index = np.unique(present, axis=0, return_inverse=True)
    groups = []
    for k, bands in enumerate(patterns):
        rows = np.flatnonzero(index.ravel() == k)
        chosen = x[np.ix_(rows, bands)]
        moments = (chosen * weight[rows, None]).T @ chosen
        groups.append(_Group(bands, weight[rows].sum(), moments))
    return groups


def _step(
    groups: Sequence[_Group], loading: np.ndarray, noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """One step of EM: loading (57, k) and variance of the rest (57,).

    The mean of a row over its own bands is zero, but in the model that over all bands is: a row
    with gaps is moved by the mean of what the model expects in its bands.
    """
    k = loading.shape[1]
    cross, square = np.zeros((N_BANDS, k)), np.zeros((N_BANDS, k, k))
    power, seen = np.zeros(N_BANDS), np.zeros(N_BANDS)
    for group in groups:
        bands = group.bands
        local = loading[bands]
        mean = local.mean(axis=0)
        # Of the loadings, what can be seen in these bands: all but a constant.
        free = local - mean
        scaled = free / noise[bands, None]
        covariance = np.linalg.inv(np.eye(k) + free.T @ scaled)
        factor = scaled @ covariance  # z = x factor
        moved = np.eye(len(local)) + (factor @ mean)[:, None]
        half = moved.T @ group.moments
        cross[bands] += half @ factor + group.weight * mean @ covariance
        square[bands] += factor.T @ group.moments @ factor + group.weight * covariance
        power[bands] += (half * moved.T).sum(axis=1) + group.weight * mean @ covariance @ mean
        seen[bands] += group.weight
    loading = np.linalg.solve(square, cross[..., None])[..., 0]
    left = power - (loading * cross).sum(axis=1)
    return loading, np.maximum(left / seen, _LEAST**2)

"""A trained posterior network with its card: saved, loaded, and asked about galaxies."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from sspexplorer import artifact
from sspexplorer.bands import BAND_NAMES
from sspexplorer.errors import InputError
from sspexplorer.posterior.density import Bounds, Mixture
from sspexplorer.posterior.inputs import REDSHIFT_ERRORS, encode, level, relative_noise
from sspexplorer.posterior.network import Architecture, PosteriorNetwork
from sspexplorer.progress import NO_PROGRESS, Progress

_CHUNK = 4096


@dataclass(frozen=True)
class PosteriorModel:
    """A posterior network and its card.

    Attributes
    ----------
    network : PosteriorNetwork
        In evaluation mode; never changed.
    groups : tuple of Bounds
        Parameters that share a density: first ``log_age``, ``metallicity`` and ``ebv``, last
        ``redshift``; between them, for composite populations, ages and metallicities by mass.
    card : dict
        What the model is: prior, architecture, training, versions.
    """

    network: PosteriorNetwork
    groups: tuple[Bounds, ...]
    card: dict

    def posterior(
        self,
        flux: np.ndarray,
        flux_err: np.ndarray,
        redshift: np.ndarray | None = None,
        redshift_err: np.ndarray | None = None,
        *,
        progress: Progress = NO_PROGRESS,
    ) -> tuple[Mixture, ...]:
        """Posterior of each group of parameters.

        Parameters
        ----------
        flux, flux_err : ndarray, shape (n, 57)
            F_ν and its σ on any scale, the same for both; NaN in ``flux`` where a band is
            missing. At least one band of a row must be there.
        redshift, redshift_err : ndarray, shape (n,), optional
            Redshift and its σ, by default 0.0001; NaN where the redshift is unknown.
        progress : Progress, optional

        Returns
        -------
        tuple of Mixture
            One for each of ``groups``.
        """
        n = len(flux)
        redshift = np.full(n, np.nan) if redshift is None else redshift
        redshift_err = np.full(n, np.nan) if redshift_err is None else redshift_err
        parts: list[tuple[Mixture, ...]] = []
        for start in range(0, max(n, 1), _CHUNK):
            rows = slice(start, start + _CHUNK)
            inputs = encode_catalogue(
                flux[rows], flux_err[rows], redshift[rows], redshift_err[rows]
            )
            with torch.inference_mode():
                found = self.network(inputs)
            mixtures = (m.mixture(g) for m, g in zip(found, self.groups, strict=True))
            parts.append(tuple(mixtures))
            progress.report(min(1.0, (start + _CHUNK) / max(n, 1)))
        return tuple(_joined(group) for group in zip(*parts, strict=True))

    def save(self, folder: Path) -> None:
        """Write ``weights.safetensors`` and ``card.json`` into ``folder``, made if missing.

        Weights are rounded to 16 bits, half the size: what is tested is what was read again.

        Raises
        ------
        InputError
            If the folder cannot be written.
        """
        state = self.network.state_dict()
        artifact.save(folder, {k: v.half().numpy() for k, v in state.items()}, self.card)

    @classmethod
    def load(cls, folder: Path) -> "PosteriorModel":
        """Read a model written by :meth:`save`.

        Raises
        ------
        InputError
            If the folder is not such a model.
        """
        arrays, card = artifact.load(folder, "posterior model")
        with artifact.readable(folder, "posterior model"):
            if tuple(card["bands"]) != BAND_NAMES:
                raise InputError(f"{folder} holds a model for other bands.")
            groups = groups_of(card)
            network = PosteriorNetwork(Architecture(**card["architecture"]), groups)
            network.load_state_dict({k: torch.from_numpy(a).float() for k, a in arrays.items()})
        network.eval().requires_grad_(False)
        return cls(network, groups, card)


def encode_catalogue(
    flux: np.ndarray, flux_err: np.ndarray, redshift: np.ndarray, redshift_err: np.ndarray
) -> torch.Tensor:
    """Inputs of a network for a catalogue, see :meth:`PosteriorModel.posterior`."""
    present = torch.from_numpy(np.isfinite(flux))
    values = torch.from_numpy(np.nan_to_num(flux)).double()
    scale = level(values, present)
    relative = (values / scale).float()
    error = (torch.from_numpy(np.nan_to_num(flux_err, nan=0.0)).double() / scale).float()
    noise = relative_noise(relative, error, present)
    z = torch.from_numpy(np.asarray(redshift, dtype=np.float32).copy())
    sigma = torch.from_numpy(np.nan_to_num(redshift_err, nan=REDSHIFT_ERRORS[0]).astype(np.float32))
    return encode(relative, noise, present, z, sigma)


def groups_of(card: dict) -> tuple[Bounds, ...]:
    """Groups of parameters that a card tells of."""
    return tuple(
        Bounds(tuple(g), *(tuple(side) for side in zip(*g.values(), strict=True)))
        for g in card["groups"]
    )


def _joined(parts: tuple[Mixture, ...]) -> Mixture:
    arrays = (
        np.concatenate([getattr(p, f) for p in parts]) for f in ("weights", "means", "factors")
    )
    return Mixture(parts[0].bounds, *arrays)

"""A trained posterior network with its card: saved, loaded, and asked about galaxies."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sspexplorer import artifact
from sspexplorer.bands import BAND_NAMES
from sspexplorer.errors import InputError
from sspexplorer.gaps import LEAST_BANDS, MIN_BANDS
from sspexplorer.photometry import MAX_REDSHIFT
from sspexplorer.posterior.density import Bounds, Mixture
from sspexplorer.posterior.inputs import (
    GAPPY_BANDS,
    Reach,
    encode,
    level,
    relative_noise,
    without_redshift,
)
from sspexplorer.posterior.network import Architecture, PosteriorNetwork
from sspexplorer.progress import NO_PROGRESS, Progress

FEW_BANDS, NEARBY = "few_bands.safetensors", "nearby.safetensors"
# Galaxies known to be no farther, and as well as this, are nearby.
NEARBY_TO = (MAX_REDSHIFT, 0.01)
# From here to there, in redshift and in its σ, one network hands over to the other.
_HANDOVER = ((0.9 * MAX_REDSHIFT, 1.1 * MAX_REDSHIFT), (0.0075, 0.0125))

_CHUNK = 2048
_MAIN, _FEW, _NEARBY = range(3)  # which of the networks answers
_ARRAYS = ("weights", "means", "factors")  # of a mixture


@dataclass(frozen=True)
class PosteriorModel:
    """A posterior network and its card.

    Attributes
    ----------
    network : PosteriorNetwork
        In evaluation mode; never changed.
    groups : tuple of Bounds
        Parameters that share a density: first ``log_age``, ``metallicity`` and ``ebv``, last
        ``redshift`` from colours alone; between them, for composite populations, what else is
        true of them.
    card : dict
        What the model is: prior, architecture, training, versions.
    few_bands : PosteriorNetwork, optional
        Answers for galaxies with 5 to 39 bands, as ``network`` has hardly met any in training.
    nearby : PosteriorNetwork, optional
        Answers for galaxies that are known to be nearby, of a model that reaches far. At the end
        of what is nearby both answer, and the share of this one falls from 1 to 0.
    joint : Bounds, optional
        Parameters of several groups whose density is known together as well, and the redshift
        that they go with.
    """

    network: PosteriorNetwork
    groups: tuple[Bounds, ...]
    card: dict
    few_bands: PosteriorNetwork | None = None
    nearby: PosteriorNetwork | None = None
    joint: Bounds | None = None

    @property
    def reach(self) -> Reach:
        """Redshifts that the model answers for."""
        return Reach(self.groups[-1].high[0])

    @property
    def heads(self) -> tuple[Bounds, ...]:
        """What the network answers: its groups, and the joint one if there is one."""
        return self.groups if self.joint is None else (*self.groups, self.joint)

    @property
    def least_bands(self) -> int:
        """From how many bands on the model has an answer."""
        return MIN_BANDS if self.few_bands is None else LEAST_BANDS

    def posterior(
        self,
        flux: np.ndarray,
        flux_err: np.ndarray,
        redshift: np.ndarray | None = None,
        redshift_err: np.ndarray | None = None,
        *,
        photoz: bool = False,
        joint: bool = False,
        progress: Progress = NO_PROGRESS,
    ) -> tuple[Mixture, ...]:
        """Posterior of each group of parameters.

        Parameters
        ----------
        flux, flux_err : ndarray, shape (n, 57)
            F_ν and its σ on any scale, the same for both; NaN in ``flux`` where a band is
            missing. At least :attr:`least_bands` of a row must be there.
        redshift, redshift_err : ndarray, shape (n,), optional
            Redshift and its σ, by default 0.0001; NaN where the redshift is unknown. One whose σ
            is more than training has met, see :class:`.Reach`, is taken as unknown.
        photoz : bool
            Have the redshift, the last of ``groups``, from colours alone where one is given too.
        joint : bool
            Have the joint posterior as well, behind the others, if the model has one.
        progress : Progress, optional

        Returns
        -------
        tuple of Mixture
            One for each of ``groups``, and the joint one if asked for.
        """
        n, heads = len(flux), slice(len(self.heads) if joint else len(self.groups))
        redshift = np.full(n, np.nan) if redshift is None else redshift
        redshift_err = np.full(n, np.nan) if redshift_err is None else redshift_err
        parts: list[tuple[Mixture, ...]] = []
        for start in range(0, max(n, 1), _CHUNK):
            rows = slice(start, start + _CHUNK)
            inputs = encode_catalogue(
                flux[rows], flux_err[rows], redshift[rows], redshift_err[rows], self.reach
            )
            share = self.nearby_share(flux[rows], redshift[rows], redshift_err[rows])
            who = self._who(flux[rows], share)
            found = self._answer(inputs, who, heads)
            both = (share > 0) & (share < 1)
            if both.any():
                far = self._mixtures(self.network, inputs[both], heads)
                pairs = zip(found, far, strict=True)
                found = tuple(_blended(near, one, both, share) for near, one in pairs)
            if photoz:
                known, hidden = without_redshift(inputs)
                last = len(self.groups) - 1
                blind = np.where(who == _NEARBY, _MAIN, who)[known.numpy()]
                (colours,) = self._answer(hidden, blind, slice(last, last + 1))
                replaced = _with_rows(found[last], known, colours)
                found = (*found[:last], replaced, *found[last + 1 :])
            parts.append(found)
            progress.report(min(1.0, (start + _CHUNK) / max(n, 1)))
        return tuple(_joined(group) for group in zip(*parts, strict=True))

    def nearby_share(
        self, flux: np.ndarray, redshift: np.ndarray, redshift_err: np.ndarray
    ) -> np.ndarray:
        """How much of each answer is that of the network for nearby galaxies.

        Parameters
        ----------
        flux : ndarray, shape (n, 57)
            NaN where a band is missing.
        redshift, redshift_err : ndarray, shape (n,)
            NaN where unknown; a redshift without an error is well known.

        Returns
        -------
        ndarray, shape (n,)
            From 0 to 1: in between the posterior is one of both networks, so that it does not
            change all at once where galaxies are no longer nearby.
        """
        if self.nearby is None:
            return np.zeros(len(flux), np.float32)
        far, vague = (
            np.clip((value - first) / (last - first), 0, 1)
            for value, (first, last) in zip(
                (np.nan_to_num(redshift, nan=np.inf), np.nan_to_num(redshift_err)),
                _HANDOVER,
                strict=True,
            )
        )
        share = (1 - far) * (1 - vague)
        if self.few_bands is not None:
            share = np.where(_few(flux), 0, share)
        return share.astype(np.float32)

    def _who(self, flux: np.ndarray, share: np.ndarray) -> np.ndarray:
        """Which of the networks answers for each row, (n,), the near one where two do."""
        who = np.where(share > 0, _NEARBY, _MAIN)
        return who if self.few_bands is None else np.where(_few(flux), _FEW, who)

    def _answer(self, inputs: Tensor, who: np.ndarray, heads: slice) -> tuple[Mixture, ...]:
        """Posteriors of rows, each by the network for it."""
        others = {_FEW: self.few_bands, _NEARBY: self.nearby}
        networks = {k: one or self.network for k, one in ({_MAIN: None} | others).items()}
        asked = np.unique(who).tolist() or [_MAIN]
        if len(asked) == 1:
            return self._mixtures(networks[asked[0]], inputs, heads)
        parts = {k: self._mixtures(networks[k], inputs[who == k], heads) for k in asked}
        return tuple(
            _merged({k: found[place] for k, found in parts.items()}, who)
            for place in range(len(self.heads[heads]))
        )

    def _mixtures(
        self, network: PosteriorNetwork, inputs: Tensor, heads: slice
    ) -> tuple[Mixture, ...]:
        with torch.inference_mode():
            found = network(inputs, heads)
        return tuple(m.mixture(b) for m, b in zip(found, self.heads[heads], strict=True))

    def save(self, folder: Path) -> None:
        """Write card and weights into ``folder``, made if missing.

        Weights are rounded to 16 bits, half the size: what is tested is what was read again.

        Raises
        ------
        InputError
            If the folder cannot be written.
        """
        artifact.save(folder, _half(self.network), self.card)
        for name, network in ((FEW_BANDS, self.few_bands), (NEARBY, self.nearby)):
            if network is None:
                # One that is there belongs to another network.
                (folder / name).unlink(missing_ok=True)
            else:
                artifact.save_arrays(folder / name, _half(network))

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
            few, near = (
                _network(card, artifact.load_arrays(folder / name))
                if (folder / name).is_file()
                else None
                for name in (FEW_BANDS, NEARBY)
            )
            return cls(_network(card, arrays), groups_of(card), card, few, near, joint_of(card))


def known_nearby(redshift: np.ndarray, redshift_err: np.ndarray) -> np.ndarray:
    """Which galaxies are known to be nearby, (n,), by redshifts and their σ, NaN where unknown."""
    highest, widest = NEARBY_TO
    with np.errstate(invalid="ignore"):
        return (redshift <= highest) & ~(redshift_err > widest)


def _few(flux: np.ndarray) -> np.ndarray:
    """Which rows have too few bands for the network that has met all redshifts, (n,)."""
    return np.isfinite(flux).sum(axis=1) < GAPPY_BANDS


def _half(network: PosteriorNetwork) -> dict[str, np.ndarray]:
    return {name: value.half().numpy() for name, value in network.state_dict().items()}


def _network(card: dict, arrays: dict[str, np.ndarray]) -> PosteriorNetwork:
    network = PosteriorNetwork(
        Architecture(**card["architecture"]), groups_of(card), joint_of(card)
    )
    network.load_state_dict({k: torch.from_numpy(a).float() for k, a in arrays.items()})
    return network.eval().requires_grad_(False)


def encode_catalogue(
    flux: np.ndarray,
    flux_err: np.ndarray,
    redshift: np.ndarray,
    redshift_err: np.ndarray,
    reach: Reach,
) -> Tensor:
    """Inputs of a network for a catalogue, see :meth:`PosteriorModel.posterior`."""
    values = torch.from_numpy(np.asarray(flux, dtype=float))
    present = torch.isfinite(values)
    values = values.nan_to_num()
    scale = level(values, present)
    relative = (values / scale).float()
    error = (torch.from_numpy(np.asarray(flux_err, dtype=float)).nan_to_num() / scale).float()
    noise = relative_noise(relative, error, present)
    # What is known worse than any redshift in training would be taken as known as well as that.
    known = np.where(reach.too_uncertain(redshift, redshift_err), np.nan, redshift)
    z = torch.from_numpy(known.astype(np.float32))
    sigma = torch.from_numpy(np.nan_to_num(redshift_err, nan=reach.errors[0]).astype(np.float32))
    return encode(relative, noise, present, z, sigma, reach)


def groups_of(card: dict) -> tuple[Bounds, ...]:
    """Groups of parameters that a card tells of."""
    return tuple(map(_bounds, card["groups"]))


def joint_of(card: dict) -> Bounds | None:
    """Parameters whose joint density a card tells of."""
    return _bounds(card["joint"]) if "joint" in card else None


def _bounds(told: dict) -> Bounds:
    return Bounds(tuple(told), *(tuple(side) for side in zip(*told.values(), strict=True)))


def _joined(parts: tuple[Mixture, ...]) -> Mixture:
    if len(parts) == 1:
        return parts[0]
    most = max(part.weights.shape[1] for part in parts)
    wide = [_widened(part, most) for part in parts]
    return Mixture(
        wide[0].bounds, *(np.concatenate([getattr(p, f) for p in wide]) for f in _ARRAYS)
    )


def _widened(mixture: Mixture, n_components: int) -> Mixture:
    """The same with more components, which weigh nothing."""
    missing = n_components - mixture.weights.shape[1]
    if not missing:
        return mixture
    more = [getattr(mixture, name)[:, :1].repeat(missing, axis=1) for name in _ARRAYS]
    more[0] = np.zeros_like(more[0])
    pairs = zip((getattr(mixture, name) for name in _ARRAYS), more, strict=True)
    return Mixture(mixture.bounds, *(np.concatenate(pair, axis=1) for pair in pairs))


def _blended(near: Mixture, far: Mixture, both: np.ndarray, share: np.ndarray) -> Mixture:
    """Mixtures of all rows, with those of ``far`` in the rows of a mask for the rest of a share."""
    k = near.weights.shape[1]
    found = _widened(near, 2 * k)
    for name in _ARRAYS:
        getattr(found, name)[both, k:] = getattr(far, name)
    found.weights[both, :k] *= share[both, None]
    found.weights[both, k:] *= 1 - share[both, None]
    return found


def _with_rows(mixture: Mixture, rows: Tensor, others: Mixture) -> Mixture:
    """The same with some rows, as a mask, replaced by others."""
    if rows.all():
        return others
    others = _widened(others, mixture.weights.shape[1])
    arrays = [getattr(mixture, name).copy() for name in _ARRAYS]
    for array, name in zip(arrays, _ARRAYS, strict=True):
        array[rows.numpy()] = getattr(others, name)
    return Mixture(mixture.bounds, *arrays)


def _merged(parts: dict[int, Mixture], who: np.ndarray) -> Mixture:
    """Mixtures of all rows, each part's where ``who`` is its key."""
    first = next(iter(parts.values()))
    arrays = []
    for name in _ARRAYS:
        array = np.empty((len(who), *getattr(first, name).shape[1:]), getattr(first, name).dtype)
        for key, part in parts.items():
            array[who == key] = getattr(part, name)
        arrays.append(array)
    return Mixture(first.bounds, *arrays)

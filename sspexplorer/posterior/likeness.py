"""How like the populations of a model's training a galaxy is, given its errors.

The score is the χ² per band of the closest mixture of training SEDs, with free amplitude. How
large it may be is read off mocks of the same kind that the training did not see, at the same
signal-to-noise ratio and with emission lines as strong: so it becomes a p-value, even between 0 and
1 for galaxies like them. Galaxies with strong lines are the hardest to match: beside them all,
whatever else does not match would pass.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sspexplorer import artifact, flags
from sspexplorer.bands import load_bands
from sspexplorer.errors import InputError
from sspexplorer.gaps import complete, row_median
from sspexplorer.noise import NoiseModel
from sspexplorer.populations import Populations
from sspexplorer.posterior.closest import ClosestSEDs, non_negative
from sspexplorer.posterior.scores import (
    KINDS,
    LEVELS,
    SNR_EDGES,
    level_of,
    quantile,
    quantiles_of,
    roughness,
    typical_snr,
)
from sspexplorer.progress import NO_PROGRESS, Progress

FILE, NEARBY = "likeness.safetensors", "likeness_nearby.safetensors"
# Relative error of the closest SEDs themselves, added in quadrature.
MODEL_ERROR = 0.005
# Fluxes and errors in units of a row's median that no galaxy comes near; beyond these numbers,
# squares of them are none in 32 bits.
_FARTHEST, _SMALLEST_ERROR = 1e12, 1e-8
# Below this p-value a galaxy is called unlike anything in training: as one in a hundred of those
# are that are like it. At 0.001 most stars would pass for rare galaxies with strong lines.
UNLIKE = 0.01
# A band is contradicted by the others if it is this many σ off, and without it the galaxy is as
# likely as this, where it was less so with it.
CONTRADICTED = 5.0
LIKELY = 0.02
# Short of that, they are contradicted if no more than this part of χ² per band is left.
DECISIVE = 0.1
MAX_NAMED = 5
_SUSPECTS = 3  # bands that are left out in turn
_AMONG = 64  # closest SEDs without all of these, to mix those of each trial from

# Below the first p-value the quickest search is not taken at its word, below the second none but
# the most thorough. With less, fewer of the things that are no galaxies would stand out.
_DOUBTFUL, _SMALL = 0.2, 0.1
_CHUNK = 4096


@dataclass(frozen=True)
class _Search:
    """How hard to look for the closest mixture.

    ``blocks`` of SEDs to look into, None for all; ``neighbours`` to mix; ``sweeps`` over their
    amplitudes and their ``relaxation``, see :func:`non_negative`. The quickest finds scores that
    are a little greater: its quantiles are its own.
    """

    blocks: int | None
    neighbours: int
    sweeps: int
    relaxation: float = 1.0


_QUICK, _WIDE, _THOROUGH = _Search(8, 8, 8, 1.4), _Search(24, 16, 120), _Search(None, 16, 120)


@dataclass(frozen=True)
class Likeness:
    """Training SEDs to compare with, and how close held-out mocks come to them.

    Attributes
    ----------
    templates : ndarray, shape (n_templates, 57), float32
        Noise-free F_ν over its median.
    quantiles : ndarray, shape (n_kinds, 14, 140), float32
        Quantiles of the score of held-out mocks by how strong their lines are, in bins of
        signal-to-noise ratio; of one kind where all are taken together.
    quick : ndarray of that shape, optional
        The same of the scores that a quick search finds, which are a little greater.
    """

    templates: np.ndarray
    quantiles: np.ndarray
    quick: np.ndarray | None = None

    @cached_property
    def _seds(self) -> ClosestSEDs:
        return ClosestSEDs(torch.from_numpy(self.templates))

    def score(self, flux: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """χ² per band of the closest mixture of training SEDs, and that mixture.

        Parameters
        ----------
        flux, error : ndarray, shape (n, 57)
            F_ν and σ on any scale; NaN in ``flux`` where a band is missing.

        Returns
        -------
        score : ndarray, shape (n,)
        closest : ndarray, shape (n, 57)
            The mixture, on the scale of ``flux``; also in bands that are missing.
        """
        return self._closest(flux, error, _THOROUGH)

    def _closest(
        self,
        flux: np.ndarray,
        error: np.ndarray,
        search: _Search,
        among: Tensor | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        scores, mixtures = np.empty(len(flux)), np.empty(flux.shape)
        for start in range(0, len(flux), _CHUNK):
            rows = slice(start, start + _CHUNK)
            f, weight, level = _weighed(flux[rows], error[rows])
            with torch.inference_mode():
                if among is None:
                    near = self._seds.nearest(f, weight, search.neighbours, search.blocks)
                else:
                    near = self._seds.nearest_of(among[rows], f, weight, search.neighbours)
                seds = self._seds.seds[near]  # (n, neighbours, 57)
                weighted = seds * weight[:, None, :]
                gram = weighted @ seds.transpose(1, 2)
                target = (weighted @ f[..., None])[..., 0]
                solved = non_negative(
                    gram.numpy(), target.numpy(), search.sweeps, search.relaxation
                )
                amplitude = torch.from_numpy(solved)
                mixture = (amplitude[:, None, :] @ seds)[:, 0]
                chi2 = (weight * (f - mixture).square()).sum(dim=1)
            scores[rows] = chi2.numpy() / np.isfinite(flux[rows]).sum(axis=1)
            mixtures[rows] = mixture.numpy() * level
        return scores, mixtures

    def p_value(
        self, score: np.ndarray, snr: np.ndarray, closest: np.ndarray, *, quick: bool = False
    ) -> np.ndarray:
        """Share of held-out mocks of the same signal-to-noise ratio and lines with a greater score.

        Parameters
        ----------
        score : ndarray, shape (n,)
        snr : ndarray, shape (n,)
            See :func:`typical_snr`.
        closest : ndarray, shape (n, 57)
            The mixture that the score is of.
        quick : bool
            Whether a quick search found it.
        """
        beside = self._beside(snr, closest)
        table = self.quick if quick and self.quick is not None else self.quantiles
        p = 1 - level_of(table, score, beside)
        # Beyond the last quantile only the ratio to it tells two scores apart.
        last = quantile(table, beside, -1)
        return np.where(score > last, p * last / score, p)

    def _beside(self, snr: np.ndarray, closest: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Rows of the table of quantiles that each galaxy lies between, (n,), and their shares."""
        n_kinds, n_bins, _ = self.quantiles.shape
        centres = (SNR_EDGES[1:] + SNR_EDGES[:-1]) / 2
        places = [(np.interp(np.log10(snr), centres, np.arange(n_bins)), n_bins)]
        if n_kinds > 1:
            kind = np.interp(np.log10(roughness(closest)), np.log10(KINDS), np.arange(n_kinds))
            places.insert(0, (kind, n_kinds))
        found = [(np.zeros(len(snr), dtype=int), np.ones(len(snr)))]
        for place, count in places:
            low = np.minimum(place.astype(int), count - 2)
            found = [
                (row * count + low + side, share * (place - low if side else 1 - (place - low)))
                for row, share in found
                for side in (0, 1)
            ]
        return found

    def assess(
        self, flux: np.ndarray, error: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Score, p-value and closest mixture, see :meth:`score` and :meth:`p_value`.

        A galaxy is searched for no longer than its p-value is in doubt: where the likeliest SEDs
        match it well enough, the others are not looked at. A better match could only be missed
        there, so that no galaxy is called unlike the training that :meth:`score` would not.
        """
        snr = typical_snr(flux, error)
        score, closest = self._closest(flux, error, _QUICK)
        p = self.p_value(score, snr, closest, quick=True)
        for search, doubt in ((_WIDE, _DOUBTFUL), (_THOROUGH, _SMALL)):
            rows = np.flatnonzero(p < doubt)
            if len(rows):
                score[rows], closest[rows] = self._closest(flux[rows], error[rows], search)
                p[rows] = self.p_value(score[rows], snr[rows], closest[rows])
        return score, p, closest

    def contradicted(
        self, flux: np.ndarray, error: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Find bands that all others contradict.

        One after the other, the band that the rest fits best without is left out, until the rest
        is like a population of the training. What was left out is named if that comes true, or
        if nearly all of χ² has gone with it; else it is put back, and no band is named.

        Returns
        -------
        contradicted : ndarray of bool, shape (n, 57)
        score, p_value : ndarray, shape (n,)
            Without those bands.
        """
        flux = np.array(flux, dtype=float)
        named = np.zeros(flux.shape, dtype=bool)
        first, p_first, closest = self.assess(flux, error)
        score, p = first.copy(), p_first.copy()
        active = np.flatnonzero(p < LIKELY)
        without, mixture = flux[active], closest[active]
        for _ in range(MAX_NAMED):
            if not len(active):
                break
            worst, score[active], mixture = self._without_worst(without, error[active], mixture)
            rows = np.arange(len(active))
            off, there = without[rows, worst], mixture[rows, worst]
            without[rows, worst] = np.nan
            snr = typical_snr(without, error[active])
            p[active] = self.p_value(score[active], snr, mixture)
            sigma = np.hypot(error[active, worst], MODEL_ERROR * np.abs(there))
            far = np.abs(off - there) > CONTRADICTED * sigma
            named[active, worst] = far
            more = (p[active] < LIKELY) & far
            active, without, mixture = active[more], without[more], mixture[more]
        hopeless = (p < LIKELY) & (score > DECISIVE * first)
        named[hopeless] = False
        score[hopeless], p[hopeless] = first[hopeless], p_first[hopeless]
        return named, score, p

    def _without_worst(
        self, flux: np.ndarray, error: np.ndarray, mixture: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Index of the band that the rest fits best without, (n,), and score and mixture then.

        The mixture was drawn toward a band that is wrong: each of the worst few is left out in
        turn, and the one that the rest is happiest without goes.
        """
        n = len(flux)
        with np.errstate(invalid="ignore"):
            pull = np.abs(flux - mixture) / np.hypot(error, MODEL_ERROR * np.abs(mixture))
        candidates = np.argsort(-np.nan_to_num(pull, nan=-1), axis=1)[:, :_SUSPECTS]
        # Whichever goes, the closest SEDs are among those that are close without all of them.
        whole = flux.copy()
        np.put_along_axis(whole, candidates, np.nan, axis=1)
        f, weight, _ = _weighed(whole, error)
        with torch.inference_mode():
            among = self._seds.nearest(f, weight, min(_AMONG, len(self.templates)))
        trials = np.repeat(flux, _SUSPECTS, axis=0)
        trials[np.arange(n * _SUSPECTS), candidates.ravel()] = np.nan
        score, closest = self._closest(
            trials,
            np.repeat(error, _SUSPECTS, axis=0),
            _THOROUGH,
            among.repeat_interleave(_SUSPECTS, dim=0),
        )
        best = score.reshape(n, -1).argmin(axis=1)
        rows = np.arange(n)
        chosen = rows * _SUSPECTS + best
        return candidates[rows, best], score[chosen], closest[chosen]

    def save(self, folder: Path, name: str = FILE) -> None:
        """Write into the folder of a model, under :data:`FILE` or :data:`NEARBY`."""
        arrays = {"templates": self.templates.astype(np.float16), "quantiles": self.quantiles}
        if self.quick is not None:
            arrays["quick"] = self.quick
        artifact.save_arrays(folder / name, arrays)

    @classmethod
    def load(cls, folder: Path, name: str = FILE) -> "Likeness":
        """Read what :meth:`save` wrote.

        Raises
        ------
        InputError
            If the folder has no such file that can be read.
        """
        with artifact.readable(folder, "model with error bars"):
            arrays = artifact.load_arrays(folder / name)
            templates, quantiles = arrays["templates"], arrays["quantiles"]
        # Models of before take all kinds together, and a quick search for a thorough one.
        shape = (-1, *quantiles.shape[-2:])
        return cls(templates.astype(np.float32), quantiles.reshape(shape), arrays.get("quick"))


def _weighed(flux: np.ndarray, error: np.ndarray) -> tuple[Tensor, Tensor, np.ndarray]:
    """Fluxes over the median of each row, their inverse variances, and the medians (n, 1)."""
    present = np.isfinite(flux)
    level = row_median(np.where(present, np.abs(flux), np.nan))[:, None]
    f = np.clip(np.where(present, flux / level, 0.0), -_FARTHEST, _FARTHEST).astype(np.float32)
    # An error without bound weighs nothing.
    with np.errstate(over="ignore"):
        sigma = np.hypot(error / level, MODEL_ERROR * np.abs(f)).clip(_SMALLEST_ERROR)
        weight = np.where(present, 1 / np.square(sigma), 0.0).astype(np.float32)
    return torch.from_numpy(f), torch.from_numpy(weight), level


def learn_likeness(
    training: Populations,
    held_out: Populations,
    noise: NoiseModel,
    *,
    n_templates: int,
    seed: int = 0,
    progress: Progress = NO_PROGRESS,
) -> Likeness:
    """Choose the SEDs to compare with, and measure the scores of held-out mocks.

    Parameters
    ----------
    training, held_out : Populations
        Templates are drawn from the first; the second is observed at magnitudes even over what
        the model is for, and scored.
    noise : NoiseModel
    n_templates : int
    seed : int
    progress : Progress, optional
    """
    rng = np.random.default_rng(seed)
    templates = _whole(training.flux, n_templates).astype(np.float16).astype(np.float32)
    n_bins = len(SNR_EDGES) - 1
    likeness = Likeness(templates, np.zeros((1, n_bins, len(LEVELS)), np.float32))
    magnitude = rng.uniform(14.5, 23.0, len(held_out))
    flux, error = noise.add(held_out.flux.astype(float), magnitude, rng)
    tables = []
    for search in (_THOROUGH, _QUICK):
        parts = []
        for start in range(0, len(flux), 2000):
            rows = slice(start, start + 2000)
            found, closest = likeness._closest(flux[rows], error[rows], search)
            parts.append((found, roughness(closest)))
            progress.report(min(1.0, (start + 2000) / len(flux)))
        score, rough = (np.concatenate(one) for one in zip(*parts, strict=True))
        tables.append(quantiles_of(score, typical_snr(flux, error), rough))
    return Likeness(templates, *tables)


def _whole(flux: np.ndarray, n: int) -> np.ndarray:
    """First ``n`` SEDs, with bands that their library lacks continued from those that lack none.

    Raises
    ------
    InputError
        If all lack some.
    """
    chosen = flux[:n]
    lacking = ~np.isfinite(chosen).all(axis=1)
    if lacking.any():
        whole = chosen[~lacking]
        if not len(whole):
            raise InputError(
                "No library of this prior covers all 57 bands; add one that does, such as bc03."
            )
        chosen = chosen.copy()
        chosen[lacking] = complete(chosen[lacking], whole)[0]
    # Far galaxies of a library that starts in the blue may have too few bands to go by.
    return chosen[np.isfinite(chosen).all(axis=1)]


def named(bands: np.ndarray) -> list[str]:
    """Names of the bands that are true in each row of (n, 57), with spaces between."""
    names = np.array(load_bands().names)
    found = [""] * len(bands)
    for row in np.flatnonzero(bands.any(axis=1)):
        found[row] = flags.cell(names[bands[row]])
    return found

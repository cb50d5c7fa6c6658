"""Things that are no galaxy of the training, to test whether a model notices.

Each kind is seen at i = 18, beside held-out mocks of the same magnitude.
"""

from functools import cache

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from sspexplorer import flags
from sspexplorer.bands import load_bands
from sspexplorer.constants import SPEED_OF_LIGHT
from sspexplorer.noise import NoiseModel
from sspexplorer.posterior.likeness import UNLIKE, Likeness, named
from sspexplorer.posterior.validation.trust import TestMocks
from sspexplorer.progress import NO_PROGRESS, Progress
from sspexplorer.resources import data_path

MAGNITUDE = 18.0

# Broad emission lines of quasars: rest wavelength (Å), equivalent width (Å) and width (km/s),
# rounded from the composite of Vanden Berk et al. (2001), Table 2.
_QUASAR_LINES = (
    (1215.7, 92.0, 5000.0),
    (1549.1, 24.0, 5000.0),
    (1908.7, 21.0, 6000.0),
    (2798.8, 32.0, 4500.0),
    (4340.5, 13.0, 4000.0),
    (4861.3, 46.0, 4000.0),
    (6562.8, 195.0, 4000.0),
)
_QUASAR_REDSHIFTS = (0.3, 2.2)


@cache
def load_stars() -> pd.DataFrame:
    """Real stars: F_ν in the 57 bands over its median, NaN where a spectrum does not reach.

    From data/stars.csv, see its first lines for the source. Columns are ``star`` and the bands.
    """
    return pd.read_csv(data_path("stars.csv"), comment="#")


def stars(noise: NoiseModel, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Each real star under one draw of the noise: fluxes and errors, shape (n, 57)."""
    flux = load_stars()[list(load_bands().names)].to_numpy(float)
    return noise.add(flux, MAGNITUDE, rng)


def quasars(
    noise: NoiseModel, rng: np.random.Generator, n: int = 500
) -> tuple[np.ndarray, np.ndarray]:
    """Power laws F_ν ∝ ν^α with broad lines, α = −0.44 ± 0.3 (Vanden Berk et al. 2001)."""
    wavelength = np.arange(3000.0, 11000.0, 5.0)
    slope = rng.normal(-0.44, 0.3, n)
    redshift = rng.uniform(*_QUASAR_REDSHIFTS, n)
    flux = (wavelength / 5000.0) ** -slope[:, None]
    continuum = flux.copy()
    for centre, width, velocity in _QUASAR_LINES:
        at = centre * (1 + redshift)[:, None]
        sigma = at * velocity / 2.998e5 / 2.355
        profile = np.exp(-0.5 * ((wavelength - at) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
        strength = width * rng.lognormal(0, 0.3, (n, 1)) * (1 + redshift)[:, None]
        flux += continuum * strength * profile
    bands = np.stack(
        [
            np.trapezoid(flux * np.interp(wavelength, grid, values, 0, 0) / wavelength, wavelength)
            / np.trapezoid(np.interp(wavelength, grid, values, 0, 0) / wavelength, wavelength)
            for grid, values in load_bands().curves
        ],
        axis=1,
    )
    return noise.add(bands / np.median(bands, axis=1, keepdims=True), MAGNITUDE, rng)


def shuffled(mocks: TestMocks, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Mocks with the fluxes of their bands, and the errors with them, in random order."""
    order = np.argsort(rng.uniform(size=mocks.flux.shape), axis=1)
    flux, error = (np.take_along_axis(a, order, axis=1) for a in (mocks.flux, mocks.error))
    return flux, error


def wrecked(
    mocks: TestMocks, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mocks with one band at a third or three times its flux: fluxes, errors and which band."""
    # A library may lack a band, which cannot be wrecked then.
    lot = np.where(np.isfinite(mocks.flux), rng.uniform(size=mocks.flux.shape), -1)
    band = lot.argmax(axis=1)
    factor = np.ones(mocks.flux.shape)
    factor[np.arange(len(mocks)), band] = rng.choice((1 / 3, 3.0), len(mocks))
    return mocks.flux * factor, mocks.error, band


def per_wavelength(mocks: TestMocks) -> tuple[np.ndarray, np.ndarray]:
    """Mocks in F_λ, taken for F_ν."""
    factor = SPEED_OF_LIGHT / load_bands().pivot ** 2
    return mocks.flux * factor, mocks.error * factor


def magnitudes(mocks: TestMocks) -> tuple[np.ndarray, np.ndarray]:
    """Mocks in AB magnitudes, taken for fluxes."""
    positive = np.maximum(mocks.flux, 0.01)
    return MAGNITUDE - 2.5 * np.log10(positive), 2.5 / np.log(10) * mocks.error / positive


def measure_outliers(
    likeness: Likeness,
    mocks: TestMocks,
    noise: NoiseModel,
    *,
    seed: int = 0,
    progress: Progress = NO_PROGRESS,
) -> tuple[pd.DataFrame, dict[str, list[float]]]:
    """How well the p-value tells each kind from held-out mocks.

    Parameters
    ----------
    likeness : Likeness
    mocks : TestMocks
        Held out, at i = 18.
    noise : NoiseModel
    seed : int
    progress : Progress, optional
        Told of each kind before it is tried.

    Returns
    -------
    table : DataFrame
        ``kind``, ``auc`` (area under the ROC curve), ``flagged`` (share with p < :data:`UNLIKE`),
        ``named`` (share in which the right band was named; only for wrecked bands) and ``n``.
    p_values : dict
        p-values of each kind, and of the mocks under "held-out mocks".
    """
    rng = np.random.default_rng(seed)
    flux, error, band = wrecked(mocks, rng)
    kinds = {
        "real stars": stars(noise, rng),
        "quasars": quasars(noise, rng),
        "shuffled bands": shuffled(mocks, rng),
        "one wrecked band": (flux, error),
        "F_λ taken for F_ν": per_wavelength(mocks),
        "magnitudes taken for fluxes": magnitudes(mocks),
    }
    whole = likeness.assess(mocks.flux, mocks.error)[1]
    p_values, rows = {"held-out mocks": whole.tolist()}, []
    for kind, (flux, error) in kinds.items():
        progress.report(None, kind)
        # Mocks lack the bands that a star's spectrum does not reach, as the star does.
        beside = whole
        if np.isnan(flux).any():
            like = mocks.flux.copy()
            like[np.isnan(np.resize(flux, like.shape))] = np.nan
            beside = likeness.assess(like, mocks.error)[1]
        p = likeness.assess(flux, error)[1]
        truth = np.repeat([0, 1], [len(beside), len(p)])
        row = {
            "kind": kind,
            "auc": float(roc_auc_score(truth, -np.concatenate([beside, p]))),
            "flagged": float((p < UNLIKE).mean()),
            "named": float("nan"),
            "n": len(p),
        }
        if kind == "one wrecked band":
            names = named(likeness.contradicted(flux, error)[0])
            right = [
                load_bands().names[b] in flags.codes(n) for b, n in zip(band, names, strict=True)
            ]
            row["named"] = float(np.mean(right))
        p_values[kind] = p.tolist()
        rows.append(row)
    return pd.DataFrame(rows), p_values

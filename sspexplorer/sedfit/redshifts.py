"""The fit of galaxies at different redshifts."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sspexplorer import flags
from sspexplorer.masses import DEFAULT_COSMOLOGY
from sspexplorer.progress import NO_PROGRESS, Progress
from sspexplorer.sedfit.fitting import DEFAULT_FLOOR, FIT_COLUMNS, fit
from sspexplorer.sedfit.grid import ModelGrid, make_grid

FARTHEST = 1.0
REDSHIFT_STEP = 0.005
# The oldest models of libraries are of 14 Gyr, today's universe is a little younger.
_OLDER = 1.02


def fit_at_redshifts(
    libraries: Sequence[str],
    flux: np.ndarray,
    flux_err: np.ndarray,
    redshift: np.ndarray | None = None,
    redshift_err: np.ndarray | None = None,
    *,
    floor: float = DEFAULT_FLOOR,
    progress: Progress = NO_PROGRESS,
) -> pd.DataFrame:
    """Fit each galaxy with models at its redshift, to the nearest 0.005; at rest if unknown.

    Redshifts go to 1; no model is older than the universe was there (of
    :data:`.masses.DEFAULT_COSMOLOGY`).
    The fit knows no error of a redshift: where it is more than that step, the errors of the
    parameters are too small, and a flag says so.

    Returns
    -------
    DataFrame, n rows
        As :func:`fit`. Rows at redshifts that the models do not reach get NaN and a flag; rows
        of unknown redshift get a flag if there are ``redshift``.

    Raises
    ------
    InputError
        If a library is unknown, or ``floor`` is negative or not a number.
    """
    n = len(flux)
    redshift = np.zeros(n) if redshift is None else np.asarray(redshift, dtype=float)
    known = np.where(np.isfinite(redshift), redshift, 0.0)
    beyond = (known > FARTHEST) | (known < -REDSHIFT_STEP)
    steps = np.where(beyond, 0, np.rint(np.clip(known, 0, FARTHEST) / REDSHIFT_STEP))
    parts, done = [], 0
    for step in np.unique(steps):
        rows = np.flatnonzero(steps == step)
        grid = _grid_at(libraries, float(step * REDSHIFT_STEP))
        tell = progress.part(done / n, len(rows) / n)
        found = fit(grid, flux[rows], flux_err[rows], floor=floor, progress=tell)
        parts.append(found.set_index(rows))
        done += len(rows)
    if not parts:
        return fit(make_grid(libraries), flux, flux_err)
    table = pd.concat(parts).sort_index()
    table.loc[beyond, list(FIT_COLUMNS[:-2])] = np.nan
    found = table["fit_flag"].to_numpy(dtype=object, copy=True)
    found[beyond] = ""
    flags.add(found, beyond, "redshift-outside")
    flags.add(found, ~np.isfinite(redshift), "redshift-unknown")
    if redshift_err is not None:
        fitted = table["fit_log_age"].notna().to_numpy() & np.isfinite(redshift)
        flags.add(found, fitted & (redshift_err > REDSHIFT_STEP), "redshift-uncertain")
    table["fit_flag"] = found
    return table


def _grid_at(libraries: Sequence[str], redshift: float) -> ModelGrid:
    """Models at a redshift that are not older than the universe was there."""
    grid = make_grid(libraries, redshift=redshift)
    oldest = np.log10(_OLDER * DEFAULT_COSMOLOGY.age(redshift))
    young = grid.parameters[:, 0] <= oldest
    return grid if young.all() else grid.select(young)

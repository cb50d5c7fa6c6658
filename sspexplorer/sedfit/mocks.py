"""The fit of mocks, with what they are made of or with something else."""

import numpy as np
import pandas as pd

from sspexplorer.errors import InputError
from sspexplorer.mocks import MockSample
from sspexplorer.progress import NO_PROGRESS, Progress
from sspexplorer.sedfit.fitting import fit
from sspexplorer.sedfit.grid import ModelGrid


def some_of_each_magnitude(mocks: MockSample, n: int, seed: int = 0) -> MockSample:
    """At most ``n`` mocks of each magnitude, at random, in their order."""
    shuffled = np.random.default_rng(seed).permutation(len(mocks))
    place = mocks.labels["magnitude"].iloc[shuffled].groupby(mocks.labels["magnitude"]).cumcount()
    kept = np.zeros(len(mocks), dtype=bool)
    kept[shuffled[place.to_numpy() < n]] = True
    return mocks.rows(kept)


def fit_mocks(
    grid: ModelGrid,
    mocks: MockSample,
    *,
    models: str = "all",
    itself: bool = True,
    floor: float = 0.0,
    progress: Progress = NO_PROGRESS,
) -> pd.DataFrame:
    """Fit mocks with the models of all libraries, of their own, of the others, or of one.

    Parameters
    ----------
    grid : ModelGrid
    mocks : MockSample
        At the redshift of the grid.
    models : {"all", "own", "others"} or name of a library
        What each mock is fitted with. ``others`` is what every real galaxy meets: no library is
        that of nature.
    itself : bool
        Whether the SSPs of the mocks are in the grid, or only their neighbours.
    floor, progress
        As in :func:`fit`.

    Returns
    -------
    DataFrame, n rows
        As :func:`fit`.

    Raises
    ------
    InputError
        If ``models`` is unknown, or no model is left for a mock.
    Cancelled
        If ``progress`` said so.
    """
    known = ("all", "own", "others", *np.unique(grid.library))
    if models not in known:
        raise InputError(f"Mocks are fitted with one of {', '.join(known)}, not {models!r}.")
    allowed = np.full(len(grid), True)
    if not itself:
        allowed = ~np.isin(grid.ssp, mocks.labels["ssp"].unique())
    if models in grid.library:
        allowed &= grid.library == models
    library = mocks.labels["library"].to_numpy()
    groups = list(np.unique(library)) if models in ("own", "others") else [None]
    parts, done = [], 0
    for name in groups:
        rows = np.flatnonzero(library == name) if name else np.arange(len(mocks))
        chosen = allowed
        if name:
            chosen = allowed & ((grid.library == name) == (models == "own"))
        part = progress.part(done / len(mocks), len(rows) / len(mocks))
        found = fit(
            grid if chosen.all() else grid.select(chosen),
            mocks.flux[rows],
            mocks.flux_err[rows],
            floor=floor,
            progress=part,
        )
        parts.append(found.set_index(rows))
        done += len(rows)
    return pd.concat(parts).sort_index()

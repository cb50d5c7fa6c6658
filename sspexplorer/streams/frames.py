"""Predictions as a function from frames to frames, for whoever spreads frames over machines."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from sspexplorer.analysis.request import predict_catalogue
from sspexplorer.bands import BAND_NAMES, N_BANDS
from sspexplorer.catalogue.convert import free_name
from sspexplorer.catalogue.decide import decide
from sspexplorer.catalogue.galactic import FOUND
from sspexplorer.catalogue.limits import Codes
from sspexplorer.catalogue.masks import MaskRule
from sspexplorer.catalogue.measuring import Decided
from sspexplorer.catalogue.reading import Asked, Rules, choice, offered, understood
from sspexplorer.catalogue.redshift_values import RedshiftRules
from sspexplorer.catalogue.source import FileTable
from sspexplorer.catalogue.two_sided import BOUNDS
from sspexplorer.catalogue.values import column_unit
from sspexplorer.catalogue.ways import way
from sspexplorer.errors import InputError
from sspexplorer.models import AnyModel, predict_rows
from sspexplorer.posterior.taken import Choices
from sspexplorer.streams.answering import loaded_once

_NAME = "The frame"


def predict_frame(
    model: str | Path | AnyModel,
    frame: pd.DataFrame,
    *,
    unit: str | None = None,
    photometry: str | None = None,
    columns: Mapping | None = None,
    masks: MaskRule | None = None,
    galactic: str | float = FOUND,
    choices: Choices | None = None,
    keep: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Predict the rows of a frame; each row's answer depends on that row alone.

    Columns are understood by their names, as :func:`~sspexplorer.read_catalogue` does, and nothing
    is decided by the numbers: a part of a catalogue may say something else than the whole. So a
    redshift of 0 is a redshift, NaN is none, and of numbers that stand for none only NaN, 0, −99,
    −999, −9999 and magnitudes of 99 count.

    Parameters
    ----------
    model : str, Path, Model or Estimator
        By name or folder: a process loads it once.
    frame : DataFrame, n rows
        An empty one gives an empty one with the same columns and types.
    unit : str, optional
        "fnu", "flambda", "mag" or "stmag"; needed unless the names of the columns say it.
    photometry, columns, masks, galactic
        As of :func:`~sspexplorer.read_catalogue`. ``columns`` may be the map that ``predict``
        writes beside its result, see :func:`~sspexplorer.catalogue.load_map`; its unit counts.
    choices : Choices, optional
    keep : sequence of str, optional
        Columns of the frame to keep, all unless given.

    Returns
    -------
    DataFrame, n rows
        Columns that are kept, then those of :func:`~sspexplorer.predict_rows`, with the same index.
        One whose name is taken gets ``_2`` appended.

    Raises
    ------
    InputError
        If the frame cannot be used, or nothing says the unit.

    Examples
    --------
    >>> import functools, sspexplorer
    >>> predict = functools.partial(sspexplorer.predict_frame, "galaxy", unit="fnu")
    >>> catalog.map_partitions(predict)  # LSDB, Dask  # doctest: +SKIP
    >>> table.mapInPandas(lambda frames: map(predict, frames), schema)  # Spark  # doctest: +SKIP
    """
    loaded = loaded_once(model) if isinstance(model, str | Path) else model
    kept = frame if keep is None else frame[list(keep)]
    if len(frame):
        table = FileTable(pa.Table.from_pandas(frame, preserve_index=False))
        asked = Asked(photometry, unit, columns, masks, galactic)
        found, _ = understood(table, _NAME, asked, _rules(table, asked))
        answers = predict_catalogue(loaded, found, choices).table
    else:
        nothing = np.full((1, N_BANDS), np.nan)
        answers = predict_rows(loaded, nothing, nothing, choices=choices).table.iloc[:0]
    taken = {str(name).lower() for name in kept.columns}
    answers = answers.rename(columns={name: free_name(name, taken) for name in answers.columns})
    return pd.concat([kept, answers.set_axis(kept.index)], axis=1)


def _rules(file: FileTable, asked: Asked) -> Rules:
    """How rows are read, by the names of the columns alone."""
    try:
        recognised, mapped, chosen = choice(file, asked)
        by_band = {column.band: column for column in chosen.columns}
        nothing = np.empty((0, N_BANDS))
        names = {c.flux for c in chosen.columns} | {c.error for c in chosen.columns if c.error}
        decision = decide(
            nothing,
            nothing,
            [by_band.get(band) for band in BAND_NAMES],
            {name: column_unit(file.table, name) for name in names},
            unit=asked.unit or mapped.unit,
            quantity=chosen.quantity,
            label=chosen.label,
        )
    except InputError as error:
        raise InputError(f"{_NAME}: {error}") from None
    if decision.source not in ("you", "unit", "name"):
        raise InputError(
            f"{_NAME}: no name says the unit of the fluxes; say {way('unit', 'fnu', 'flambda')}."
        )
    columns = offered(file, mapped)
    sided = {column.name: BOUNDS for column in columns if column.upper}
    redshifts = RedshiftRules(columns, frozenset(), sided, columns)
    return Rules(
        recognised, mapped, chosen, Decided(decision, Codes(errors=True), BOUNDS), redshifts
    )

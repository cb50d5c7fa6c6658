"""The section "Other libraries" of the page "Error bars": models trained without a library."""

from typing import Any

import pandas as pd

from sspexplorer.app.kit import parts
from sspexplorer.labels import DERIVED_LABELS, PARAMETER_NAMES, PARAMETER_UNITS, library_label
from sspexplorer.mocks import PARAMETERS
from sspexplorer.plots.left_out import LIMITS_68, left_out_picture

_NOT_YET = "This model has not been tested on libraries that its training did not see."


def figures(table: pd.DataFrame | None) -> list[Any]:
    """Pictures of each sample and parameter; none if the model has not been tested."""
    if table is None:
        return []
    samples = table["sample"].unique()[::-1]
    return [left_out_picture(table, sample, name) for sample in samples for name in PARAMETERS]


def numbers(table: pd.DataFrame | None) -> list[parts.Part]:
    """Of each sample, library by library: how errors hold, and what its galaxies add to them."""
    if table is None:
        return [parts.empty_state(_NOT_YET)]
    found: list[parts.Part] = []
    for sample, group in table.groupby("sample", sort=False):
        title = f"{str(sample)[0].upper()}{str(sample)[1:]}, at {_listed_magnitudes(group)}"
        found += [parts.label(title), parts.metric_table(_by_library(group))]
    return found


def _by_library(group: pd.DataFrame) -> pd.DataFrame:
    rows: dict[str, dict[str, str]] = {}
    for library, of in group.groupby("library", sort=False):
        cells = rows.setdefault(library_label(str(library)), {})
        for name in PARAMETERS:
            found = of[of["parameter"] == name].sort_values("magnitude")
            unit, title = PARAMETER_UNITS[name], PARAMETER_NAMES[name]
            cells[f"{title}: inside 68 %"] = _shares(found["coverage_68"])
            cells[f"{title}: with library error"] = _shares(found["with_library_68"])
            cells[f"{title}: library error [{unit}]"] = _errors(found["library_err"])
    return pd.DataFrame.from_dict(rows, orient="index")


def derived_numbers(table: pd.DataFrame | None) -> list[parts.Part]:
    """What else was held against the truth: each by rows, libraries by columns; maybe nothing."""
    if table is None:
        return []
    rows = table[table["parameter"].isin(DERIVED_LABELS)].sort_values("magnitude", kind="stable")
    if not len(rows):
        return []
    cells = rows.groupby(["parameter", "library"], sort=False)["coverage_68"].agg(_shares)
    wide = cells.unstack().reindex([name for name in DERIVED_LABELS if name in cells])
    wide = wide[list(table["library"].unique())].fillna("not known")
    wide.index = wide.index.map(DERIVED_LABELS)
    wide.columns = [library_label(str(name)) for name in wide.columns]
    sample, magnitudes = rows["sample"].iloc[0], _listed_magnitudes(rows)
    return [
        parts.label(f"Masses, rates, times and colours of {sample}: inside 68 % at {magnitudes}"),
        parts.metric_table(wide),
    ]


def words(table: pd.DataFrame | None) -> str:
    """What the pictures show, in one sentence or two."""
    if table is None:
        return _NOT_YET
    table = table[table["parameter"].isin(PARAMETERS)]
    held = {
        column: table[column].between(*LIMITS_68).mean()
        for column in ("coverage_68", "with_library_68")
    }
    worst = table.loc[table["coverage_68"].idxmin()]
    return (
        "Each curve is a smaller model that was trained without that library, on galaxies and "
        "single populations of it, to z = 0.1 where nothing else is said, at "
        f"{_listed_magnitudes(table)}. Solid: the error of the data "
        f"alone is within {LIMITS_68[0]:.0%} to {LIMITS_68[1]:.0%} (grey) in "
        f"{held['coverage_68']:.0%} of the tests; dashed, with that of the other libraries, in "
        f"{held['with_library_68']:.0%}. Furthest below: {PARAMETER_NAMES[worst['parameter']]} of "
        f"{library_label(worst['library'])} ({worst['sample']}, i = {worst['magnitude']:g}, "
        f"{worst['coverage_68']:.0%})."
    )


def _listed_magnitudes(table: pd.DataFrame) -> str:
    return "i = " + ", ".join(f"{value:g}" for value in sorted(table["magnitude"].unique()))


def _shares(values: pd.Series) -> str:
    """Shares side by side, in per cent."""
    return ", ".join("–" if pd.isna(value) else f"{100 * value:.0f}" for value in values) + " %"


def _errors(values: pd.Series) -> str:
    return ", ".join(f"{value:.2f}" for value in values)

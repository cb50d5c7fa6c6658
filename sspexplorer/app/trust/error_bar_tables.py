"""Tables of the page "Error bars"."""

from collections.abc import Sequence

import pandas as pd
import panel as pn

from sspexplorer import flags
from sspexplorer.app.kit import parts
from sspexplorer.labels import DERIVED_LABELS, PARAMETER_NAMES, PARAMETER_UNITS
from sspexplorer.mocks import PARAMETERS
from sspexplorer.posterior.likeness import UNLIKE
from sspexplorer.posterior.validation.growth import ALL
from sspexplorer.posterior.validation.promises import Promise
from sspexplorer.posterior.validation.trust import OUTLIER

_TITLES = {"bias": "μ", "sigma_nmad": "σ", "coverage_68": "inside 68 %"}
_FORMATS = {"bias": "{:+.3f}", "sigma_nmad": "{:.3f}", "coverage_68": "{:.0%}"}


def promise_table(found: Sequence[Promise]) -> pn.pane.HTML:
    """Table of promises: what, what was found, whether it was kept."""
    table = pd.DataFrame(
        {
            "found": [p.found for p in found],
            "": ["kept" if p.kept else "not kept" for p in found],
        },
        index=[p.what for p in found],
    )
    colours = {p.what: "#1F7F45" if p.kept else "#D6324A" for p in found}
    return parts.metric_table(table, colours=colours)


def outlier_table(outliers: pd.DataFrame) -> pn.pane.HTML:
    """Area under the ROC curve of each kind, and how many were flagged."""
    names = outliers["kind"]
    if "to" in outliers:
        names = names + ", redshifts to " + outliers["to"].map("{:g}".format)
    table = outliers.set_index(names)[["auc", "flagged", "named", "n"]]
    flagged = f"flagged (p < {UNLIKE:g})"
    table.columns = ["AUC", flagged, "right band named", "n"]
    formats = {
        "AUC": "{:.3f}",
        flagged: "{:.1%}",
        "right band named": "{:.1%}",
        "n": "{:,.0f}",
    }
    return parts.metric_table(table, formats=formats)


def photoz_table(photoz: pd.DataFrame) -> pn.pane.HTML:
    """Scatter and outliers of redshifts from the colours alone, by magnitude."""
    rows = photoz[photoz["magnitude"] % 1 == 0]
    table = pd.DataFrame(
        {
            "σ_NMAD of Δz/(1 + z)": rows["sigma_nmad"],
            f"off by more than {OUTLIER:g} (1 + z)": rows.get("outlier_share"),
            "inside 68 %": rows["coverage_68"],
            "n": rows["n"],
        }
    ).set_index("i = " + rows["magnitude"].map("{:g}".format))
    forms = dict(zip(table, ("{:.4f}", "{:.1%}", "{:.0%}", "{:,.0f}"), strict=True))
    return parts.metric_table(table, formats=forms)


def derived_table(derived: pd.DataFrame) -> pn.pane.HTML:
    """Bias, scatter and coverage of what else a model knows of galaxies."""
    rows = derived[derived["magnitude"].isna()]
    table = pd.DataFrame(
        {
            "μ": rows["bias"],
            "σ_NMAD": rows["sigma_nmad"],
            "inside 68 %": rows["coverage_68"],
            "inside 95 %": rows["coverage_95"],
            "n": rows["n"],
        }
    ).set_index(rows["parameter"].map(DERIVED_LABELS))
    forms = dict(zip(table, ("{:+z.3f}", "{:.3f}", "{:.0%}", "{:.0%}", "{:,.0f}"), strict=True))
    return parts.metric_table(table, formats=forms)


def of_all(growth: pd.DataFrame) -> pd.DataFrame:
    """Coverage of histories of all kinds together."""
    return growth[growth["kind"] == ALL]


def kinds_table(growth: pd.DataFrame) -> pn.pane.HTML:
    """Coverage of the share of stars formed by kind of history, at some of the times."""
    table = growth.pivot_table(index="kind", columns="time", values="coverage_68", sort=False)
    table = table.loc[:, sorted(table.columns)[::3]]
    table.columns = [f"{time:.2g} of the age" for time in table.columns]
    return parts.metric_table(table, formats=dict.fromkeys(table, "{:.0%}"))


def scatter_table(derived: pd.DataFrame) -> pn.pane.HTML:
    """σ_NMAD of what else a model knows of galaxies, at each whole magnitude."""
    rows = derived[derived["magnitude"] % 1 == 0]
    table = rows.pivot_table(
        index="parameter", columns="magnitude", values="sigma_nmad", sort=False
    )
    table.index = table.index.map(DERIVED_LABELS)
    table.columns = [f"i = {value:g}" for value in table.columns]
    return parts.metric_table(table, formats=dict.fromkeys(table, "{:.3f}"))


def comparison_table(table: pd.DataFrame, columns: Sequence[str]) -> pn.pane.HTML:
    """Models by rows (and magnitudes, where there are), parameters by columns."""
    keys = [name for name in ("model", "magnitude") if name in table]
    rows, formats = {}, {}
    for key, group in table.groupby(keys, sort=False):
        name = key[0] if len(key) == 1 else f"{key[0]}, i = {key[1]:g}"
        values = group.set_index("parameter")
        rows[name] = {}
        for parameter in PARAMETERS:
            for column in columns:
                unit = "" if column.startswith("cov") else f" [{PARAMETER_UNITS[parameter]}]"
                title = f"{PARAMETER_NAMES[parameter]} {_TITLES[column]}{unit}"
                rows[name][title] = values.loc[parameter, column]
                formats[title] = _FORMATS[column]
    return parts.metric_table(pd.DataFrame.from_dict(rows, orient="index"), formats=formats)


def galaxy_table(answers: pd.DataFrame) -> pn.pane.HTML:
    """Predictions of galaxies with their errors, by name."""
    columns = {}
    for name in PARAMETERS:
        value, error = answers[f"pred_{name}"], answers[f"pred_{name}_err"]
        unit = "log yr" if name == "log_age" else PARAMETER_UNITS[name]
        title = f"{PARAMETER_NAMES[name]} [{unit}]"
        columns[title] = [f"{v:.2f} ± {e:.2f}" for v, e in zip(value, error, strict=True)]
        low, high = answers[f"pred_{name}_p16"], answers[f"pred_{name}_p84"]
        columns[f"{PARAMETER_NAMES[name]} 16 to 84 %"] = [
            f"{a:.2f} to {b:.2f}" for a, b in zip(low, high, strict=True)
        ]
    columns["p-value"] = answers["pred_p_value"].round(3).tolist()
    columns["remarks"] = [flags.labels(flag) or "none" for flag in answers["pred_flag"]]
    return parts.metric_table(pd.DataFrame(columns, index=answers["name"].to_numpy()))

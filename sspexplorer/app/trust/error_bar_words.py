"""Tables and sentences of the page "Error bars"."""

from collections.abc import Callable, Sequence

import pandas as pd
import panel as pn

from sspexplorer import flags
from sspexplorer.app.kit import parts
from sspexplorer.labels import PARAMETER_NAMES, PARAMETER_UNITS
from sspexplorer.mocks import PARAMETERS
from sspexplorer.models import load_model
from sspexplorer.posterior.likeness import UNLIKE
from sspexplorer.posterior.validation.promises import Promise
from sspexplorer.posterior.validation.trust import Trust

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
    table = outliers.set_index("kind")[["auc", "flagged", "named", "n"]]
    flagged = f"flagged (p < {UNLIKE:g})"
    table.columns = ["AUC", flagged, "right band named", "n"]
    formats = {
        "AUC": "{:.3f}",
        flagged: "{:.1%}",
        "right band named": "{:.1%}",
        "n": "{:,.0f}",
    }
    return parts.metric_table(table, formats=formats)


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
        title = f"{PARAMETER_NAMES[name]} [{PARAMETER_UNITS[name]}]"
        columns[title] = [f"{v:.2f} ± {e:.2f}" for v, e in zip(value, error, strict=True)]
        low, high = answers[f"pred_{name}_p16"], answers[f"pred_{name}_p84"]
        columns[f"{PARAMETER_NAMES[name]} p16 to p84"] = [
            f"{a:.2f} to {b:.2f}" for a, b in zip(low, high, strict=True)
        ]
    columns["p-value"] = answers["pred_p_value"].round(3).tolist()
    columns["remarks"] = [flags.labels(flag) or "none" for flag in answers["pred_flag"]]
    return parts.metric_table(pd.DataFrame(columns, index=answers["name"].to_numpy()))


def card_facts(name: str) -> list[str]:
    """What the card of a posterior model says of its making."""
    card = load_model(name).model.card
    recipe, training = card["recipe"], card["training"]
    cores = "one core" if training["threads"] == 1 else f"{training['threads']} cores"
    return [
        card["prior"]["words"],
        f"Trained for {recipe['n_steps']:,} steps of {recipe['batch_size']:,} galaxies, "
        f"{training['seconds'] / 60:.0f} minutes on {cores}: {card['train_again'][0]}.",
        f"Noise: {card['noise']['description']}.",
    ]


def _calibration(trust: Trust) -> str:
    rows = trust.magnitudes.dropna(subset="magnitude")
    off = rows.loc[(rows["coverage_68"] - 0.68).abs().idxmax()]
    return (
        "Each promise is a share of mocks: the curves should stay inside the grey bands, the ranks "
        "flat, the TARP curve on the diagonal. Furthest from 68 % is "
        f"{PARAMETER_NAMES[off['parameter']]} at i = {off['magnitude']:g} "
        f"({off['coverage_68']:.0%})."
    )


def _gaps(trust: Trust) -> str:
    rows = trust.gaps[trust.gaps["gap"] != "none"]
    worst = rows.loc[rows["growth"].idxmax()]
    return (
        "The model is told which bands are missing, so its intervals grow with its errors. Most is "
        f"lost in {PARAMETER_NAMES[worst['parameter']]} with bands missing {worst['gap']} "
        f"({worst['growth']:+.0%} scatter, {worst['coverage_68']:.0%} inside the 68 % interval)."
    )


def _redshift(trust: Trust) -> str:
    table = trust.redshifts[trust.redshifts["parameter"] == "log_age"]
    means = table.groupby("known")["sigma_nmad"].mean()
    whole = trust.photoz[trust.photoz["magnitude"].isna()].iloc[0]
    return (
        "Not knowing the redshift costs "
        f"{means['unknown'] / means['given'] - 1:.0%} more scatter in age. From colours alone it "
        f"is found to {whole['sigma_nmad']:.4f} (1 + z)."
    )


def _outliers(trust: Trust) -> str:
    table = trust.outliers
    hardest = table.loc[table["auc"].idxmin()]
    return (
        "Galaxies like the training have even p-values (the grey line); everything else should "
        f"have small ones. Hardest to tell: {hardest['kind']} (AUC {hardest['auc']:.3f})."
    )


def _comparison(trust: Trust) -> str:
    ages = trust.lines[trust.lines["parameter"] == "log_age"].set_index("model")
    words = [f"{name} {row['bias']:+.2f}" for name, row in ages.iterrows()]
    return (
        f"Median error of log age where gas shines (dex): {', '.join(words)}.".replace("-", "−")
        + " What a model has not met in training, it cannot answer for."
    )


def _real(trust: Trust) -> str:
    return (
        "Real galaxies are the one test without a truth: intervals are honest only for galaxies "
        "like those of the prior. Errors of the bands have a floor of 2 %."
    )


CAPTIONS: dict[str, Callable[[Trust], str]] = {
    "calibration": _calibration,
    "gaps": _gaps,
    "redshift": _redshift,
    "outliers": _outliers,
    "comparison": _comparison,
    "real": _real,
}

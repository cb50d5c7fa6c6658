"""Error bars: whether the posterior models keep what they promise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd
import panel as pn
import param

from sspexplorer import flags
from sspexplorer.app import cache
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.model_choice import ModelChoice
from sspexplorer.app.kit.page import Page
from sspexplorer.app.trust import other_libraries
from sspexplorer.labels import DERIVED_LABELS, PARAMETER_NAMES, PARAMETER_UNITS
from sspexplorer.mocks import PARAMETERS
from sspexplorer.models import load_model
from sspexplorer.plots import trust as plots
from sspexplorer.plots.growth import growth_coverage_picture
from sspexplorer.plots.published import published_picture
from sspexplorer.posterior.library_errors import left_out_table
from sspexplorer.posterior.likeness import UNLIKE
from sspexplorer.posterior.validation.growth import ALL
from sspexplorer.posterior.validation.promises import (
    EVERY_68,
    EVERY_95,
    EXACT_RATIO,
    Promise,
    promises,
)
from sspexplorer.posterior.validation.trust import OUTLIER, Trust, load_trust
from sspexplorer.progress import Progress
from sspexplorer.shipped import DEFAULT_MODEL, model_folder, posterior_names

SECTIONS = {
    "Calibration": "calibration",
    "Missing bands": "gaps",
    "Redshift": "redshift",
    "Masses and rates": "derived",
    "Unlike the training": "outliers",
    "Lines and mixtures": "comparison",
    "Other libraries": "libraries",
    "Real galaxies": "real",
}
_HEIGHT = "max(300px, 38vh)"


@dataclass(frozen=True)
class Found:
    """What the tests of a model found; what it says of the real galaxies; facts of its card.

    Attributes
    ----------
    trust : Trust
    left_out : DataFrame, optional
        Of libraries that training did not see, if the model was tested on them.
    real : DataFrame, optional
        Answers for the real galaxies, if they are asked for.
    facts : list of str
    """

    trust: Trust
    left_out: pd.DataFrame | None
    real: pd.DataFrame | None
    facts: list[str]


class ErrorBars(Page):
    """Tests of the models that answer with posteriors.

    Parameters
    ----------
    state : SharedState, optional
        Of the session; a fresh one unless given.
    """

    QUERY: ClassVar[dict[str, str]] = {"posterior": "posterior", "section": "section"}
    ASKS = ("posterior", "section")
    BUSY = "Predicting the galaxies …"

    posterior = param.Selector(
        default=DEFAULT_MODEL, objects=["galaxy", "ssp"], doc="Model that is tested."
    )
    section = param.Selector(default="calibration", objects=SECTIONS, doc="What is shown.")

    @staticmethod
    def warm() -> None:
        """Read what the page opens with."""
        for name in posterior_names():
            load_trust(name)

    def controls(self) -> list[parts.Part]:
        """Which model, and which of its tests."""
        return [
            ModelChoice(self, self.param.posterior, networks=False),
            pn.widgets.RadioBoxGroup.from_param(self.param.section, name="", margin=0),
            self.busy,
            parts.note(
                "The networks without error bars are for teaching and comparison: the other pages "
                "of this section test them."
            ),
        ]

    def make(self) -> None:
        """Make the places of pictures and numbers."""
        self.figures, self._numbers = parts.stack(), parts.stack()

    def picture(self) -> parts.Part:
        """Pictures of one section."""
        return self.figures

    def below(self) -> list[parts.Part]:
        """What was promised, and whether it was kept."""
        return [self._numbers]

    def question(self) -> tuple[str, str]:
        """Model and section."""
        return self.posterior, self.section

    def answer(self, question: tuple[str, str], progress: Progress) -> Found:
        """What the tests found, and what the model says of real galaxies if that is asked."""
        name, section = question
        real = cache.example_answers(name) if section == "real" else None
        return Found(load_trust(name), left_out_table(model_folder(name)), real, card_facts(name))

    def show(self, question: tuple[str, str], answer: Found) -> None:
        """Draw the section; the promises stand below each."""
        trust, (_, section) = answer.trust, question
        caption = parts.caption(CAPTIONS[section](answer))
        self.figures[:] = [*_SECTIONS[section](answer), caption]
        self._numbers[:] = [
            parts.label("What was promised, and what the tests found"),
            promise_table(promises(trust)),
            parts.note(
                f"{trust.n_mocks:,} mocks of the model's own kind that its training never saw, "
                f"simulated with the survey's noise. Test again: {trust.command}"
            ),
            parts.label("How the model was made"),
            *map(parts.note, answer.facts),
        ]


def _calibration(found: Found) -> list[Any]:
    trust = found.trust
    figures = [
        plots.coverage_picture(trust.magnitudes, "coverage_68", 0.68, EVERY_68),
        plots.coverage_picture(trust.magnitudes, "coverage_95", 0.95, EVERY_95),
        plots.rank_picture(trust.ranks),
        plots.tarp_picture(trust.tarp),
    ]
    if len(trust.exact):
        figures.append(plots.exact_picture(trust.exact, EXACT_RATIO))
    return [_grid(figures)]


def _gaps(found: Found) -> list[Any]:
    trust = found.trust
    return [_grid([plots.gap_picture(trust.gaps, name) for name in PARAMETERS])]


def _redshift(found: Found) -> list[Any]:
    trust = found.trust
    figures = [plots.redshift_picture(trust.redshifts, name) for name in PARAMETERS]
    figures.append(plots.photoz_picture(trust.photoz))
    if not len(trust.distances):
        return [_grid(figures)]
    promised = [
        plots.distance_picture(trust.distances, name, column, level, limits)
        for column, level, limits in (
            ("coverage_68", 0.68, EVERY_68),
            ("coverage_95", 0.95, EVERY_95),
        )
        for name in PARAMETERS
    ]
    return [
        _grid(promised),
        _grid(figures),
        parts.label("Redshift from the colours alone"),
        photoz_table(trust.photoz),
    ]


def _derived(found: Found) -> list[Any]:
    derived = found.trust.derived
    if not len(derived):
        return [parts.note("This model says nothing of masses and rates; galaxy does.")]
    histories = [] if not len(found.trust.growth) else _histories(found.trust.growth)
    return [
        parts.label("Over all magnitudes, redshift given"),
        derived_table(derived),
        parts.label("Scatter at each magnitude"),
        scatter_table(derived),
        *histories,
    ]


def _histories(growth: pd.DataFrame) -> list[Any]:
    return [
        parts.label("Histories: the share of the stars that had formed"),
        parts.picture_pane(growth_coverage_picture(of_all(growth)), height=_HEIGHT),
        parts.label("Truths inside the 68 %, of histories of one kind alone"),
        kinds_table(growth),
    ]


def _outliers(found: Found) -> list[Any]:
    trust = found.trust
    picture = parts.picture_pane(plots.p_value_picture(trust.p_values), height=_HEIGHT)
    return [picture, outlier_table(trust.outliers)]


def _comparison(found: Found) -> list[Any]:
    trust = found.trust
    return [
        parts.label("Composite galaxies with emission lines, younger than 1 Gyr by light"),
        comparison_table(trust.lines, ["bias", "sigma_nmad"]),
        parts.label("Single populations that no training saw, at redshift 0"),
        comparison_table(trust.singles, ["bias", "sigma_nmad", "coverage_68"]),
    ]


def _libraries(found: Found) -> list[Any]:
    figures = other_libraries.figures(found.left_out)
    return [*([_grid(figures)] if figures else []), other_libraries.numbers(found.left_out)]


def _real(found: Found) -> list[Any]:
    if found.real is None:
        return []
    return [
        parts.label("Three real galaxies: SDSS spectra seen through the bands"),
        galaxy_table(found.real),
        parts.picture_pane(published_picture(found.real), height=_HEIGHT),
    ]


_SECTIONS = {
    "calibration": _calibration,
    "gaps": _gaps,
    "redshift": _redshift,
    "derived": _derived,
    "outliers": _outliers,
    "comparison": _comparison,
    "libraries": _libraries,
    "real": _real,
}


def _grid(figures: list[Any]) -> pn.Column:
    held = [pn.pane.HoloViews(figure, linked_axes=False) for figure in figures]
    panes = [parts.picture_pane(pane, height=_HEIGHT) for pane in held]
    # Four are two by two: three over one leave half a page blank.
    columns = 2 if len(panes) in (2, 4) else 3
    return parts.grid(*panes, columns=columns, narrow=min(columns, 2), gap="10px 20px")


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


def _calibration_words(found: Found) -> str:
    trust = found.trust
    rows = trust.magnitudes.dropna(subset="magnitude")
    off = rows.loc[(rows["coverage_68"] - 0.68).abs().idxmax()]
    return (
        "Each promise is a share of mocks: the curves should stay inside the grey bands, the ranks "
        "flat, the TARP curve on the diagonal. Furthest from 68 % is "
        f"{PARAMETER_NAMES[off['parameter']]} at i = {off['magnitude']:g} "
        f"({off['coverage_68']:.0%})."
    )


def _gaps_words(found: Found) -> str:
    trust = found.trust
    rows = trust.gaps[trust.gaps["gap"] != "none"]
    worst = rows.loc[rows["growth"].idxmax()]
    return (
        "The model is told which bands are missing, so its intervals grow with its errors. Most is "
        f"lost in {PARAMETER_NAMES[worst['parameter']]} with bands missing {worst['gap']} "
        f"({worst['growth']:+.0%} scatter, {worst['coverage_68']:.0%} inside the 68 % interval)."
    )


def _redshift_words(found: Found) -> str:
    trust = found.trust
    table = trust.redshifts[trust.redshifts["parameter"] == "log_age"]
    means = table.groupby("known")["sigma_nmad"].mean()
    whole = trust.photoz[trust.photoz["magnitude"].isna()].iloc[0]
    return (
        "Not knowing the redshift costs "
        f"{means['unknown'] / means['given'] - 1:.0%} more scatter in age. From colours alone it "
        f"is found to {whole['sigma_nmad']:.4f} (1 + z)."
    )


def _derived_words(found: Found) -> str:
    rows = found.trust.derived
    if not len(rows):
        return "A model of single populations has none of these."
    bright = rows[rows["magnitude"] == rows["magnitude"].min()].set_index("parameter")
    mass, rate = (bright.loc[name, "sigma_nmad"] for name in ("log_mass_to_light", "log_ssfr"))
    return (
        f"At i = {bright['magnitude'].iloc[0]:g} mass over light is found to {mass:.2f} dex and "
        f"the specific rate to {rate:.2f} dex; the error of a mass is the first with that of the "
        "distance. Simulated galaxies of the model's own kind."
    )


def _outliers_words(found: Found) -> str:
    trust = found.trust
    table = trust.outliers
    hardest = table.loc[table["auc"].idxmin()]
    return (
        "Galaxies like the training have even p-values (the grey line); everything else should "
        f"have small ones. Hardest to tell: {hardest['kind']} (AUC {hardest['auc']:.3f})."
    )


def _comparison_words(found: Found) -> str:
    trust = found.trust
    ages = trust.lines[trust.lines["parameter"] == "log_age"].set_index("model")
    words = [f"{name} {row['bias']:+.2f}" for name, row in ages.iterrows()]
    return (
        f"Median error of log age where gas shines (dex): {', '.join(words)}.".replace("-", "−")
        + " What a model has not met in training, it cannot answer for."
    )


def _real_words(found: Found) -> str:
    return (
        "Real galaxies are the one test without a truth: intervals are honest only for galaxies "
        "like those of the prior. Errors of the bands have a floor of 2 %. Grey is what is "
        "published of many galaxies by their mass."
    )


CAPTIONS: dict[str, Callable[[Found], str]] = {
    "calibration": _calibration_words,
    "gaps": _gaps_words,
    "redshift": _redshift_words,
    "derived": _derived_words,
    "outliers": _outliers_words,
    "comparison": _comparison_words,
    "libraries": lambda found: other_libraries.words(found.left_out),
    "real": _real_words,
}

"""What the tests of a model found, in words: captions of the page "Error bars"."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from sspexplorer.app.trust import other_libraries
from sspexplorer.labels import PARAMETER_NAMES
from sspexplorer.models import load_model
from sspexplorer.posterior.validation.trust import Trust


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

"""What a model is, in the words of its card: pages say it of whatever answers on them."""

from collections.abc import Iterable

from sspexplorer.app import cache
from sspexplorer.labels import library_label, listed
from sspexplorer.shipped import is_posterior_card

FOR_TEACHING = "No error bars: for teaching and comparison."

_POPULATIONS = {
    "galaxy": "galaxies of mixed populations with dust and gas,",
    "ssp": "single populations behind dust",
}


def model_note(name: str) -> str:
    """Say in a sentence or two what a model is, from its card."""
    card = cache.model_card(name)
    if not card:
        return "No trained model is installed; run make data, or sspexplorer train."
    kind = "With error bars." if is_posterior_card(card) else FOR_TEACHING
    return f"{kind} Trained on {trained_on(card)}."


def trained_on(card: dict) -> str:
    """Which populations a model was trained on, of which libraries, at which redshifts."""
    if is_posterior_card(card):
        prior = card["prior"]
        populations, libraries = _POPULATIONS[prior["kind"]], prior["libraries"]
    else:
        populations, libraries = _POPULATIONS["ssp"], card["sample"]["libraries"]
    names = listed([library_label(name) for name in libraries])
    return f"{populations} {redshift_words(card)} (SSPs of {names})"


def redshift_words(card: dict) -> str:
    """At which redshifts the galaxies were that a model was trained on."""
    if is_posterior_card(card):
        return f"at redshifts up to {card['prior']['max_redshift']:g}"
    return "at redshift 0"


def age_words(card: dict) -> str:
    """Which age it is that a model says."""
    if is_posterior_card(card) and card["prior"]["kind"] == "galaxy":
        return "a mean over all stars, weighted by their light"
    return "the age of the one single population that looks like the galaxy"


def unknown_note(model: str, libraries: Iterable[str]) -> str:
    """Say which of the chosen libraries a network was not trained on; "" if on all of them."""
    known = cache.model_card(model).get("sample", {}).get("libraries")
    unknown = [library_label(name) for name in libraries if known and name not in known]
    if not unknown:
        return ""
    are, them = ("is", "it") if len(unknown) == 1 else ("are", "them")
    return (
        f"{', '.join(unknown)} {are} not in this model's training: there are no mocks of {them} "
        "to test it on here."
    )

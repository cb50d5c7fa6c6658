"""About the app: its version, the cards of its models, terms, and how to cite it."""

from functools import cache
from typing import NamedTuple

import sspexplorer
from sspexplorer.app.kit.model_words import model_note
from sspexplorer.labels import model_title
from sspexplorer.libraries import LIBRARY_NAMES, load_library
from sspexplorer.shipped import network_names, posterior_names, shipped_card

PAPER_BIBTEX = """@article{DominguezSanchez2026,
  author  = {Domínguez Sánchez, H. and others},
  title   = {J-PAS: A neural network approach to single stellar population characterisation},
  journal = {A\\&A},
  volume  = {705},
  pages   = {A219},
  year    = {2026},
  doi     = {10.1051/0004-6361/202556251}
}"""
TERMS = (
    "The code is free software under the BSD 3-Clause licence; the spectra of each library have "
    "terms of their own. What you upload stays on this server, which forgets it when you close the "
    "page."
)


class Card(NamedTuple):
    """A model, or a library: its name, what it is, and how it was made or what to cite."""

    title: str
    text: str
    more: str


def bibtex() -> str:
    """Entries for the paper and for this version of the software."""
    software = (
        "@software{sspexplorer,\n"
        "  author  = {{sspexplorer developers}},\n"
        "  title   = {SSP Explorer},\n"
        f"  version = {{{sspexplorer.__version__}}},\n"
        "  year    = {2026}\n"
        "}"
    )
    return f"{PAPER_BIBTEX}\n\n{software}"


@cache
def model_cards() -> tuple[Card, ...]:
    """Every shipped model, those with error bars first."""
    names = (*posterior_names(), *network_names())
    return tuple(Card(model_title(n), model_note(n), _made(shipped_card(n))) for n in names)


def library_cards() -> tuple[Card, ...]:
    """Every shipped library, what to cite of it, and its terms."""
    libraries = (load_library(name) for name in LIBRARY_NAMES)
    return tuple(
        Card(library.title, f"Cite {library.citation}.", f"Terms: {library.terms.rstrip('.')}.")
        for library in libraries
    )


def _made(card: dict) -> str:
    training, versions = card["training"], card["versions"]
    return (
        f"Trained in {training['seconds'] / 60:.0f} minutes with sspexplorer "
        f"{versions['sspexplorer']} and torch {versions['torch']}. Train it again: "
        f"{'; '.join(card['train_again'])}"
    )

"""HTML of the help: a welcome, a guide to each page, and a dialog of words, chapters and facts."""

from functools import cache

from jinja2 import Environment

import sspexplorer
from sspexplorer.app.frame import about
from sspexplorer.app.frame.guide import DOORS, GUIDES, PAPER, SENTENCE, SHORTCUTS, TOUR, WORKSHOP
from sspexplorer.app.kit.terms import term_button
from sspexplorer.app.kit.theme import static_text
from sspexplorer.glossary import GLOSSARY

_JINJA = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)


@cache
def welcome_html() -> str:
    """One sentence and three doors; a browser that was welcomed hides it."""
    return _render("welcome.html", sentence=SENTENCE, doors=DOORS)


@cache
def guides_html(page: str) -> str:
    """What each page shows, folded; that of ``page`` is in sight."""
    guides = {
        key: (guide, [term_button(term) for term in guide.terms]) for key, guide in GUIDES.items()
    }
    return _render("guides.html", guides=guides, page=page, paper=PAPER)


@cache
def help_html() -> str:
    """The dialog, and the stops of the tour."""
    return _render(
        "help.html",
        version=sspexplorer.__version__,
        shortcuts=SHORTCUTS,
        glossary=dict(sorted(GLOSSARY.items(), key=lambda entry: entry[0].lower())),
        workshop=WORKSHOP,
        models=about.model_cards(),
        libraries=about.library_cards(),
        terms=about.TERMS,
        bibtex=about.bibtex(),
        tour=TOUR,
    )


def _render(name: str, **variables: object) -> str:
    return _JINJA.from_string(static_text(name)).render(**variables)

"""Terms in running text that open their entry of the glossary: ``static/help.js`` hears them."""

import re
from html import escape

from sspexplorer.glossary import GLOSSARY
from sspexplorer.labels import minus

# How an entry is written in captions and tables; longer ones first where one begins another.
_WRITTEN = {
    "Scatter (σ_NMAD)": r"σ[\u00a0 _]NMAD",
    "Bias (μ)": r"[Bb]ias μ",
    "Outlier fraction (f_o)": r"\|Δ\| &gt; 0\.25|[Oo]utliers",
    "Pearson coefficient": r"Pearson",
    "Exact posterior": r"[Ee]xact posterior",
    "Posterior": r"[Pp]osteriors?",
    "Prior": r"[Pp]riors?",
    "SED fit": r"SED fits?",
    "SED": r"SEDs?",
    "SSP": r"SSPs?",
    "Mock": r"[Mm]ocks?",
    "Held out": r"[Hh]eld[- ]out",
    "TARP": r"TARP",
    "Rank": r"ranks",
    "Set aside": r"set aside",
    "p-value": r"p-values?",
    "AUC": r"AUC",
    "UMAP": r"UMAP",
    "Library error": r"library errors?",
    "Light-weighted age": r"light-weighted",
    "Zero point": r"[Zz]ero points?",
    "Shrinkage": r"[Ss]hrinkage",
    "Degeneracy": r"[Dd]egenerac(?:y|ies)",
    "Epoch": r"epochs?",
}
_WHOLE = '<span class="whole">E-MILES</span>'
_ENTRIES = list(_WRITTEN)
_ANY = re.compile(
    r"(?<![\w-])(?:" + "|".join(f"({pattern})" for pattern in _WRITTEN.values()) + r")(?![\w-])"
)


def glossed(text: str) -> str:
    """HTML of a text in which each term, where it comes first, opens its entry.

    Parameters
    ----------
    text : str
        Without markup.

    Examples
    --------
    >>> glossed("a < b")
    'a &lt; b'
    >>> glossed("TARP of TARP").count("<button")
    1
    """
    seen = set()

    def mark(match: re.Match[str]) -> str:
        entry = _ENTRIES[match.lastindex - 1]
        if entry in seen:
            return match[0]
        seen.add(entry)
        return term_button(entry, match[0])

    return _ANY.sub(mark, shown(text))


def shown(text: str) -> str:
    """HTML of a text: with one sign for minus, and names whole that a hyphen would part."""
    return escape(minus(text), quote=False).replace("E-MILES", _WHOLE)


def term_button(entry: str, shown: str = "") -> str:
    """HTML of a term that opens its entry; ``shown`` is HTML, the entry's name unless given."""
    meaning = escape(GLOSSARY[entry].text)
    return (
        f'<button type="button" class="term" data-term="{escape(entry)}" title="{meaning}">'
        f"{shown or escape(entry)}</button>"
    )

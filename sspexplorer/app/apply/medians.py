"""Medians of selections that are compared, as a small table whose headings are the legend."""

from html import escape

import numpy as np
import pandas as pd
import panel as pn

from sspexplorer.analysis.catalogue import Answers
from sspexplorer.analysis.selections import BOTH, REST, Compared
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.terms import shown
from sspexplorer.labels import COLUMN_LABELS, RATES, minus
from sspexplorer.plots.catalogue import PART_COLOURS

_ROW, _HEAD = 24, 24  # px
_DIGITS = {"redshift": 3, "ebv": 3}


def medians_height(answers: Answers) -> int:
    """Height of :func:`medians_view` (px)."""
    return _HEAD + _ROW * len(answers.axes)


def medians_view(compared: Compared, answers: Answers) -> pn.pane.HTML:
    """Medians with the range of 68 % of the galaxies, an answer in each row, a part in each column.

    Parameters
    ----------
    compared : Compared
    answers : Answers
    """
    found = compared.medians(answers).set_index(["answer", "part"])
    # The rest comes last; what is in both has no column, since it counts in each.
    listed = sorted({*compared.titles} - {BOTH}, key=lambda part: (part == REST, part))
    heads = "".join(f'<th scope="col">{_named(compared, part)}</th>' for part in listed)
    lines = "".join(
        f"<tr><td>{shown(COLUMN_LABELS.get(name, label))}</td>"
        + "".join(_cell(found.loc[(name, part)], _DIGITS.get(name, 2)) for part in listed)
        + "</tr>"
        for name, label in answers.axes.items()
    )
    both = f"<div>{_named(compared, BOTH)}</div>" if BOTH in compared.titles else ""
    return parts.html(
        f"<table><thead><tr><td></td>{heads}</tr></thead><tbody>{lines}</tbody></table>{both}",
        "medians",
    )


def _named(compared: Compared, part: int) -> str:
    return (
        f'<i class="dot" style="background:{PART_COLOURS[part]}"></i>'
        f"{escape(compared.titles[part])} {int(compared.rows(part).sum()):,}"
    )


def medians_text(answers: Answers) -> str:
    """What the table holds, in a sentence or two."""
    limits = bool(answers.table["limit"].any()) and any(name in RATES for name in answers.axes)
    left_out = " Upper limits of rates are left out of them." if limits else ""
    return f"Medians, and how far from them the middle 68\u00a0% of the galaxies reach.{left_out}"


def _cell(line: pd.Series, digits: int) -> str:
    if not line["n"]:
        return "<td>–</td>"
    median, low, high = (np.round(line[name], digits) for name in ("median", "low", "high"))
    ends = f"<span>+{high - median:.{digits}f}</span><span>−{median - low:.{digits}f}</span>"
    n = int(line["n"])
    of = "1 galaxy" if n == 1 else f"{n:,} galaxies"
    middle = minus(f"{median + 0.0:.{digits}f}")
    return f'<td title="of {of}">{middle}<span class="range">{ends}</span></td>'

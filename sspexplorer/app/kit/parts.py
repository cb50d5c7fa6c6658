"""The pieces pages are put together from, so that all pages look alike."""

from collections.abc import Collection, Sequence
from html import escape
from numbers import Integral
from typing import Any

import pandas as pd
import panel as pn

from sspexplorer.app.kit.terms import glossed, shown
from sspexplorer.app.kit.theme import css

Part = Any

_LONG = 14  # characters of a cell, beyond which words may wrap
PICTURE_HEIGHT = "max(420px, calc(100vh - 216px))"


def html(text: str, *sheets: str, **params: Any) -> pn.pane.HTML:
    """Text with tags; what comes from outside must have been escaped.

    Parameters
    ----------
    text : str
    *sheets : str
        Names of style sheets besides that of all texts.
    **params
        Of the pane.
    """
    params = {"sizing_mode": "stretch_width", "margin": 0} | params
    return pn.pane.HTML(text, stylesheets=[css("text"), *map(css, sheets)], **params)


def caption(text: str) -> pn.pane.HTML:
    """One sentence under a figure that says what to notice; its terms open the glossary."""
    return html(f'<div class="caption">{glossed(text)}</div>')


def note(text: str) -> pn.pane.HTML:
    """Small print beside a control."""
    return html(f'<div class="note">{shown(text)}</div>')


def stack(*items: Part, gap: int = 14) -> pn.Column:
    """Put parts under each other, ``gap`` pixels apart, over the whole width."""
    return pn.Column(*items, sizing_mode="stretch_width", margin=0, styles={"gap": f"{gap}px"})


def grid(*items: Part, columns: int = 3, narrow: int | None = None, gap: str = "8px 16px") -> Any:
    """Put parts side by side in columns of one width.

    Parameters
    ----------
    *items
    columns : int
    narrow : int, optional
        Columns on a narrow page; as many unless given.
    gap : str
        CSS distance of rows and columns.
    """
    styles = {"--columns": f"{columns}", "--narrow": f"{narrow or columns}", "gap": gap}
    return pn.Column(
        *items, sizing_mode="stretch_width", margin=0, stylesheets=[css("grid")], styles=styles
    )


def label(text: str) -> pn.pane.HTML:
    """Name of a control that has none of its own."""
    return html(f'<div class="label">{shown(text)}</div>')


def problem(text: str) -> pn.pane.HTML:
    """One plain sentence about what went wrong, and what to do."""
    return html(f'<div class="problem" role="alert">{escape(text)}</div>')


def empty_state(text: str, action: pn.viewable.Viewable | None = None) -> pn.Column:
    """What a page shows while it has nothing to show, with the one thing to do about it."""
    message = html(f'<div class="empty">{escape(text)}</div>')
    content = stack(message, *([action] if action is not None else []))
    return pn.Column(content, sizing_mode="stretch_width", styles={"padding": "40px 0"}, margin=0)


def metric_table(
    table: pd.DataFrame,
    *,
    formats: dict[str, str] | None = None,
    colours: dict | None = None,
    faint: Collection[str] = (),
) -> pn.pane.HTML:
    """Small table of numbers.

    Parameters
    ----------
    table : DataFrame
        The index names the rows.
    formats : dict, optional
        Format of a column, such as ``{"σ NMAD": "{:.3f} dex"}``; three digits otherwise. What
        is not a number is shown as it is, and NaN as a dash.
    colours : dict, optional
        Colour of the dot before a row, by index value.
    faint : collection of str
        Index values of rows that are less than the others: parts of one, or for reference.
    """
    # A heading without words is none.
    header = "<td></td>" + "".join(
        f"<th>{glossed(str(name))}</th>" if str(name) else "<td></td>" for name in table.columns
    )
    rows = []
    patterns = [(formats or {}).get(column) for column in table.columns]
    for name, *values in table.itertuples(name=None):
        colour = (colours or {}).get(name)
        # The word joiner keeps the dot in the line of the name.
        dot = f'<i class="dot" style="background:{colour}"></i>\u2060' if colour else ""
        cells = map(_cell, values, patterns)
        kind = ' class="faint"' if name in faint else ""
        rows.append(f"<tr{kind}><td>{dot}{shown(str(name))}</td>{''.join(cells)}</tr>")
    return html(f"<table><thead><tr>{header}</tr></thead><tbody>{''.join(rows)}</tbody></table>")


def _cell(value: Any, pattern: str | None) -> str:
    if isinstance(value, str):
        # Words may go on in a second line, numbers may not.
        kind = ' class="words"' if len(value) > _LONG and not value[:1].isdigit() else ""
        return f"<td{kind}>{shown(value)}</td>"
    if pd.isna(value):
        return "<td>–</td>"
    default = "{:,d}" if isinstance(value, Integral) else "{:.3g}"
    return f"<td>{escape((pattern or default).format(value).replace('-', '−'))}</td>"


def picture_pane(plot: Any, height: str = PICTURE_HEIGHT) -> pn.Column:
    """Hold a HoloViews object in a frame whose size does not depend on what is in it.

    Parameters
    ----------
    plot
        A HoloViews object with ``responsive=True`` (see ``figure_options``), or a pane of one.
    height : str
        CSS height. The default leaves room for the header, a caption and air.
    """
    pane = plot if isinstance(plot, pn.viewable.Viewable) else pn.pane.HoloViews(plot)
    pane.param.update(sizing_mode="stretch_both", margin=0)
    return pn.Column(pane, sizing_mode="stretch_width", margin=0, styles={"height": height})


def figure(picture: Any) -> pn.pane.HoloViews:
    """Pane of a HoloViews object that fills what holds it, with axes of its own."""
    return pn.pane.HoloViews(picture, linked_axes=False, sizing_mode="stretch_both", margin=0)


def panel(picture: Any, shape: str, narrow: str = "") -> pn.Column:
    """Hold a HoloViews object, or None yet, in a frame of some ratio of width to height.

    On a narrow page the ratio is ``narrow``, if it is given.
    """
    figures = [] if picture is None else [figure(picture)]
    return pn.Column(
        *figures,
        sizing_mode="stretch_width",
        stylesheets=[css("panel")],
        styles={"--shape": shape, "--narrow-shape": narrow or shape},
        margin=0,
    )


def page_layout(
    controls: Sequence[Part],
    picture: Part,
    *,
    caption_text: str = "",
    more: Sequence[Part] = (),
    below: Sequence[Part] = (),
) -> pn.Row:
    """Lay out a whole page: a column of controls beside the picture they change.

    Parameters
    ----------
    controls : sequence
        At most six.
    picture
        A pane (see :func:`picture_pane`), or a layout of several.
    caption_text : str
        What to notice in the picture.
    more : sequence
        Controls that are seldom needed, folded away under "More".
    below : sequence
        What follows the picture: tables, results.
    """
    folded = [_more(more)] if more else []
    under = [caption(caption_text)] if caption_text else []
    for part in (*controls, *more):
        if isinstance(part, pn.widgets.Widget):
            part.sizing_mode = "stretch_width"
    return pn.Row(
        pn.Column(*controls, *folded, stylesheets=[css("controls")], margin=0),
        pn.Column(
            picture,
            *under,
            *below,
            sizing_mode="stretch_width",
            stylesheets=[css("picture")],
            margin=0,
        ),
        sizing_mode="stretch_width",
        stylesheets=[css("page")],
        margin=0,
    )


def folded(title: str, content: Part, *, open_: bool = False) -> pn.Card:
    """Put something under a heading that opens and closes it."""
    return pn.Card(
        content,
        header=label(title),
        collapsed=not open_,
        sizing_mode="stretch_width",
        margin=0,
    )


def _more(parts: Sequence[Part]) -> pn.Card:
    return pn.Card(
        stack(*parts),
        header=label("More"),
        collapsed=True,
        sizing_mode="stretch_width",
        margin=0,
    )

"""How components look: style sheets for Panel's widgets, and the two themes of the page.

Colours are variables that the page defines for light and dark (``static/frame.css``), so a
change of theme costs no round trip. Plots take theirs from a Bokeh theme, which is exchanged on
the server and reaches open plots at once.
"""

from functools import cache
from pathlib import Path
from typing import ClassVar

import panel as pn
import param
from bokeh.document import Document
from bokeh.themes import Theme as BokehTheme
from panel.layout import Accordion, Card
from panel.theme.base import DarkTheme, DefaultTheme, Design, Inherit
from panel.viewable import Viewable
from panel.widgets import FileDropper, Tabulator, Widget

from sspexplorer.plots.style import bokeh_theme

_STATIC = Path(__file__).with_name("static")


@cache
def static_text(name: str) -> str:
    """Text of a file that is part of the page itself."""
    return (_STATIC / name).read_text(encoding="utf-8")


def css(name: str) -> str:
    """Style sheet of a name, for the ``stylesheets`` of a component."""
    return static_text(f"{name}.css")


class Light(DefaultTheme):
    """Theme of a light page."""

    base_css = param.Filename(default=None)
    bokeh_theme = param.ClassSelector(class_=(BokehTheme, str), default=bokeh_theme(dark=False))


class Dark(DarkTheme):
    """Theme of a dark page."""

    base_css = param.Filename(default=None)
    bokeh_theme = param.ClassSelector(class_=(BokehTheme, str), default=bokeh_theme(dark=True))


class PageDesign(Design):
    """The look of Panel's components on our page."""

    modifiers: ClassVar = {
        Viewable: {"stylesheets": [Inherit, static_text("widgets.css")]},
        # Distances come from the layouts around the widgets.
        Widget: {"margin": 0},
        Card: {"stylesheets": [Inherit, static_text("card.css")]},
        Accordion: {"stylesheets": [Inherit, static_text("card.css")]},
        FileDropper: {"stylesheets": [Inherit, static_text("filedropper.css")]},
        Tabulator: {"stylesheets": [Inherit, static_text("tabulator.css")], "theme": "simple"},
    }
    _themes: ClassVar = {"default": Light, "dark": Dark}


def retheme_plots(document: Document, dark: bool) -> None:
    """Give every plot of a session, open or yet to come, the light or the dark theme."""
    # Panel gives a document the theme of whatever part of the page was made last.
    pn.config.theme = "dark" if dark else "default"
    document.theme = bokeh_theme(dark)

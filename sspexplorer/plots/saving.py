"""A button in the toolbar of every figure: save it as PNG or SVG, or its numbers as CSV.

All of it happens in the browser, so it saves what is in sight, and works in a notebook as well.
"""

from functools import cache
from pathlib import Path
from typing import Any

from bokeh.models import CustomAction, CustomJS, Plot

_MARK = "save-figure"


@cache
def _script() -> str:
    return Path(__file__).with_name("saving.js").read_text(encoding="utf-8")


def save_button(plot: Any, element: Any) -> None:
    """HoloViews hook: put the button into the toolbar, in place of Bokeh's own."""
    figure = plot.state
    if not isinstance(figure, Plot) or any(_MARK in tool.tags for tool in figure.tools):
        return
    button = CustomAction(
        icon="save",
        description="Save picture or numbers",
        callback=CustomJS(args={"figure": figure}, code=_script()),
        tags=[_MARK],
    )
    kept = [tool for tool in figure.tools if type(tool).__name__ != "SaveTool"]
    figure.toolbar.tools = [*kept, button]

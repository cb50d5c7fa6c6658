"""A page as someone sees it who has no browser: what is in sight, found by the words beside it."""

import html
import re
from collections.abc import Iterator
from typing import Any

import pandas as pd
import panel as pn

from sspexplorer.shipped import shipped_card


class Onlooker:
    """Sees a page and turns its controls.

    Parameters
    ----------
    page : panel Viewer
    """

    def __init__(self, page: pn.viewable.Viewer) -> None:
        self._layout = pn.panel(page)

    def _in_sight(self) -> Iterator[tuple[str, pn.viewable.Viewable]]:
        """Every part in sight, and the words before it, which label what has no label itself."""
        before = ""
        waiting = [self._layout]
        while waiting:
            part = waiting.pop()
            if not part.visible:
                continue
            yield before, part
            if isinstance(part, pn.pane.HTML):
                before = _text(part.object)
            inside = [getattr(part, "header", None), *(getattr(part, "objects", None) or [])]
            waiting += [child for child in reversed(inside) if child is not None]

    @property
    def words(self) -> str:
        """All text in sight."""
        panes = (part for _, part in self._in_sight() if isinstance(part, pn.pane.HTML))
        return "\n".join(_text(pane.object) for pane in panes)

    @property
    def pictures(self) -> list[Any]:
        """HoloViews objects in sight."""
        return [p.object for _, p in self._in_sight() if isinstance(p, pn.pane.HoloViews)]

    def sees(self, label: str) -> bool:
        """Whether there is such a control."""
        return any(_is_called(part, before, label) for before, part in self._in_sight())

    def control(self, label: str) -> Any:
        """Find the control that bears a label, or stands after it."""
        for before, part in self._in_sight():
            if _is_called(part, before, label):
                return part
        raise LookupError(f"No control {label!r} is in sight.")

    def press(self, label: str) -> None:
        """Press a button, or switch what stays pressed."""
        control = self.control(label)
        assert not control.disabled, f"{label} cannot be pressed."
        if isinstance(control, pn.widgets.Toggle):
            control.value = not control.value
        else:
            control.clicks += 1

    def saved(self, label: str) -> pd.DataFrame:
        """Table that a download gives."""
        return pd.read_csv(self.control(label).callback())


def _is_called(part: pn.viewable.Viewable, before: str, label: str) -> bool:
    if not isinstance(part, pn.widgets.Widget):
        return False
    own = getattr(part, "label", None) or part.name
    options = getattr(part, "options", None)
    return own == label or (not own and (before == label or list(options or []) == [label]))


def _text(marked_up: str) -> str:
    whole = re.sub(r'<span class="whole">(.*?)</span>', r"\1", marked_up)
    without_terms = re.sub(r"</?button[^>]*>", "", whole)
    return html.unescape(re.sub(r"<[^>]+>", " ", without_terms)).strip()


def card_with(sample: dict[str, Any]) -> dict[str, Any]:
    """Card of the default network, as if its sample had been another."""
    card = shipped_card("default")
    return card | {"sample": card["sample"] | sample}

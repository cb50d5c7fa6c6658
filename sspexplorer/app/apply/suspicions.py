"""What a whole catalogue says of how it should be taken, each with a button that does it."""

from collections.abc import Callable, Sequence

import panel as pn

from sspexplorer.analysis.recognition import REST, UNIT, Suspicion
from sspexplorer.analysis.zero_points import ZeroPoints
from sspexplorer.app.kit import parts
from sspexplorer.catalogue.units import UNITS
from sspexplorer.catalogue.ways import for_page

_ROW = {"margin": 0, "styles": {"gap": "12px", "align-items": "center"}}


def suspicions_view(
    found: Sequence[Suspicion], put_right: Callable[[Suspicion], None]
) -> list[pn.Row]:
    """A row for each suspicion: its sentence, and a button.

    Parameters
    ----------
    found : sequence of Suspicion
    put_right : callable
        Called with one of them when its button is pressed.
    """
    rows = []
    for one in found:
        button = pn.widgets.Button(label=_label(one), width=200, margin=0)
        button.on_click(lambda event, one=one: put_right(one))
        rows.append(_row(for_page(one.sentence), button))
    return rows


def zero_points_note(used: ZeroPoints | None, undo: Callable[[], None]) -> list[pn.Row]:
    """A row that says that zero points are corrected, and undoes it; none if they are not."""
    if used is None:
        return []
    button = pn.widgets.Button(label="Undo the correction", width=200, margin=0)
    button.on_click(lambda event: undo())
    rms = max(offsets.rms for offsets in used.tiles.values())
    return [_row(f"The fluxes are corrected for zero points (rms {rms:.3f} mag).", button)]


def _label(suspicion: Suspicion) -> str:
    if suspicion.kind == REST:
        return "Take all as at rest"
    if suspicion.kind == UNIT:
        return f"Read as {UNITS[suspicion.value]}"
    return "Correct zero points"


def _row(text: str, button: pn.widgets.Button) -> pn.Row:
    return pn.Row(parts.caption(text), button, sizing_mode="stretch_width", **_ROW)

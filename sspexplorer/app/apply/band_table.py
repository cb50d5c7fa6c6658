"""Which columns each of the 57 bands is read from, in a table whose cells can be changed."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import panel as pn

from sspexplorer.app.apply.reading import Found, Place
from sspexplorer.app.kit import parts
from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue.names import MASK_KINDS, WHOLE_ERRORS, parse

NOTHING = "–"
# Keys of a map of columns for the column, the value of an array, and what the column holds.
ROLES = {
    "flux": ("flux", "element", None),
    "error": ("error", "error_element", "error_kind"),
    "mask": ("mask", "mask_element", "mask_kind"),
}
_SECOND = {
    "error": ("error_upper", "error_upper_element"),
    "mask": ("flags", "flags_element"),
}
_TITLES = {"band": "band", "flux": "flux or magnitude", "error": "error", "mask": "mask or flags"}
_WIDTHS = {"band": "12%", "flux": "32%", "error": "32%", "mask": "24%"}


class BandTable(pn.viewable.Viewer):
    """A row for each band; changes wait until they are asked for.

    It is made when it comes in sight: a table that is hidden cannot tell how wide its columns are.

    Parameters
    ----------
    on_change : callable
        Called with the number of bands that were changed.
    """

    def __init__(self, on_change: Callable[[int], None]) -> None:
        super().__init__()
        self._on_change = on_change
        self._found: Found | None = None
        self._before = pd.DataFrame()
        self._area = pn.Column(sizing_mode="stretch_width", margin=0)
        self.table: pn.widgets.Tabulator | None = None
        self._in_sight = False

    def __panel__(self) -> pn.Column:
        """The table, once there is a catalogue."""
        return self._area

    def show(self, found: Found) -> None:
        """Show which columns a catalogue was read from, without changes."""
        self._found, self.table = found, None
        self._area[:] = []
        self.come_in_sight(self._in_sight)

    def come_in_sight(self, in_sight: bool) -> None:
        """Make the table, if it is seen and there is something to show."""
        self._in_sight = in_sight
        if in_sight and self.table is None and self._found is not None:
            self._make(self._found)

    def _make(self, found: Found) -> None:
        self._before = _cells(found)
        choices = {"type": "list", "values": [NOTHING, *found.places], "autocomplete": True}
        choices |= {"listOnEmpty": True, "allowEmpty": False}
        self.table = pn.widgets.Tabulator(
            self._before.copy(),
            titles=_TITLES,
            editors={"band": None, **dict.fromkeys(ROLES, choices)},
            widths=_WIDTHS,
            sortable=False,
            layout="fit_columns",
            selectable=False,
            show_index=False,
            sizing_mode="stretch_width",
            margin=0,
        )
        self.table.on_edit(self._edited)
        self._area[:] = [
            self.table,
            parts.caption(
                f"Click a cell to choose another column, or {NOTHING} for none; type to search. A "
                "band without a flux is left out."
            ),
        ]

    @property
    def changes(self) -> dict[str, dict[str, Any] | None]:
        """What was changed, as a map of columns says it: None for a band that is not to be read."""
        if self.table is None:
            return {}
        known = self._found.catalogue.column_map()["bands"]
        return {
            band: self._entry(known[band] or {}, old, new)
            for band, old, new in zip(
                BAND_NAMES,
                self._before.to_dict("records"),
                self.table.value.to_dict("records"),
                strict=True,
            )
            if old != new
        }

    def _entry(
        self, known: dict[str, Any], old: dict[str, str], new: dict[str, str]
    ) -> dict[str, Any] | None:
        if new["flux"] == NOTHING:
            return None
        entry = dict(known)
        for role, (column, element, kind) in ROLES.items():
            if new[role] == old[role]:
                continue
            dropped = (column, element, kind, *_SECOND.get(role, ()))
            entry = {key: value for key, value in entry.items() if key not in dropped}
            if new[role] != NOTHING:
                name, at = self._found.places[new[role]]
                entry |= {column: name} | ({} if at is None else {element: at})
                read = parse(name)
                if kind and read and read.kind in (*WHOLE_ERRORS, *MASK_KINDS):
                    entry[kind] = read.kind
        return entry

    def _edited(self, event: Any) -> None:
        self._on_change(len(self.changes))


def _cells(found: Found) -> pd.DataFrame:
    """Name to show of the place of each band's numbers."""
    names = {place: name for name, place in found.places.items()}
    bands = found.catalogue.column_map()["bands"]

    def cell(band: str, role: str) -> str:
        column, element, _ = ROLES[role]
        entry = bands[band] or {}
        place: Place = (entry.get(column, ""), entry.get(element))
        return names.get(place, NOTHING)

    return pd.DataFrame(
        {"band": list(BAND_NAMES)} | {r: [cell(b, r) for b in BAND_NAMES] for r in ROLES}
    )

"""Which columns each of the 57 bands is read from, and a choice of others."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import panel as pn
import param

from sspexplorer.app.apply.reading import Found, Place
from sspexplorer.app.kit import controls, parts
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
    """A row for each band, and a choice of columns for one of them; changes wait for a button.

    It is made when it comes in sight: a table that is hidden cannot tell how wide its columns are.

    Parameters
    ----------
    on_change : callable
        Called with the number of bands that were changed.
    """

    band = param.Selector(objects=list(BAND_NAMES), doc="Whose columns are chosen.")
    flux = param.Selector(objects=[NOTHING], doc="Column of its fluxes or magnitudes.")
    error = param.Selector(objects=[NOTHING], doc="Column of their errors.")
    mask = param.Selector(objects=[NOTHING], doc="Column of its masks or flags.")

    def __init__(self, on_change: Callable[[int], None]) -> None:
        super().__init__()
        self._on_change = on_change
        self._found: Found | None = None
        self._before = self._now = pd.DataFrame()
        self._area = parts.stack()
        self._table: pn.widgets.Tabulator | None = None
        self._in_sight = False
        self.param.watch(self._show_band, "band")
        self.param.watch(self._chosen, list(ROLES))

    def __panel__(self) -> pn.Column:
        """The choice and the table, once there is a catalogue."""
        return self._area

    def show(self, found: Found) -> None:
        """Show which columns a catalogue was read from, without changes."""
        self._found, self._table = found, None
        self._before = _cells(found)
        self._now = self._before.copy()
        for role in ROLES:
            self.param[role].objects = [NOTHING, *found.places]
        self._show_band()
        self._area[:] = []
        self.come_in_sight(self._in_sight)

    def come_in_sight(self, in_sight: bool) -> None:
        """Make the table, if it is seen and there is something to show."""
        self._in_sight = in_sight
        if in_sight and self._table is None and self._found is not None:
            self._make()

    def _make(self) -> None:
        self._table = pn.widgets.Tabulator(
            self._now.copy(),
            titles=_TITLES,
            widths=_WIDTHS,
            sortable=False,
            layout="fit_columns",
            selectable=False,
            disabled=True,
            show_index=False,
            sizing_mode="stretch_width",
            margin=0,
        )
        self._table.on_click(lambda event: self.param.update(band=BAND_NAMES[event.row]))
        choices = [controls.select(_TITLES[name], self.param[name]) for name in _TITLES]
        self._area[:] = [
            parts.grid(*choices, columns=4, narrow=2),
            parts.caption(
                "Choose a band, or click its row, and then its columns. A band without a flux is "
                "left out."
            ),
            self._table,
        ]

    def _show_band(self, *events: Any) -> None:
        row = self._now.iloc[BAND_NAMES.index(self.band)]
        self.param.update(**{role: row[role] for role in ROLES})

    def _chosen(self, *events: Any) -> None:
        row = BAND_NAMES.index(self.band)
        chosen = {role: getattr(self, role) for role in ROLES}
        if chosen == self._now.loc[row, list(ROLES)].to_dict():
            return
        self._now.loc[row, list(ROLES)] = list(chosen.values())
        if self._table is not None:
            self._table.patch({role: [(row, name)] for role, name in chosen.items()})
        self._on_change(len(self.changes))

    @property
    def changes(self) -> dict[str, dict[str, Any] | None]:
        """What was changed, as a map of columns says it: None for a band that is not to be read."""
        if self._found is None:
            return {}
        known = self._found.catalogue.column_map()["bands"]
        return {
            band: self._entry(known[band] or {}, old, new)
            for band, old, new in zip(
                BAND_NAMES,
                self._before.to_dict("records"),
                self._now.to_dict("records"),
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

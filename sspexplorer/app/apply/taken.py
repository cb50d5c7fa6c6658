"""What was taken from a catalogue, topic by topic, with the choice beside each."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any, BinaryIO

import panel as pn

from sspexplorer.app.apply.band_table import BandTable
from sspexplorer.app.apply.reading import Found, Reading
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.download import Download
from sspexplorer.app.kit.theme import css
from sspexplorer.catalogue import dump_map
from sspexplorer.catalogue.galactic import FOUND, NONE, SFD
from sspexplorer.catalogue.map_files import read_map
from sspexplorer.catalogue.masks import MaskRule
from sspexplorer.catalogue.redshifts import RedshiftColumn
from sspexplorer.catalogue.taken import topics
from sspexplorer.catalogue.units import UNITS
from sspexplorer.catalogue.ways import WAYS, for_page
from sspexplorer.errors import InputError
from sspexplorer.foreground import MAX_EBV

_TITLES = {
    "bands": "Columns of the bands",
    "unit": "Unit",
    "redshifts": "Redshifts",
    "dust": "Dust of the Milky Way",
    "masks": "Masks and flags",
    "missing": "Missing values",
    "file": "The file",
}
# The browser shows no choice for None, and a column may have any name.
_AS_FOUND, _NOWHERE, _NUMBER, _MAP = ("found",), ("none",), ("number",), ("map",)
_MASKS = {
    "any mask; SExtractor’s flags above 3": MaskRule(),
    "none: use masked fluxes, too": MaskRule(masks=False, largest_flag=None),
}
_WHOLE = {"sizing_mode": "stretch_width", "margin": 0}


class WhatWasTaken(pn.viewable.Viewer):
    """What was taken from a catalogue, and what to take instead.

    Parameters
    ----------
    on_choice : callable
        Called with the :class:`~sspexplorer.app.apply.reading.Reading` that is chosen.
    on_trouble : callable
        Called with the InputError of a map that cannot be used.
    """

    def __init__(
        self, on_choice: Callable[[Reading], None], on_trouble: Callable[[Exception], None]
    ) -> None:
        super().__init__()
        self._on_choice = on_choice
        self._found: Found | None = None
        self._filling = False
        self._make_selects()
        self.bands = BandTable(self._bands_changed)
        self.read_again = pn.widgets.Button(
            label="Read again", disabled=True, sizing_mode="stretch_width"
        )
        self.read_again.on_click(self._bands_chosen)
        self.save = Download(self._write_map, "", label="Save the map", color="default")
        self.save.param.watch(lambda event: event.new and on_trouble(event.new), "trouble")
        self.map_file = MapInput(self._map_given, on_trouble)
        self._pending = parts.note("")
        self._said = {topic: parts.html("", "taken-words") for topic in _TITLES}
        self._layout = self._lay_out()

    def __panel__(self) -> pn.Column:
        """A row for each topic, and the table of the bands folded below."""
        return self._layout

    @property
    def found(self) -> Found | None:
        """What is shown."""
        return self._found

    def show(self, found: Found) -> None:
        """Show what was taken, and the choices that it was read with."""
        self._found = found
        for topic, sentences in topics(found.catalogue).items():
            self._said[topic].object = _words(_TITLES[topic], sentences)
            self._said[topic].visible = bool(sentences)
        self._filling = True
        self._fill_photometry()
        self._fill_unit()
        self._fill_redshift()
        self._fill_dust()
        self.masks.value = found.reading.masks
        self._filling = False
        self.bands.show(found)
        self._bands_changed(0)
        name = Path(found.catalogue.name.replace("\\", "/")).name
        self.save.filename = f"{name}.columns.yaml"

    # The choices.

    def _make_selects(self) -> None:
        self.photometry = self._select(
            WAYS["photometry"].control, lambda r, v: r.with_option("photometry", v)
        )
        self.unit = self._select(WAYS["unit"].control, _with_unit)
        self.redshift = self._select("Redshifts from", self._with_redshifts)
        self.dust = pn.widgets.Select(label=WAYS["galactic"].control, **_WHOLE)
        self.dust_value = pn.widgets.FloatInput(
            label="its value [mag]", value=None, start=0.0, end=MAX_EBV, step=0.01, **_WHOLE
        )
        self.dust.param.watch(self._dust_chosen, "value")
        self.dust_value.param.watch(self._dust_chosen, "value")
        self.masks = self._select("Missing where masked by", lambda r, v: replace(r, masks=v))
        self.masks.options = _MASKS

    def _select(self, label: str, chosen: Callable[[Reading, Any], Reading]) -> pn.widgets.Select:
        select = pn.widgets.Select(label=label, **_WHOLE)

        def changed(event: Any) -> None:
            if not self._filling and self._found is not None:
                self._on_choice(chosen(self._found.reading, event.new))

        select.param.watch(changed, "value")
        return select

    def _fill_photometry(self) -> None:
        catalogue = self._found.catalogue
        labels = catalogue.available_photometries
        options = {label: label for label in labels}
        if catalogue.photometry not in labels:
            options = {"as your map says": catalogue.photometry, **options}
        self.photometry.param.update(options=options, value=catalogue.photometry)
        self._beside["bands"].visible = len(options) > 1

    def _fill_unit(self) -> None:
        decision = self._found.catalogue.decision
        chosen = decision.source == "you"
        found = "as found" if chosen else f"as found: {UNITS[decision.unit]}"
        options = {found: _AS_FOUND} | {title: name for name, title in UNITS.items()}
        self.unit.param.update(options=options, value=decision.unit if chosen else _AS_FOUND)

    def _fill_redshift(self) -> None:
        found, chosen = self._found, self._found.reading.redshifts
        column, offered = found.catalogue.redshift_column, [c.name for c in found.redshifts]
        title = "as found" if chosen is not None or not column else f"as found: {column}"
        options = {title: _AS_FOUND, "none": _NOWHERE}
        if chosen is not None and len(chosen) == 1 and chosen[0] not in offered:
            offered.append(chosen[0])
        if chosen is not None and len(chosen) > 1:
            options["as your map says"] = _MAP
        options |= {f"column {name}": ("column", name) for name in offered}
        value = _AS_FOUND
        if chosen is not None:
            value = _NOWHERE if not chosen else _MAP if len(chosen) > 1 else ("column", chosen[0])
        self.redshift.param.update(options=options, value=value)

    def _with_redshifts(self, reading: Reading, value: tuple[str, ...]) -> Reading:
        if value == _MAP:
            return reading
        if value in (_AS_FOUND, _NOWHERE):
            return reading.with_redshifts(None if value == _AS_FOUND else ())
        known = {column.name: column for column in self._found.redshifts}
        return reading.with_redshifts([known.get(value[1], RedshiftColumn(value[1], ""))])

    def _fill_dust(self) -> None:
        found, chosen = self._found, self._found.reading.galactic
        source = found.catalogue.galactic if chosen == FOUND else ""
        options = {f"as found: {source}" if source else "as found": _AS_FOUND}
        options |= {"none: nothing is corrected": _NOWHERE, "one value for all rows": _NUMBER}
        if found.dust_map:
            options["the map of Schlegel, Finkbeiner & Davis"] = _MAP
        options |= {f"column {name}": ("column", name) for name in found.plain}
        is_number = isinstance(chosen, float)
        values = {FOUND: _AS_FOUND, NONE: _NOWHERE}
        if SFD not in found.plain:
            values[SFD] = _MAP
        value = _NUMBER if is_number else values.get(chosen, ("column", chosen))
        self.dust.param.update(options=options, value=value)
        self.dust_value.param.update(value=chosen if is_number else None, disabled=not is_number)

    def _dust_chosen(self, event: Any) -> None:
        if self._filling or self._found is None:
            return
        kind, *column = self.dust.value
        self.dust_value.disabled = kind != "number"
        known = {"found": FOUND, "none": NONE, "map": SFD, "number": self.dust_value.value}
        chosen = known.get(kind, column[0] if column else None)
        if chosen is not None and chosen != self._found.reading.galactic:
            self._on_choice(replace(self._found.reading, galactic=chosen))

    # The table of the bands, and maps of columns.

    def _bands_changed(self, n: int) -> None:
        self.read_again.disabled = not n
        # A map is of what was read: a change must not be left out of it in silence.
        self.save.disabled = bool(n)
        bands = "1 band is" if n == 1 else f"{n} bands are"
        self._pending.object = parts.note(
            f"{bands} changed: read again to take it over." if n else "All as it was read."
        ).object

    def _bands_chosen(self, event: Any) -> None:
        self._on_choice(self._found.reading.with_bands(self.bands.changes))

    def _map_given(self, mapping: Mapping) -> None:
        self._on_choice(replace(self._found.reading, columns=mapping))

    def _write_map(self, file: BinaryIO) -> None:
        file.write(dump_map(self._found.catalogue.column_map()).encode())

    # How it looks.

    def _lay_out(self) -> pn.Column:
        folded = {
            "dust": parts.stack(self.dust, self.dust_value, gap=8),
            "masks": parts.stack(self.masks),
        }
        self._beside = {
            "bands": parts.stack(self.photometry),
            "unit": parts.stack(self.unit),
            "redshifts": parts.stack(self.redshift),
        } | {topic: parts.folded("Change", content) for topic, content in folded.items()}
        rows = [
            pn.Row(
                self._said[topic],
                *([self._beside[topic]] if topic in self._beside else []),
                stylesheets=[css("taken-row")],
                sizing_mode="stretch_width",
                margin=0,
            )
            for topic in _TITLES
        ]
        acts = pn.Row(self.read_again, self.save, **_WHOLE, styles={"gap": "10px"})
        table = parts.stack(
            pn.Row(
                parts.stack(acts, self._pending, gap=6),
                parts.stack(self.map_file),
                stylesheets=[css("taken-acts")],
                **_WHOLE,
            ),
            self.bands,
        )
        self.each_band = parts.folded(WAYS["columns"].control, table)
        self.each_band.param.watch(
            lambda event: self.bands.come_in_sight(not event.new), "collapsed"
        )
        return parts.stack(*rows, self.each_band, gap=0)


class MapInput(pn.viewable.Viewer):
    """Takes a map of columns, as a YAML file.

    Parameters
    ----------
    on_map : callable
        Called with the map.
    on_trouble : callable
        Called with the InputError of one that cannot be read.
    """

    def __init__(
        self, on_map: Callable[[Mapping], None], on_trouble: Callable[[Exception], None]
    ) -> None:
        super().__init__()
        self._on_map, self._on_trouble = on_map, on_trouble
        self.file = pn.widgets.FileInput(accept=".yaml,.yml", **_WHOLE)
        self.file.param.watch(self._given, "value")

    def __panel__(self) -> pn.Column:
        """The input under what it is for."""
        return parts.stack(parts.label("Read with a map of columns (YAML)"), self.file, gap=4)

    def _given(self, event: Any) -> None:
        if event.new is None:
            return
        name, data = self.file.filename or "The map", event.new
        self.file.param.update(value=None, filename=None)
        try:
            mapping = read_map(data, name)
        except InputError as error:
            self._on_trouble(error)
            return
        self._on_map(mapping)


def _with_unit(reading: Reading, value: str | tuple[str, ...]) -> Reading:
    return reading.with_option("unit", None if value == _AS_FOUND else value)


def _words(title: str, sentences: tuple[str, ...]) -> str:
    text = "".join(f"<p>{escape(for_page(sentence))}</p>" for sentence in sentences)
    return f"<h3>{escape(title)}</h3>{text}"

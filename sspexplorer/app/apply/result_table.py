"""The predictions of a catalogue as a table: which columns, which rows, which one is in sight."""

from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import param
from bokeh.models.widgets.tables import NumberFormatter, StringFormatter

from sspexplorer.analysis.catalogue import Answers
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.paged_table import PagedTable
from sspexplorer.app.kit.theme import css

_ROWS_ON_A_PAGE = 10
# Pixels; flags have what is left, and at least this.
_WIDTHS = {"row": 48, "n_bands": 60}
_NUMBER, _ERROR, _OWN, _FLAG = 76, 46, 108, 220
_DIGIT, _AROUND = 8, 18
_FORMATS = {"row": "0", "n_bands": "0"}
_FINE = ("ebv", "redshift", "photoz", "d4000", "p_value")


class ResultTable(pn.viewable.Viewer):
    """A row for each galaxy, a page at a time.

    Parameters
    ----------
    answers : Answers
    on_row : callable
        Is told of the row that was clicked on, counted from 0.
    columns : list of str, optional
        What to show, of :attr:`Answers.columns`; what there is not is left out.
    """

    columns = param.ListSelector(default=[], doc="What is shown besides the number of the row.")

    def __init__(
        self, answers: Answers, on_row: Callable[[int], None], columns: list[str] | None = None
    ) -> None:
        super().__init__()
        self._answers, self._on_row, self._rows = answers, on_row, np.arange(0)
        self.param.columns.objects = list(answers.columns)
        wanted = answers.first_columns if columns is None else columns
        self.columns = [name for name in answers.columns if name in wanted]
        self._place = pn.Column(sizing_mode="stretch_width", margin=0)
        self.grid = self._make_grid()
        self.param.watch(self._remake, "columns")

    def __panel__(self) -> pn.Column:
        """Table over the choice of its columns."""
        titles = {title: name for name, title in self._answers.columns.items()}
        choice = pn.widgets.CheckBoxGroup.from_param(
            self.param.columns,
            options=titles,
            inline=True,
            sizing_mode="stretch_width",
            stylesheets=[css("wrapped-choices")],
            margin=0,
        )
        return parts.stack(self._place, parts.folded("Columns of the table", choice), gap=4)

    def show(self, rows: np.ndarray, row: int) -> None:
        """Show some rows, counted from 0, of which one is in sight."""
        self._rows = rows
        self.grid.param.update(value=self._values(), page=1, selection=[])
        self.mark(row)

    def mark(self, row: int) -> None:
        """Turn to the page that has a row, and mark it; nothing if it is not shown."""
        place = int(np.searchsorted(self._rows, row))
        if place == len(self._rows) or self._rows[place] != row:
            self.grid.selection = []
            return
        order = self.grid.current_view.index
        at = int(np.flatnonzero(order == row)[0])
        self.grid.param.update(page=at // _ROWS_ON_A_PAGE + 1, selection=[place])

    def beside(self, row: int, step: int) -> int | None:
        """Row that is listed so many places after another, in the order of the table."""
        order = self.grid.current_view.index
        place = np.flatnonzero(order == row)
        if not len(place) or not 0 <= place[0] + step < len(order):
            return None
        return int(order[place[0] + step])

    @property
    def _titles(self) -> dict[str, str]:
        """Heading of each column that is shown, errors among them."""
        chosen = [name for name in self._answers.columns if name in self.columns]
        return self._answers.headings(chosen)

    def _values(self) -> pd.DataFrame:
        values = self._answers.values(list(self._titles), self._rows)
        if "flag" not in values:
            return values
        return values.assign(flag=self._answers.reasons.to_numpy()[self._rows])

    def _remake(self, *events: Any) -> None:
        """Make the table anew, with other columns; the same rows, the same one in sight."""
        marked = [int(self._rows[place]) for place in self.grid.selection]
        self.grid = self._make_grid()
        self.show(self._rows, *(marked or [-1]))

    def _make_grid(self) -> pn.widgets.Tabulator:
        titles, values = self._titles, self._values()
        right = [name for name in titles if values[name].dtype.kind in "if"]
        own = {name: StringFormatter(nan_format="–") for name in self._answers.own_titles}
        numbers = {name: _FORMATS.get(name, "0.00") for name in right if name not in own}
        numbers |= {name: "0.000" for name in right if name.removesuffix("_err") in _FINE}
        formatters = own | {
            name: NumberFormatter(format=f, nan_format="–") for name, f in numbers.items()
        }
        if "flag" in titles:
            formatters["flag"] = {"type": "textarea"}
        grid = PagedTable(
            values,
            titles={name: escape(title) for name, title in titles.items()},
            formatters=formatters,
            text_align=dict.fromkeys(right, "right") | {"flag": "left"},
            header_align=dict.fromkeys(right, "right") | {"flag": "left"},
            widths={name: self._width(name) for name in titles if name != "flag"},
            configuration={"columns": [{"field": "flag", "minWidth": _FLAG}]},
            layout="fit_columns",
            page_size=_ROWS_ON_A_PAGE,
            selectable=1,
            disabled=True,
            show_index=False,
            sizing_mode="stretch_width",
            css_classes=["walked"],  # see ``static/grid-keys.js``
            stylesheets=[css("table-sorted")],
            margin=0,
        )
        grid.on_click(lambda event: self._on_row(int(self._rows[event.row])))
        self._place[:] = [grid]
        return grid

    def _width(self, name: str) -> int:
        if name in self._answers.own_titles:
            return _OWN
        if name == "row":
            digits = len(str(len(self._answers.table)))
            return max(_WIDTHS["row"], _DIGIT * digits + _AROUND)
        return _ERROR if name.endswith("_err") else _WIDTHS.get(name, _NUMBER)

"""A table of any length of which a browser has one page, and a server does no more than it must."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import panel as pn


class PagedTable(pn.widgets.Tabulator):
    """Tabulator with remote pages whose cost does not grow with the number of rows.

    Panel's own sorts all columns of all rows, and writes down the place of each, whenever a page is
    turned. Here rows are put into order once, and only those of the page are taken.
    """

    def __init__(self, value: pd.DataFrame, **params: Any) -> None:
        self._order_of: tuple[pd.DataFrame | None, list] = (None, [])
        self._order = np.arange(0)
        self._in_order = pd.DataFrame()
        super().__init__(value, pagination="remote", **params)

    def _update_index_mapping(self) -> None:
        self._index_mapping = _Places([] if self._processed is None else self._processed.index)

    def _sort_df(self, df: pd.DataFrame) -> pd.DataFrame:
        """Rows in order, as an index alone: no more is asked of those that are on no page."""
        if not self.sorters:
            return df
        asked = [(s["field"], s["dir"] == "asc") for s in self.sorters]
        if self._order_of[0] is not df or self._order_of[1] != asked:
            self._order_of = (df, asked)
            self._order = _ordered([df[name] for name, _ in asked], [rises for _, rises in asked])
            self._in_order = pd.DataFrame(index=df.index[self._order])
        return self._in_order

    def _get_data(self) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
        if self.value is None:
            return super()._get_data()
        table = self.value
        ordered = self._sort_df(table)
        start = (self.page - 1) * (self.page_size or self.initial_page_size)
        rows = slice(start, start + (self.page_size or self.initial_page_size))
        page = table.iloc[rows if ordered is table else self._order[rows]]
        data = {"index": page.index.to_numpy()}
        data |= {name: self._process_column(page[name].to_numpy(), name, page) for name in page}
        return ordered, data


class _Places:
    """Name of the row at a place of the sorted table."""

    def __init__(self, index: Sequence) -> None:
        self._index = index

    def get(self, place: int, default: Any = None) -> Any:
        return self._index[place] if 0 <= place < len(self._index) else default


def _ordered(columns: Sequence[pd.Series], rising: Sequence[bool]) -> np.ndarray:
    """Order of rows by columns, the first counts most; equals stay, what is missing is last."""
    order = np.arange(len(columns[0]))
    for column, up in zip(columns[::-1], rising[::-1], strict=True):
        ranks = _ranks(column)[order]
        missing = np.isnan(ranks)
        order = order[np.argsort(np.where(missing, np.inf, ranks if up else -ranks), kind="stable")]
    return order


def _ranks(column: pd.Series) -> np.ndarray:
    """Numbers that order as the values do; text without regard to letter case."""
    if column.dtype.kind in "biuf":
        return column.to_numpy(float)
    # There are few kinds of most texts.
    codes, values = pd.factorize(column)
    places = pd.Series(values).astype(str).str.lower().rank(method="dense").to_numpy(float)
    return np.where(codes < 0, np.nan, places[codes] if len(places) else np.nan)

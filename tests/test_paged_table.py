"""Tables of any length: what a page has, in which order, and which row a click means."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sspexplorer.app.kit.paged_table import PagedTable


@pytest.fixture
def table() -> PagedTable:
    values = {"age": [3.0, np.nan, 1.0, 3.0, 2.0], "name": ["b", "A", None, "a", "B"]}
    index = [10, 20, 30, 40, 50]
    return PagedTable(pd.DataFrame(values, index=index), page_size=2, show_index=False)


def seen(table: PagedTable) -> list[int]:
    return list(table._data["index"])


@pytest.mark.parametrize(
    ("field", "direction", "order"),
    [
        ("age", "asc", [30, 50, 10, 40, 20]),
        # Equals stay in the order of the file, and what is missing is last, either way.
        ("age", "desc", [10, 40, 50, 30, 20]),
        ("name", "asc", [20, 40, 10, 50, 30]),
        ("name", "desc", [10, 50, 20, 40, 30]),
    ],
)
def test_pages_are_those_of_the_whole_table_in_order(table, field, direction, order):
    table.sorters = [{"field": field, "dir": direction}]
    assert list(table.current_view.index) == order
    for page in (1, 2, 3):
        table.page = page
        assert seen(table) == order[2 * page - 2 : 2 * page]


def test_the_second_column_orders_equals_of_the_first(table):
    table.sorters = [{"field": "age", "dir": "desc"}, {"field": "name", "dir": "asc"}]
    assert list(table.current_view.index) == [40, 10, 50, 30, 20]


def test_a_click_is_on_the_row_that_is_seen_there(table):
    clicked = []
    table.on_click(lambda event: clicked.append(event.row))
    table.param.update(sorters=[{"field": "age", "dir": "asc"}], page=2)
    event = SimpleNamespace(event_name="cell-click", column="age", row=1, value=None)
    table._process_event(event)
    assert clicked == [3]


def test_rows_are_put_into_order_once(table, monkeypatch):
    table.sorters = [{"field": "age", "dir": "asc"}]
    monkeypatch.setattr(np, "argsort", None)
    table.page = 2
    table.page = 3
    assert seen(table) == [20]

"""Files that are large where they say nothing are read in time that grows as they do."""

import contextlib
import io
import time
from collections.abc import Callable

import pytest
from astropy.table import Table

from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue.files import read_table
from sspexplorer.errors import InputError

_HEADER, _ROW = ",".join(BAND_NAMES), ",".join(["1.5"] * len(BAND_NAMES))
_TEXT = f"{_HEADER}\n{_ROW}\n"


def _ecsv(line: str) -> str:
    text = io.StringIO()
    Table({"J0378": [1.5, 2.5]}).write(text, format="ascii.ecsv")
    return text.getvalue().replace("# schema", f"{line}\n# schema")


CASES: dict[str, tuple[str, int, Callable[[int], str]]] = {
    "blank lines above": ("x.csv", 5_000, lambda n: "\n" * n + _TEXT),
    "blank lines below": ("x.csv", 20_000, lambda n: _TEXT + "\n" * n + _ROW),
    "comments above": ("x.csv", 1000, lambda n: "".join(f"# w{i} x\n" for i in range(n)) + _TEXT),
    "comments below": ("x.csv", 5_000, lambda n: _TEXT + "# a, b\n" * n + _ROW),
    "quoted comments": ("x.csv", 5_000, lambda n: _TEXT + '# "a", b\n' * n + _ROW),
    "spaces in a row": (
        "x.txt",
        2000,
        lambda n: _TEXT.replace(",", " ").replace("1.5 ", "1.5" + " " * n, 1),
    ),
    "columns of one name": (
        "x.csv",
        500,
        lambda n: "J0378,flux_err" + ",c" * n + "\n1,1" + ",1" * n,
    ),
    "letters of a name": ("x.csv", 5000, lambda n: f"{_HEADER},{'a_' * n}\n{_ROW},1"),
    "brackets in a comment": ("x.cat", 1000, lambda n: f"# 1 J0378 {'[' * n} \n# 2 J0390\n1 2"),
    "ECSV comments": ("x.ecsv", 5_000, lambda n: _ecsv("## a\n" * n + "## b")),
    "ECSV blank lines": ("x.ecsv", 5_000, lambda n: _ecsv("## a" + "\n" * n)),
    "ECSV depth": ("x.ecsv", 500, lambda n: _ecsv(f"# meta: {'[' * n}{']' * n}")),
}


def _seconds(name: str, text: str) -> float:
    begun = time.process_time()
    with contextlib.suppress(InputError):
        read_table(text.encode(), name, lambda names: "J0378" in names)
    return time.process_time() - begun


@pytest.mark.parametrize("case", CASES)
def test_four_times_as_much_of_nothing_takes_about_four_times_as_long(case):
    name, n, make = CASES[case]
    small, large = make(n), make(4 * n)
    # The best of some: whatever else a machine does only adds. 20 ms are what a small file takes.
    short = 0.02 + min(_seconds(name, small) for _ in range(2))
    long = min(_seconds(name, large) for _ in range(2))
    assert long < 8 * short

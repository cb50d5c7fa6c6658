"""Whatever a text catalogue looks like, it reads as the same fluxes or is refused."""

import csv
import gzip
import io

import numpy as np
import pandas as pd
import pytest
from catalogues import (
    FORMATS,
    STYLES,
    read_csv,
    written,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layouts import drawn, outcome

from sspexplorer.catalogue import read_catalogue
from sspexplorer.errors import InputError

# Properties

CASE = st.sampled_from([str, str.upper, str.lower, str.title, str.swapcase])
BLANK = st.sampled_from(["", "nan", "NaN", "-999.0", "-99", "0", "0.0", "null", "--", " N/A"])


@st.composite
def text_catalogues(draw):
    """A text table, the rows in it, and the fluxes and errors it stands for."""
    style = draw(st.sampled_from([s for s in STYLES if not s.startswith("MAG")]))
    bands = draw(st.lists(st.integers(0, 56), min_size=1, max_size=8, unique=True))
    with_errors = draw(st.booleans())
    n = draw(st.integers(1, 4))
    flux = np.full((n, 57), np.nan)
    error = np.full((n, 57), np.nan)
    relative = "RELERR" in STYLES[style][1][0]
    columns = {"id": [f"{draw(st.integers(0, 99)):05d}" for _ in range(n)]}
    columns["a note"] = draw(st.lists(st.text("aé,;|\t \"'#", max_size=5), min_size=n, max_size=n))
    for band in bands:
        cells, errors = [], []
        for row in range(n):
            value = draw(st.floats(1e-29, 1e-26))
            cells.append(draw(st.sampled_from([repr(value), f" {value:.17e}"])))
            errors.append("0.125")
            flux[row, band] = value
            error[row, band] = 0.125 * value if relative else 0.125
            if draw(st.integers(0, 4)) == 0:
                cells[-1] = draw(BLANK)
                flux[row, band] = error[row, band] = np.nan
        columns[draw(CASE)(STYLES[style][0][band])] = cells
        if with_errors:
            columns[draw(CASE)(STYLES[style][1][band])] = errors
        else:
            error[:, band] = np.nan
    order = draw(st.permutations(list(columns)))
    rows = [order, *zip(*(columns[name] for name in order), strict=True)]
    delimiter = draw(st.sampled_from(",;\t|"))
    text = io.StringIO(newline="")
    end = draw(st.sampled_from(["\n", "\r\n"]))
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows)
    return text.getvalue().encode(), [list(row) for row in rows], delimiter, flux, error


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(text_catalogues())
def test_any_text_catalogue_is_understood_and_kept(made):
    data, rows, delimiter, flux, error = made
    # The unit is given: a few fluxes, all missing, say nothing about it.
    catalogue = read_catalogue(data, "galaxies.csv", unit="fnu")
    np.testing.assert_array_equal(catalogue.flux, flux)
    np.testing.assert_allclose(catalogue.flux_err, error, rtol=1e-14)
    again = written(catalogue, "csv", pd.DataFrame({"pred": [1.5] * (len(rows) - 1)}))
    cells = list(csv.reader(io.StringIO(again.decode(), newline=""), delimiter=delimiter))
    assert [row[:-1] for row in cells] == rows
    assert [row[-1] for row in cells] == ["pred", *["1.5"] * (len(rows) - 1)]
    for form in ("fits", "parquet"):
        other = read_catalogue(written(catalogue, form), f"x.{form}", unit="fnu")
        np.testing.assert_array_equal(other.flux, flux)


SEEDS = [
    b'id,J0378,J0378_err,z\n007,1e-27,1e-28,0.1\n"a,b",-999,,nan\n',
    b"FLUX_AUTO;x\n[" + b"1 " * 57 + b"];2\n",
    gzip.decompress(
        written(
            read_csv({"J0378": [1.0, 2.0], "MAG_AUTO": ["{" + "20," * 57 + "}"] * 2}), "fits.gz"
        )
    ),
    written(read_csv({"J0378": [1.0, 2.0]}), "ecsv"),
    written(read_csv({"J0378": [1.0, 2.0]}), "vot"),
    written(read_csv({"J0378": [1.0, 2.0]}), "parquet"),
]
ENDINGS = ["csv", "csv", "fits", "ecsv", "vot", "parquet"]
EDIT = st.tuples(
    st.floats(0, 1),
    st.integers(0, 3),
    st.one_of(
        st.binary(max_size=4), st.sampled_from([b'"', b"\n", b",", b"1e999", b"[", b"\r", b";"])
    ),
)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 5), st.lists(EDIT, max_size=4))
def test_a_damaged_file_is_read_or_refused_in_one_sentence(which, edits):
    data = SEEDS[which]
    for place, removed, inserted in edits:
        at = int(place * len(data))
        data = data[:at] + inserted + data[at + removed :]
    read_or_refuse(data, f"x.{ENDINGS[which]}")


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode)),
    st.sampled_from(FORMATS),
)
def test_any_bytes_are_read_or_refused_in_one_sentence(data, form):
    read_or_refuse(data, f"x.{form}")


def read_or_refuse(data, name):
    sentence, catalogue = "", None
    try:
        catalogue = read_catalogue(data, name)
    except InputError as error:
        sentence = str(error)
    if catalogue is None:
        assert sentence.startswith("x.")
        assert sentence.endswith(".")
        assert "\n" not in sentence
    else:
        assert catalogue.flux.shape == (len(catalogue), 57)
        assert not np.isinf(catalogue.flux).any()
        assert catalogue.notes


@pytest.mark.parametrize("layout", drawn(40), ids=lambda layout: f"{layout.order}")
def test_a_table_in_any_layout_is_the_same_or_refused(layout):
    """``benchmarks/odd_layouts.py`` draws 500."""
    assert not outcome(layout).startswith("WRONG"), layout

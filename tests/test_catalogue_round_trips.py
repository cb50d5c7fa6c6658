"""Every format in, every format out: written and read by others' libraries, nothing is lost."""

import io
import os

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from astropy.io import fits, votable
from astropy.table import MaskedColumn, Table

from sspexplorer.catalogue import read_catalogue
from sspexplorer.catalogue.columns import described
from sspexplorer.catalogue.writing import for_spreadsheets
from sspexplorer.errors import InputError
from sspexplorer.models import load_model
from sspexplorer.posterior.prediction import columns as predicted_columns
from sspexplorer.sedfit import FIT_COLUMNS

STARTS = ("csv", "ecsv", "fits", "vot", "parquet", "feather", "hdf5", "tbl")
FORMS = ("csv", "dat", "ecsv", "fits", "fits.gz", "vot", "parquet", "feather", "hdf5", "tbl")
ASTROPY = {"ecsv": "ascii.ecsv", "vot": "votable", "tbl": "ascii.ipac", "fits.gz": "fits"}

IDS = ["10000000000000000007", "12345678901234567890", "00000000000000000003"]
BIG = [5931984171702399518, 0, 5931984171702399520]
EXTRA = pd.DataFrame({"pred_log_age": [9.25, np.nan, 8.0], "pred_flag": ["", "few bands", ""]})
ABOUT = {"SSPMODEL": "galaxy", "SSPFLOOR": 0.02}


def rich() -> Table:
    table = Table(
        {
            "id": IDS,
            "hexid": ["12E0", "12E1", "12E2"],
            "big": MaskedColumn(BIG, mask=[False, True, False], fill_value=-1),
            "J0378": [1.5, 2.25, -0.125],
            "J0390": MaskedColumn([1 / 3, 9.0, 0.1], mask=[False, True, False], fill_value=np.nan),
        },
        meta={"SURVEY": "mock"},
    )
    for name in ("J0378", "J0390"):
        table[name].unit, table[name].description = "uJy", f"flux in {name}"
    return table


def start_with(form: str, folder) -> str:
    """The rich table, written by astropy or pandas."""
    path, table = folder / f"start.{form}", rich()
    if form in ("csv", "feather"):
        frame = table.to_pandas(use_nullable_int=True)
        frame.to_feather(path) if form == "feather" else frame.to_csv(path, index=False)
    else:
        options = {"path": "table", "serialize_meta": True} if form == "hdf5" else {}
        table.write(path, format=ASTROPY.get(form, form), **options)
    return path


def read_by_others(path, form: str) -> Table:
    if form in ("csv", "dat"):
        options = {"sep": r"\s+"} if form == "dat" else {}
        return Table.from_pandas(pd.read_csv(path, dtype=str, keep_default_na=False, **options))
    if form == "feather":
        return Table.from_pandas(pd.read_feather(path))
    options = {"path": "table", "character_as_bytes": False} if form == "hdf5" else {}
    return Table.read(path, format=ASTROPY.get(form, form), **options)


def words(column) -> list[str]:
    return [
        "" if c is np.ma.masked else c.decode() if isinstance(c, bytes) else str(c) for c in column
    ]


def numbers(column) -> np.ndarray:
    if column.dtype.kind in "USO":
        return np.array([float(cell) if cell else np.nan for cell in words(column)])
    return np.ma.filled(column.astype(float), np.nan)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("start", STARTS)
def test_nothing_is_lost(start, form, tmp_path):
    first = read_catalogue(start_with(start, tmp_path))
    path = tmp_path / f"end.{form}"
    first.write(path, extra=EXTRA, about=ABOUT)
    table = read_by_others(path, form)
    assert [name for name in table.colnames if not name.endswith(".mask")] == [
        *rich().colnames,
        *EXTRA.columns,
    ]
    assert words(table["id"]) == IDS
    assert words(table["hexid"]) == ["12E0", "12E1", "12E2"]
    # pandas, and astropy with a file of pandas', make floats of integers with blanks.
    if form not in ("feather", "parquet") or start in ("csv", "tbl", "ecsv", "fits"):
        big = words(table["big"])
        assert [big[0], big[2]] == [str(BIG[0]), str(BIG[2])]
        assert big[1] in ("", "--", "0", "nan")
    np.testing.assert_array_equal(numbers(table["J0378"]), [1.5, 2.25, -0.125])
    np.testing.assert_array_equal(numbers(table["J0390"]), [1 / 3, np.nan, 0.1])
    np.testing.assert_array_equal(numbers(table["pred_log_age"]), EXTRA["pred_log_age"])
    assert words(table["pred_flag"]) == ["", "few bands", ""]
    if form in ("csv", "dat", "feather"):
        return
    assert str(table["pred_log_age"].unit) == "dex(yr)"
    if start not in ("csv", "feather"):
        assert str(table["J0378"].unit) == "uJy"
    if form == "tbl":
        return
    assert table["pred_log_age"].description == described("pred_log_age").description
    if start not in ("csv", "feather", "tbl"):
        assert table["J0378"].description == "flux in J0378"
    if form != "vot":
        assert {key: table.meta[key] for key in ABOUT} == ABOUT
        if start in ("ecsv", "fits", "parquet", "hdf5"):
            assert table.meta["SURVEY"] == "mock"


@pytest.mark.parametrize("form", [form for form in FORMS if form not in ("csv", "dat")])
@pytest.mark.parametrize("start", ["csv", "ecsv", "fits", "parquet"])
def test_our_own_output_is_read_as_the_same_catalogue(start, form, tmp_path):
    first = read_catalogue(start_with(start, tmp_path))
    first.write(tmp_path / f"end.{form}", extra=EXTRA)
    again = read_catalogue(tmp_path / f"end.{form}")
    np.testing.assert_array_equal(again.flux, first.flux)
    assert (again.unit, again.photometry) == (first.unit, first.photometry)
    assert ("own unit" in again.unit_reason) == (start not in ("csv", "feather"))


def test_files_say_what_they_hold_in_the_words_of_their_format(tmp_path):
    first = read_catalogue(start_with("ecsv", tmp_path))
    for form in ("fits", "vot", "parquet"):
        first.write(tmp_path / f"x.{form}", extra=EXTRA, about=ABOUT | {"SSPUNITR": "σ ≤ 5 Å"})
    header = fits.getheader(tmp_path / "x.fits", 1)
    assert header["SSPUNITR"] == "sigma <= 5 A"
    assert header["TUNIT6"] == "dex(yr)"
    assert header["TCOMM4"] == "flux in J0378"
    infos = votable.parse(tmp_path / "x.vot").get_first_table().infos
    assert {"SSPMODEL": "galaxy", "SURVEY": "mock"}.items() <= {
        i.name: i.value for i in infos
    }.items()
    metadata = pq.read_schema(tmp_path / "x.parquet").metadata
    assert metadata[b"IVOA.VOTable-Parquet.version"] == b"1.0"
    document = votable.parse(io.BytesIO(metadata[b"IVOA.VOTable-Parquet.content"]))
    fields = {field.name: field for field in document.get_first_table().fields}
    assert str(fields["J0378"].unit) == "uJy"
    assert fields["pred_flag"].description == described("pred_flag").description


def test_units_and_descriptions_of_voparquet_are_read(tmp_path):
    path = tmp_path / "x.parquet"
    said = {"J0378": {"unit": "mJy", "description": "flux", "ucd": "phot.flux"}}
    Table({"J0378": [1.0, 2.0]}).write(path, format="parquet.votable", metadata=said)
    catalogue = read_catalogue(path)
    np.testing.assert_allclose(catalogue.flux[:, 1], [1e-26, 2e-26])
    catalogue.write(tmp_path / "y.ecsv")
    column = Table.read(tmp_path / "y.ecsv")["J0378"]
    assert (str(column.unit), column.description) == ("mJy", "flux")


def test_arrays_keep_their_shape(tmp_path):
    cube = np.arange(12.0).reshape(2, 3, 2)
    Table({"J0378": [1.0, 2.0], "cube": cube}).write(tmp_path / "x.ecsv")
    for form in ("parquet", "feather", "fits", "hdf5", "vot", "ecsv"):
        read_catalogue(tmp_path / "x.ecsv").write(tmp_path / f"y.{form}")
        read_catalogue(tmp_path / f"y.{form}").write(tmp_path / "z.ecsv")
        np.testing.assert_array_equal(Table.read(tmp_path / "z.ecsv")["cube"], cube)


@pytest.mark.parametrize("form", FORMS)
def test_a_failure_in_mid_writing_leaves_what_was_there(form, tmp_path, monkeypatch):
    path = tmp_path / f"x.{form}"
    path.write_bytes(b"what was there")
    catalogue = read_catalogue(start_with("csv", tmp_path))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match=r"cannot be written: No space left on device\.$"):
        catalogue.write(path)
    assert path.read_bytes() == b"what was there"
    assert sorted(os.listdir(tmp_path)) == ["start.csv", path.name]


@pytest.mark.parametrize("name", ["galaxy", "ssp"])
def test_every_column_that_is_appended_is_described(name):
    names = [*predicted_columns(load_model(name).model), *FIT_COLUMNS]
    names += ["pred_log_age", "pred_metallicity", "pred_ebv", "pred_n_bands", "pred_flag"]
    for column in names:
        found = described(column)
        assert found is not None, column
        assert found.description.isascii()
    assert described("log_age") is None


def test_formulas_are_text_in_a_file_for_spreadsheets_and_kept_in_all_others():
    cells = ["=1+1", "+x", "-x", "@SUM(A1)", "\t=1", "-1.5", "+3", "-99", "a=b", "1e-3"]
    rows = "".join(f'"{cell}",1,2\n' for cell in cells)
    catalogue = read_catalogue(f"id,FNU_J0378,FNU_J0390\n{rows}".encode(), "x.csv")
    kept, sheets = io.BytesIO(), io.BytesIO()
    catalogue.write(kept, ".csv")
    said = catalogue.write(sheets, for_spreadsheets(".csv"))
    assert said[0].startswith("5 cells that begin like a formula")
    read = [line.split(",")[0].strip('"') for line in sheets.getvalue().decode().splitlines()[1:]]
    assert read == [f"'{cell}" if i < 5 else cell for i, cell in enumerate(cells)]
    assert "'" not in kept.getvalue().decode()
    assert for_spreadsheets(".tsv.gz") == ".sheets.tsv.gz"
    with pytest.raises(InputError, match=r"are text, such as \.csv, and not \.fits"):
        for_spreadsheets(".fits")

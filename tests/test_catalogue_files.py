"""Reading and writing catalogues in every format."""

import csv
import io
import os

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time
from catalogues import (
    FORMATS,
    csv_bytes,
    fluxes,
    mixed_table,
    read_csv,
    read_table,
    written,
)

from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue import read_catalogue
from sspexplorer.errors import Cancelled, InputError
from sspexplorer.progress import Progress

# Files


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_text_of_any_dialect_stays_as_it_is(delimiter, newline):
    rows = [
        ["id", "name", "J0378", "J0390"],
        ["007", 'a "b"', "1.69355687E-27", ""],
        ["+1", f"x{delimiter}y", "2.0e-27", " -999.0"],
        ["", "ñ", "NaN", "3"],
    ]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=newline).writerows(rows)
    data = b"\xef\xbb\xbf# made by hand" + (newline * 2 + text.getvalue()).encode()
    catalogue = read_catalogue(data, "galaxies.csv")
    assert catalogue.flux[0, 1] == 1.69355687e-27
    again = csv.reader(io.StringIO(written(catalogue, "csv").decode()), delimiter=delimiter)
    assert list(again) == rows


def test_latin_1_is_a_fallback():
    catalogue = read_catalogue("nombre,J0378\nmuñeca,1\n".encode("latin-1"), "x.csv")
    assert catalogue.frame()["nombre"].tolist() == ["muñeca"]
    assert any("Latin-1" in note for note in catalogue.notes)


def test_a_path_a_buffer_and_bytes_are_the_same(tmp_path):
    data = csv_bytes({"J0378": [1.0, 2.0]})
    path = tmp_path / "galaxies.CSV"
    path.write_bytes(data)
    for catalogue in (
        read_catalogue(path),
        read_catalogue(str(path)),
        read_catalogue(io.BytesIO(data), "galaxies.CSV"),
        read_catalogue(data, "galaxies.CSV"),
    ):
        assert catalogue.name == "galaxies.CSV"
        assert catalogue.flux[:, 1].tolist() == [1, 2]


def test_a_mock_sample_is_a_catalogue(tmp_path):
    flux = fluxes(3).astype("f4") * 1e27
    columns = {b: flux[:, i] for i, b in enumerate(BAND_NAMES)}
    columns |= {f"{b}_err": 0.1 * flux[:, i] for i, b in enumerate(BAND_NAMES)}
    labels = {"log_age": 9.0, "metallicity": 0.0, "ebv": 0.1, "magnitude": 20.0, "redshift": 0.0}
    frame = pd.DataFrame(columns).assign(**labels, library="emiles", ssp="x", split="test")
    frame.to_parquet(tmp_path / "mocks.parquet")
    catalogue = read_catalogue(tmp_path / "mocks.parquet")
    assert catalogue.photometry == "plain"
    assert catalogue.unit == "fnu"
    np.testing.assert_array_equal(catalogue.flux, flux)
    assert catalogue.redshift.tolist() == [0, 0, 0]


def test_the_table_that_names_bands_is_found_among_several():
    hdus = fits.HDUList([fits.PrimaryHDU()])
    hdus.append(fits.table_to_hdu(Table({"header": ["a"]})))
    hdus.append(fits.BinTableHDU(Table({"J0378": [1.0, 2.0]}), name="CAT"))
    buffer = io.BytesIO()
    hdus.writeto(buffer)
    catalogue = read_catalogue(buffer.getvalue(), "x.fits")
    assert len(catalogue) == catalogue.n_rows == 2
    assert "The file has 2 tables; this is number 2 (CAT)." in catalogue.notes


# Writing


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("start", ["fits", "ecsv", "vot"])
def test_everything_is_written_and_more(start, form):
    table = mixed_table()
    if start == "fits":
        table["id"] = np.char.encode(table["id"], "utf-8")
    if start != "ecsv":
        table["small"] = table["small"].astype("i2")
    first = read_table(table, start)
    extra = pd.DataFrame(
        {"pred": [9.5, np.nan, 8.0], "flag": ["", "few bands", ""], "N": [7, 8, 9]}
    )
    buffer = io.BytesIO()
    renamed = first.write(buffer, form, extra)
    assert "The catalogue has a column N, so the new one is N_2." in renamed
    again = read_catalogue(buffer.getvalue(), f"x.{form}")
    assert again.column_names == (*first.column_names, "pred", "flag", "N_2")
    scale = first.flux[0, 1] / again.flux[0, 1]
    # Text holds the shortest digits that give the same float32.
    np.testing.assert_allclose(again.flux * scale, first.flux, rtol=1e-7)
    frame = again.frame()
    numbers = pd.to_numeric(frame["n"].replace("", np.nan)).tolist()
    assert np.isnan(numbers[0])
    assert numbers[1:] == [2, 999999]
    assert [int(value) for value in frame["small"]] == [-1, 2, 3]
    assert [str(value) for value in frame["good"]] == ["True", "False", "True"]
    assert frame["id"].fillna("").tolist() == ["007", "", "ñandú"]
    assert frame["flag"].fillna("").tolist() == ["", "few bands", ""]
    assert pd.to_numeric(frame["pred"].replace("", np.nan)).fillna(0).tolist() == [9.5, 0, 8]


@pytest.mark.parametrize("form", FORMATS)
def test_arrays_of_varying_length_and_objects(form):
    """What archives write as arrays of any length, beside types that not all formats have."""
    flux = fluxes(2)
    rows = "".join(f"<TR><TD>{' '.join(map(repr, row))}</TD></TR>" for row in flux.tolist())
    data = (
        '<VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE>'
        '<FIELD name="FLUX_AUTO" datatype="double" arraysize="*" unit="erg/s/cm2/Hz"/>'
        f"<DATA><TABLEDATA>{rows}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
    )
    first = read_catalogue(data.encode(), "x.xml")
    first.table["t"] = Time([1, 2], format="mjd")
    first.table["big"] = np.array([2**64 - 1, 1], "u8")
    first.table["ragged"] = np.array([np.arange(2), np.arange(3)], dtype=object)
    again = read_catalogue(written(first, form), f"x.{form}")
    np.testing.assert_allclose(again.flux, flux, rtol=1e-14)
    assert (form in ("csv", "tsv")) == ("own unit" not in again.unit_reason)
    assert [int(value) for value in again.frame()["big"]] == [2**64 - 1, 1]


def test_text_becomes_numbers_where_they_are_needed_and_safe():
    columns = {"id": ["007", "010"], "n": ["1", ""], "J0378": ["1.50", "nan"], "name": ["a", "1"]}
    first = read_csv(columns)
    table = Table.read(io.BytesIO(written(first, "fits")))
    assert table["id"].astype(str).tolist() == ["007", "010"]
    assert table["n"].dtype.kind == "i"
    assert table["n"].mask.tolist() == [False, True]
    assert table["J0378"].dtype.kind == "f"
    assert table["name"].astype(str).tolist() == ["a", "1"]


def test_empty_predictions_are_empty_cells():
    data = written(read_csv({"J0378": ["1"]}), "csv", pd.DataFrame({"pred": [np.nan], "n": [0]}))
    assert data == b"J0378,pred,n\n1,,0\n"


def test_a_taken_name_leaves_the_input_column():
    first = read_csv({"J0378": ["1"], "pred": ["x"], "PRED_2": ["y"]})
    data = written(first, "csv", pd.DataFrame({"pred": [1.5]}))
    assert data == b"J0378,pred,PRED_2,pred_3\n1,x,y,1.5\n"


def test_new_columns_must_have_as_many_rows():
    with pytest.raises(ValueError, match="2 rows of new columns for a catalogue of 1"):
        written(read_csv({"J0378": [1.0]}), "csv", pd.DataFrame({"pred": [1, 2]}))


def test_names_that_fits_cannot_hold_are_changed_and_said():
    first = read_catalogue("año,,J0378\n1,2,3\n".encode(), "x.csv")
    buffer = io.BytesIO()
    renamed = first.write(buffer, "fits")
    assert renamed == ("Column 'año' is called a_o in this format.",)
    assert read_catalogue(buffer.getvalue(), "x.fits").column_names == ("a_o", "unnamed", "J0378")


@pytest.mark.parametrize("form", ["csv", "fits", "parquet"])
def test_the_input_itself_can_be_the_output(tmp_path, form):
    path = tmp_path / f"galaxies.{form}"
    path.write_bytes(written(read_csv({"J0378": [1.0, 2.0]}), form))
    read_catalogue(path).write(path, extra=pd.DataFrame({"pred": [3.0, 4.0]}))
    again = read_catalogue(path)
    assert again.column_names == ("J0378", "pred")
    assert again.flux[:, 1].tolist() == [1, 2]
    assert os.listdir(tmp_path) == [path.name]


def test_what_cannot_be_written(tmp_path):
    catalogue = read_csv({"J0378": [1.0]})
    with pytest.raises(InputError, match=r"x\.doc ends in \.doc; a catalogue ends in one of \.csv"):
        catalogue.write(tmp_path / "x.doc")
    with pytest.raises(InputError, match=r"x\.csv cannot be written: No such file or directory\."):
        catalogue.write(tmp_path / "nowhere" / "x.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match=r"folder\.csv cannot be written: Is a directory"):
        catalogue.write(tmp_path / "folder.csv")
    with pytest.raises(InputError, match="needs a format"):
        catalogue.write(io.BytesIO())
    assert os.listdir(tmp_path) == ["folder.csv"]


def test_a_header_that_is_a_comment_is_the_header():
    data = csv_bytes(dict(zip(BAND_NAMES, fluxes().T, strict=True)))
    catalogue = read_catalogue(b"# made by hand\n# " + data, "galaxies.csv")
    assert catalogue.flux == pytest.approx(fluxes())
    assert "The header is the last of the comments." in catalogue.notes


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "vot", "fits"])
def test_reading_tells_how_far_it_is_and_stops_wherever_it_is_asked_to(ending):
    data = written(read_csv({"J0378": np.ones(9000), "J0390": np.ones(9000)}), ending)
    told = []
    read_catalogue(data, f"x.{ending}", progress=Progress(lambda *said: told.append(said[0])))
    assert told == sorted(told)
    assert (told[0] >= 0, told[-1]) == (True, 1.0)
    for k in range(0, len(told), 3):
        asked = iter(range(k))
        stop = Progress(is_cancelled=lambda left=asked: next(left, None) is None)
        with pytest.raises(Cancelled):
            read_catalogue(data, f"x.{ending}", progress=stop)

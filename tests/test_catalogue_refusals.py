"""What cannot be used as a catalogue, and files that would do harm."""

import io
import os
import pickle
import re
import socket
import urllib.request

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import Table
from catalogues import read_csv, read_table, written

from sspexplorer.catalogue import read_catalogue
from sspexplorer.errors import InputError

# What cannot be used

HTML = b"<!DOCTYPE html><html><body>404</body></html>"
TWO = "J0378,J0390\n1,2\n"


def cut(data, part=0.6):
    return data[: int(len(data) * part)]


def as_bytes(form):
    return written(read_csv({"J0378": np.arange(1.0, 2000.0), "id": "abc"}), form)


@pytest.mark.parametrize(
    ("data", "name", "sentence"),
    [
        (b"", "x.csv", r"x\.csv is empty\."),
        (b"", "x.fits", r"x\.fits is empty\."),
        (b"J0378,J0390\n", "x.csv", r"x\.csv has a header but no rows\."),
        (b"# J0378\n", "x.csv", r"x\.csv has only comments\."),
        (HTML, "x.csv", r"x\.csv is a web page, not a catalogue; download the file itself\."),
        (HTML, "x.fits", r"x\.fits is a web page, not a catalogue; download the file itself\."),
        (HTML, "x.parquet", r"x\.parquet is a web page, not a catalogue; .*"),
        (b"hello", "x.fits", r"x\.fits is not a FITS file\."),
        (b"hello", "x.parquet", r"x\.parquet is not a Parquet file\."),
        (b"hello", "x.vot", r"x\.vot is not a VOTable: syntax error in line 1\."),
        (b"<a/>", "x.xml", r"x\.xml is not a VOTable: it starts with <a>\."),
        (b"hello", "x.ecsv", r"x\.ecsv does not start with '# %ECSV', so it is not ECSV\."),
        (b"J0378\n1\0\n", "x.csv", r"x\.csv is not text\."),
        (TWO.encode(), "x.doc", r"x\.doc ends in \.doc; a catalogue ends in one of \.csv, .*\."),
        (TWO.encode(), "x", r"x has no ending; a catalogue ends in one of \.csv, .*\."),
        (TWO.encode(), None, r"A catalogue given as bytes needs a name that says its format\."),
        (
            b"a,b\n1,2\n",
            "x.csv",
            r"x\.csv: 0 of the 57 bands found; columns should have names like J0378, .*\.",
        ),
        (b"g_JPAS\n1\n", "x.csv", r"x\.csv: 0 of the 57 .* \(g_JPAS are other bands\)\."),
        (
            b"FLUX_AUTO\n[1 2 3]\n",
            "x.csv",
            r"x\.csv: 0 of .* \(FLUX_AUTO has 3 values a row, not 54, 56, 57 or 60 in .*\)\.",
        ),
        (b"J0378,J0378\n1,2\n", "x.csv", r"x\.csv has two columns called 'J0378' with .*\."),
        (
            b"J0378,j0378\n1,2\n",
            "x.csv",
            r"x\.csv: Columns 'J0378' and 'j0378' both claim band J0378; say which .*\.",
        ),
        (
            b"JPAS3785,JPAS3800\n1,2\n",
            "x.csv",
            r"x\.csv: Columns 'JPAS3785' and 'JPAS3800' both claim band J0378; say which .*\.",
        ),
        (
            b"J0378,J0378_err,e_J0378\n1,2,3\n",
            "x.csv",
            r"x\.csv: Columns 'J0378_err' and 'e_J0378' both claim the error of band J0378; .*\.",
        ),
        (
            b"#\nJ0378,J0390\n1,2\n\n3\n",
            "x.csv",
            r"x\.csv: line 5 has 1 cell where the header has 2\.",
        ),
        (
            b'J0378,J0390\n"1,2\n3,4\n5,6\n',
            "x.csv",
            r"x\.csv: line 4 cannot be read \(unexpected end of data\)\.",
        ),
        (
            b"J0378\nabc\nefg\n",
            "x.csv",
            r"x\.csv: Column 'J0378' holds no numbers: row 1 reads 'abc'\.",
        ),
        (
            b"J0378;J0390\n1,500;2\n",
            "x.csv",
            r"x\.csv: Column 'J0378' holds no numbers: row 1 reads '1,500'; write decimals .*\.",
        ),
        (
            ("FLUX_AUTO\n[" + "1 " * 57 + "]\n[1 2]\n").encode(),
            "x.csv",
            r"x\.csv: The array column 'FLUX_AUTO' has 2 values in row 2 and 57 in row 1\.",
        ),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(data, name, sentence):
    with pytest.raises(InputError) as caught:
        read_catalogue(data, name)
    assert re.fullmatch(sentence, str(caught.value)), str(caught.value)


@pytest.mark.parametrize("form", ["fits", "fits.gz", "vot", "parquet"])
def test_a_file_cut_short(form):
    with pytest.raises(InputError, match=r"cut short|not a VOTable: unclosed token|no element"):
        read_catalogue(cut(as_bytes(form)), f"x.{form}")


def test_paths_that_hold_nothing(tmp_path):
    with pytest.raises(InputError, match=r"^There is no file .*nothing\.csv\.$"):
        read_catalogue(tmp_path / "nothing.csv")
    with pytest.raises(InputError, match=r"is a folder without a catalogue in it\.$"):
        read_catalogue(tmp_path)
    (tmp_path / "x.csv").touch()
    with pytest.raises(InputError, match=r"^x\.csv is empty\.$"):
        read_catalogue(tmp_path / "x.csv")


def test_images_dates_and_other_types():
    buffer = io.BytesIO()
    fits.PrimaryHDU(np.zeros((2, 2))).writeto(buffer)
    with pytest.raises(InputError, match="has no table"):
        read_catalogue(buffer.getvalue(), "x.fits")
    for values in ([True], [pd.Timestamp("2026-01-01")]):
        buffer = io.BytesIO()
        pd.DataFrame({"J0378": values}).to_parquet(buffer)
        with pytest.raises(InputError, match=r"'J0378' holds .* values where numbers are needed"):
            read_catalogue(buffer.getvalue(), "x.parquet")


def test_damaged_text_in_a_sound_file():
    text = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")]
    )
    buffer = io.BytesIO()
    pq.write_table(pa.table({"J0378": text}), buffer)
    with pytest.raises(InputError, match=r"x\.parquet cannot be read as a catalogue: .* codec"):
        read_catalogue(buffer.getvalue(), "x.parquet")


def doubled(form, same):
    """A table with two columns of one name, as some joins leave it."""
    table = pa.table({"J0378": [1.0, 2.0], "id": [1.0, 2.0 if same else 3.0]})
    buffer = io.BytesIO()
    if form == "parquet":
        pq.write_table(table.rename_columns(["J0378", "J0378"]), buffer)
        return buffer.getvalue()
    Table(table.to_pydict()).write(buffer, format={"vot": "votable"}.get(form, form))
    return buffer.getvalue().replace(b"'id      '", b"'J0378   '").replace(b'"id"', b'"J0378"')


@pytest.mark.parametrize("form", ["parquet", "vot", "fits"])
def test_columns_that_share_a_name(form):
    catalogue = read_catalogue(doubled(form, same=True), f"x.{form}")
    assert catalogue.column_names == ("J0378", "J0378_2")
    assert "Another column is called 'J0378'; it is J0378_2 from here on." in catalogue.notes
    with pytest.raises(InputError, match="two columns called 'J0378' with different values"):
        read_catalogue(doubled(form, same=False), f"x.{form}")


# Files that would do harm


class Harm:
    def __reduce__(self):
        return os.mkdir, ("harm",)


@pytest.fixture
def guarded(tmp_path, monkeypatch):
    """Fail if anything is unpickled or fetched."""

    def refuse(*args, **kwargs):
        raise AssertionError("unpickled or fetched")

    monkeypatch.chdir(tmp_path)
    for module, name in ((pickle, "loads"), (pickle, "load"), (urllib.request, "urlopen")):
        monkeypatch.setattr(module, name, refuse)
    yield
    assert not (tmp_path / "harm").exists()


@pytest.mark.usefixtures("guarded")
def test_nothing_is_unpickled():
    evil = pickle.dumps(Harm(), protocol=0)
    kind = pa.field(
        "J0378",
        pa.binary(),
        metadata={
            "ARROW:extension:name": "arrow.py_extension_type",
            "ARROW:extension:metadata": evil,
        },
    )
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array([evil])], schema=pa.schema([kind])), buffer)
    with pytest.raises(InputError, match="J0378"):
        read_catalogue(buffer.getvalue(), "x.parquet")
    for name in ("x.csv", "x.fits", "x.ecsv", "x.vot", "x.parquet", "x.h5", "x.feather"):
        with pytest.raises(InputError):
            read_catalogue(evil, name)
    table = Table({"J0378": [1.0], "o": np.array([evil.decode()], object)})
    assert read_table(table, "ecsv").flux[0, 1] == 1


@pytest.mark.parametrize("tag", ["!numpy.ndarray", "!<!numpy.ndarray>", "!x!ndarray"])
def test_raw_memory_in_an_ecsv_header_is_refused(tag):
    """Astropy would take eight bytes of the file for the address of an object."""
    lines = ["%ECSV 1.0", "---", "datatype:", "- {name: J0378, datatype: float64}"]
    lines.append(f"meta: {{a: {tag} {{buffer: !!binary AAAAAAAAAAA=, dtype: O, shape: [1]}}}}")
    if tag.startswith("!x!"):
        lines.insert(1, "%TAG !x! !numpy.")
    data = "".join(f"# {line}\n" for line in lines) + "J0378\n1.0\n"
    with pytest.raises(InputError, match="binary array in its header"):
        read_catalogue(data.encode(), "x.ecsv")
    with pytest.raises(InputError, match="binary array in its header"):
        read_catalogue(data.encode(), "x.csv")


def test_yaml_in_fits_comments_is_not_read():
    hdu = fits.BinTableHDU(Table({"J0378": [1.0]}))
    marks = ("--BEGIN-ASTROPY-SERIALIZED-COLUMNS--", "--END-ASTROPY-SERIALIZED-COLUMNS--")
    yaml = "datatype: [{name: J0378}]\nmeta: !numpy.ndarray {dtype: O, buffer: AAAA}".splitlines()
    for line in (marks[0], *yaml, marks[1]):
        hdu.header["COMMENT"] = line
    buffer = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(buffer)
    assert read_catalogue(buffer.getvalue(), "x.fits").flux[0, 1] == 1


def test_nothing_that_a_file_names_is_fetched(tmp_path):
    """Somebody listens where each file points to, and hears nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        at = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
        field = '<FIELD name="J0378" datatype="double"/>'
        rows = f'<BINARY2><STREAM href="{at}"/></BINARY2>'
        files = {
            "stream.vot": f"<VOTABLE><RESOURCE><TABLE>{field}<DATA>{rows}</DATA></TABLE></RESOURCE>"
            "</VOTABLE>",
            "dtd.vot": f'<!DOCTYPE VOTABLE SYSTEM "{at}"><VOTABLE></VOTABLE>',
            "entity.vot": f'<!DOCTYPE V [<!ENTITY x SYSTEM "{at}">]><VOTABLE>&x;</VOTABLE>',
            "parameter.vot": f'<!DOCTYPE V [<!ENTITY % x SYSTEM "{at}"> %x;]><VOTABLE></VOTABLE>',
            "schema.vot": f'<VOTABLE xmlns:x="y" x:schemaLocation="{at} {at}"></VOTABLE>',
            "style.vot": f'<?xml-stylesheet href="{at}"?><VOTABLE></VOTABLE>',
            "link.ecsv": "# %ECSV 1.0\n# ---\n# meta: !!python/object/apply:"
            f"urllib.request.urlopen ['{at}']\n"
            "# datatype:\n# - {name: J0378, datatype: float64}\nJ0378\n1\n",
        }
        for name, text in files.items():
            with pytest.raises(InputError):
                read_catalogue(text.encode(), name)
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize("serialization", ["FITS", "BINARY", "BINARY2", "PARQUET"])
@pytest.mark.parametrize("href", ["http://localhost:1/x", "file:///etc/passwd", "file:x"])
def test_no_link_is_followed(serialization, href):
    data = (
        '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE>'
        '<FIELD name="J0378" datatype="double"/><DATA>'
        f'<{serialization}><STREAM href="{href}"/></{serialization}>'
        "</DATA></TABLE></RESOURCE></VOTABLE>"
    )
    with pytest.raises(InputError, match=r"keeps its rows in another file; links are not followed"):
        read_catalogue(data.encode(), "x.vot")


@pytest.mark.usefixtures("guarded")
def test_no_entity_is_expanded():
    data = '<!DOCTYPE VOTABLE [<!ENTITY x SYSTEM "file:///etc/passwd">]><VOTABLE>&x;</VOTABLE>'
    with pytest.raises(InputError, match="declares XML entities"):
        read_catalogue(data.encode(), "x.xml")
    external = '<!DOCTYPE VOTABLE SYSTEM "http://localhost:1/x.dtd"><VOTABLE></VOTABLE>'
    with pytest.raises(InputError):
        read_catalogue(external.encode(), "x.xml")

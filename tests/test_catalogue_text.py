"""Text tables of every layout: read for what they are, or refused where a part is missing."""

import bz2
import gzip
import io
import lzma
import zipfile

import numpy as np
import pytest
from astropy.table import Table
from catalogues import as_text_of, written

from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue import read_catalogue
from sspexplorer.catalogue.files import read_table
from sspexplorer.errors import InputError

# Each the same two galaxies: A with 1.5 and 2.25 in the bands J0378 and J0390, B with 3 and 4.5.
TEXTS = {
    "spaces": "id  J0378 J0390\nA 1.5   2.25\n  B  3 \t 4.5\n",
    "spaces and quotes": 'id J0378 J0390\n"A" 1.5 2.25\n"B" 3 4.5\n',
    "aligned on the left": "id      J0378  J0390\nA       1.5    2.25\nB       3      4.5\n",
    "aligned on the right": "id  J0378  J0390\n A    1.5   2.25\n B      3    4.5\n",
    "CIGALE": "# id J0378 J0390\nA 1.5 2.25\nB 3 4.5\n",
    "savetxt with commas": "# made by numpy\n# id J0378 J0390\nA,1.5e+00,2.25\nB,3,4.5e+00\n",
    "header before other comments": "#id,J0378,J0390\n#-,uJy,uJy\nA,1.5,2.25\nB,3,4.5\n",
    "numbered header": "# 1 id\n# 2 J0378 Flux [uJy]\n# 3 J0390 Flux [uJy]\nA 1.5 2.25\nB 3 4.5\n",
    "comments between rows": "id,J0378,J0390\n# a\nA,1.5,2.25\n\n # b,1,2\nB,3,4.5\n#\n",
    "comments in windows": "id,J0378,J0390\r\nA,1.5,2.25\r\n# c\r\nB,3,4.5\r\n",
    "trailing separators": "id,J0378,J0390,\nA,1.5,2.25,\nB,3,4.5,\n",
    "trailing in rows only": "id,J0378,J0390\nA,1.5,2.25,\nB,3,4.5,\n",
    "trailing in the header": "id,J0378,J0390,\nA,1.5,2.25\nB,3,4.5\n",
    "bars around": "| id | J0378 | J0390 |\n| A | 1.5 | 2.25 |\n| B | 3 | 4.5 |\n",
    "markdown": "| id | J0378 | J0390 |\n|---|---|---|\n| A | 1.5 | 2.25 |\n| B | 3 | 4.5 |\n",
    "two-line header": "id  J0378 J0390\n--- ----- -----\nA   1.5   2.25\nB   3     4.5\n",
    "VizieR": (
        "#Name: J/A+A\n\nid\tJ0378\tJ0390\n \tuJy\tuJy\n---\t---\t---\nA\t1.5\t2.25\nB\t3\t4.5\n"
    ),
    "units under the header": "id,J0378,J0390\n,uJy,uJy\nA,1.5,2.25\nB,3,4.5\n",
    "decimal commas": "id;J0378;J0390\nA;1,5;2,25\nB;3;4,5\n",
    "decimal commas and tabs": "id\tJ0378\tJ0390\nA\t1,5\t2,25\nB\t3\t4,5\n",
    "decimal commas in quotes": 'id,J0378,J0390\nA,"1,5","2,25"\nB,3,"4,5"\n',
    "IPAC": (
        "\\fixlen = T\n|id  |J0378 |J0390 |\n|char|double|double|\n|    |uJy   |uJy   |\n"
        " A    1.5    2.25  \n B    3      4.5   \n"
    ),
    "names of columns twice": "id,J0378,J0390,id\nA,1.5,2.25,7\nB,3,4.5,8\n",
}


@pytest.mark.parametrize("layout", TEXTS)
def test_a_text_of_any_layout_is_read(layout):
    catalogue = read_catalogue(TEXTS[layout].encode(), "x.txt", unit="fnu")
    scale = catalogue.flux[1, 1] / 3
    np.testing.assert_allclose(catalogue.flux[:, 1:3], scale * np.array([[1.5, 2.25], [3, 4.5]]))
    assert catalogue.frame()["id"].str.strip().tolist() == ["A", "B"]
    assert scale == pytest.approx(
        1e-29 if "uJy" in TEXTS[layout] and layout[:8] != "header b" else 1
    )


CUT = {
    "commas": "id,J0378,J0390\nA,1.5,2.25\nB,3\n",
    "spaces": "id J0378 J0390\nA 1.5 2.25\nB 3\n",
    "fixed width": "id      J0378  J0390\nNGC 1   1.5    2.25\nB       3\n",
    "VizieR": "id\tJ0378\tJ0390\n \tuJy\tuJy\n---\t---\t---\nA\t1.5\t2.25\nB\t3\n",
    "IPAC": "|id  |J0378 |J0390 |\n|char|double|double|\n A    1.5    2.25  \n B    3\n",
    "ECSV": (
        "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: id, datatype: string}\n"
        "# - {name: J0378, datatype: float64}\n# - {name: J0390, datatype: float64}\n"
        "# schema: astropy-2.0\nid J0378 J0390\nA 1.5 2.25\nB 3.0\n"
    ),
    "a quote": 'J0378 J0390 id\n1.5 2.25 "A 1"\n3 4.5 "B',
    "a quote in ECSV": (
        "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: J0378, datatype: float64}\n"
        '# - {name: id, datatype: string}\nJ0378 id\n1.5 "A 1"\n3 "B'
    ),
}


@pytest.mark.parametrize("layout", CUT)
def test_a_table_cut_in_mid_row_is_refused(layout):
    said = r"has 2 cells where the header has 3|ends before|never closed"
    with pytest.raises(InputError, match=said):
        read_catalogue(CUT[layout].encode(), "x.ecsv" if "ECSV" in layout else "x.txt")


@pytest.mark.parametrize("form", ["csv", "tsv", "ecsv", "tbl", "txt"])
def test_wherever_the_last_row_is_cut_it_is_refused_or_said_to_be_cut_in_its_last_cell(form):
    table = Table({"id": ["A 1", "B 2"], "J0378": [1.25, 2.25], "J0390": [3.125, 4.125]})
    formats = {"tsv": "tab", "tbl": "ipac", "txt": "basic"}
    text = io.StringIO()
    table.write(text, format=f"ascii.{formats.get(form, form)}")
    whole = text.getvalue().rstrip()
    for n in range(1, len(whole.splitlines()[-1])):
        try:
            found, _ = read_table(whole[:-n].encode(), f"x.{form}", lambda names: "J0378" in names)
        except InputError:
            continue
        # IPAC pads its cells.
        assert n <= len("  4.125")
        assert "The last line has no line end" in found.notes[-1]


def test_cells_of_fixed_width_may_be_blank_or_hold_spaces():
    rows = ("NGC 1       1.5   2.25", "M 31               4.5", "NGC 2403      3       ")
    text = "\n".join(["name      J0378  J0390", *rows])
    catalogue = read_catalogue(text.encode(), "x.dat")
    assert catalogue.frame()["name"].tolist() == ["NGC 1", "M 31", "NGC 2403"]
    np.testing.assert_array_equal(catalogue.flux[:, 1:3], [[1.5, 2.25], [np.nan, 4.5], [3, np.nan]])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("id;J0378\nA;1,234\nB;5,678\n", "write decimals with a point"),
        ("id;J0378\nA;1,5\nB;2.5\n", r"numbers with a comma, such as '1,5' in row 1, beside"),
        ("id,J0378\nA,1,\nB,2\n", "line 3 has 2 cells where the header has 3"),
        ("id,J0378,J0378\nA,1,2\n", "two columns called 'J0378' with different values"),
        ("id J0378\n", "has a header but no rows"),
    ],
)
def test_what_may_mean_two_things_is_refused(text, sentence):
    with pytest.raises(InputError, match=sentence):
        read_catalogue(text.encode(), "x.txt")


def test_a_name_that_starts_with_a_hash_is_kept():
    text = 'id,J0378\n"#7",1\n"#8\n# not a comment",2\n'
    catalogue = read_catalogue(text.encode(), "x.csv")
    assert catalogue.frame()["id"].tolist() == ["#7", "#8\n# not a comment"]
    again = read_catalogue(written(catalogue, "csv"), "x.csv")
    assert again.frame().equals(catalogue.frame())


def test_comments_cost_no_more_than_their_length():
    """As many lines as would take minutes, were each to look at all that follow."""
    lines = "# a\n\n" * 100_000
    catalogue = read_catalogue(f"{lines}J0378\n1\n{lines}2\n".encode(), "x.csv")
    assert catalogue.flux[:, 1].tolist() == [1, 2]


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("folder/inside.csv", data)
    return file.getvalue()


@pytest.mark.parametrize("form", ["csv", "ecsv", "fits", "vot", "parquet", "hdf5", "tbl"])
@pytest.mark.parametrize(
    ("ending", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)]
)
def test_packed_files(form, ending, pack):
    data = written(read_catalogue(b"id,J0378\nA,1.5\n", "x.csv"), form)
    packed = pack(data)
    assert read_catalogue(packed, f"x.{form}.{ending}").flux[0, 1] == 1.5
    with pytest.raises(InputError, match=r"cut short: the \w+ file has no end|cannot be"):
        read_catalogue(packed[: len(packed) // 2], f"x.{form}.{ending}")


def test_a_zip_of_one_file():
    data = b"id,J0378\nA,1.5\n"
    for name in ("x.csv.zip", "x.zip"):
        assert read_catalogue(zipped(data), name).flux[0, 1] == 1.5
    file = io.BytesIO(zipped(data))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("other.csv", data)
    with pytest.raises(InputError, match="holds 2 files"):
        read_catalogue(file.getvalue(), "x.csv.zip")


def test_several_files_and_folders(tmp_path):
    for name, text in {
        "a.csv": "id,J0378\n007,1\n",
        "b.txt": "J0378 id\n2 8\n",
        "notes.md": "not a table",
    }.items():
        (tmp_path / name).write_text(text)
    for source in (tmp_path, [tmp_path / "a.csv", tmp_path / "b.txt"]):
        catalogue = read_catalogue(source)
        assert catalogue.flux[:, 1].tolist() == [1, 2]
        assert catalogue.frame()["id"].tolist() == ["007", "8"]
        assert "Read together: a.csv (1 rows), b.txt (1 rows)." in catalogue.notes
    read_catalogue(tmp_path / "a.csv").write(tmp_path / "c.fits")
    assert read_catalogue(tmp_path).frame()["id"].tolist() == ["007", "8", "007"]
    (tmp_path / "b.txt").write_text("J0378 name\n2 8\n")
    with pytest.raises(InputError, match=r"^b\.txt has no column 'id', which a\.csv has"):
        read_catalogue(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="is a folder without a catalogue in it"):
        read_catalogue(tmp_path / "empty")


def test_files_with_other_units_are_not_put_together(tmp_path):
    for name, unit in (("a", "uJy"), ("b", "mJy")):
        (tmp_path / f"{name}.csv").write_text(f"id,J0378\n,{unit}\nA,1\n")
    with pytest.raises(
        InputError, match=r"b\.csv gives column 'J0378' the unit 'mJy', a\.csv 'uJy'"
    ):
        read_catalogue(tmp_path)


@pytest.mark.parametrize("form", ["csv", "ecsv", "fits", "vot", "parquet", "feather", "hdf5"])
def test_standard_input_says_its_format_itself(form, monkeypatch):
    data = written(read_catalogue(b"id,J0378\nA,1.5\n", "x.csv"), form)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    catalogue = read_catalogue("-")
    assert catalogue.name == "standard input"
    assert catalogue.flux[0, 1] == 1.5


def test_a_text_of_all_bands_and_its_own_output():
    """What is written with spaces is read again, empty cells and names with spaces included."""
    columns = {"name": ["NGC 1", ""], **{band: ["1.5", ""] for band in BAND_NAMES}}
    first = read_catalogue(as_text_of(columns, " "), "x.dat", unit="fnu")
    again = read_catalogue(written(first, "dat"), "x.dat", unit="fnu")
    assert again.frame().equals(first.frame())

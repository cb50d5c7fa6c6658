"""The map of columns: each mistake in one sentence, and the same reading from a saved one."""

import json
import re

import numpy as np
import pytest
import yaml
from astropy.table import Table
from catalogues import csv_bytes, fluxes, read_table
from typer.testing import CliRunner

from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue import dump_map, load_map, read_catalogue
from sspexplorer.catalogue.map_files import HEADER
from sspexplorer.cli import app
from sspexplorer.errors import InputError

COLUMNS = {"blue": [1.0, 2.0], "s": [0.1, 0.1], "J0390": [3.0, 4.0], "z": [0.1, 0.2], "7": [0, 0]}
ARRAY = "[" + " ".join(map(str, range(1, 58))) + "]"


def read(mapping, columns=COLUMNS, **more):
    return read_catalogue(csv_bytes(columns), "x.csv", unit="fnu", columns=mapping, **more)


def test_a_map_adds_to_what_is_recognised_and_overrides_it():
    catalogue = read({"J0378": {"flux": "Blue", "error": "s", "error_kind": "percent"}})
    assert [(c.band, c.flux, c.error) for c in catalogue.columns] == [
        ("J0378", "blue", "s"),
        ("J0390", "J0390", ""),
    ]
    np.testing.assert_allclose(catalogue.flux_err[:, 1], [0.001, 0.002])
    assert "1 band from the columns that your map names." in catalogue.notes
    catalogue = read({"bands": {"J0378": "blue", "J0390": None}, "redshift": None})
    assert (catalogue.bands, catalogue.redshift) == (("J0378",), None)
    assert read({"redshift": "s"}).redshift.tolist() == [0.1, 0.1]
    assert read({"id": "s"}).id_column == "s"


def test_a_map_settles_columns_that_claim_one_band():
    columns = {"J0378": [1.0], "NB378": [2.0]}
    with pytest.raises(
        InputError, match="both claim band J0378; say which to read with the argument columns"
    ):
        read({}, columns)
    assert read({"J0378": "NB378"}, columns).flux[0, 1] == 2


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ([], "A map of columns must be a mapping, .*"),
        ({"redshfit": "z"}, ".* the key 'redshfit', which is unknown; did you mean 'redshift'?"),
        ({"bands": {"uJava": "blue"}}, ".* the band 'uJava', .* did you mean 'uJAVA'?"),
        ({"J0378": "blu"}, ".*column for flux of J0378 'blu', .* the table; did you mean 'blue'?"),
        ({"J0378": {"flux": 7}}, ".* flux of J0378 is 7, which is no column's name; put it in .*"),
        ({"J0378": {"error": "s"}}, ".* J0378 has no flux: say which column has it."),
        ({"J0378": {"flx": "s"}}, ".* the key for J0378 'flx', .* did you mean 'flux'?"),
        ({"J0378": 3}, r".* J0378 must be a mapping such as \{flux: J0378\}, not 3."),
        ({"bands": "blue"}, ".* bands must be a mapping .*"),
        ({"J0378": {"flux": "blue", "element": 3}}, ".* element 3 of 'blue', which is no array."),
        ({"J0378": {"flux": "blue", "mask_element": 3}}, ".* J0378 has mask_element without mask."),
        ({"J0378": {"flux": "FLUX"}}, ".* J0378 needs element, a whole number from 0 to 56, .*"),
        ({"J0378": {"flux": "FLUX", "element": 57}}, ".* a whole number from 0 to 56, .*"),
        ({"J0378": {"flux": "FLUX", "element": True}}, ".* a whole number from 0 to 56, .*"),
        (
            {"J0378": {"flux": "blue", "error": "s", "error_kind": "sigma"}},
            ".* error_kind of J0378 must be one of absolute, .*, not 'sigma'.",
        ),
        (
            {"J0378": {"flux": "blue", "mask": "7", "mask_kind": "x"}},
            ".* mask_kind of J0378 must be one of mask, sextractor, not 'x'.",
        ),
        (
            {"J0378": "blue", "J0390": "blue"},
            ".* 'blue' is both the flux of J0378 and the flux of J0390.",
        ),
        (
            {"J0378": {"flux": "blue", "error": "blue"}},
            ".* 'blue' is both the flux of J0378 and the error of J0378.",
        ),
        ({"J0378": "blue", "bands": {"J0378": "s"}}, ".* J0378 twice: by itself and in bands."),
        ({"redshift": ["z", "zz"]}, ".* the column for redshift 'zz', .* did you mean 'z'?"),
        ({"redshift_err": "s"}, "The map of columns has redshift_err without redshift."),
        ({"redshift": "z", "redshift_err": ["s", "s"]}, ".* has 2 redshift_err for 1 redshift."),
        ({"unit": 3}, ".* unit must be a word, not 3."),
        ({"id": "nothing"}, ".* the column for id 'nothing', which is not in the table."),
        ({"bands": dict.fromkeys(BAND_NAMES)}, "The map of columns leaves no band to read."),
    ],
)
def test_every_mistake_in_a_map_is_said_in_one_sentence(mapping, sentence):
    columns = COLUMNS | {"FLUX": [ARRAY, ARRAY]}
    with pytest.raises(InputError) as caught:
        read(mapping, columns)
    text = str(caught.value).removeprefix("x.csv: ")
    assert re.fullmatch(sentence.replace("?", r"\?"), text), text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [1", "is not YAML that can be read in line 1: .*"),
        ("J0378: a\nJ0378: b", "'J0378' is there twice.*"),
        ("- a", "is not a map of columns: .*"),
        ("", "is not a map of columns: .*"),
        ("a: !!python/object/apply:os.system ['true']", "is not YAML that can be read in line 1.*"),
        ("a: b\n" * 300_000, "is larger than 1 MB, .*"),
        (b"\xff\xfe\xff", "is not text in UTF-8."),
        ("[" * 5000, "is not YAML .*"),
    ],
)
def test_a_file_that_is_no_map_is_refused_and_never_run(tmp_path, text, sentence):
    path = tmp_path / "map.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=sentence):
        load_map(path)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        load_map(tmp_path / "none.yaml")


@pytest.mark.parametrize("kind", ["array", "plain", "odd names"])
def test_a_saved_map_gives_the_same_reading(tmp_path, kind):
    flux = fluxes()
    table = Table({"OBJID": ["a", "b", "c", "d"], "z_spec": [0.1, -1, -1, 0.2]})
    table["PHOTOZ"], table["PHOTOZ_ERR"] = [0.3] * 4, [0.01] * 4
    if kind == "array":
        table["FLUX_AUTO"], table["FLUX_RELERR_AUTO"] = flux, np.full((4, 57), 0.1)
        table["MASK_FLAGS"], table["FLAGS"] = np.eye(4, 57, dtype=int), np.zeros((4, 57), int)
    else:
        for band, values in list(zip(BAND_NAMES, flux.T, strict=True))[:40]:
            name = f"FLUX_AUTO_{band}" if kind == "plain" else f"no: {band} [x], #1"
            table[name], table[f"FLUX_PETRO_{band}"] = values, 2 * values
    first = read_table(table, "ecsv", photometry=None if kind == "array" else "FLUX_PETRO")
    path = tmp_path / "map.yaml"
    path.write_text(dump_map(first.column_map()), encoding="utf-8")
    again = read_table(table, "ecsv", columns=load_map(path))
    assert load_map(path) == first.column_map() == again.column_map()
    assert again.columns == first.columns
    for name in ("flux", "flux_err", "redshift", "redshift_err"):
        np.testing.assert_array_equal(getattr(again, name), getattr(first, name))


def test_a_map_of_all_bands_and_a_photometry_are_a_question_to_the_user():
    first = read_table(Table({"FLUX_AUTO": fluxes()}))
    with pytest.raises(InputError, match="so the argument photometry changes nothing"):
        read_table(first.table, columns=first.column_map(), photometry="FLUX_AUTO")


def test_the_command_line_takes_a_map_and_saves_the_one_it_used(tmp_path):
    flux = fluxes(3)
    data, out, mapped = tmp_path / "x.csv", tmp_path / "out.csv", tmp_path / "map.yaml"
    columns = {f"band{i}": values for i, values in enumerate(flux.T)}
    columns |= {f"sigma{i}": 0.05 * values for i, values in enumerate(flux.T)}
    data.write_bytes(csv_bytes(columns))
    bands = {b: {"flux": f"band{i}", "error": f"sigma{i}"} for i, b in enumerate(BAND_NAMES)}
    mapped.write_text(yaml.safe_dump({"unit": "fnu", "bands": bands}), encoding="utf-8")
    command = ["predict", str(data), "--out", str(out), "--json", "--columns"]
    done = CliRunner().invoke(app, [*command, str(mapped)])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    saved = tmp_path / "out.csv.columns.yaml"
    assert report["columns_path"] == str(saved)
    assert load_map(saved) == report["columns"]
    first = out.read_bytes()
    # With the saved map the same again; it is left as the user may have changed it.
    text = saved.read_text(encoding="utf-8") + "# my own words\n"
    saved.write_text(text, encoding="utf-8")
    assert CliRunner().invoke(app, [*command, str(saved)]).exit_code == 0
    assert out.read_bytes() == first
    assert saved.read_text(encoding="utf-8") == text
    # Nor is a file replaced that is someone else's.
    saved.write_text(text.removeprefix(HEADER), encoding="utf-8")
    done = CliRunner().invoke(app, [*command, str(mapped)])
    assert "is not ours" in done.stderr
    assert saved.read_text(encoding="utf-8") == text.removeprefix(HEADER)

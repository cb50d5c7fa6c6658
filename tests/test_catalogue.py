"""Catalogues: every column style, unit and format; what is missing; what cannot be used."""

import csv
import gzip
import io
import os
import pickle
import re
import urllib.request

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import MaskedColumn, Table
from astropy.time import Time
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sspexplorer.bands import BAND_NAMES, load_bands
from sspexplorer.catalogue import read_catalogue
from sspexplorer.catalogue.names import read_name
from sspexplorer.catalogue.units import read_unit
from sspexplorer.errors import InputError

FORMATS = ("csv", "tsv", "ecsv", "fits", "fits.gz", "vot", "parquet")
ARCHIVE_60 = [*BAND_NAMES[:56], "uJPAS", "gSDSS", "rSDSS", "iSDSS"]


def fluxes(n=4, seed=0):
    """Plausible F_nu in erg/s/cm2/Hz, shape (n, 57)."""
    rng = np.random.default_rng(seed)
    return 1e-27 * rng.lognormal(0, 0.3, (n, 57)) * np.linspace(0.5, 2, 57)


def csv_bytes(columns, **kwargs):
    return pd.DataFrame(columns).to_csv(index=False, **kwargs).encode()


def read_csv(columns, name="galaxies.csv", **kwargs):
    return read_catalogue(csv_bytes(columns), name, **kwargs)


def read_table(table, ending="fits", **kwargs):
    buffer = io.BytesIO() if ending != "ecsv" else io.StringIO()
    table.write(buffer, format={"vot": "votable", "ecsv": "ascii.ecsv"}.get(ending, ending))
    data = buffer.getvalue()
    data = data if isinstance(data, bytes) else data.encode()
    return read_catalogue(data, f"galaxies.{ending}", **kwargs)


def written(catalogue, form, extra=None):
    buffer = io.BytesIO()
    catalogue.write(buffer, form, extra)
    return buffer.getvalue()


def test_a_header_that_is_a_comment_is_the_header():
    data = csv_bytes(dict(zip(BAND_NAMES, fluxes().T, strict=True)))
    catalogue = read_catalogue(b"# made by hand\n# " + data, "galaxies.csv")
    assert catalogue.flux == pytest.approx(fluxes())
    assert "The header is the last of the comments." in catalogue.notes


# Column styles


def jpas_names():
    centres = [3518, 3785, 3900, *range(4000, 9101, 100), 9600]
    return [f"JPAS{centre}" for centre in centres] + ["i_JPAS"]


STYLES = {
    "plain": (list(BAND_NAMES), [f"{b}_err" for b in BAND_NAMES]),
    "plain, error": (list(BAND_NAMES), [f"{b}_error" for b in BAND_NAMES]),
    "plain, e_": (list(BAND_NAMES), [f"e_{b}" for b in BAND_NAMES]),
    "plain, err_": (list(BAND_NAMES), [f"err_{b}" for b in BAND_NAMES]),
    "APER_COR": (
        [f"APER_COR_3_0_{b}" for b in BAND_NAMES],
        [f"FLUX_RELERR_APER_COR_3_0_{b}" for b in BAND_NAMES],
    ),
    "AUTO": ([f"AUTO_{b}" for b in BAND_NAMES], [f"error_AUTO_{b}" for b in BAND_NAMES]),
    "FLUX_AUTO": (
        [f"FLUX_AUTO_{b}" for b in BAND_NAMES],
        [f"FLUX_RELERR_AUTO_{b}" for b in BAND_NAMES],
    ),
    "FLUX_PSFCOR": (
        [f"FLUX_PSFCOR_{b}" for b in BAND_NAMES],
        [f"FLUX_PSFCOR_{b}_err" for b in BAND_NAMES],
    ),
    "MAG_AUTO": (
        [f"MAG_AUTO_{b}" for b in BAND_NAMES],
        [f"MAG_ERR_AUTO_{b}" for b in BAND_NAMES],
    ),
    "JPAS": (jpas_names(), [f"error_{name}" for name in jpas_names()]),
}
CASES = {"as is": str, "upper": str.upper, "lower": str.lower}


def style_columns(style, flux, error, case=str):
    """Columns of one style that hold this F_nu and its error."""
    flux_names, error_names = STYLES[style]
    if style.startswith("MAG"):
        error = error / flux * 2.5 / np.log(10)
        flux = -2.5 * np.log10(flux) - 48.6
    elif "RELERR" in error_names[0]:
        error = error / flux
    columns = {case(name): flux[:, i] for i, name in enumerate(flux_names)}
    return columns | {case(name): error[:, i] for i, name in enumerate(error_names)}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("style", STYLES)
def test_every_column_style_gives_the_same_fluxes(style, case):
    flux = fluxes()
    catalogue = read_csv(style_columns(style, flux, 0.05 * flux, CASES[case]))
    assert catalogue.bands == BAND_NAMES
    np.testing.assert_allclose(catalogue.flux, flux, rtol=1e-12)
    np.testing.assert_allclose(catalogue.flux_err, 0.05 * flux, rtol=1e-12)
    assert catalogue.unit == ("mag" if style.startswith("MAG") else "fnu")


@pytest.mark.parametrize("width", [57, 60])
@pytest.mark.parametrize("ending", ["fits", "ecsv", "vot", "parquet", "csv"])
def test_array_columns_of_57_and_of_the_archives_60_bands(width, ending):
    names = BAND_NAMES if width == 57 else ARCHIVE_60
    flux = fluxes()
    position = {band: i for i, band in enumerate(BAND_NAMES)}
    array = np.stack([flux[:, position[b]] if b in position else flux[:, 0] for b in names], axis=1)
    relative = np.full_like(array, 0.1)
    if ending in ("csv", "parquet"):
        cells = [row.tolist() for row in array]
        if ending == "csv":
            cells = ["{" + ",".join(map(str, row)) + "}" for row in cells]
            relative = ["[" + " ".join(map(str, row)) + "]" for row in relative]
        table = pa.table({"FLUX_AUTO": cells, "FLUX_RELERR_AUTO": list(relative)})
        buffer = io.BytesIO()
        if ending == "csv":
            data = csv_bytes(table.to_pandas())
        else:
            pq.write_table(table, buffer)
            data = buffer.getvalue()
        catalogue = read_catalogue(data, f"galaxies.{ending}")
    else:
        catalogue = read_table(Table({"FLUX_AUTO": array, "FLUX_RELERR_AUTO": relative}), ending)
    assert catalogue.photometry == "FLUX_AUTO"
    assert catalogue.columns[-1].flux_element == width - 1
    np.testing.assert_allclose(catalogue.flux, flux, rtol=1e-12)
    np.testing.assert_allclose(catalogue.flux_err, 0.1 * flux, rtol=1e-12)


@pytest.mark.parametrize("text", ["[{}]", "{{{}}}", "({})"])
@pytest.mark.parametrize("separator", [" ", ",", "; ", "\n "])
def test_arrays_as_text(text, separator):
    words = ["1.5", "nan", "--", "-0.5", *["2e0"] * 53]
    catalogue = read_csv({"flux_auto": [text.format(separator.join(words)), ""]})
    assert catalogue.flux[0, :5].tolist()[0] == 1.5
    assert np.isnan(catalogue.flux[0, 1:3]).all()
    assert catalogue.flux[0, 3] == -0.5
    assert (catalogue.flux[0, 4:] == 2).all()
    assert np.isnan(catalogue.flux[1]).all()


def test_arrays_survive_every_format():
    flux = np.where(np.arange(57) == 3, np.nan, fluxes())
    first = read_table(Table({"ID": [1, 2, 3, 4], "FLUX_AUTO": flux}))
    for form in FORMATS:
        again = read_catalogue(written(first, form), f"x.{form}")
        np.testing.assert_array_equal(again.flux, first.flux)
        if form not in ("csv", "tsv"):
            third = read_catalogue(written(again, "fits"), "x.fits")
            assert third.table["FLUX_AUTO"].shape == (4, 57)
    assert b",[" in written(first, "csv")


@pytest.mark.parametrize(
    ("name", "band"),
    [
        ("JPAS3518", "uJAVA"),
        ("JPAS3785", "J0378"),
        ("JPAS3821", "J0378"),
        ("JPAS10070", "J1007"),
        ("JPAS9600", "J1007"),
        ("i_JPAS", "iSDSS"),
        (" j0378 ", "J0378"),
        ("APER_3_0_J0378", "J0378"),
        ("J0378_PETRO", "J0378"),
    ],
)
def test_names_of_bands(name, band):
    assert read_name(name).band == band
    assert read_name(name).known


@pytest.mark.parametrize("name", ["JPAS3650", "uj_JPAS", "g_JPAS", "rSDSS", "J0395", "uJPAS"])
def test_names_of_other_bands(name):
    assert not read_name(name).known


@pytest.mark.parametrize(
    "name",
    ["FLAGS_J0378", "MASK_FLAGS_J0378", "J0378_J0390", "SNR_J0378", "FWHM", "ra", "pred_ebv"],
)
def test_names_that_are_no_photometry(name):
    assert read_name(name) is None


# Several photometries


def several():
    flux = fluxes()
    columns = {f"AUTO_{b}": flux[:, i] for i, b in enumerate(BAND_NAMES)}
    columns |= {f"MAG_AUTO_{b}": 20 + 0 * flux[:, i] for i, b in enumerate(BAND_NAMES)}
    columns |= {b: 2 * flux[:, i] for i, b in enumerate(BAND_NAMES)}
    columns |= {f"APER_COR_3_0_{b}": 3 * flux[:, i] for i, b in enumerate(BAND_NAMES)}
    return flux, columns | {f"PETRO_{b}": 4 * flux[:, i] for i, b in enumerate(BAND_NAMES[:30])}


def test_the_best_photometry_is_chosen_and_another_can_be():
    flux, columns = several()
    catalogue = read_csv(columns)
    assert catalogue.available_photometries == (
        "APER_COR_3_0",
        "plain",
        "AUTO",
        "MAG_AUTO",
        "PETRO",
    )
    np.testing.assert_allclose(catalogue.flux, 3 * flux)
    np.testing.assert_allclose(read_csv(columns, photometry="auto").flux, flux)
    assert read_csv(columns, photometry="MAG_AUTO").unit == "mag"
    assert np.isfinite(read_csv(columns, photometry="PETRO").flux).sum() == 30 * 4
    with pytest.raises(InputError, match="no photometry 'KRON' in the table; it has APER_COR_3_0,"):
        read_csv(columns, photometry="KRON")


def test_more_bands_win_over_a_better_aperture():
    columns = several()[1]
    del columns["APER_COR_3_0_J0500"]
    assert read_csv(columns).photometry == "plain"


def test_auto_stands_for_flux_auto():
    catalogue = read_csv({"FLUX_AUTO_J0378": [1.0], "MAG_AUTO_J0378": [20.0]}, photometry="AUTO")
    assert catalogue.photometry == "FLUX_AUTO"


# Units


@pytest.mark.filterwarnings("ignore::astropy.units.UnitsWarning")
@pytest.mark.parametrize("ending", ["fits", "ecsv", "vot"])
@pytest.mark.parametrize(
    ("unit", "kind"),
    [
        (u.erg / u.s / u.cm**2 / u.Hz, "fnu"),
        (u.uJy, "fnu"),
        (u.Jy, "fnu"),
        (u.erg / u.s / u.cm**2 / u.AA, "flambda"),
        (u.W / u.m**2 / u.nm, "flambda"),
        (u.mag, "mag"),
    ],
)
def test_a_columns_own_unit(unit, kind, ending):
    flux = fluxes() * u.erg / u.s / u.cm**2 / u.Hz
    wavelength = load_bands().pivot * u.AA
    if kind == "mag":
        values = flux.to(u.ABmag, u.spectral_density(wavelength)).value * u.mag
    else:
        values = flux.to(unit, u.spectral_density(wavelength))
    table = Table({b: values[:, i] for i, b in enumerate(BAND_NAMES)})
    catalogue = read_table(table, ending)
    assert catalogue.unit == kind
    assert "own unit" in catalogue.unit_reason
    np.testing.assert_allclose(catalogue.flux, flux.value, rtol=1e-9)


def test_mixed_units_are_converted_band_by_band():
    table = Table(
        {
            "J0378": [3.631] * u.mJy,
            "J0378_err": [363.1] * u.uJy,
            "J0500": [15.0] * u.mag,
            "J0500_err": [0.1] * u.mag,
        }
    )
    catalogue = read_table(table, "ecsv")
    j0378, j0500 = BAND_NAMES.index("J0378"), BAND_NAMES.index("J0500")
    np.testing.assert_allclose(catalogue.flux[0, j0378], 3.631e-26)
    np.testing.assert_allclose(catalogue.flux_err[0, j0378], 3.631e-27)
    np.testing.assert_allclose(catalogue.flux[0, j0500], 10 ** (-0.4 * (15 + 48.6)))
    np.testing.assert_allclose(
        catalogue.flux_err[0, j0500] / catalogue.flux[0, j0500], 0.1 * np.log(10) / 2.5
    )
    assert "band by band" in catalogue.unit_reason


def test_units_from_the_size_of_the_numbers():
    fnu = fluxes()
    flambda = fnu * 2.99792458e18 / load_bands().pivot ** 2
    magnitudes = -2.5 * np.log10(fnu) - 48.6
    for values, kind, word in (
        (fnu, "fnu", "F_ν"),
        (flambda, "flambda", "F_λ"),
        (magnitudes, "mag", "between"),
    ):
        catalogue = read_csv({b: values[:, i] for i, b in enumerate(BAND_NAMES)})
        assert catalogue.unit == kind
        assert word in catalogue.unit_reason
        np.testing.assert_allclose(catalogue.flux, fnu, rtol=1e-9)


def test_numbers_like_magnitudes_with_errors_that_are_not_stay_fluxes():
    columns = {"J0378": [20.0, 21.0], "J0390": [22.0, 23.0]}
    assert read_csv(columns).unit == "mag"
    assert read_csv(columns | {"J0378_err": [0.1, 0.2]}).unit == "mag"
    errors = {"J0378_err": [4.0, 5.0], "J0390_err": [3.0, 3.0]}
    assert read_csv(columns | errors).unit == "fnu"
    assert read_csv({"J0378": [1.0, 1.1], "J0390": [0.9, 1.0]}).unit == "fnu"


def test_the_user_overrides_the_unit():
    catalogue = read_csv({"J0378": [20.0], "J0390": [22.0]}, unit="fnu")
    assert catalogue.flux[0, 1:3].tolist() == [20.0, 22.0]
    assert catalogue.unit_reason == "as you chose"
    catalogue = read_csv({"MAG_AUTO_J0378": [1.0], "MAG_AUTO_J0390": [2.0]}, unit="flambda")
    pivot = load_bands().pivot
    np.testing.assert_allclose(
        catalogue.flux[0, 2] / catalogue.flux[0, 1], 2 * (pivot[2] / pivot[1]) ** 2
    )
    with pytest.raises(InputError, match="one of fnu, flambda, mag, not 'jy'"):
        read_csv({"J0378": [20.0]}, unit="jy")


@pytest.mark.parametrize(
    ("text", "kind", "scale"),
    [
        ("erg/s/cm^2/A", "flambda", 1.0),
        ("10**-19 erg/s/cm2/AA", "flambda", 1e-19),
        ("erg s-1 cm-2 Hz-1", "fnu", 1.0),
        ("μJy", "fnu", 1e-29),
        ("mjy", "fnu", 1e-26),
        ("nanomaggy", "fnu", 3.631e-29),
        ("AB mag", "mag", 1.0),
        ("mag(AB)", "mag", 1.0),
    ],
)
def test_units_as_files_write_them(text, kind, scale):
    assert read_unit(text).kind == kind
    assert read_unit(text).scale == pytest.approx(scale)


@pytest.mark.parametrize("text", ["", "adu", "deg", "mag/arcsec2", "**", "1/0 Jy"])
def test_units_that_say_nothing(text):
    assert read_unit(text) is None


# Missing values


def test_missing_values_in_fluxes():
    gone = ["", "nan", "NaN", "null", "None", "--", "N/A", "masked", "inf", "-Inf", "0", "0.00"]
    gone += ["-99", "-99.3", "-999.0", "-9999", "oops", "1e999"]
    kept = ["-0.5", "99", "-98", "1E-3", " 2.5 ", "+3", "1.5d-2", ".5", "7."]
    catalogue = read_csv({"J0378": gone + kept, "J0390": "1"})
    values = catalogue.flux[:, 1]
    assert np.isnan(values[: len(gone)]).all()
    assert values[len(gone) :].tolist() == [-0.5, 99, -98, 1e-3, 2.5, 3, 0.015, 0.5, 7]
    assert catalogue.n_missing_by_band["J0378"] == len(gone)
    assert catalogue.n_missing_by_band["J0390"] == 0
    assert any("'oops'" in note and "row 17" in note for note in catalogue.notes)
    assert any("2 exactly 0" in note and "4 −99" in note for note in catalogue.notes)


def test_missing_magnitudes():
    magnitudes = [20.0, 99.0, 99.9, 999.0, 0.0, -99.0, -90.0, -1.0]
    catalogue = read_csv({"MAG_AUTO_J0378": magnitudes, "MAG_ERR_AUTO_J0378": [0.1] * 8})
    assert np.isfinite(catalogue.flux[:, 1]).tolist() == [True, *[False] * 6, True]
    assert np.isfinite(catalogue.flux_err[:, 1]).tolist() == [True, *[False] * 6, True]


def test_a_bad_error_leaves_its_flux():
    errors = ["0.1", "-99", "0", "-1", "nan", "", "text"]
    catalogue = read_csv({"J0378": [1.0] * 7, "J0378_err": errors})
    assert (catalogue.flux[:, 1] == 1).all()
    assert np.isfinite(catalogue.flux_err[:, 1]).tolist() == [True, *[False] * 6]
    assert "6 fluxes without a usable error." in catalogue.notes


def test_masked_values_are_missing():
    mask = [False, True]
    table = Table({"J0378": MaskedColumn([5, 6], mask=mask), "J0390": [1.0, np.nan]})
    for ending in ("fits", "ecsv", "vot"):
        catalogue = read_table(table, ending)
        assert np.isnan(catalogue.flux[:, 1:3]).tolist() == [[False, False], [True, True]]


@pytest.mark.parametrize(
    ("columns", "taken", "expected"),
    [
        ({"z": [0.1, -99.0]}, "z", [0.1, np.nan]),
        ({"photoz": [0.5, 0.5], "zspec": [0.1, -0.005]}, "zspec", [0.1, -0.005]),
        ({"z_ml": [0.5, 0.6], "Redshift": [0.0, 0.2]}, "Redshift", [0.0, 0.2]),
        ({"spec_z": [np.nan, -99.0], "Z_PHOT": [0.3, 99.0]}, "Z_PHOT", [0.3, np.nan]),
        ({"zspec_flag": [1, 2], "photoz_err": [0.1, 0.1]}, "", None),
        ({"z": ["a", "b"]}, "", None),
        ({"z": [19.5, 20.1]}, "", None),  # magnitudes in the z band
    ],
)
def test_redshifts(columns, taken, expected):
    catalogue = read_csv({"J0378": [1.0, 2.0]} | columns)
    assert catalogue.redshift_column == taken
    if expected is None:
        assert catalogue.redshift is None
    else:
        np.testing.assert_array_equal(catalogue.redshift, expected)


def test_notes_say_what_was_found_and_ignored():
    columns = {"JPAS3785": [1.0, 0.0], "error_JPAS3785": [0.1, 0.1], "JPAS4000": [-999.0, -999.0]}
    columns |= {"uj_JPAS": [1.0, 1.0], "g_JPAS": [1.0, 1.0], "photoz": [0.1, 0.2]}
    notes = read_csv(columns).notes
    assert "2 of the 57 bands found (JPAS photometry), 1 with errors." in notes
    assert "Ignored, as not among the 57 bands: uj_JPAS, g_JPAS." in notes
    assert "Missing: 3 of 4 fluxes (1 exactly 0, 2 −99, −999 or −9999)." in notes
    assert "Never measured: J0400." in notes
    assert "Redshifts (photometric) from column photoz, known for 2 of 2 rows." in notes


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


def mixed_table():
    return Table(
        {
            "id": ["007", "", "ñandú"],
            "n": MaskedColumn([1, 2, 999999], mask=[True, False, False], fill_value=-1),
            "small": np.array([-1, 2, 3], "i1"),
            "good": [True, False, True],
            "J0378": [1.0, np.nan, -0.25] * u.uJy,
            "J0390": np.array([0.1, 2.0, 3.0], "f4"),
            "cube": np.arange(12).reshape(3, 2, 2),
        }
    )


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
        (
            b"# c\nID J0378 J0390\n1 2 3\n",
            "x.txt",
            r"x\.txt separates its columns by spaces, not by commas, .*\.",
        ),
        (b"g_JPAS\n1\n", "x.csv", r"x\.csv: 0 of the 57 .* \(g_JPAS are other bands\)\."),
        (
            b"FLUX_AUTO\n[1 2 3]\n",
            "x.csv",
            r"x\.csv: 0 of .* \(FLUX_AUTO has 3 values a row, not 57 or 60\)\.",
        ),
        (b"J0378,J0378\n1,2\n", "x.csv", r"x\.csv has two columns called 'J0378'\."),
        (b"J0378,,\n1,2,3\n", "x.csv", r"x\.csv has two columns without a name\."),
        (
            b"J0378,j0378\n1,2\n",
            "x.csv",
            r"x\.csv: Columns 'J0378' and 'j0378' both claim band J0378\.",
        ),
        (
            b"JPAS3785,JPAS3800\n1,2\n",
            "x.csv",
            r"x\.csv: Columns 'JPAS3785' and 'JPAS3800' both claim band J0378\.",
        ),
        (
            b"J0378,J0378_err,e_J0378\n1,2,3\n",
            "x.csv",
            r"x\.csv: Columns 'J0378_err' and 'e_J0378' both claim the error of band J0378\.",
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
            b"J0378;J0390\n1,5;2\n",
            "x.csv",
            r"x\.csv: Column 'J0378' holds no numbers: row 1 reads '1,5'; write decimals .*\.",
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
    with pytest.raises(InputError, match=r"is a folder, not a catalogue\.$"):
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


def test_duplicate_columns_in_other_formats():
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array([1.0])] * 2, names=["J0378"] * 2), buffer)
    with pytest.raises(InputError, match="two columns called 'J0378'"):
        read_catalogue(buffer.getvalue(), "x.parquet")
    for form in ("vot", "fits"):
        data = as_bytes(form).replace(b"'id      '", b"'J0378   '").replace(b'"id"', b'"J0378"')
        with pytest.raises(InputError, match="two columns called 'J0378'"):
            read_catalogue(data, f"x.{form}")


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
    for name in ("x.csv", "x.fits", "x.ecsv", "x.vot", "x.parquet"):
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

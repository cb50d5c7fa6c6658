"""Understanding a catalogue: column styles, photometries, units, what is missing."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, Table
from catalogues import (
    ARCHIVE_60,
    CASES,
    FORMATS,
    STYLES,
    csv_bytes,
    fluxes,
    read_csv,
    read_table,
    style_columns,
    written,
)

from sspexplorer.bands import BAND_NAMES, load_bands
from sspexplorer.catalogue import read_catalogue
from sspexplorer.catalogue.names import read_name
from sspexplorer.errors import InputError

# Column styles


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
    catalogue = read_csv({"flux_auto": [text.format(separator.join(words)), ""]}, unit="fnu")
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
    ["J0378_J0390", "SNR_J0378", "FWHM", "ra", "pred_ebv"],
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
    with pytest.raises(InputError, match="one of fnu, flambda, mag, stmag, not 'jy'"):
        read_csv({"J0378": [20.0]}, unit="jy")


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
    errors = ["0.1", "-99", "0", "-999.0", "nan", "", "text"]
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

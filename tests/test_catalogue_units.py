"""What the numbers of a catalogue are taken to be: units in every spelling, or the data decide."""

import contextlib
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy import units as u
from astropy.table import QTable, Table
from catalogues import read_csv, read_table
from hypothesis import given, settings
from hypothesis import strategies as st

from sspexplorer.bands import BAND_NAMES, load_bands
from sspexplorer.catalogue import read_catalogue
from sspexplorer.catalogue.photometries import ChoiceNeededError
from sspexplorer.catalogue.units import UnitError, read_error_unit, read_unit, unit_of_name
from sspexplorer.errors import InputError
from sspexplorer.resources import data_path

PIVOT = load_bands().pivot
TO_FLAMBDA = 2.99792458e18 / PIVOT**2


@pytest.fixture(scope="module")
def galaxies():
    """F_ν and σ of twenty simulated galaxies, complete and without noise that hides them."""
    found = read_catalogue(data_path("examples", "simulated_galaxies.csv"))
    with np.errstate(invalid="ignore"):
        noise = np.median(found.flux_err / found.flux, axis=1)
    rows = np.argsort(np.where((found.flux > 0).all(axis=1), noise, np.inf))[:20]
    return found.flux[rows], found.flux_err[rows]


def columns(flux, error=None, name="{}", error_name="{}_err"):
    made = {name.format(b): flux[:, i] for i, b in enumerate(BAND_NAMES)}
    if error is None:
        return made
    return made | {error_name.format(b): error[:, i] for i, b in enumerate(BAND_NAMES)}


def same(catalogue, flux, error):
    scale = np.nanmedian(catalogue.flux / flux)
    np.testing.assert_allclose(catalogue.flux / scale, flux, rtol=1e-6)
    np.testing.assert_allclose(catalogue.flux_err / scale, error, rtol=1e-6)


def by_astropy(table, path):
    table.write(path, format={".ecsv": "ascii.ecsv"}.get(path.suffix, path.suffix[1:]))
    return read_catalogue(path)


# Spellings


@pytest.mark.parametrize(
    ("text", "kind", "scale"),
    [
        ("erg/s/cm^2/A", "flambda", 1.0),
        ("10**-19 erg/s/cm2/AA", "flambda", 1e-19),
        ("1e-17 erg/(s cm2 Angstrom)", "flambda", 1e-17),
        ("10-17erg/s/cm2/Angstrom", "flambda", 1e-17),
        ("1E-17 ERG/CM^2/S/ANG", "flambda", 1e-17),
        ("10^{-17} erg s^{-1} cm^{-2} A^{-1}", "flambda", 1e-17),
        ("[10-19 erg.cm-2.s-1.Angstrom-1]", "flambda", 1e-19),
        ("ergs/s/cm²/Å", "flambda", 1.0),
        ("10⁻¹⁷ erg s⁻¹ cm⁻² Å⁻¹", "flambda", 1e-17),
        (r"$10^{-17}$ erg s$^{-1}$ cm$^{-2}$ \AA$^{-1}$", "flambda", 1e-17),
        ("W/m2/um", "flambda", 0.1),
        ("FLAM", "flambda", 1.0),
        ("erg s-1 cm-2 Hz-1", "fnu", 1.0),
        ("W m-2 Hz-1", "fnu", 1e3),
        ("μJy", "fnu", 1e-29),
        ("microJanskys", "fnu", 1e-29),
        ("mjy", "fnu", 1e-26),
        ("MJy", "fnu", 1e-17),
        ("nanomaggies", "fnu", 3.631e-29),
        ("mag(nanomaggy)", "mag", 3.631e-29),
        ("AB mag", "mag", 10**-19.44),
        ("mag(AB)", "mag", 10**-19.44),
        ("mag", "mag", 10**-19.44),
        ("STmag", "stmag", 10**-8.44),
        ("mag(ST)", "stmag", 10**-8.44),
        ("dex(uJy)", "fnu", 1e-29),
        ("log10(erg/s/cm2/A)", "flambda", 1.0),
    ],
)
def test_units_as_files_write_them(text, kind, scale):
    unit = read_unit(text)
    assert unit.name == kind
    assert unit.scale == pytest.approx(scale)
    assert (unit.step == 0) == (text[:3] not in ("mag", "AB ", "STm", "dex", "log"))


@st.composite
def spellings(draw):
    """A unit of a flux density as some program might write it, its kind and its size."""
    per = draw(st.sampled_from(["Angstrom", "A", "Å", "AA", "Ang", "angstrom", "Hz", "um", "nm"]))
    size = {"Hz": 1.0, "um": 1e-4, "nm": 0.1}.get(per, 1.0)
    power = draw(st.integers(-20, -1))
    prefix = draw(
        st.sampled_from(["", "1e{} ", "1E{} ", "10**{} ", "10^{} ", "10{}", "10**({}) ", "1.0e{} "])
    )
    erg, second = draw(st.sampled_from(["erg", "ergs", "ERG"])), draw(st.sampled_from(["s", "sec"]))
    form = draw(st.integers(0, 3))
    if form == 0:
        square = draw(st.sampled_from(["cm2", "cm^2", "cm**2", "cm^{2}", "cm²"]))
        unit = f"{erg}/{second}/{square}/{per}"
    elif form == 1:
        unit = f"{erg}/({second} cm2 {per})"
    else:
        minus = draw(st.sampled_from(["-{}", "^-{}", "**-{}", "^{{-{}}}", "^(-{})"]))
        parts = [erg, second + minus.format(1), "cm" + minus.format(2), per + minus.format(1)]
        unit = (" " if form == 2 or "**" in minus else draw(st.sampled_from([" ", "."]))).join(
            parts
        )
    text = draw(st.sampled_from(["{}", "[{}]", "({})", " {} "])).format(prefix.format(power) + unit)
    scale = (10.0**power if prefix else 1.0) * size
    return text, "fnu" if per == "Hz" else "flambda", scale


@settings(max_examples=200, deadline=None)
@given(spellings())
def test_any_spelling_of_a_flux_density_is_the_same_unit(made):
    text, kind, scale = made
    unit = read_unit(text)
    assert (unit.kind, unit.step) == (kind, 0.0)
    assert unit.scale == pytest.approx(scale)


@pytest.mark.parametrize("text", ["", " ", "None", "--", "N/A", "null", "unknown", "dimensionless"])
def test_units_that_say_nothing(text):
    assert read_unit(text) is None
    assert read_error_unit(text) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("count", "are counts"),
        ("adu", "are counts"),
        ("electron/s", "are counts"),
        ("photon/s/cm2/A", "are counts"),
        ("W/m2", "is a flux, not a flux density"),
        ("erg/s/cm2", "is a flux, not a flux density"),
        ("Jy km/s", "is no flux density"),
        ("deg", "is no flux density"),
        ("MJy/sr", "is a surface brightness"),
        ("mag/arcsec2", "is a surface brightness"),
        ("mag(Vega)", "are Vega magnitudes"),
        ("vegamag", "are Vega magnitudes"),
        ("luptitude", "are asinh magnitudes"),
        ("blorg", "is not understood"),
        ("**", "is not understood"),
        ("1/0 Jy", "is not understood"),
    ],
)
def test_units_that_are_refused_with_the_reason(text, why):
    with pytest.raises(UnitError, match=why):
        read_unit(text)


@pytest.mark.parametrize("unit", ["ct", "W / m2", "Jy km / s", "blorg"])
@pytest.mark.parametrize("where", ["J0378", "J0378_err"])
def test_a_refusal_names_the_column_and_its_unit(unit, where):
    table = Table({"J0378": [1.0, 2.0], "J0378_err": [0.1, 0.2], "J0390": [1.0, 2.0]})
    table[where].unit = u.Unit(unit, parse_strict="silent")
    with pytest.raises(InputError, match=f"Column '{where}' has the unit '{unit}'"):
        read_table(table, "ecsv")
    # The user knows better.
    assert read_table(table, "ecsv", unit="fnu").flux[:, 1].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("name", ["MAG_VEGA_J0378", "asinh_mag_J0378", "LUPT_MAG_J0378"])
def test_magnitudes_that_names_say_are_no_ab_are_refused(name):
    with pytest.raises(InputError, match=r"by its name|0 of the 57"):
        read_csv({name: [20.0, 21.0], name.replace("378", "390"): [20.0, 21.0]})


@pytest.mark.parametrize(
    ("text", "kind", "scale", "power"),
    [
        ("%", "relative", 0.01, 1.0),
        ("mag", "relative", np.log(10) / 2.5, 1.0),
        ("mmag", "relative", np.log(10) / 2500, 1.0),
        ("dex", "relative", np.log(10), 1.0),
        ("uJy", "fnu", 1e-29, 1.0),
        ("1/nanomaggy^2", "fnu", 3.631e-29, -0.5),
        ("nanomaggies^-2", "fnu", 3.631e-29, -0.5),
        ("(1e-17 erg/s/cm2/A)^-2", "flambda", 1e-17, -0.5),
        ("10**+34 (s2 cm4 Angstrom2) / erg2", "flambda", 1e-17, -0.5),
        ("uJy2", "fnu", 1e-29, 0.5),
    ],
)
def test_units_of_errors(text, kind, scale, power):
    unit = read_error_unit(text)
    assert (unit.kind, unit.power) == (kind, power)
    assert unit.scale == pytest.approx(scale)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("J0378 (1e-17 erg/s/cm2/A)", "1e-17 erg/s/cm2/A"),
        ("J0378_err [uJy]", "uJy"),
        ("flux_J0378_uJy", "uJy"),
        ("J0378 (counts)", "counts"),
        ("J0378 (AUTO)", ""),
        ("mag_auto[jpas::J0378]", ""),
        ("J0378", ""),
    ],
)
def test_units_in_names(name, unit):
    assert unit_of_name(name) == unit


# Where units are


def test_units_in_the_headers_text(galaxies):
    flux, error = galaxies
    unit = "1e-17 erg/s/cm2/A"
    made = columns(
        *(x * TO_FLAMBDA / 1e-17 for x in galaxies), f"{{}} ({unit})", f"{{}}_err ({unit})"
    )
    catalogue = read_csv(made)
    assert catalogue.unit == "flambda"
    assert catalogue.unit_reason == f"the columns' own unit is {unit}"
    same(catalogue, flux, error)


@pytest.mark.parametrize("ending", ["fits", "ecsv", "parquet"])
@pytest.mark.parametrize("unit", ["dex(uJy)", "mag(AB)", "mag(ST)", "1e-17 erg / (Angstrom s cm2)"])
@pytest.mark.filterwarnings("ignore:The unit .* could not be saved in native FITS")
def test_units_that_astropy_writes(galaxies, unit, ending, tmp_path):
    flux, error = galaxies
    wanted = u.Unit(unit)
    values = (flux * u.erg / u.s / u.cm**2 / u.Hz).to(wanted, u.spectral_density(PIVOT * u.AA))
    if "(" in unit[:4]:
        step = {"dex": 1.0, "mag": 2.5}[unit[:3]]
        errors = error / flux * step / np.log(10) * u.Unit(unit[:3])
    else:
        errors = error / flux * values.value * wanted
    catalogue = by_astropy(QTable(columns(values, errors)), tmp_path / f"x.{ending}")
    assert catalogue.decision.source == "unit"
    same(catalogue, flux, error)


def test_units_in_the_votable_header_of_a_parquet_file(galaxies):
    flux, error = (x * TO_FLAMBDA for x in galaxies)
    table = Table(columns(flux, error))
    for name in table.colnames:
        table[name].unit = "W/m2/um"
    header = io.BytesIO()
    table[:0].write(header, format="votable")
    arrow = pa.table({name: np.asarray(table[name]) for name in table.colnames})
    arrow = arrow.replace_schema_metadata({"IVOA.VOTable-Parquet.content": header.getvalue()})
    data = io.BytesIO()
    pq.write_table(arrow, data)
    catalogue = read_catalogue(data.getvalue(), "x.parquet")
    assert catalogue.decision.source == "unit"
    same(catalogue, *galaxies)


def test_masks_and_units_that_astropy_writes_into_parquet(galaxies, tmp_path):
    table = Table(columns(*(x / 1e-29 for x in galaxies)), masked=True)
    table["J0400"].unit = "uJy"
    table["J0400"].mask[3] = True
    table["J0500_err"].mask[4] = True
    catalogue = by_astropy(table, tmp_path / "x.parquet")
    assert np.argwhere(np.isnan(catalogue.flux)).tolist() == [[3, BAND_NAMES.index("J0400")]]
    assert np.isnan(catalogue.flux_err[4, BAND_NAMES.index("J0500")])
    assert catalogue.unit_reason.startswith("the columns' own unit is uJy; 56 columns have none")


# Errors that are not in the unit of the flux


@pytest.mark.parametrize("way", ["percent", "fraction", "inverse variance", "percent by unit"])
def test_errors_of_other_kinds(galaxies, way):
    flux, error = (x / 1e-29 for x in galaxies)
    table = {
        "percent": columns(flux, 100 * error / flux, "FNU_{}", "FNU_{}_ERR_PERCENT"),
        "fraction": columns(flux, error / flux, "FNU_{}", "FNU_RELERR_{}"),
        "inverse variance": columns(flux, error**-2, "FNU_{}", "FNU_IVAR_{}"),
        "percent by unit": columns(flux, 100 * error / flux, "FNU_{}", "FNU_{}_err [%]"),
    }[way]
    same(read_csv(table), *galaxies)


def test_a_fraction_of_a_negative_flux_is_negative():
    catalogue = read_csv({"FNU_J0378": [-2.0, 4.0], "FNU_RELERR_J0378": [-0.5, 0.25]})
    assert catalogue.flux[:, 1].tolist() == [-2.0, 4.0]
    assert catalogue.flux_err[:, 1].tolist() == [1.0, 1.0]


def test_no_inverse_variance_is_no_flux():
    catalogue = read_csv({"FNU_J0378": [2.0, 4.0], "FNU_IVAR_J0378": [0.0, 4.0]})
    assert np.isnan(catalogue.flux[0, 1])
    assert catalogue.flux_err[1, 1] == 0.5


# The data decide


@pytest.mark.parametrize("name", ["{}", "FLUX_{}"])
@pytest.mark.parametrize(("kind", "size"), [("fnu", 1e-29), ("flambda", 1e-19)])
def test_where_nothing_says_the_unit_the_data_decide(galaxies, kind, size, name):
    factor = TO_FLAMBDA if kind == "flambda" else 1.0
    catalogue = read_csv(columns(*(x * factor / size for x in galaxies), name, f"{name}_err"))
    verdict = catalogue.decision.verdict
    assert (catalogue.unit, catalogue.decision.source) == (kind, "data")
    assert verdict.rows == 20
    assert verdict.share > 0.8
    assert f"{verdict.share:.0%} of 20 rows" in catalogue.unit_reason
    other = "fnu" if kind == "flambda" else "flambda"
    assert catalogue.unit_reason.endswith(f"say unit='{other}'")
    same(catalogue, *galaxies)


def test_what_cannot_be_decided_is_a_question(galaxies):
    noise = np.random.default_rng(0).normal(size=(6, 57))
    with pytest.raises(InputError, match="say unit='fnu' or unit='flambda'"):
        read_csv(columns(10 + 5 * noise, np.full((6, 57), 5.0)))
    catalogue = read_csv({"J0378": [1.0, 2.0], "J0390": [1.0, 3.0]})
    assert catalogue.unit == "fnu"
    assert "fewer than 5 bands" in catalogue.unit_reason


def test_names_units_and_sizes_are_believed_without_the_data(galaxies):
    flux, error = galaxies
    wrong = [x * TO_FLAMBDA for x in galaxies]
    assert read_csv(columns(*wrong, "FNU_{}")).decision.source == "name"
    assert read_csv(columns(flux, error)).decision.source == "size"
    labels = dict.fromkeys(
        ["log_age", "metallicity", "ebv", "magnitude", "redshift", "library", "ssp", "split"], "1"
    )
    mocks = read_csv(columns(flux / 1e-29, error / 1e-29) | labels)
    assert (mocks.unit, mocks.decision.source) == ("fnu", "name")


@pytest.mark.parametrize("unit", ["mag(ST)", "STmag"])
def test_a_stated_st_is_believed_and_asked_about_only_where_many_rows_contradict(galaxies, unit):
    flux, error = galaxies
    errors = 2.5 / np.log(10) * error / flux
    st = columns(-2.5 * np.log10(flux * TO_FLAMBDA) - 21.1, errors, f"{{}} ({unit})")
    for rows in (slice(0, 1), slice(2, 5), slice(0, 20)):
        found = read_csv({name: column[rows] for name, column in st.items()})
        assert (found.unit, found.unit_reason) == ("stmag", f"the columns' own unit is {unit}")
        same(found, flux[rows], error[rows])
    ab = columns(-2.5 * np.log10(flux) - 48.6, errors, f"{{}} ({unit})")
    with pytest.raises(ChoiceNeededError, match="say unit='stmag' or unit='mag'"):
        read_csv(ab)
    few = read_csv({name: column[:3] for name, column in ab.items()})
    assert few.unit == "stmag"
    assert "though as AB magnitudes they fit" in few.unit_reason
    assert read_csv(ab, unit="stmag").unit_reason == "as you chose"


@pytest.mark.parametrize("odd", [99.99, 34.0, 0.01, -5.0, 1e20])
def test_one_odd_cell_leaves_magnitudes_magnitudes(galaxies, odd):
    flux, error = galaxies
    magnitudes = -2.5 * np.log10(flux) - 48.6
    magnitudes[2, 7] = odd
    catalogue = read_csv(columns(magnitudes, 1.0857 * error / flux))
    assert catalogue.unit == "mag"
    kept = np.delete(np.arange(20), 2)
    np.testing.assert_allclose(catalogue.flux[kept], flux[kept], rtol=1e-9)


@pytest.mark.parametrize("factor", [1.0, TO_FLAMBDA], ids=["F_nu", "F_lambda"])
def test_fluxes_of_the_size_of_magnitudes_are_no_magnitudes(galaxies, factor):
    """Their sizes, 12 to 30, and their errors, below 2, are those of magnitudes."""
    flux, error = (x * factor for x in galaxies)
    scale = 14 / np.quantile(flux, 0.2, axis=1, keepdims=True)
    made = columns(flux * scale, error * scale)
    # It may be a question, but no magnitudes.
    with contextlib.suppress(ChoiceNeededError):
        assert read_csv(made).unit == "fnu"

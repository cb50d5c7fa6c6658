import numpy as np
import pytest

from sspexplorer.errors import InputError
from sspexplorer.libraries import (
    LIBRARY_NAMES,
    SSPLibrary,
    load_library,
    read_library,
    whole_library_names,
    write_library,
)


@pytest.fixture
def tiny() -> SSPLibrary:
    wavelength = np.linspace(3000, 9000, 7)
    spectra = np.arange(1, 29).reshape(4, 7)
    return SSPLibrary.from_arrays(
        "tiny", wavelength, spectra, [6.5, 7.5, 6.5, 7.5], [-1, -1, 0.2, 0.2], imf="Kroupa"
    )


@pytest.mark.parametrize(
    ("name", "n_ssp", "n_metallicities"),
    [("emiles", 118, 6), ("bc03", 1183, 7), ("popstar", 588, 6)],
)
def test_shipped_libraries_hold_what_they_should(name, n_ssp, n_metallicities):
    library = load_library(name)
    assert len(library) == n_ssp
    assert len(library.metallicities) == n_metallicities
    assert library.wavelength[[0, -1]].tolist() == [1500, 11000]
    assert np.diff(library.wavelength).max() <= 5
    assert (library.spectra > 0).all()
    assert library.log_age.min() >= np.log10(1.5e6)
    assert library.log_age.max() <= np.log10(14e9) + 1e-6
    assert len(set(library.ids)) == n_ssp
    assert library.citation
    assert library.terms
    assert library.provenance["source"]


@pytest.mark.parametrize(
    ("name", "n_ssp", "n_bands", "metallicities", "log_age"),
    [
        ("m11", 82, 42, [-0.301, 0, 0.301], (np.log10(30e6), np.log10(14e9))),
        ("mastar", 54, 55, [-1.35, -1, -0.7, -0.33, 0, 0.35], (6.5, np.log10(14e9))),
    ],
)
def test_libraries_of_some_bands_say_so(name, n_ssp, n_bands, metallicities, log_age):
    library = load_library(name)
    assert len(library) == len(set(library.ids)) == n_ssp
    assert library.metallicities == pytest.approx(metallicities, abs=1e-4)
    assert (library.ages[0], library.ages[-1]) == pytest.approx(log_age, abs=1e-5)
    assert (library.spectra > 0).all()
    assert library.covered_bands().sum() == n_bands
    assert not library.covers_all_bands
    assert whole_library_names() == LIBRARY_NAMES
    assert set(library.imf) == {"Salpeter"}
    assert library.provenance["resolution"]


@pytest.mark.parametrize("name", ["m11", "mastar"])
def test_lines_lie_where_those_of_other_libraries_do(name):
    # Ca H and K, Hβ with Mg b, and Na D of old solar populations, against BC03 (air).
    reference, library = load_library("bc03"), load_library(name)
    shifts = np.arange(-4, 4.1, 0.2)

    def lines(of, low, high, shift=0.0):
        fine = np.arange(low, high, 0.5)
        flux = np.interp(fine, of.wavelength + shift, of.spectra[of.nearest(9.95, 0)])
        return flux / np.polyval(np.polyfit(fine - low, flux, 2), fine - low) - 1

    for window in ((3900, 4000), (4820, 5240), (5860, 5930)):
        match = [lines(reference, *window) @ lines(library, *window, shift) for shift in shifts]
        assert abs(shifts[np.argmax(match)]) < 0.5


def test_mastar_has_the_light_per_mass_of_bc03():
    light = [
        library.spectra[library.nearest(9.0, 0.0), np.abs(library.wavelength - 6000) < 500].mean()
        for library in map(load_library, ("mastar", "bc03", "m11"))
    ]
    assert light[0] == pytest.approx(light[1], rel=0.01)
    # M11 has scales of its own: Salpeter's stars are fainter for their mass.
    assert light[2] == pytest.approx(0.75 * light[1], rel=0.1)


def test_emiles_says_which_ssps_lack_red_flux():
    (sentence,) = load_library("emiles").left_out
    assert sentence.startswith("26 SSPs (63 to 251 Myr) without flux beyond 8951 Å")


def test_all_ages_can_be_asked_for():
    assert len(load_library("bc03", None)) == 7 * 220


def test_solar_old_population_is_red_and_young_one_blue():
    library = load_library("bc03")
    ratio = library.spectra[:, -1] / library.spectra[:, 100]
    assert ratio[library.nearest(10.0, 0.0)] > 20 * ratio[library.nearest(6.7, 0.0)]


def test_a_library_survives_its_file_and_gives_the_same_bytes(tiny, tmp_path):
    write_library(tiny, tmp_path / "a.h5")
    write_library(tiny, tmp_path / "b.h5")
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    again = read_library(tmp_path / "a.h5")
    assert again.ids.tolist() == tiny.ids.tolist()
    assert np.array_equal(again.spectra, tiny.spectra)


def test_nearest_and_within(tiny):
    assert tiny.nearest(7.4, 0.1) == 3
    assert tiny.nearest(6.0, -3.0) == 0
    assert tiny.within((1e7, 1e9)).log_age.tolist() == [7.5, 7.5]


def test_shared_arrays_cannot_be_changed(tiny):
    with pytest.raises(ValueError, match="read-only"):
        tiny.spectra[0, 0] = 0


def test_errors_name_what_is_wrong(tiny, tmp_path):
    with pytest.raises(InputError, match="no SSP library called 'miles'"):
        load_library("miles")
    with pytest.raises(InputError, match="increasing wavelengths"):
        SSPLibrary.from_arrays("x", [2.0, 1.0], np.ones((1, 2)), [7.0], [0.0])
    with pytest.raises(InputError, match="log_age needs one value for each SSP"):
        SSPLibrary.from_arrays("x", [1.0, 2.0], np.ones((2, 2)), [7.0], [0.0, 0.0])
    page = tmp_path / "page.h5"
    page.write_text("<html>not found</html>")
    with pytest.raises(InputError, match=r"page\.h5 is not an SSP library"):
        read_library(page)
    assert LIBRARY_NAMES == ("emiles", "bc03", "popstar")

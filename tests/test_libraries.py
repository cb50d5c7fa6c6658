import numpy as np
import pytest

from sspexplorer.errors import InputError
from sspexplorer.libraries import (
    LIBRARY_NAMES,
    SSPLibrary,
    load_library,
    read_library,
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
    assert library.wavelength[[0, -1]].tolist() == [2700, 11000]
    assert np.diff(library.wavelength).max() <= 5
    assert (library.spectra > 0).all()
    assert library.log_age.min() >= np.log10(1.5e6)
    assert library.log_age.max() <= np.log10(14e9) + 1e-6
    assert len(set(library.ids)) == n_ssp
    assert library.citation
    assert library.terms
    assert library.provenance["source"]


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

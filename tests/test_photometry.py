import astropy.units as u
import numpy as np
import pytest
import speclite.filters
from scipy.integrate import simpson

from sspexplorer.bands import BAND_NAMES, load_bands
from sspexplorer.constants import SPEED_OF_LIGHT
from sspexplorer.dust import transmission
from sspexplorer.errors import InputError
from sspexplorer.libraries import SHIPPED_NAMES, load_library
from sspexplorer.photometry import band_matrix, spectral_fnu, synthesize


@pytest.fixture(scope="module")
def speclite_bands() -> speclite.filters.FilterSequence:
    """Our curves as speclite filters, closed with zeros as speclite asks."""

    def response(name, wavelength, transmission):
        ends = [wavelength[0] - 1e-3], [wavelength[-1] + 1e-3]
        meta = {"group_name": "jpas", "band_name": name}
        return speclite.filters.FilterResponse(
            np.concatenate([ends[0], wavelength, ends[1]]), np.pad(transmission, 1), meta
        )

    bands = load_bands()
    return speclite.filters.FilterSequence(
        [response(name, *curve) for name, curve in zip(bands.names, bands.curves, strict=True)]
    )


def test_the_57_bands_stand_in_the_contracts_order():
    assert len(BAND_NAMES) == 57
    assert BAND_NAMES[:4] == ("uJAVA", "J0378", "J0390", "J0400")
    assert BAND_NAMES[-3:] == ("J0910", "J1007", "iSDSS")
    assert load_bands().narrow.sum() == 54


def test_narrow_bands_are_named_by_their_wavelength():
    bands = load_bands()
    named = np.array([10.0 * int(name[1:]) for name in np.array(bands.names)[bands.narrow]])
    assert np.abs(bands.pivot[bands.narrow] - named).max() < 25
    assert bands.width[bands.narrow] == pytest.approx(140, abs=20)


@pytest.mark.parametrize("name", SHIPPED_NAMES)
@pytest.mark.parametrize("redshift", [0.0, 0.05, 0.1])
def test_photometry_agrees_with_speclite_in_every_band(name, redshift, speclite_bands):
    library = load_library(name)
    chosen = library.spectra[:: max(1, len(library) // 15)].astype(float)
    unit = u.erg / u.s / u.cm**2 / u.AA
    wavelength = library.wavelength * (1 + redshift)
    there = library.covered_bands(redshift)
    # Beyond the spectra the wings of a band hold less than 0.1 %; speclite wants something there.
    flux = np.pad(chosen, ((0, 0), (1, 1)), "edge")
    wavelength = np.concatenate([[1000.0], wavelength, [13_000.0]])
    bands = speclite.filters.FilterSequence(
        [band for band, covered in zip(speclite_bands, there, strict=True) if covered]
    )
    table = bands.get_ab_magnitudes(flux * unit, wavelength * u.AA)
    theirs = np.array([table[column] for column in table.colnames]).T
    seen = synthesize(chosen, library.wavelength, redshift=redshift, gaps=True)
    ours = -2.5 * np.log10(seen[:, there]) - 48.6
    assert np.abs(ours - theirs).max() < 0.001
    assert np.isnan(seen[:, ~there]).all()


def test_a_spectrum_flat_in_frequency_has_one_flux_in_all_bands():
    wavelength = np.arange(2700.0, 11000.1, 5.0)
    flux = synthesize(SPEED_OF_LIGHT / wavelength**2, wavelength)
    assert flux == pytest.approx(np.ones(57), rel=1e-5)


def test_a_spectrum_in_frequency_is_on_the_scale_of_the_bands():
    wavelength = np.arange(2700.0, 11000.1, 5.0)
    flat = SPEED_OF_LIGHT / wavelength**2
    assert spectral_fnu(flat, wavelength) == pytest.approx(np.ones(len(wavelength)))
    # Seen from z, at longer wavelengths.
    assert spectral_fnu(flat, wavelength, 0.1) == pytest.approx(np.full(len(wavelength), 1.21))


def test_each_spectrum_has_its_dust():
    library = load_library("emiles")
    spectra, ebv = library.spectra[:2].astype(float), np.array([0.1, 0.4])
    both = synthesize(spectra, library.wavelength, ebv)
    for k in range(2):
        alone = synthesize(spectra[k], library.wavelength, ebv[k])
        assert both[k] == pytest.approx(alone, rel=1e-10)


def test_one_band_against_brute_force():
    library = load_library("bc03")
    spectrum = library.spectra[500].astype(float)
    grid, values = load_bands().curves[10]
    fine = np.linspace(grid[0], grid[-1], 2_000_001)
    curve = np.interp(fine, grid, values)
    top = simpson(np.interp(fine, library.wavelength, spectrum) * fine * curve, x=fine)
    bottom = simpson(SPEED_OF_LIGHT / fine * curve, x=fine)
    assert synthesize(spectrum, library.wavelength)[10] == pytest.approx(top / bottom, rel=1e-6)


def test_spectra_that_miss_a_band_are_refused_by_name():
    with pytest.raises(InputError, match="band uJAVA"):
        band_matrix(np.arange(3500.0, 11000.0, 5.0))
    with pytest.raises(InputError, match="band J1007"):
        band_matrix(np.arange(2700.0, 10000.0, 5.0))


def test_dust_follows_ccm89():
    # A(λ)/A(V) of Cardelli, Clayton & Mathis (1989), Table 3, for R_V = 3.1: U, B, V, R, I.
    wavelength = 1e4 / np.array([2.78, 2.27, 1.82, 1.43, 1.11])
    a_v = -2.5 * np.log10(transmission(wavelength, 1.0)) / 3.1
    assert a_v == pytest.approx([1.569, 1.337, 1.000, 0.751, 0.479], abs=0.015)


def test_dust_of_several_screens_multiplies():
    wavelength = np.linspace(2800, 10900, 20)
    screens = transmission(wavelength, np.array([0.0, 0.1, 0.3]))
    assert screens.shape == (3, 20)
    assert screens[0] == pytest.approx(np.ones(20))
    assert screens[1] ** 3 == pytest.approx(screens[2])

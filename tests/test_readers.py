import re

import numpy as np
import pytest
from ssp_files import write_emiles

from sspexplorer.errors import InputError
from sspexplorer.libraries import load_library
from sspexplorer.libraries.readers import SOURCES, read_source
from sspexplorer.libraries.readers.resampling import STEP, WAVELENGTH, bin_average
from sspexplorer.progress import Progress

EMILES_WAVE = 1680.2 + 0.9 * np.arange(12000)


def refused(name, path, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)) as caught:
        read_source(name, path)
    assert "\n" not in str(caught.value)


def on(wavelength, spectra):
    """Shipped spectra, linear between their points and flat outside, at other wavelengths."""
    return np.array([np.interp(wavelength, WAVELENGTH, s) for s in spectra], np.float32)


@pytest.fixture
def emiles(tmp_path):
    """2 [M/H] × 2 ages × 2 sets of E-MILES, from shipped spectra, and files to leave alone."""
    shipped = load_library("emiles")
    ages, metallicities = [1.0, 10.0], [-0.4, 0.22]
    rows = [[shipped.nearest(9 + np.log10(a), m) for a in ages] for m in metallicities]
    spectra = on(EMILES_WAVE, shipped.spectra[np.ravel(rows)]).reshape(2, 2, -1)
    (tmp_path / "deep").mkdir()
    write_emiles(tmp_path, "ch1.30", "P", ages, metallicities, spectra)
    write_emiles(tmp_path / "deep", "un1.30", "T", ages, metallicities, spectra * 2)
    write_emiles(tmp_path, "bi1.30", "T", ages[:1], metallicities[:1], spectra[:1, :1])
    (tmp_path / "README.txt").write_text("not a spectrum")
    return tmp_path, spectra


def test_emiles_fits_come_back_as_written(emiles):
    folder, spectra = emiles
    told = []
    library = read_source("emiles-full", folder, Progress(lambda *report: told.append(report)))
    assert library.name == "emiles-full"
    grid = WAVELENGTH[EMILES_WAVE[0] + STEP / 2 <= WAVELENGTH]
    assert library.wavelength.tolist() == grid.tolist()
    assert library.imf.tolist() == ["unimodal 1.30"] * 4 + ["Chabrier"] * 4
    assert library.isochrone.tolist() == ["BaSTI"] * 4 + ["Padova00"] * 4
    assert library.metallicity.tolist() == [-0.4, -0.4, 0.22, 0.22] * 2
    assert library.log_age.tolist() == [9.0, 10.0] * 4
    truth = bin_average(EMILES_WAVE, spectra.reshape(4, -1), grid).astype(np.float32)
    assert np.array_equal(library.spectra, np.concatenate([truth * 2, truth]))
    assert library.left_out[0] == "1 file not among the paper's (bimodal, slope 1.30)."
    assert "4 of 350 with Chabrier on Padova00" in library.left_out[1]
    assert [fraction for fraction, _ in told] == [k / 8 for k in range(9)]


def test_an_ssp_without_red_flux_is_left_out_and_counted(emiles):
    folder, spectra = emiles
    dark = np.where(EMILES_WAVE > 8950, 0, spectra[:1, :1])
    write_emiles(folder, "ku1.30", "P", [0.0631], [-1.71], dark)
    library = read_source("emiles-full", folder)
    assert len(library) == 8
    assert library.left_out[-1].startswith("1 SSP (63 to 63 Myr) without flux beyond 8950 Å")


def test_refusals_name_the_file_and_what_is_wrong_with_it(emiles, tmp_path_factory):
    folder, _ = emiles
    other = tmp_path_factory.mktemp("other")
    refused("emiles-full", other / "nowhere", f"There is no file or folder at {other}/nowhere.")
    refused("emiles-full", other, f"{other} holds no file with a name like Ech1.30Zp0.06T03.0000")
    refused("nothing", other, "There is no library 'nothing' to add; there are emiles-full, cb19,")
    broken = next(folder.glob("Ech*"))
    whole = broken.read_bytes()
    broken.write_bytes(whole[:20_000])
    refused("emiles-full", folder, f"{broken} is cut short: only 20000 bytes came")
    broken.write_text("<!DOCTYPE html><html>404</html>")
    refused("emiles-full", folder, f"{broken} is a web page")
    broken.write_bytes(b"SIMPLE  = nonsense" + bytes(5000))
    refused("emiles-full", folder, f"{broken} is not FITS of the layout expected: ")


def test_every_source_says_what_it_expects():
    for name, source in SOURCES.items():
        assert source.name == name
        assert source.what_is_expected.endswith(".")
        assert len({file.name for file in source.files}) == len(source.files)
        assert name == "own" or (source.citation and source.terms)

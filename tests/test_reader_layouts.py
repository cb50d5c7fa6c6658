"""Libraries as their authors lay them out, but for E-MILES' FITS files (test_readers.py)."""

import re

import h5py
import numpy as np
import pytest
from ssp_files import write_cb19, write_emiles_hdf5, write_ppxf, write_xsl

from sspexplorer.errors import InputError
from sspexplorer.libraries import SSPLibrary, load_library, read_library, write_library
from sspexplorer.libraries.readers import read_source
from sspexplorer.libraries.readers.blue import CONTINUED_TO, continued
from sspexplorer.libraries.readers.resampling import WAVELENGTH, bin_average
from sspexplorer.libraries.readers.sources import CB19_Z
from sspexplorer.photometry import synthesize

WIDE = np.arange(1000.0, 12000.0, 20.0)
CONTINUED = WAVELENGTH[WAVELENGTH >= CONTINUED_TO]
XSL_START, XSL_STEP = np.log10(350.0), 5e-5
XSL_WAVE = 10 ** (XSL_START + 1 + XSL_STEP * np.arange(16_000))


def on(wavelength, spectra):
    """Shipped spectra at other wavelengths, flat where they end."""
    spectra = np.atleast_2d(spectra)
    return np.array([np.interp(wavelength, WAVELENGTH, s) for s in spectra], np.float32)


def refused(name, path, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)) as caught:
        read_source(name, path)
    assert "\n" not in str(caught.value)


def test_emiles_hdf5_gives_the_imfs_of_the_paper(tmp_path):
    path = tmp_path / "EMILES_SSP_v9.1.hdf5"
    spectra = on(WIDE, load_library("emiles").spectra[:4])
    labels = [("P", "ch", 1.3), ("T", "un", 0.3), ("T", "un", 1.3), ("P", "bi", 1.3)]
    rows = [
        {"isochrone": i, "imf_type": imf, "imf_slope": x, "age": 2.0 + k, "met": 0.1 * k}
        for k, (i, imf, x) in enumerate(labels)
    ]
    for row, spectrum in zip(rows, spectra, strict=True):
        row["spectrum"] = spectrum
    write_emiles_hdf5(path, WIDE, rows)
    library = read_source("emiles-full", path)
    assert library.imf.tolist() == ["unimodal 1.30", "Chabrier"]
    assert library.isochrone.tolist() == ["BaSTI", "Padova00"]
    assert library.log_age.tolist() == [np.log10(4e9), np.log10(2e9)]
    assert library.metallicity.tolist() == [0.2, 0.0]
    expected = bin_average(WIDE, spectra[[2, 0]])
    assert np.array_equal(library.spectra, expected.astype(np.float32))
    assert library.left_out[0] == "2 SSPs whose IMF is not among the paper's."
    with h5py.File(path, "a") as file:
        del file["imf_type"]
    refused("emiles-full", path, f"{path} is not HDF5 of the layout expected")


@pytest.fixture
def cb19(tmp_path):
    shipped = load_library("bc03")
    ages = np.array([0.0, 1.5e6, 1e9, 13.8e9], np.float32)
    spectra = on(WIDE, shipped.spectra[: len(CB19_Z) * 4]).reshape(len(CB19_Z), 4, -1)
    for z, rows in zip(CB19_Z, spectra, strict=True):
        write_cb19(tmp_path, z, WIDE, ages, rows)
    return tmp_path, spectra


def test_cb19_has_every_age_but_the_first_and_every_metallicity(cb19):
    folder, spectra = cb19
    library = read_source("cb19", folder)
    z = np.array([float(f"0.{digits}") for digits in CB19_Z])
    assert len(library) == 45
    assert library.metallicities == pytest.approx(np.log10(z / 0.017), abs=1e-4)
    assert library.metallicities[[0, -1]] == pytest.approx([-2.23, 0.548], abs=1e-3)
    assert library.ages == pytest.approx(np.log10([1.5e6, 1e9, 13.8e9]))
    assert set(library.imf) == {"Chabrier"}
    expected = bin_average(WIDE, spectra[:, 1:].reshape(45, -1)).astype(np.float32)
    assert np.array_equal(library.spectra, expected)
    assert library.left_out == ("15 SSPs of age 0: they have no logarithm.",)
    assert library.continued_bands(0.1) == ()


def test_cb19_names_the_metallicities_that_are_missing(cb19):
    folder, _ = cb19
    for z in ("006", "0005"):
        (folder / f"cb2019_z{z}_chab_hr_xmilesi_ssp.fits").unlink()
    refused(
        "cb19",
        folder,
        f"{folder} lacks metallicities of CB19: cb2019_z0005_chab_hr_xmilesi_ssp.fits, "
        "cb2019_z006_chab_hr_xmilesi_ssp.fits.",
    )


def test_cb19_refuses_a_file_cut_short_or_of_another_layout(cb19):
    folder, spectra = cb19
    path = folder / "cb2019_z017_chab_hr_xmilesi_ssp.fits"
    whole = path.read_bytes()
    path.write_bytes(whole[:8000])
    refused("cb19", folder, f"{path} is cut short: only 8000 bytes came.")
    path.unlink()
    write_cb19(folder, "017", WIDE, np.arange(3.0), spectra[0])
    refused("cb19", folder, f"{path} has 4 spectra and 3 ages.")


@pytest.fixture
def xsl(tmp_path):
    shipped = load_library("emiles")
    rows = [shipped.nearest(10.0, -0.4), shipped.nearest(10.0, 0.0)]
    spectra = on(XSL_WAVE, shipped.spectra[rows])
    for name, spectrum, scale in (
        ("XSL_SSP_logT10.0_MH-0.2_Kroupa_PC.fits", spectra[0], 5567946.09),
        ("XSL_SSP_T1.00e+10_Z0.019_Salpeter_P00.fits", spectra[1], 9799552.50),
        ("XSL_SSP_logT10.0_MH0.0_Chabrier_PC.fits", spectra[0], 1.0),
    ):
        write_xsl(tmp_path / name, XSL_START, XSL_STEP, spectrum.astype(float) / scale)
    return tmp_path, spectra, shipped.spectra[rows]


def test_xsl_reads_both_styles_of_names(xsl):
    folder, spectra, truth = xsl
    library = read_source("xsl", folder)
    assert library.imf.tolist() == ["Kroupa", "Salpeter"]
    assert library.isochrone.tolist() == ["PARSEC", "Padova00"]
    assert library.metallicity.tolist() == [-0.2, 0.0]
    assert library.log_age.tolist() == [10.0, 10.0]
    assert library.wavelength.tolist() == CONTINUED.tolist()
    own = library.wavelength >= 3505
    expected = bin_average(XSL_WAVE, spectra, CONTINUED[own])
    assert library.spectra[:, own] == pytest.approx(expected, rel=3e-7)
    assert library.left_out[0].startswith("1 file has a name not understood: XSL_SSP_logT10.0_MH0")
    assert "1 of 390 with Kroupa on PARSEC" in library.left_out[1]
    # Below, the model, which is not the truth, but is near it (blue.py says how near).
    seen = synthesize(library.spectra, CONTINUED)[:, 0]
    meant = synthesize(truth, WAVELENGTH)[:, 0]
    assert seen == pytest.approx(meant, rel=0.02)


def test_xsl_says_which_bands_rest_on_the_continuation(xsl, tmp_path):
    library = read_source("xsl", xsl[0])
    assert library.provenance["continued_below"] == pytest.approx(3502.5, abs=2.5)
    assert library.continued_bands() == ("uJAVA",)
    assert library.continued_bands(0.1) == ("uJAVA", "J0378", "J0390")
    assert library.left_out[-1].endswith(
        "BC03's, which is seen in uJAVA and at redshift 0.1 in J0378 and J0390."
    )
    write_library(library, tmp_path / "kept.h5")
    assert read_library(tmp_path / "kept.h5").continued_bands() == ("uJAVA",)
    assert load_library("bc03").continued_bands(0.1) == ()


def test_the_continuation_of_bc03_is_bc03():
    library = load_library("bc03")
    kept = library.wavelength >= 3500
    some = np.arange(0, len(library), 97)
    grid, spectra = continued(
        library.wavelength[kept],
        library.spectra[some][:, kept],
        library.log_age[some],
        library.metallicity[some],
    )
    assert grid.tolist() == CONTINUED.tolist()
    truth = library.spectra[some][:, library.wavelength >= CONTINUED_TO]
    assert spectra == pytest.approx(truth, rel=1e-4)


def test_ppxf_archives_are_a_grid_of_ages_and_metals(tmp_path):
    shipped = load_library("emiles")
    spectra = on(WIDE, shipped.spectra[:6])
    write_ppxf(
        tmp_path / "spectra_fsps_9.0.npz",
        WIDE,
        np.array([0.1, 1.0, 10.0]),
        np.array([-0.5, 0.0]),
        spectra.reshape(3, 2, -1).transpose(2, 0, 1),
    )
    library = read_source("ppxf-fsps", tmp_path)
    assert library.log_age == pytest.approx([8, 9, 10, 8, 9, 10])
    assert library.metallicity.tolist() == [-0.5] * 3 + [0.0] * 3
    expected = bin_average(WIDE, spectra[[0, 2, 4, 1, 3, 5]]).astype(np.float32)
    assert np.array_equal(library.spectra, expected)
    refused("ppxf-xsl", tmp_path, f"{tmp_path} holds no file with a name like spectra_xsl_9.0.npz")


def test_ppxf_archives_of_another_kind_are_refused_and_never_unpickled(tmp_path):
    path = tmp_path / "spectra_xsl_9.0.npz"
    write_ppxf(path, WIDE, np.array([1.0]), np.array([0.0]), np.ones((len(WIDE), 1, 2)))
    refused(
        "ppxf-xsl", path, "templates has shape (550, 1, 2), not (lam, ages, metals) = (550, 1, 1)"
    )
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused("ppxf-xsl", path, f"{path} is not a whole npz archive")
    np.savez(path, templates=np.array([{}], dtype=object))
    refused("ppxf-xsl", path, "Object arrays cannot be loaded when allow_pickle=False")
    np.savez(path, spectra=np.ones(3))
    refused("ppxf-xsl", path, f"{path} is not a pPXF archive of templates: ")
    path.write_text("<html>")
    refused("ppxf-xsl", path, f"{path} is a web page")


@pytest.fixture
def own(tmp_path):
    """A file in the documented layout, of spectra that are straight lines: bins leave them be."""
    path = tmp_path / "mine.nc"
    slopes = np.array([1e-4, 2e-4, 3e-4])
    with h5py.File(path, "w") as file:
        file["wavelength"] = WIDE / 10
        file["wavelength"].attrs["units"] = "nm"
        file["spectra"] = 1 + slopes[:, None] * WIDE
        file["log_age"] = [9.0, 8.0, 7.0]
        file["metallicity"] = [0.0, 0.0, -1.0]
        file["imf"] = ["Kroupa", "Kroupa", "Salpeter"]
        file.attrs["isochrone"] = "MIST"
        file.attrs["title"] = "Mine"
    return path, slopes


def test_own_library_comes_back_as_written(own):
    path, slopes = own
    library = read_source("own", path)
    assert library.title == "Mine"
    assert library.log_age.tolist() == [8.0, 9.0, 7.0]
    assert library.imf.tolist() == ["Kroupa", "Kroupa", "Salpeter"]
    assert set(library.isochrone) == {"MIST"}
    expected = 1 + slopes[[1, 0, 2], None] * WAVELENGTH
    assert library.spectra == pytest.approx(expected, rel=1e-7)


def test_a_compact_library_is_an_own_library(tmp_path):
    shipped = load_library("popstar")
    some = shipped.select(np.arange(len(shipped)) < 5)
    write_library(some, tmp_path / "again.h5")
    library = read_source("own", tmp_path)
    assert (library.title, library.citation) == (some.title, some.citation)
    assert library.ids.tolist() == [x.replace("popstar", "own") for x in some.ids]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("metallicity", None, "lacks metallicity; it has imf, log_age, spectra, wavelength."),
        ("log_age", [9e9, 1e9, 1e8], "log_age must be log10 of years, 4 to 11"),
        ("wavelength", WIDE[::-1] / 10, "wavelength must increase"),
        ("spectra", np.ones((550, 3)), "spectra has shape (550, 3), not (log_age, wavelength)"),
        ("spectra", np.zeros((3, 550)), "No SSP of Mine can be used: 3 SSPs (10 to 1000 Myr)"),
        ("wavelength", WIDE + 4000, "Mine starts at 5000 Å: too little of band uJAVA is left"),
        ("wavelength", WIDE / 2, "Mine ends at 5990 Å; the reddest band needs"),
    ],
)
def test_own_library_errors_name_what_is_wrong(own, name, value, sentence):
    path, _ = own
    with h5py.File(path, "a") as file:
        del file[name]
        if value is not None:
            file[name] = value
    refused("own", path, sentence)


def test_own_library_needs_hdf5(tmp_path):
    path = tmp_path / "old.nc"
    path.write_bytes(b"CDF\x01" + bytes(100))
    refused("own", path, f"{path} is not HDF5 of the layout expected")
    refused("own", tmp_path / "none.h5", "There is no file or folder at")
    (tmp_path / "second.h5").write_bytes(b"")
    refused("own", tmp_path, f"{tmp_path} holds 2 files ending in .h5, .hdf5, .nc, .nc4, not one.")


def test_the_example_of_the_page_on_libraries_can_be_read(repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = re.search(
        r"```python\n(import h5py.*?)```", (repository / "docs/libraries.md").read_text(), re.S
    )
    exec(code[1], {})
    library = read_source("own", tmp_path)
    assert (library.title, len(library)) == ("Power laws", 3)
    (sentence,) = library.left_out
    assert sentence.endswith("continued below with BC03's, which is seen at redshift 0.1 in uJAVA.")


def test_from_arrays_may_be_written_and_added(tmp_path):
    library = SSPLibrary.from_arrays("x", WIDE, np.ones((1, len(WIDE))), [9.0], [0.0])
    write_library(library, tmp_path / "x.h5")
    assert read_source("own", tmp_path / "x.h5").spectra == pytest.approx(
        np.ones((1, len(WAVELENGTH)))
    )

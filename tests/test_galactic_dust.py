"""Dust of the Milky Way: how much each band loses, and which reddening a catalogue is given."""

import sys

import astropy.units as u
import numpy as np
import pytest
from astropy.table import Table
from catalogues import pretend_dust_map
from dust_extinction.parameter_averages import F99

from sspexplorer.bands import BAND_NAMES, load_bands
from sspexplorer.catalogue import read_catalogue
from sspexplorer.catalogue.galactic import can_look_up, galactic_dust
from sspexplorer.errors import InputError
from sspexplorer.foreground import band_extinction, dereddened

# A_b / E(B−V) of the filter table of the survey, as in the public tables of miniJPAS PDR201912.
SURVEY = {"uJAVA": 4.916, "J0430": 4.048, "J0490": 3.511, "J0550": 3.041, "J0610": 2.639} | {
    "J0670": 2.302,
    "J0730": 2.020,
    "J0790": 1.776,
    "J0850": 1.561,
    "J0910": 1.370,
    "iSDSS": 1.825,
}


def test_each_band_loses_what_the_survey_says():
    found = dict(zip(BAND_NAMES, band_extinction(), strict=True))
    for band, expected in SURVEY.items():
        assert found[band] == pytest.approx(expected, rel=0.03)
    # A narrow band is dimmed as its pivot wavelength is.
    at_pivot = 3.1 * F99(Rv=3.1)(load_bands().pivot[10] * u.AA)
    assert band_extinction()[10] == pytest.approx(at_pivot, rel=0.005)


def test_what_the_milky_way_took_is_given_back():
    flux, ebv = np.full((3, 57), 2.0), np.array([0.0, 0.2, np.nan])
    error = 0.1 * flux
    corrected, corrected_error = dereddened(flux, error, ebv)
    assert corrected[[0, 2]] == pytest.approx(flux[[0, 2]])
    assert -2.5 * np.log10(corrected[1] / flux[1]) == pytest.approx(-0.2 * band_extinction())
    assert corrected_error / corrected == pytest.approx(error / flux)


@pytest.mark.parametrize("name", ["EBV", "E(B-V)", "EBV_SFD", "ebv_gal", "GAL_EBV", "MW_EBV"])
def test_a_column_of_galactic_reddening_is_taken_and_said(name):
    found = galactic_dust(Table({"id": [1, 2], name: [0.1, 0.3]}))
    assert found.ebv == pytest.approx([0.1, 0.3])
    assert name in found.note
    assert "median 0.200 mag" in found.note


def test_dust_of_the_galaxies_themselves_is_not_taken_for_that_of_the_milky_way():
    found = galactic_dust(Table({"log_age": [9.0], "ebv": [0.4]}))
    assert found.ebv is None
    assert "galactic='ebv'" in found.note
    assert galactic_dust(Table({"log_age": [9.0], "ebv": [0.4]}), "ebv").ebv == pytest.approx(0.4)


def test_nothing_is_corrected_twice_or_against_ones_will():
    table = Table({"EBV": [0.2]})
    twice = galactic_dust(table, photometry=["FLUX_DERED_J0378"])
    assert twice.ebv is None
    assert "corrected again" in twice.note
    assert galactic_dust(table, "none").ebv is None


@pytest.mark.parametrize(
    ("choice", "words"),
    [("0.05", "0.05 mag for all rows"), (0.05, "0.05 mag for all rows"), ("EBV", "column EBV")],
)
def test_a_number_or_a_column_can_be_asked_for(choice, words):
    assert words in galactic_dust(Table({"EBV": [0.2, 0.1]}), choice).note


@pytest.mark.parametrize(
    ("columns", "choice", "words"),
    [
        ({"EBV": [0.2]}, "A_V", "no column 'A_V'"),
        ({"EBV": [45.0]}, "EBV", "no E.B−V. of the Milky Way"),
        ({"EBV": [0.2]}, "-3", "no E.B−V."),
        ({"EBV": [0.2]}, "sfd", "no column with ra"),
    ],
)
def test_what_is_no_reddening_is_refused(columns, choice, words):
    with pytest.raises(InputError, match=words):
        galactic_dust(Table(columns), choice)


def test_a_catalogue_comes_out_as_it_was_before_the_milky_way(tmp_path):
    table = Table({band: [1e-28, 2e-28] for band in BAND_NAMES})
    for band in BAND_NAMES:
        table[f"{band}_err"] = 0.05 * table[band]
    ebv = np.array([0.08, 0.3])
    dimmed = table.copy()
    for band, lost in zip(BAND_NAMES, band_extinction(), strict=True):
        for name in (band, f"{band}_err"):
            dimmed[name] = table[name] * 10 ** (-0.4 * lost * ebv)
    dimmed["EBV_SFD"] = ebv
    table.write(tmp_path / "before.fits")
    dimmed.write(tmp_path / "behind.fits")
    before, behind = (read_catalogue(tmp_path / f"{name}.fits") for name in ("before", "behind"))
    ratio = behind.flux / before.flux
    assert ratio == pytest.approx(ratio[0, 0])
    assert behind.galactic == "column EBV_SFD"
    assert read_catalogue(tmp_path / "behind.fits", galactic="none").galactic == ""


def test_a_map_can_be_looked_up_where_there_are_positions(monkeypatch, tmp_path):
    table = Table({"RA": [10.0, 11.0, np.nan], "DEC": [1.0, 2.0, 3.0]})
    monkeypatch.setitem(sys.modules, "dustmaps", None)
    assert not can_look_up(table)
    pretend_dust_map(monkeypatch, tmp_path, np.array([0.1, 0.2, 0.3]))
    assert can_look_up(table)
    assert not can_look_up(table[["RA"]])
    found = galactic_dust(table, "sfd")
    assert found.ebv == pytest.approx([0.1, 0.2, np.nan], nan_ok=True)
    table["sfd"] = [0.3, 0.3, 0.3]
    assert galactic_dust(table, "sfd").source == "column sfd"

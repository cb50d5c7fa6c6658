"""What counts as missing in a catalogue: sentinels, limits, masks; and nothing else."""

import json

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table
from catalogues import read_csv, read_table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue import read_catalogue
from sspexplorer.catalogue.masks import MaskRule
from sspexplorer.catalogue.taken import taken
from sspexplorer.errors import InputError
from sspexplorer.resources import data_path


@pytest.fixture(scope="module")
def galaxies():
    """F_ν in µJy and σ of twelve simulated galaxies, positive everywhere."""
    found = read_catalogue(data_path("examples", "simulated_galaxies.csv"))
    with np.errstate(invalid="ignore"):
        noise = np.median(found.flux_err / found.flux, axis=1)
    rows = np.argsort(np.where((found.flux > 0).all(axis=1), noise, np.inf))[:12]
    return found.flux[rows] / 1e-29, found.flux_err[rows] / 1e-29


def columns(flux, error=None, kind="FNU"):
    made = {f"{kind}_{b}": flux[:, i] for i, b in enumerate(BAND_NAMES)}
    if error is None:
        return made
    return made | {f"{kind}_{b}_err": error[:, i] for i, b in enumerate(BAND_NAMES)}


def as_magnitudes(flux, error):
    return 23.9 - 2.5 * np.log10(flux), 2.5 / np.log(10) * error / flux


FLUX_SENTINELS = [
    *((v, v) for v in (9999, 999, 99, 1e20, -1, -9, 3.4e38, 99.99, 1e30, -99, 65535)),
    *((9999, 1), (1e20, 5), (-1, 0.1), (9999, np.nan), (9999, -99), (99, 9.99), (-999, 1)),
    *((-1, None), (99999, None), (1e20, None)),
]
MAGNITUDE_SENTINELS = [
    *((v, v) for v in (99, 99.99, 50, 30, 35, -99, -1, 9999)),
    *((99, -1), (50, 0), (30, 0), (30, np.nan), (99.99, 9.99)),
    *((50, None), (30, None), (99, None)),
]


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_sentinel_is_missing_and_nothing_else_is(galaxies, data):
    """An error of None is left as it was; two or more columns without errors are as good."""
    flux, error = galaxies
    magnitudes = data.draw(st.booleans(), "magnitudes")
    value, bad = data.draw(st.sampled_from(MAGNITUDE_SENTINELS if magnitudes else FLUX_SENTINELS))
    with_errors = data.draw(st.booleans(), "errors") or value in (99, 99.99, -9, 65535)
    cells = data.draw(
        st.sets(st.tuples(st.integers(0, 11), st.integers(0, 56)), min_size=4, max_size=30)
    )
    rows, bands = np.array(sorted(cells)).T
    numbers, errors = as_magnitudes(flux, error) if magnitudes else (flux.copy(), error.copy())
    numbers[rows, bands] = value
    if bad is not None:
        errors[rows, bands] = bad
    made = columns(numbers, errors if with_errors else None, "MAG" if magnitudes else "FNU")
    catalogue = read_csv(made)
    gone = np.zeros(flux.shape, bool)
    gone[rows, bands] = True
    np.testing.assert_array_equal(np.isnan(catalogue.flux), gone)
    kept = (catalogue.flux / flux)[~gone]
    np.testing.assert_allclose(kept, np.median(kept), rtol=1e-9)
    assert any(note.startswith(f"Missing: {len(cells)} of 684 fluxes") for note in catalogue.notes)


def test_numbers_that_are_round_or_normalised_are_kept(galaxies):
    flux, error = galaxies
    magnitudes, errors = (np.maximum(x.round(2), 0.01) for x in as_magnitudes(flux, error))
    assert not np.isnan(read_csv(columns(magnitudes, errors, "MAG")).flux).any()
    whole = read_csv(columns(flux.round() + 1, error.round() + 1))
    assert not np.isnan(whole.flux).any()
    level = np.sort(flux, axis=1)[:, [28]]
    normalised = read_csv(columns(flux / level, error / level))
    assert not np.isnan(normalised.flux).any()


def test_what_stood_for_no_value_is_said(galaxies):
    flux, error = (x.copy() for x in galaxies)
    flux[:, 4] = error[:, 4] = 9999
    catalogue = read_csv(columns(flux, error))
    assert catalogue.missing.codes == {"9999": 12}
    assert "Taken to stand for no value: 9999 (12 times)." in catalogue.notes
    assert "Never measured: J0410." in catalogue.notes


def test_negative_errors_are_upper_limits(galaxies):
    flux, error = (x.copy() for x in galaxies)
    flux[:3, 2] *= 3
    error[:3, 2] *= -1
    error[5, 7] = -1
    error[6, 7] = -99
    catalogue = read_csv(columns(flux, error))
    assert np.argwhere(np.isnan(catalogue.flux)).tolist() == [[0, 2], [1, 2], [2, 2], [5, 7]]
    assert np.isnan(catalogue.flux_err[6, 7])
    assert "Missing: 4 of 684 fluxes (4 upper limits by their negative error)." in catalogue.notes


def test_errors_that_are_all_minus_one_are_no_limits(galaxies):
    flux, _ = galaxies
    catalogue = read_csv(columns(flux, np.full(flux.shape, -1.0)))
    np.testing.assert_array_equal(catalogue.flux, flux)
    assert np.isnan(catalogue.flux_err).all()


@pytest.mark.parametrize("limit", ["<21.3", "> 23", "≤21", "&lt;21.3", ">=20"])
def test_limits_in_words_are_missing_and_counted(limit):
    catalogue = read_csv({"MAG_J0378": ["20.1", limit, limit], "MAG_J0390": ["20", "20", "20"]})
    assert np.isnan(catalogue.flux[:, 1]).tolist() == [False, True, True]
    assert any(f"MAG_J0378 has 2 limits such as {limit!r}" in note for note in catalogue.notes)
    whole = read_csv({"MAG_J0378": [limit], "MAG_J0390": ["20"]})
    assert np.isnan(whole.flux[0, 1])


# Masks and flags


def marked(galaxies, name, values):
    """Two bands raised by 35 %, and the columns that say so."""
    flux, error = (x.copy() for x in galaxies)
    flags = np.zeros(flux.shape, int)
    flags[:, [5, 9]] = values
    flux[:, [5, 9]] *= np.where(values, 1.35, 1)
    made = {f"FLUX_AUTO_{b}": flux[:, i] for i, b in enumerate(BAND_NAMES)}
    made |= {f"FLUXERR_AUTO_{b}": error[:, i] for i, b in enumerate(BAND_NAMES)}
    return made, {name.format(b): flags[:, i] for i, b in enumerate(BAND_NAMES)}


@pytest.mark.parametrize("name", ["MASK_FLAGS_{}", "FLAGS_{}", "{}_flag", "mask_{}"])
def test_marked_bands_are_as_good_as_missing(galaxies, name):
    made, flags = marked(galaxies, name, 4)
    catalogue = read_csv(made | flags, unit="fnu")
    without = {
        k: np.full(12, np.nan) if k.endswith(("J0420", "J0460")) else v for k, v in made.items()
    }
    expected = read_csv(without, unit="fnu")
    np.testing.assert_array_equal(catalogue.flux, expected.flux)
    np.testing.assert_array_equal(catalogue.flux_err, expected.flux_err)
    assert catalogue.missing.counts[0].sum() == 24
    assert any("24 fluxes masked in J0420, J0460" in note for note in catalogue.notes)


@pytest.mark.parametrize(
    ("name", "value", "rule", "masked"),
    [
        ("FLAGS_{}", 3, MaskRule(), False),
        ("FLAGS_{}", 3, MaskRule(largest_flag=0), True),
        ("FLAGS_{}", 32, MaskRule(largest_flag=None), False),
        ("MASK_FLAGS_{}", 1, MaskRule(), True),
        ("MASK_FLAGS_{}", 1, MaskRule(masks=False), False),
    ],
)
def test_which_flags_mask_is_a_setting(galaxies, name, value, rule, masked):
    made, flags = marked(galaxies, name, value)
    catalogue = read_csv(made | flags, unit="fnu", masks=rule)
    assert np.isnan(catalogue.flux[:, [5, 9]]).all() == masked
    assert not np.isnan(np.delete(catalogue.flux, [5, 9], axis=1)).any()


@pytest.mark.parametrize("ending", ["fits", "ecsv", "vot"])
def test_arrays_of_flags_mask_each_its_band(galaxies, ending):
    flux, error = galaxies
    flags = np.zeros(flux.shape, np.int16)
    flags[2, 5] = 1
    table = Table({"FLUX_AUTO": flux, "FLUXERR_AUTO": error, "MASK_FLAGS": flags})
    catalogue = read_table(table, ending, unit="fnu")
    assert np.argwhere(np.isnan(catalogue.flux)).tolist() == [[2, 5]]


@pytest.mark.parametrize("words", [["True", "False"], ["T", "F"], ["1", "0"]])
def test_masks_in_words(words):
    made = {"FNU_J0378": [1.0, 2.0], "FNU_J0390": [1.0, 2.0], "MASK_J0378": words}
    assert np.isnan(read_csv(made).flux[:, 1]).tolist() == [True, False]
    with pytest.raises(InputError, match="MASK_J0378"):
        read_csv(made | {"MASK_J0378": ["good", "bad"]})


def test_a_column_of_flags_for_the_galaxy_masks_no_band():
    frame = pd.DataFrame({"FNU_J0378": [1.0, 2.0], "FNU_J0390": [1.0, 2.0], "FLAGS": [0, 16]})
    assert not np.isnan(read_csv(frame).flux[:, 1:3]).any()


def test_masks_and_units_are_in_the_report(galaxies):
    made, flags = marked(galaxies, "MASK_FLAGS_{}", 4)
    report = taken(read_csv(made | flags))
    assert report["unit_decided_by"] == "data"
    assert report["unit_verdict"]["kind"] == report["unit"] == "fnu"
    assert report["masks"]["columns"]["MASK_FLAGS_J0420"] == 12
    assert report["masks"]["largest_flag"] == 3
    assert report["missing"]["masked by flags"] == 24
    json.dumps(report)


def test_a_row_that_says_one_thing_in_every_band_says_nothing(tmp_path):
    table = Table({band: [18.0, 20.0 + 0.01 * k] for k, band in enumerate(BAND_NAMES)})
    for band in BAND_NAMES:
        table[f"{band}_err"] = [1.0, 0.05]
    table.write(tmp_path / "filled.csv")
    found = read_catalogue(tmp_path / "filled.csv", unit="mag")
    assert np.isnan(found.flux).all(axis=1).tolist() == [True, False]

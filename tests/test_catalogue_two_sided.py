"""Errors in two columns, variances, and photometric redshifts with intervals."""

import numpy as np
import pytest
from catalogues import csv_bytes, fluxes, read_csv

from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue import read_catalogue
from sspexplorer.catalogue.redshifts import redshift_errors
from sspexplorer.catalogue.taken import sentences

FLUX = fluxes(5)
SIGMA = 0.04 * FLUX
LOWER, UPPER = 0.75 * SIGMA, 1.25 * SIGMA


def table(lower, upper, low="{}_errlo", up="{}_errup"):
    made = {band: FLUX[:, i] for i, band in enumerate(BAND_NAMES)}
    made |= {low.format(band): lower[:, i] for i, band in enumerate(BAND_NAMES)}
    return made | {up.format(band): upper[:, i] for i, band in enumerate(BAND_NAMES)}


def again_with(found, columns):
    """Read by the map of what was read."""
    return read_catalogue(csv_bytes(columns), "galaxies.csv", columns=found.column_map())


@pytest.mark.parametrize(
    ("low", "up"),
    [
        ("{}_errlo", "{}_errup"), ("{}_err_low", "{}_err_high"), ("err_minus_{}", "err_plus_{}"),
        ("{}_LERR", "{}_UERR"), ("{}_lo", "{}_hi"),
    ],
)  # fmt: skip
def test_of_an_error_with_two_sides_the_mean_is_read(low, up):
    found = read_csv(table(-LOWER, UPPER, low, up))
    assert found.flux_err == pytest.approx(SIGMA)
    assert "Errors of 57 bands are read as the mean of a lower and an upper one." in found.notes
    assert any("(114 columns)" in sentence for sentence in sentences(found))
    again = again_with(found, table(-LOWER, UPPER, low, up))
    np.testing.assert_array_equal(again.flux_err, found.flux_err)


@pytest.mark.parametrize(
    ("low", "up"), [("{}_l68", "{}_u68"), ("{}_p16", "{}_p84"), ("{}_lo", "{}_hi")]
)
def test_of_an_interval_half_the_width_is_read(low, up):
    lower = FLUX - LOWER
    lower[2, 3] = -99
    found = read_csv(table(lower, FLUX + UPPER, low, up))
    assert np.argwhere(np.isnan(found.flux_err)).tolist() == [[2, 3]]
    wanted = np.where(np.isnan(found.flux_err), np.nan, SIGMA)
    np.testing.assert_allclose(found.flux_err, wanted, rtol=1e-9)
    assert found.columns[0].error_kind == "bounds"
    again = again_with(found, table(lower, FLUX + UPPER, low, up))
    np.testing.assert_array_equal(again.flux_err, found.flux_err)


def test_a_variance_is_read_and_a_single_side_named():
    found = read_csv({f"J0{n}": [2e-27, 3e-27] for n in (400, 410)} | {"J0400_var": [4e-54, 1e-54]})
    assert found.flux_err[:, 3] == pytest.approx([2e-27, 1e-27])
    assert "Errors of 1 band are read as variances, σ²." in found.notes
    made = table(LOWER, UPPER)
    found = read_csv({name: made[name] for name in made if not name.endswith("up")})
    assert np.isnan(found.flux_err).all()
    assert any("Errors that were not read: uJAVA_errlo" in note for note in found.notes)


@pytest.mark.parametrize(
    ("names", "redshift", "errors"),
    [
        (["z", "z_l68", "z_u68"], "z", ("z_l68", "z_u68")),
        (["PHOTOZ", "PHOTOZ_L68", "PHOTOZ_U68"], "PHOTOZ", ("PHOTOZ_L68", "PHOTOZ_U68")),
        (["Z_BEST", "Z_BEST68_LOW", "Z_BEST68_HIGH"], "Z_BEST", ("Z_BEST68_LOW", "Z_BEST68_HIGH")),
        (["z_phot", "z160", "z840"], "z_phot", ("z160", "z840")),
        (["z_peak", "l68", "u68", "l95", "u95"], "z_peak", ("l68", "u68")),
        (["photoz", "photoz_err", "photoz_l68", "photoz_u68"], "photoz", ("photoz_err",)),
        (["z_phot", "z_phot_errlo", "z_phot_errup"], "z_phot", ("z_phot_errlo", "z_phot_errup")),
        (["z_spec", "z_phot", "z_l68", "z_u68"], "z_spec", ()),
        (["photoz", "photoz_l68"], "photoz", ()),
    ],
)
def test_which_columns_are_the_errors_of_a_redshift(names, redshift, errors):
    kind = "photometric" if redshift not in ("z_spec", "z") else ""
    assert redshift_errors(names, redshift, kind) == errors


def test_half_the_distance_of_an_interval_is_the_error_of_a_redshift():
    bands = {band: FLUX[:, i] for i, band in enumerate(BAND_NAMES)}
    z = np.array([0.01, 0.02, 0.03, 0.04, -99.0])
    made = bands | {"PHOTOZ": z, "PHOTOZ_L68": z - 0.004, "PHOTOZ_U68": z + 0.008}
    found = read_csv(made)
    assert found.redshift_err == pytest.approx([0.006] * 4 + [np.nan], nan_ok=True)
    assert "Errors of PHOTOZ from PHOTOZ_L68 and PHOTOZ_U68: half their distance." in found.notes
    again = again_with(found, made)
    np.testing.assert_array_equal(again.redshift_err, found.redshift_err)
    made = bands | {"PHOTOZ": z, "PHOTOZ_ERR_LO": z * 0 + 0.004, "PHOTOZ_ERR_HI": z * 0 + 0.008}
    found = read_csv(made)
    assert found.redshift_err == pytest.approx([0.006] * 4 + [np.nan], nan_ok=True)
    assert "Errors of PHOTOZ from PHOTOZ_ERR_LO and PHOTOZ_ERR_HI: their mean." in found.notes

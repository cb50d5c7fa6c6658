"""Which columns are redshifts, and which of them each row takes."""

import numpy as np
import pytest
from catalogues import read_csv

from sspexplorer.catalogue.redshifts import redshift_columns


def read(**columns):
    n = len(next(iter(columns.values())))
    return read_csv({"J0378": [1.0] * n} | columns)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (
            "spectroscopic",
            "zspec z_spec zsp SPEC_Z specz redshift_spec ZSPEC_FINAL zSpec z_sdss Z_SPEC_1",
        ),
        ("of unstated kind", "z Z redshift REDSHIFT_1 zbest z_best z_hel"),
        (
            "photometric",
            "photoz PHOTOZ z_phot zphot zp z_peak Z_B ZPHOT_BEST Z_ML z_mode photo_z z_pdf phz",
        ),
    ],
)
def test_names_of_redshifts(kind, names):
    for name in names.split():
        assert [(c.name, c.kind) for c in redshift_columns([name])] == [(name, kind)]


@pytest.mark.parametrize("name", ["z_flag", "zspec_err", "z_mag", "MAG_Z", "ZP_J0378", "zwarning"])
def test_names_of_no_redshifts(name):
    assert redshift_columns([name]) == ()


def test_each_row_takes_the_best_redshift_it_has():
    catalogue = read(
        PHOTOZ=[0.5, 0.6, 0.7, 0.8, np.nan],
        PHOTOZ_ERR=[0.05] * 5,
        z_spec=[0.1, -1.0, -9.0, 0.2, -99.0],
        e_z_spec=[0.001, 0.001, 0.001, 0.0, 0.001],
    )
    np.testing.assert_array_equal(catalogue.redshift, [0.1, 0.6, 0.7, 0.2, np.nan])
    np.testing.assert_array_equal(catalogue.redshift_err, [0.001, 0.05, 0.05, np.nan, np.nan])
    assert [(c.name, n) for c, n in catalogue.redshift_sources] == [("z_spec", 2), ("PHOTOZ", 2)]
    assert (
        "Redshifts known for 4 of 5 rows: 2 from z_spec (spectroscopic), 2 from PHOTOZ "
        "(photometric)." in catalogue.notes
    )
    assert "z_spec has 3 values that stand for none (-99, -9, -1)." in catalogue.notes


def test_zeros_are_missing_where_they_are_the_commonest_value():
    catalogue = read(zspec=[0.0, 0.0, 0.3], photoz=[0.1, 0.2, 0.4])
    assert catalogue.redshift.tolist() == [0.1, 0.2, 0.3]
    assert "zspec is exactly 0 in 2 rows, taken as missing." in catalogue.notes
    # One zero is a redshift, and a table of zeros is one of mocks at rest.
    assert read(z=[0.0, 0.1]).redshift.tolist() == [0.0, 0.1]
    at_rest = read(z=[0.0, 0.0])
    assert at_rest.redshift.tolist() == [0.0, 0.0]
    assert any("All redshifts in z are 0" in note for note in at_rest.notes)


@pytest.mark.parametrize(
    "columns",
    [
        {"Z": [0.02, 0.008], "redshift": [np.nan, 0.3]},
        {"Z": [0.02, 0.008], "z": [np.nan, 0.3]},
        {"Z": [0.02, 0.008], "[M/H]": [0.0, -0.4], "photoz": [np.nan, 0.3]},
        {"Z": [0.4, -0.7], "photoz": [np.nan, 0.3]},
        {"Z": [19.5, 20.1], "photoz": [np.nan, 0.3]},
    ],
)
def test_z_as_metallicity_or_magnitude_is_no_redshift(columns):
    catalogue = read(**columns)
    np.testing.assert_array_equal(catalogue.redshift, [np.nan, 0.3])
    assert any(note.startswith("Z ") for note in catalogue.notes)


def test_a_grid_of_metallicities_is_no_redshift():
    metals = [0.004, 0.008, 0.02] * 10
    assert read(Z=metals).redshift is None
    assert read(Z=np.linspace(0.01, 0.09, 30)).redshift is not None


@pytest.mark.parametrize(
    ("redshift", "error"),
    [
        ("z", "z_err"),
        ("z_spec", "e_z_spec"),
        ("zphot", "zphoterr"),
        ("photoz", "sigma_photoz"),
        ("ZPHOT_BEST", "ZPHOT_ERR"),
        ("z_1", "z_err_1"),
        ("z", "dz"),
    ],
)
def test_errors_of_redshifts(redshift, error):
    catalogue = read(**{error: [0.01], redshift: [0.2]})
    assert catalogue.redshift_err.tolist() == [0.01]

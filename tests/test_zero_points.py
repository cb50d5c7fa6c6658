"""Zero points: found in what galaxies have in common, kept, and corrected for."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from sspexplorer.analysis.recognition import REST, UNIT, ZERO_POINTS, suspicions
from sspexplorer.analysis.zero_points import ZeroPoints, tile_columns
from sspexplorer.bands import BAND_NAMES, N_BANDS, load_bands
from sspexplorer.catalogue import read_catalogue
from sspexplorer.errors import InputError
from sspexplorer.mocks import make_mocks
from sspexplorer.models import load_model
from sspexplorer.noise import NoiseModel
from sspexplorer.posterior.prediction import predict_posterior
from sspexplorer.posterior.taken import Choices
from sspexplorer.posterior.zero_points import LEAST_ROWS, measure_offsets, robust_mean
from sspexplorer.resources import data_path

FACTOR = np.exp(np.random.default_rng(3).normal(0, 0.03, N_BANDS))
OFFSET = -2.5 * np.log10(FACTOR)


@pytest.fixture(scope="module")
def galaxy():
    return load_model("galaxy")


@pytest.fixture(scope="module")
def catalogue(galaxy):
    """Galaxies of the training under noise; which redshift each has is not known."""
    rng = np.random.default_rng(8)
    read = read_catalogue(data_path("examples", "simulated_galaxies.csv"))
    flux = galaxy.nearby.templates[:200].astype(float)
    flux, error = NoiseModel.default().add(flux, rng.uniform(16, 19, 200), rng)
    redshift = rng.uniform(0, 0.1, 200)
    return dataclasses.replace(read, flux=flux, flux_err=error, redshift=redshift)


@pytest.fixture(scope="module")
def shifted(catalogue):
    """The same galaxies with zero points that are off by 3 %."""
    return dataclasses.replace(
        catalogue, flux=catalogue.flux * FACTOR, flux_err=catalogue.flux_err * FACTOR
    )


@pytest.fixture(scope="module")
def measured(shifted, galaxy) -> ZeroPoints:
    return ZeroPoints.measure(shifted, galaxy.nearby)


def test_offsets_of_three_percent_are_found_and_the_answers_return(
    catalogue, shifted, measured, galaxy
):
    found = measured.tiles[""]
    off = found.offset - (OFFSET - OFFSET.mean())
    assert off.std() < 0.005
    assert np.mean(np.abs(off) < 2 * found.error) > 0.85
    assert found.rms == pytest.approx(OFFSET.std(), rel=0.1)
    corrected, said = measured.corrected(shifted)
    assert said == ("Zero points were corrected for 200 galaxies.",)
    assert corrected.table is shifted.table
    true, wrong, right = (
        predict_posterior(galaxy, c.flux[:60], c.flux_err[:60])
        for c in (catalogue, shifted, corrected)
    )
    for name in ("log_age", "metallicity", "ebv"):
        before, after = (
            np.nanstd(t[f"pred_{name}"] - true[f"pred_{name}"]) for t in (wrong, right)
        )
        assert after < 0.6 * before, name


def test_what_all_bands_share_and_single_wrecks_leave_no_offset(catalogue, galaxy):
    flux, error = 1.3 * catalogue.flux[:100], 1.3 * catalogue.flux_err[:100]
    flux[::4, 30] *= 3
    found = measure_offsets(galaxy.nearby, flux, error)
    assert np.abs(found.offset).max() < 0.03
    assert found.n[30] < 80
    with pytest.raises(InputError, match=f"at least {LEAST_ROWS} galaxies with 20 bands"):
        measure_offsets(galaxy.nearby, flux[:19], error[:19])


def test_a_robust_mean_is_the_weighted_mean_but_for_outliers(rng):
    sigma = rng.uniform(0.5, 2, (4000, 2))
    values = 3 + sigma * rng.standard_normal((4000, 2))
    values[:400, 1] += 50
    mean, error = robust_mean(values, sigma)
    assert mean[0] == pytest.approx(np.average(values[:, 0], weights=sigma[:, 0] ** -2), abs=0.01)
    assert error[0] == pytest.approx(np.sum(sigma[:, 0] ** -2) ** -0.5, rel=0.1)
    assert mean[1] == pytest.approx(3, abs=0.25)


def test_tiles_have_zero_points_of_their_own_that_a_table_keeps(catalogue, galaxy, tmp_path):
    rows = np.arange(200)
    tiles = np.where(rows < 100, "007", np.where(rows < 190, "8", "9"))
    flux = np.where(tiles[:, None] == "007", catalogue.flux * FACTOR, catalogue.flux)
    error = {f"{b}_err": e for b, e in zip(BAND_NAMES, catalogue.flux_err.T, strict=True)}
    columns = dict(zip(BAND_NAMES, flux.T, strict=True)) | error
    frame = pd.DataFrame({"tile_id": tiles} | columns)
    found = read_catalogue(frame.to_csv(index=False).encode(), "tiles.csv", unit="fnu")
    assert tile_columns(found) == ("tile_id",)
    points = ZeroPoints.measure(found, galaxy.nearby, "tile_id")
    assert list(points.tiles) == ["007", "8"]
    assert points.too_few == {"9": 10}
    assert points.tiles["007"].rms > 0.02 > 0.01 > points.tiles["8"].rms
    points.save(tmp_path / "t.ecsv")
    again = ZeroPoints.load(tmp_path / "t.ecsv")
    for tile, offsets in points.tiles.items():
        np.testing.assert_allclose(again.tiles[tile].offset, offsets.offset)
    corrected, said = again.corrected(found)
    factor = corrected.flux / found.flux
    np.testing.assert_allclose(factor[0], 10 ** (0.4 * points.tiles["007"].offset))
    np.testing.assert_allclose(factor[195], 1)
    assert said[1].startswith("10 galaxies lie on tiles without zero points")
    with pytest.raises(InputError, match="no column 'tile_id'"):
        again.corrected(catalogue)


def test_a_table_that_cannot_be_used_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / "z.ecsv"
    with pytest.raises(InputError, match="no table of zero points at"):
        ZeroPoints.load(path)
    head = "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: band, datatype: string}\n"
    offset = "# - {name: offset, datatype: float64}\n"
    for text, sentence in {
        head + "band\nJ0500\n": "lacks the column offset",
        head + offset + "band offset\nJ0505 0.1\n": "'J0505', which is none of the 57",
        head + offset + "band offset\nJ0500 0.1\nJ0500 0.2\n": "two zero points of J0500",
        head + offset + "band offset\nJ0500 23.9\n": "23.9 mag for J0500",
        "band,offset\n": "not ECSV",
    }.items():
        path.write_text(text)
        with pytest.raises(InputError, match=sentence):
            ZeroPoints.load(path)


# What a whole catalogue says of how it should be taken.


def test_a_catalogue_that_is_well_is_not_suspected(galaxy):
    example = read_catalogue(data_path("examples", "simulated_galaxies.csv"))
    assert suspicions(example, galaxy, Choices()) == ()


def test_zero_points_that_are_off_are_suspected_until_they_are_corrected(shifted, galaxy):
    (found,) = suspicions(shifted, galaxy, Choices())
    assert found.kind == ZERO_POINTS
    assert "200 galaxies together are off by 0.03" in found.sentence
    assert suspicions(shifted, galaxy, Choices(), corrected=True) == ()


def test_another_unit_is_suspected(catalogue, galaxy):
    decision = dataclasses.replace(catalogue.decision, source="unit")
    factor = load_bands().pivot ** -2.0
    wrong = dataclasses.replace(
        catalogue,
        flux=catalogue.flux * factor,
        flux_err=catalogue.flux_err * factor,
        decision=decision,
        unit="fnu",
    )
    (found,) = suspicions(wrong, galaxy, Choices())
    assert (found.kind, found.value) == (UNIT, "flambda")
    chosen = dataclasses.replace(decision, source="you")
    after = suspicions(dataclasses.replace(wrong, decision=chosen), galaxy, Choices())
    assert UNIT not in [one.kind for one in after]


def test_photometry_at_rest_is_suspected_where_redshifts_are_given(catalogue):
    mocks = make_mocks(["bc03"], ebv_grid=[0.13], magnitudes=[18.0])
    mocks = mocks.rows(np.arange(len(mocks)) % (len(mocks) // 30) == 0)
    at_rest = dataclasses.replace(
        catalogue,
        flux=mocks.flux.astype(float),
        flux_err=mocks.flux_err.astype(float),
        redshift=np.full(len(mocks), 0.05),
        redshift_err=None,
    )
    ssp = load_model("ssp")
    (found,) = suspicions(at_rest, ssp, Choices())
    assert (found.kind, found.value) == (REST, "rest")
    assert f"of {len(mocks)} galaxies fit better at rest" in found.sentence
    assert suspicions(at_rest, ssp, Choices(redshift_as="rest")) == ()
    # A redshift that is merely wrong is not at rest.
    assert suspicions(catalogue, ssp, Choices(), corrected=True) == ()

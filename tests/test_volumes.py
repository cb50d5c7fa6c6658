"""Counts by 1/V_max: against distances of astropy, and of a universe whose density is known."""

import dataclasses

import holoviews as hv
import numpy as np
import pandas as pd
import pytest
from astropy.cosmology import FlatLambdaCDM
from scipy.optimize import brentq

from sspexplorer.analysis.catalogue import Answers
from sspexplorer.analysis.request import PredictionRequest
from sspexplorer.analysis.volumes import SKY, Survey, counts, largest_volumes
from sspexplorer.app import cache
from sspexplorer.app.apply.volumes import CountsView, why_not
from sspexplorer.bands import BAND_NAMES, load_bands
from sspexplorer.catalogue import read_catalogue
from sspexplorer.constants import MAGGY
from sspexplorer.errors import InputError
from sspexplorer.masses import Cosmology
from sspexplorer.models import POINT_MEANING, Predictions
from sspexplorer.networks.prediction import predict
from sspexplorer.plots.volumes import counts_picture, mass_function
from sspexplorer.posterior.taken import Choices

UNIVERSE = Cosmology(70.0, 0.3)
THEIRS = FlatLambdaCDM(70.0, 0.3)


def seen(magnitude: np.ndarray, slope: float = 0.0) -> np.ndarray:
    """Fluxes that go as λ to a power, of galaxies of these i magnitudes."""
    pivot = load_bands().pivot
    shape = (pivot / pivot[-1]) ** slope
    return MAGGY * 10 ** (-0.4 * np.asarray(magnitude)[:, None]) * shape


@pytest.mark.parametrize("slope", [0.0, -1.0, 2.0])
def test_the_largest_volume_is_where_a_known_spectrum_passes_the_limit(slope):
    z, survey = 0.12, Survey(limit=21.0, area=100.0, nearest=0.02, farthest=0.9)

    def left(there: float) -> float:
        step = (1 + there) / (1 + z)
        dimming = 5 * np.log10(THEIRS.luminosity_distance(there) / THEIRS.luminosity_distance(z))
        return 19.4 + dimming + 2.5 * (slope - 1) * np.log10(step) - 21.0

    end = brentq(left, z, 0.9)
    shell = THEIRS.comoving_volume([end, 0.02]).value
    (found,) = largest_volumes(seen([19.4], slope), np.array([z]), survey, UNIVERSE)
    assert found == pytest.approx((shell[0] - shell[1]) * 100 / SKY, rel=0.01)


def test_galaxies_that_the_survey_does_not_count_have_no_volume():
    survey = Survey(limit=21.0, nearest=0.02, farthest=0.5)
    flux = seen([19.0, 21.1, 19.0, 19.0, 15.0, 19.0])
    flux[5, -1] = np.nan
    z = np.array([0.1, 0.1, 0.6, 0.01, 0.4, 0.1])
    found = largest_volumes(flux, z, survey, UNIVERSE)
    assert np.isfinite(found).tolist() == [True, False, False, False, True, False]
    whole = np.diff(THEIRS.comoving_volume([0.02, 0.5]).value) / SKY
    assert found[4] == pytest.approx(whole[0], rel=1e-3)


def test_the_density_of_equal_galaxies_comes_back():
    rng = np.random.default_rng(1)
    survey = Survey(limit=19.0, area=2000.0, nearest=0.02, farthest=0.4)
    grid = np.linspace(0.02, 0.4, 500)
    volume = UNIVERSE.comoving_volume(grid) * survey.area / SKY
    n = 20_000
    z = np.interp(rng.uniform(volume[0], volume[-1], n), volume, grid)
    bright = np.where(np.arange(n) % 2, -21.5, -19.5)
    magnitude = bright + UNIVERSE.distance_modulus(z) - 2.5 * np.log10(1 + z)
    volumes = largest_volumes(seen(magnitude), z, survey, UNIVERSE)
    assert 0.1 < np.isfinite(volumes).mean() < 0.9
    found = counts(-bright / 10, volumes, step=0.1)
    expected = n / 2 / (volume[-1] - volume[0]) / 0.1
    assert len(found) == 2
    assert (np.abs(found["density"] - expected) < 4 * found["error"]).all()
    assert (found["error"] < 0.1 * expected).all()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"limit": 99}, "faintest i magnitude"),
        ({"area": 0}, "above 0 and up to 41,253"),
        ({"nearest": 0.5, "farthest": 0.4}, "from 0.5 to 0.4"),
    ],
)
def test_a_survey_that_cannot_be_is_refused(wrong, sentence):
    with pytest.raises(InputError, match=sentence):
        Survey(**wrong)


def test_the_published_mass_function_is_that_of_two_schechter_functions():
    # At the knee both have their amplitudes, over e, per ln M.
    assert mass_function(np.array([10.66])) == pytest.approx(np.log(10) / np.e * 4.75e-3)
    slope = np.diff(np.log10(mass_function(np.array([6.0, 6.1])))) / 0.1
    assert slope == pytest.approx(-0.47, abs=0.01)


def test_a_visitor_describes_the_survey_and_sees_the_galaxies_that_are_listed_counted():
    hv.extension("bokeh")
    table = pd.DataFrame(seen(np.linspace(18, 20, 9)), columns=list(BAND_NAMES))
    table = table.rename(columns=lambda name: f"{name} (erg/s/cm2/Hz)").assign(redshift=0.1)
    catalogue = read_catalogue(table.to_csv(index=False).encode(), "galaxies.csv")
    found = predict(cache.model("default"), catalogue.flux, catalogue.redshift)
    asked = PredictionRequest("default", "default", Choices())
    plain = Answers.of(catalogue, Predictions(found, POINT_MEANING), asked)
    assert "choose a model that tells masses" in why_not(plain)
    answers = dataclasses.replace(plain, predictions=found.assign(pred_log_mass=10.1))
    view = CountsView(answers, np.arange(9))
    assert view.table is None
    view.begin()
    assert view.table["n"].tolist() == [9]
    twice = view.table["density"][0]
    view.area = 2.0
    assert view.table["density"][0] == pytest.approx(twice / 2)
    view.follow(np.arange(4))
    assert view.table["n"].tolist() == [4]
    (points,) = [layer for layer in counts_picture(view.table) if isinstance(layer, hv.Scatter)]
    assert points["log_density"] == pytest.approx(np.log10(view.table["density"]))
    view.nearest = 1.0
    assert "Redshifts are counted from" in view.worker.trouble

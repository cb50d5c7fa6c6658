"""The map of SEDs: where SEDs are put, how far they are from what is known, and how to load it."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.manifold import trustworthiness

from sspexplorer.analysis.regions import inside
from sspexplorer.embedding import (
    Embedding,
    equal_magnitude,
    features,
    load_embedding,
    sparse_templates,
    training_templates,
)
from sspexplorer.errors import InputError
from sspexplorer.gaps import complete
from sspexplorer.libraries import LIBRARY_NAMES
from sspexplorer.mocks import MockSample, make_mocks
from sspexplorer.noise import NoiseModel
from sspexplorer.resources import data_path


@pytest.fixture(scope="module")
def embedding() -> Embedding:
    return load_embedding()


@pytest.fixture(scope="module")
def held_out() -> MockSample:
    """Mocks of SSPs that the map has not seen, and of noise that nothing has."""
    mocks = make_mocks(continuous_ebv=True, magnitudes=(16.0, 18.0, 20.0), seed=987).part("test")
    chosen = np.zeros(len(mocks), bool)
    chosen[np.random.default_rng(0).choice(len(mocks), 3000, replace=False)] = True
    return mocks.rows(chosen)


def test_places_do_not_depend_on_scale_or_company(embedding, held_out):
    flux = held_out.flux[:200].astype(float)
    placed = embedding.place(flux)
    assert placed.shape == (200, 2)
    assert np.isfinite(placed).all()
    scales = 10 ** np.random.default_rng(1).uniform(-29, 5, (200, 1))
    np.testing.assert_allclose(embedding.place(flux * scales), placed, atol=1e-4)
    np.testing.assert_allclose(embedding.place(flux[7:8]), placed[7:8], atol=1e-4)


def test_a_training_template_is_at_no_distance(embedding):
    templates = training_templates()
    rows = np.random.default_rng(2).choice(len(templates.flux), 300, replace=False)
    # To what single precision tells apart.
    assert embedding.distance(7e-28 * templates.flux[rows].astype(float)).max() < 1e-3
    assert set(templates.labels["library"]) == set(LIBRARY_NAMES)


def test_distance_is_that_of_the_nearest_of_all_templates(embedding, held_out):
    flux, templates = held_out.flux[:40].astype(float), training_templates()
    nearest = embedding.nearest(flux)
    for name in LIBRARY_NAMES:
        ratio = flux[:, None] / templates.flux[templates.rows(name)].astype(float)
        expected = (ratio.std(axis=2) / ratio.mean(axis=2)).min(axis=1)
        np.testing.assert_allclose(nearest.distances[name], expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(nearest.distance, nearest.distances.min(axis=1))
    best = nearest.index.to_numpy()[np.arange(40), nearest.distances.to_numpy().argmin(axis=1)]
    assert (templates.labels["library"].to_numpy()[best] == nearest.library).all()


def test_held_out_mocks_are_spread_evenly_over_the_reference(embedding, held_out):
    magnitude = held_out.labels["magnitude"].to_numpy()
    fraction = embedding.fraction_nearer(embedding.distance(held_out.flux), magnitude)
    for value in np.unique(magnitude):
        found = np.quantile(fraction[magnitude == value], [0.1, 0.5, 0.9])
        np.testing.assert_allclose(found, [0.1, 0.5, 0.9], atol=0.06)
    assert np.mean(fraction >= 0.99) < 0.03


def test_what_no_model_makes_is_further_than_mocks(embedding):
    flux = training_templates().flux[::2000].astype(float)
    flux[:, 20:40:3] *= 1.6  # a comb of emission lines
    fraction = embedding.fraction_nearer(embedding.distance(flux), 16.0)
    assert (fraction > 0.99).all()
    assert np.isfinite(embedding.place(flux)).all()  # though the plane has a place for it


def test_rows_that_cannot_be_used_have_no_place(embedding, held_out):
    flux = held_out.flux[:6].astype(float)
    whole = embedding.place(flux)
    flux[1] = np.nan
    flux[2, 15:] = np.nan
    flux[3] *= -1
    flux[4, 30] = np.nan
    placed, distance = embedding.place(flux), embedding.distance(flux)
    usable = np.array([True, False, False, False, True, True])
    np.testing.assert_array_equal(complete(flux, sparse_templates())[1], usable)
    np.testing.assert_array_equal(np.isfinite(placed).all(axis=1), usable)
    np.testing.assert_array_equal(np.isfinite(distance), usable)
    np.testing.assert_allclose(placed[[0, 5]], whole[[0, 5]], atol=1e-4)
    assert np.isnan(embedding.fraction_nearer(distance, 18.0)).tolist() == (~usable).tolist()


def test_the_card_says_how_faithful_the_map_is(embedding, held_out):
    faithful = embedding.card["faithfulness"]["i <= 18"]["trustworthiness"]
    bright = held_out.rows((held_out.labels["magnitude"] <= 18).to_numpy())
    found = trustworthiness(features(bright.flux), embedding.place(bright.flux), n_neighbors=15)
    assert found > faithful["network"] - 0.01
    # As faithful as UMAP itself.
    assert faithful["network"] > faithful["umap"] - 0.005


def test_a_magnitude_is_found_by_its_noise():
    noise = NoiseModel.default()
    error = np.array([noise.relative_error(m) for m in (14.0, 17.3, 19.0, 21.4, 25.0)])
    flux = np.full((5, 57), 3e-28)
    found = equal_magnitude(flux, flux * error)
    np.testing.assert_allclose(found, [16.0, 17.3, 19.0, 21.4, 22.0], atol=0.11)
    assert np.isnan(equal_magnitude(flux, np.full((5, 57), np.nan))).all()
    assert np.isnan(equal_magnitude(flux, np.zeros((5, 57)))).all()


points = arrays(float, (20, 2), elements=st.floats(-3, 3, width=16))


@given(points, st.tuples(*[st.floats(-2, 2)] * 4))
def test_inside_a_box_is_inside_its_outline(places, corners):
    x0, y0, x1, y1 = corners
    outline = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    low, high = outline.min(axis=0), outline.max(axis=0)
    found = inside(places, outline)
    assert found[((places > low) & (places < high)).all(axis=1)].all()
    assert not found[((places < low) | (places > high)).any(axis=1)].any()


def test_inside_of_a_concave_outline():
    arrow = np.array([(0, 0), (2, 1), (0, 2), (1, 1)])
    places = np.array([(1.5, 1), (0.5, 1), (0.5, 1.6), (3, 1), (np.nan, 1)])
    assert inside(places, arrow).tolist() == [True, False, True, False, False]
    assert inside(places, arrow[::-1]).tolist() == [True, False, True, False, False]


def test_1500_galaxies_are_placed_and_measured_at_once(embedding, held_out):
    flux = held_out.flux[:1500].astype(float)
    embedding.distance(flux[:1])  # makes the templates, once
    begun = time.perf_counter()
    embedding.place(flux)
    embedding.distance(flux)
    assert time.perf_counter() - begun < 5  # half a second on an idle machine


def test_it_is_small_and_holds_no_pickle():
    files = list(data_path("embedding").iterdir())
    assert {path.name for path in files} == {"card.json", "weights.safetensors"}
    assert sum(path.stat().st_size for path in files) < 3e6


def test_a_map_survives_saving(embedding, held_out, tmp_path: Path):
    embedding.save(tmp_path)
    again = Embedding.load(tmp_path)
    flux = held_out.flux[:50]
    np.testing.assert_array_equal(again.place(flux), embedding.place(flux))
    distance = embedding.distance(flux)
    np.testing.assert_array_equal(
        again.fraction_nearer(distance, 18.0), embedding.fraction_nearer(distance, 18.0)
    )


def test_what_is_no_map_is_refused_in_a_sentence(embedding, tmp_path: Path):
    with pytest.raises(InputError, match="is not a map"):
        Embedding.load(tmp_path)
    embedding.save(tmp_path)
    card, weights = tmp_path / "card.json", tmp_path / "weights.safetensors"
    whole, content = json.loads(card.read_text()), weights.read_bytes()
    weights.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="is not a map"):
        Embedding.load(tmp_path)
    weights.write_bytes(content)
    card.write_text(json.dumps(whole | {"bands": ["u", "g"]}))
    with pytest.raises(InputError, match="other bands"):
        Embedding.load(tmp_path)
    for broken in ("{", "[]", "{}"):
        card.write_text(broken)
        with pytest.raises(InputError, match="is not a map"):
            Embedding.load(tmp_path)

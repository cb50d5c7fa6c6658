"""The wheel over a figure scrolls the page, and no tool leads away from what is drawn."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from importlib import import_module
from numbers import Number
from pkgutil import iter_modules
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
import pytest
from bokeh.models import FactorRange, Plot

import sspexplorer.plots
from sspexplorer.analysis.by_magnitude import metrics_by_magnitude
from sspexplorer.analysis.galaxy import Galaxy
from sspexplorer.analysis.held_out import density_table
from sspexplorer.analysis.histories import SSPEquivalent
from sspexplorer.analysis.sed_map import RegionParameters, map_table
from sspexplorer.analysis.sky import Sky
from sspexplorer.analysis.volumes import counts
from sspexplorer.app.trust.error_bar_tables import of_all
from sspexplorer.catalogue import read_catalogue
from sspexplorer.catalogue.positions import Positions
from sspexplorer.galaxies.growth import TIMES, Growth
from sspexplorer.histories import PAPER_FAMILIES, evolve
from sspexplorer.histories.tables import history_table
from sspexplorer.libraries import load_library
from sspexplorer.mocks import PARAMETERS, make_mocks, observe
from sspexplorer.noise import NoiseModel
from sspexplorer.plots import catalogue as catalogue_plots
from sspexplorer.plots import (
    catalogue_compare,
    corner,
    coverage,
    degeneracies,
    density,
    embedding,
    fit_quality,
    growth,
    histories,
    left_out,
    magnitude,
    map_region,
    noise,
    one_library,
    published,
    residuals,
    samples,
    sed,
    sky,
    training,
    trust,
    volumes,
    zero_points,
)
from sspexplorer.plots import galaxy as galaxy_plots
from sspexplorer.plots.live import LivePicture
from sspexplorer.posterior.library_errors import left_out_table
from sspexplorer.posterior.one import ClosestMixture
from sspexplorer.posterior.validation.trust import load_trust
from sspexplorer.posterior.zero_points import BandOffsets
from sspexplorer.resources import data_path

PIPE = hv.streams.Pipe


@pytest.fixture(scope="module", autouse=True)
def bokeh():
    hv.extension("bokeh")


@pytest.fixture(autouse=True)
def hooks_work(caplog):
    """HoloViews only warns of a hook that raises."""
    yield
    assert "could not be applied" not in caplog.text


@cache
def known_mocks() -> pd.DataFrame:
    """Mocks of two libraries, and what a network might say of them."""
    mocks = make_mocks(["emiles", "popstar"], ebv_grid=[0.0, 0.3], magnitudes=[16.0, 20.0], seed=1)
    truth = mocks.labels[list(PARAMETERS)].to_numpy()
    error = np.random.default_rng(1).normal(0, [0.2, 0.2, 0.03], truth.shape)
    return density_table(mocks.labels, truth + error)


def seen(log_age: float = 9.5, number: int = 0) -> Any:
    return observe(load_library("emiles"), log_age, 0.0, magnitude=20.0, seed=number)


def follow() -> PIPE:
    members, times = PAPER_FAMILIES["second"], np.arange(1, 15) * 1e9
    evolutions = [evolve(load_library("bc03"), member.history, times) for member in members]
    answers = [np.tile([9.0, 0.0, 0.1], (len(times), 1)) for _ in members]
    return PIPE(data=histories.Histories.of(members, history_table(members, evolutions, answers)))


def galaxy(missing: int = 0) -> PIPE:
    real = read_catalogue(data_path("examples", "real_galaxies.csv"))
    filled = np.nan_to_num(real.flux[0], nan=1.0)
    gone = np.arange(len(filled)) < missing
    one = Galaxy(np.where(gone, np.nan, filled), real.flux_err[0], filled)
    return PIPE(data=one)


def mixed() -> PIPE:
    """A galaxy, and the mixture that is closest to it."""
    one = galaxy().data
    closest = ClosestMixture(one.filled, 0.9 * one.filled, 1.1 * one.filled, one.flux_err, 1.0)
    return PIPE(data=replace(one, mixture=closest))


def population(n: int, **options: Any) -> hv.DynamicMap:
    rng = np.random.default_rng(2)
    table = pd.DataFrame(rng.normal(size=(n, 3)), columns=["log_age", "metallicity", "ebv"])
    table = table.assign(row=np.arange(n), name="galaxy", reason="", reason_index=0, limit=False)
    chosen = PIPE(data=table[["log_age", "metallicity"]].iloc[:1])
    return catalogue_plots.population_picture(table, chosen, PIPE(data=None), (), **options)


def on_sky(n: int) -> hv.DynamicMap:
    rng = np.random.default_rng(2)
    ra, dec = rng.uniform(150, 152, n), rng.uniform(1, 3, n)
    seen = Sky.of(Positions(ra, dec, "ra, dec"))
    table = pd.DataFrame(rng.normal(size=(n, 3)), columns=["log_age", "metallicity", "ebv"])
    table = table.assign(row=np.arange(n), name="galaxy", reason="", reason_index=0, limit=False)
    table = table.assign(**sky.sky_columns(seen))
    chosen = PIPE(data=table[list(sky.AXES)].iloc[:1])
    return sky.sky_picture(table, seen, chosen, PIPE(data=None), ())


def compared(n: int) -> hv.Overlay:
    ours, theirs = np.random.default_rng(3).normal(9, 1, (2, n))
    colouring = catalogue_compare.Colouring("S/N", np.linspace(1, 2, n))
    names = pd.Series(["galaxy"] * n)
    table = catalogue_compare.comparison_table(theirs, ours, colouring, names)
    chosen = PIPE(data=table[["theirs", "ours"]].iloc[:1])
    tap = hv.streams.SingleTap()
    return catalogue_compare.comparison_picture(table, "log_age", "age", "S/N", tap, chosen)


def mapped() -> pd.DataFrame:
    mocks = make_mocks(["emiles"], ebv_grid=[0.0], magnitudes=[16.0])
    plane = np.random.default_rng(4).normal(size=(len(mocks), 2))
    return map_table(mocks.labels, plane)


def grown() -> Growth:
    share = np.linspace(1, 0, len(TIMES))
    return Growth(1e10 * TIMES, share / 2, share, np.minimum(1, 2 * share))


def drawn_posterior() -> corner.Corner:
    draws = np.random.default_rng(5).normal([9, 0, 0.3], 0.1, (500, 3))
    table = pd.DataFrame(draws, columns=list(PARAMETERS)).assign(weight=1.0)
    return corner.Corner({"one": table}, {"log_age": 9.0, "metallicity": 0.0, "ebv": 0.3})


def errors(reference: NoiseModel | None = None) -> noise.Errors:
    return noise.Errors(NoiseModel.default(), 20.0, reference)


def levels(*ages: float) -> list[tuple[int, Any]]:
    return [(rank, seen(age, rank)) for rank, age in enumerate(ages)]


# Every function that draws a figure, with what it may be given.
FIGURES: dict[Callable, Callable[[], Any]] = {
    galaxy_plots.galaxy_picture: lambda: galaxy_plots.galaxy_picture(galaxy()),
    galaxy_plots.pull_picture: lambda: galaxy_plots.pull_picture(mixed()),
    catalogue_plots.population_picture: lambda: population(50),
    catalogue_compare.comparison_picture: lambda: compared(50),
    corner.corner: lambda: corner.corner(drawn_posterior()),
    corner.corner_panels: lambda: corner.corner_panels(PIPE(data=drawn_posterior())),
    sky.sky_picture: lambda: on_sky(50),
    volumes.counts_picture: lambda: volumes.counts_picture(
        counts(np.array([9.1, 9.2, 10.4]), np.array([1e3, 1e3, 1e5]))
    ),
    coverage.coverage_picture: lambda: coverage.coverage_picture(
        coverage.Coverage(coverage.ssp_table([load_library("emiles")])), "emiles"
    ),
    degeneracies.degeneracy_picture: lambda: degeneracies.degeneracy_picture(
        degeneracies.Errors.of(degeneracies.error_table(known_mocks())), degeneracies.PAIRS[0]
    ),
    density.density_picture: lambda: density.density_picture(
        density.Compared(known_mocks()), "log_age"
    ),
    embedding.sed_map: lambda: embedding.sed_map(mapped()),
    fit_quality.fit_quality_pictures: lambda: fit_quality.fit_quality_pictures(
        np.ones(9), np.linspace(0, 1, 9)
    ),
    growth.growth_picture: lambda: growth.growth_picture(PIPE(data=grown())),
    growth.growth_coverage_picture: lambda: growth.growth_coverage_picture(
        of_all(load_trust("galaxy").growth)
    ),
    histories.evolution_picture: lambda: histories.evolution_picture(
        follow(), "log_age", histories.TimeMark(5.0)
    ),
    histories.rate_picture: lambda: histories.rate_picture(follow(), histories.TimeMark(5.0)),
    histories.likeness_picture: lambda: histories.likeness_picture(
        PIPE(data=SSPEquivalent(1, seen(), seen(9.4)))
    ),
    magnitude.metric_curves: lambda: magnitude.metric_curves(
        metrics_by_magnitude(known_mocks(), "default")
    ),
    map_region.region_seds: lambda: map_region.region_seds(
        map_region.RegionSEDs(np.ones((3, 57)) * [[0.9], [1.0], [1.1]], np.ones((1, 57)), ("one",))
    ),
    map_region.prediction_histogram: lambda: map_region.prediction_histogram(
        PIPE(data=RegionParameters(np.full((5, 3), 0.2), np.full((5, 3), 0.2))), "ebv"
    ),
    noise.error_picture: lambda: noise.error_picture(errors()),
    noise.noisy_picture: lambda: noise.noisy_picture(levels(9.5, 9.0)),
    one_library.crossed_picture: lambda: one_library.crossed_picture(
        one_library.Crossed(one_library.cross_table({"emiles": known_mocks()})), "ebv"
    ),
    residuals.residual_picture: lambda: residuals.residual_picture(
        residuals.Residuals.of(known_mocks()), "emiles", "log_age"
    ),
    samples.label_picture: lambda: samples.label_picture(
        samples.Split.draw(samples.label_table([load_library("emiles")])), "by_ssp", "ebv"
    ),
    sed.sed_picture: lambda: sed.sed_picture([seen(), seen(8.0)]),
    training.loss_curves: lambda: training.loss_curves(
        training.Losses([(0.2, 0.3, 0.1), (0.1, 0.2, 0.05)], [(0.2, 0.3, 0.1)] * 2, 2)
    ),
    trust.coverage_picture: lambda: trust.coverage_picture(
        load_trust("ssp").magnitudes, "coverage_68", 0.68, (0.64, 0.72)
    ),
    trust.rank_picture: lambda: trust.rank_picture(load_trust("ssp").ranks),
    trust.tarp_picture: lambda: trust.tarp_picture(load_trust("ssp").tarp),
    trust.redshift_picture: lambda: trust.redshift_picture(load_trust("ssp").redshifts, "ebv"),
    trust.distance_picture: lambda: trust.distance_picture(
        load_trust("galaxy").distances, "ebv", "coverage_68", 0.68, (0.63, 0.73)
    ),
    trust.photoz_picture: lambda: trust.photoz_picture(load_trust("ssp").photoz),
    zero_points.offset_picture: lambda: zero_points.offset_picture(
        PIPE(data=BandOffsets(*np.full((2, 57), 0.01), np.full(57, 9)))
    ),
    left_out.left_out_picture: lambda: left_out.left_out_picture(
        left_out_table(data_path("models", "galaxy")), "SSPs", "log_age"
    ),
    published.published_picture: lambda: published.published_picture(
        pd.DataFrame(
            {
                "name": ["one"],
                "pred_log_age": [9.0],
                "pred_log_age_err": [0.1],
                "pred_metallicity": [-0.5],
                "pred_metallicity_err": [0.1],
            }
        )
    ),
    trust.gap_picture: lambda: trust.gap_picture(load_trust("ssp").gaps, "log_age"),
    trust.exact_picture: lambda: trust.exact_picture(load_trust("ssp").exact, 1.1),
    trust.p_value_picture: lambda: trust.p_value_picture(load_trust("ssp").p_values),
}

# Parts of figures: no axes of their own.
PARTS = {
    "chosen_mark",
    "contour_cells",
    "galaxies_layer",
    "mean_cells",
    "relations",
    "rimmed_lines",
    "shaded_means",
}


def drawing_functions() -> Iterator[Callable]:
    """Public functions of `plots` that say they answer with something of HoloViews."""
    for module in iter_modules(sspexplorer.plots.__path__, "sspexplorer.plots."):
        for name, function in inspect.getmembers(import_module(module.name), inspect.isfunction):
            answer = str(inspect.signature(function).return_annotation)
            if function.__module__ == module.name and name[0] != "_" and "holoviews" in answer:
                yield function


def figures(drawn: Any) -> Iterator[Plot]:
    """Bokeh figures of what a function answers with."""
    if isinstance(drawn, dict):
        drawn = drawn.values()
    for picture in drawn if isinstance(drawn, (tuple, type({}.values()))) else [drawn]:
        found = hv.render(picture)
        yield from found.select({"type": Plot})


def test_no_figure_is_forgotten_here():
    assert {f for f in drawing_functions() if f.__name__ not in PARTS} == set(FIGURES)


@pytest.mark.parametrize("draw", FIGURES.values(), ids=[f.__name__ for f in FIGURES])
def test_the_wheel_is_the_pages_and_no_view_is_without_bounds(draw):
    for figure in figures(draw()):
        assert figure.toolbar.active_scroll is None
        assert "doubletap" in figure.js_event_callbacks
        for axis in (figure.x_range, figure.y_range):
            if isinstance(axis, FactorRange):
                assert axis.bounds == "auto"
                continue
            low, high = axis.bounds
            ends = sorted([axis.start, axis.end])
            assert low <= ends[0] < ends[1] <= high
            assert sorted([axis.reset_start, axis.reset_end]) == ends


@pytest.mark.parametrize("n", [50, catalogue_plots.MAX_POINTS + 1])
def test_a_shaded_picture_is_held_as_one_of_points_is(n):
    for figure in (*figures(population(n)), *figures(compared(n))):
        assert figure.toolbar.active_scroll is None
        assert None not in (figure.x_range.bounds, figure.y_range.bounds)


# Pictures of one thing, where several are told apart by colour.
ONES = {
    "one SED": lambda: sed.sed_picture([seen()]),
    "one SED that changes": lambda: LivePicture([seen()], sed.sed_picture).picture,
    "one band that is missing": lambda: galaxy_plots.galaxy_picture(galaxy(missing=1)),
    "one galaxy with its mixture": lambda: galaxy_plots.galaxy_picture(mixed()),
    "one flag": lambda: population(50, colour="flag"),
    "one magnitude": lambda: noise.noisy_picture(levels(9.5)),
    "one galaxy": lambda: map_region.region_seds(
        map_region.RegionSEDs(np.ones((3, 57)), np.ones((1, 57)), ("one",))
    ),
}


@pytest.mark.parametrize("draw", [*FIGURES.values(), *ONES.values()])
def test_what_is_alone_has_a_colour_too(draw):
    """HoloViews takes whole numbers that are all the same for a colour, and nothing is drawn."""
    for figure in figures(draw()):
        for renderer in figure.renderers:
            for name in ("fill_color", "line_color", "text_color"):
                colour = getattr(getattr(renderer, "glyph", None), name, None)
                assert not isinstance(colour, Number), renderer.glyph


def test_data_outside_the_first_view_can_be_zoomed_out_to():
    noisy = seen()
    noisy.flux[0] = 9.0
    (figure,) = figures(sed.sed_picture([noisy]))
    assert figure.y_range.end < 3
    assert figure.y_range.bounds[1] == 9.0


def test_a_zoom_stays_when_data_change_and_bounds_do_not_shrink_to_it():
    live = LivePicture(errors(), noise.error_picture)
    plot = hv.renderer("bokeh").get_plot(live.picture)
    axis = plot.state.x_range
    home = axis.bounds
    axis.update(start=5000.0, end=5100.0)
    live.show(noise.Errors(NoiseModel.default(), 21.0))
    assert axis.bounds == home
    assert (axis.reset_start, axis.reset_end) == home
    assert plot.state.toolbar.active_scroll is None


def test_a_new_scale_of_the_flux_axis_is_what_a_double_click_brings_back():
    live = LivePicture([seen(9.5)], sed.sed_picture)
    plot = hv.renderer("bokeh").get_plot(live.picture)
    axis = plot.state.y_range
    first = axis.end
    live.show([seen(6.5)])
    assert axis.end != first
    assert (axis.reset_start, axis.reset_end) == (axis.start, axis.end)
    assert axis.bounds[1] >= axis.end


@pytest.mark.parametrize(
    ("draw", "first", "then"),
    [
        (sed.sed_picture, [seen()], [seen(6.5), seen(10.0)]),
        (partial(sed.sed_picture, light=True), [seen(), seen(9)], [seen(10.0)]),
        (noise.error_picture, errors(), errors(reference=NoiseModel.default())),
        (noise.noisy_picture, levels(9.5, 9.0), levels(8.0)),
    ],
)
def test_a_live_picture_is_what_would_be_drawn_of_other_data(draw, first, then):
    live = LivePicture(first, draw)
    plots = [hv.renderer("bokeh").get_plot(live.picture) for _ in range(2)]
    live.show(then)
    expected = hv.renderer("bokeh").get_plot(draw(then))
    for plot in plots:
        for layer, part in expected.subplots.items():
            data, wanted = (one.handles["source"].data for one in (plot.subplots[layer], part))
            assert data.keys() == wanted.keys()
            for name, values in wanted.items():
                np.testing.assert_array_equal(data[name], values)
        ranges = [(p.state.y_range.start, p.state.y_range.end) for p in (plot, expected)]
        assert ranges[0] == ranges[1]
    assert live.data is then
    again = hv.renderer("bokeh").get_plot(live.picture)
    assert len(again.subplots["Points", "I"].handles["source"].data["wavelength"]) == len(
        expected.subplots["Points", "I"].handles["source"].data["wavelength"]
    )


def test_numbers_along_an_axis_are_left_out_where_they_touch():
    policies = {
        name: {type(axis.major_label_policy).__name__ for axis in figure.below}
        for name, draw in (
            ("sed", FIGURES[sed.sed_picture]),
            ("growth", FIGURES[growth.growth_picture]),
        )
        for figure in figures(draw())
    }
    # Bokeh would leave out all but the first of an axis that goes to the left.
    assert policies == {"sed": {"NoOverlap"}, "growth": {"AllLabels"}}

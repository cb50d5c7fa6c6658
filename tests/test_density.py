import asyncio

import holoviews as hv
import numpy as np
import pandas as pd
import pytest
from bokeh.events import RangesUpdate
from bokeh.models import Slope, Span
from hypothesis import given
from hypothesis import strategies as st
from onlooker import Onlooker, card_with

from sspexplorer.analysis.held_out import (
    HALF_WIDTH,
    density_table,
    medians_table,
    range_limits,
    shown_truth,
)
from sspexplorer.analysis.scores import (
    Panel,
    Scores,
    Selection,
    chosen_magnitudes,
    panel_magnitudes,
)
from sspexplorer.app import cache
from sspexplorer.app.trust import density as page_module
from sspexplorer.app.trust.density import PredictedVsTrue
from sspexplorer.app.trust.density_words import PUBLISHED_ROW, corner_text, score_table
from sspexplorer.errors import InputError
from sspexplorer.libraries import LIBRARY_NAMES
from sspexplorer.metrics import evaluate
from sspexplorer.mocks import EBV_GRID, MAGNITUDES, PARAMETERS
from sspexplorer.noise import NoiseModel
from sspexplorer.plots.density import LIMITS, Compared, density_picture, limits_of
from sspexplorer.plots.view import View


@pytest.fixture(scope="module", autouse=True)
def bokeh():
    hv.extension("bokeh")


@pytest.fixture(scope="module")
def labels() -> pd.DataFrame:
    """A sample on the grids of the real one: SSPs of three libraries × E(B−V) × magnitude."""
    ssps = []
    for k, library in enumerate(LIBRARY_NAMES):
        for log_age in np.linspace(6.5 + k / 2, 10.1, 6 + k):
            for metallicity in (-1.7 - k / 100, -0.4, 0.0):
                ssps.append((library, f"{library} {log_age} {metallicity}", log_age, metallicity))
    frame = pd.DataFrame(ssps, columns=["library", "ssp", "log_age", "metallicity"])
    frame = frame.merge(pd.Series(EBV_GRID, name="ebv"), how="cross")
    return frame.merge(pd.Series(MAGNITUDES, name="magnitude"), how="cross")


@pytest.fixture(scope="module")
def predicted(labels) -> np.ndarray:
    rng = np.random.default_rng(3)
    return labels[list(PARAMETERS)].to_numpy() + rng.normal(
        0.02, [0.2, 0.3, 0.03], (len(labels), 3)
    )


@pytest.fixture(scope="module")
def table(labels, predicted) -> pd.DataFrame:
    return density_table(labels, predicted)


@pytest.fixture
def page(table, monkeypatch) -> PredictedVsTrue:
    monkeypatch.setattr(page_module.cache, "held_out_table", lambda model, split: table)
    monkeypatch.setattr(cache, "model_card", lambda name: {})
    return PredictedVsTrue()


def counts(picture: hv.DynamicMap) -> np.ndarray:
    """Mocks in each cell of a density."""
    return picture[()].get(0).dimension_values(2)


def pictures(page: PredictedVsTrue) -> list[hv.DynamicMap]:
    """Panels in sight."""
    return Onlooker(page).pictures


def all_mocks(libraries: tuple[str, ...] = LIBRARY_NAMES) -> Selection:
    """Every mock of some libraries, a panel for each parameter."""
    panels = tuple(Panel(name, MAGNITUDES) for name in PARAMETERS)
    return Selection("default", "ssp", libraries, panels, residual=False)


@given(
    st.lists(st.floats(-3, 3), min_size=1, max_size=40),
    st.lists(st.sampled_from("ab"), min_size=40, max_size=40),
)
def test_mocks_are_drawn_beside_their_truth_but_never_beside_that_of_others(values, libraries):
    true = pd.Series(values, dtype=float)
    library = pd.Series(libraries[: len(values)])
    shown = shown_truth(true, library, 0.1)
    assert (np.abs(shown - true) <= 0.1 + 1e-12).all()
    for name in library.unique():
        rows = (library == name).to_numpy()
        grid = np.unique(true[rows])
        if len(grid) > 1:
            nearest = np.abs(shown[rows][:, None] - grid).argmin(axis=1)
            assert grid[nearest] == pytest.approx(true[rows].to_numpy(), abs=1e-9)
    assert (shown == shown_truth(true, library, 0.1)).all()


def test_the_table_keeps_truth_and_prediction_as_they_are(labels, predicted, table):
    for k, name in enumerate(PARAMETERS):
        assert (table[name] == labels[name]).all()
        assert (table[f"pred_{name}"] == predicted[:, k]).all()
        moved = np.abs(table[f"shown_{name}"] - table[name])
        assert 0.5 * HALF_WIDTH[name] < moved.max() <= HALF_WIDTH[name]


def test_medians_of_residuals_are_those_of_predictions_less_the_truth(table):
    for residual in (False, True):
        medians = medians_table(table, "ebv", residual=residual)
        assert list(medians["centre"]) == list(EBV_GRID)
        expected = 0.02 + (0 if residual else 1) * np.array(EBV_GRID)
        assert medians["p50"].to_numpy() == pytest.approx(expected, abs=0.01)
        assert (medians["p75"] - medians["p25"]).to_numpy() == pytest.approx(1.349 * 0.03, rel=0.2)


def test_nearly_equal_metallicities_of_two_libraries_share_a_median(table):
    assert len(table["metallicity"].unique()) == 5
    medians = medians_table(table, "metallicity")
    assert list(medians["centre"].round(3)) == [-1.71, -0.4, 0.0]
    assert medians["n"].sum() == len(table)


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_picture_contains_every_mock_within_its_axes(table, name):
    drawn = counts(density_picture(Compared(table), name))
    low, high = LIMITS[name]
    assert drawn.sum() == table[f"pred_{name}"].between(low, high).sum()


def test_zooming_shades_again(table):
    pipe = hv.streams.Pipe(data=Compared(table))
    picture = density_picture(pipe, "log_age")
    plot = hv.renderer("bokeh").get_plot(picture)
    streams = [s for p in plot.traverse() for s in getattr(p, "source_streams", [])]
    zoom = next(s for s in streams if isinstance(s, hv.streams.RangeXY))
    zoom.event(x_range=(8.0, 9.0), y_range=(8.0, 9.0))
    cells = picture[()].get(0)
    assert cells.bounds.lbrt() == pytest.approx((8, 8, 9, 9))
    inside = table["shown_log_age"].between(8, 9) & table["pred_log_age"].between(8, 9)
    assert counts(picture).sum() == inside.sum()


def test_both_axes_are_equal_and_lines_show_agreement_and_outliers(table):
    medians = {name: medians_table(table, name) for name in PARAMETERS}
    for name in PARAMETERS:
        figure = hv.render(density_picture(Compared(table, medians), name))
        x, y = figure.x_range, figure.y_range
        assert (x.start, x.end) == (y.start, y.end) == LIMITS[name]
        lines = {(line.gradient, line.y_intercept) for line in figure.select(Slope)}
        assert lines == {(1, 0), (1, 0.25), (1, -0.25)}
        assert "[" in figure.xaxis.axis_label
        assert "[" in figure.yaxis.axis_label


@pytest.mark.filterwarnings("error")
def test_colours_run_from_one_mock_to_the_fullest_cell_wherever_one_looks(table):
    pipe = hv.streams.Pipe(data=Compared(table.iloc[:0]))
    picture = density_picture(pipe, "ebv")
    figure = hv.renderer("bokeh").get_plot(picture).state
    colours = next(r.glyph.color_mapper for r in figure.renderers if hasattr(r.glyph, "dw"))
    assert (colours.low, colours.high) == (1, 2)
    pipe.send(Compared(table))
    assert (colours.low, colours.high) == (1, counts(picture).max())
    pipe.send(Compared(table.iloc[:1]))
    assert (colours.low, colours.high) == (1, 2)


@pytest.mark.parametrize(
    ("choice", "magnitude", "expected", "words"),
    [
        ("all", 20.2, MAGNITUDES, "13 magnitudes"),
        ("at", 20.0, (20.0,), "at i = 20.0."),
        ("at", 20.3, (20.5,), "the bin nearest to 20.3"),
        ("at", 16.1, (16.0,), "the bin nearest to 16.1"),
        ("brighter", 17.0, (16.0, 16.5), "i < 17.0: 16.0 to 16.5"),
        ("brighter", 17.2, (16.0, 16.5, 17.0), "i < 17.2: 16.0 to 17.0"),
        ("brighter", 16.3, (16.0,), "only those at 16.0"),
        ("brighter", 16.0, (), "No mocks"),
    ],
)
def test_choice_of_magnitudes(choice, magnitude, expected, words):
    magnitudes, sentence = chosen_magnitudes(choice, magnitude, MAGNITUDES)
    assert magnitudes == expected
    assert words in sentence


def test_the_panels_of_one_parameter_are_those_of_the_paper_and_one_more():
    single = [magnitudes[0] for magnitudes in panel_magnitudes(21.3, MAGNITUDES)[1:]]
    assert single == [16, 18, 20, 21.5]
    # What is there already makes room for the faintest.
    assert panel_magnitudes(18.1, MAGNITUDES)[1:] == [(16.0,), (18.0,), (20.0,), (22.0,)]
    assert panel_magnitudes(20.0, (17.0,)) == [(17.0,), (17.0,)]


def test_metrics_are_those_of_the_command_line(labels, predicted, table):
    expected = evaluate(predicted, labels)
    selection = all_mocks()
    scores = selection.measure(selection.rows(table))
    for name, found in zip(PARAMETERS, scores, strict=True):
        assert found.overall == expected["overall"][name]
        assert found.by_library == {k: v[name] for k, v in expected["by_library"].items()}
        assert found.n_ssp == labels["ssp"].nunique()
    other = [expected["by_magnitude"]["18.0"][name] for name in PARAMETERS]
    frame = score_table(selection, scores, {"paper": other, "mine": None})
    assert list(frame.index).count(PUBLISHED_ROW) == 3
    assert frame.loc["BC03", "n"].tolist() == [int((labels["library"] == "bc03").sum())] * 3
    assert frame.loc["Paper's recipe", "n"].tolist() == [other[0]["n"]] * 3
    assert frame.loc["mine"].isna().all(axis=None)


def test_ranges_of_the_age_share_its_mocks(table):
    found = Scores.of(table, "log_age", residual=False)
    assert sum(part["n"] for part in found.by_range) == found.overall["n"]
    young = table[table["log_age"] < 7.5]
    delta = young["pred_log_age"] - young["log_age"]
    assert found.by_range[0]["bias"] == pytest.approx(delta.median())
    assert range_limits("ebv") == []
    words = found.range_texts()
    assert len(words) == 3
    assert words[0] == f"μ {delta.median():+.2f}\nσ {found.by_range[0]['sigma_nmad']:.2f}"


def test_the_corner_tells_the_typical_signal_to_noise_ratio(table):
    noise = NoiseModel.default()
    snr = f"{float(noise.typical_snr(np.float64(18.0))):.0f}"
    panel = Panel("ebv", (18.0,))
    assert corner_text(panel, noise, None) == f"i = 18.0, S/N {snr}"
    found = Scores.of(table, "ebv", residual=False)
    assert corner_text(panel, noise, found).endswith("σ 0.03 mag")


def test_words_and_ranges_are_written_into_the_picture(table):
    words = {"corner": {"log_age": "corner"}, "ranges": {"log_age": ["a", "b", "c"]}}
    figure = hv.render(density_picture(Compared(table, **words), "log_age"))
    assert {span.location for span in figure.select(Span)} == {7.5, 9.5}
    texts = [label.text for label in figure.center if hasattr(label, "text")]
    assert texts == ["corner", "a", "b", "c"]


def test_pictures_with_a_common_view_zoom_together(table):
    told: list = []
    view = View(*limits_of("ebv"), on_zoom=told.append)
    one, other = (density_picture(Compared(table), "ebv", view=view) for _ in range(2))
    figures = [hv.renderer("bokeh").get_plot(picture).state for picture in (one, other)]

    async def zoom() -> None:
        figures[0]._trigger_event(RangesUpdate(figures[0], x0=0.1, x1=0.3, y0=0.0, y1=0.5))

    asyncio.run(zoom())
    assert other[()].get(0).bounds.lbrt() == pytest.approx((0.1, 0.0, 0.3, 0.5))
    x_range = figures[1].x_range
    assert (x_range.start, x_range.end) == (0.1, 0.3)
    assert told == [((0.1, 0.3), (0.0, 0.5))]


def test_a_bias_of_nothing_has_no_minus(table):
    rows = table.iloc[:50].copy()
    rows["pred_ebv"] = rows["ebv"] - 1e-5
    selection = all_mocks()
    frame = score_table(selection, selection.measure([rows] * 3), {})
    assert f"{frame.loc['E(B−V) [mag]', 'Bias μ']:+.3f}" == "+0.000"


def test_a_sample_of_one_library_is_not_told_twice(table):
    selection = all_mocks(("bc03",))
    frame = score_table(selection, selection.measure(selection.rows(table)), {})
    ranges = ["younger than 7.5", "7.5 to 9.5", "older than 9.5"]
    assert list(frame.index[:6]) == ["log age [dex]", *ranges, PUBLISHED_ROW, "[M/H] [dex]"]


def test_the_page_opens_with_every_mock(page, table):
    assert [len(rows) for rows in page.rows] == [len(table)] * 3
    for picture, name in zip(pictures(page), PARAMETERS, strict=True):
        low, high = LIMITS[name]
        assert counts(picture).sum() == table[f"pred_{name}"].between(low, high).sum()
    seen = Onlooker(page)
    assert f"{len(table):,} mocks" in seen.words
    assert "As published" in seen.words
    assert set(page.others) == {"paper"}
    assert seen.words.count("Paper's recipe") >= 3


def test_choices_select_mocks(page, labels):
    page.magnitudes = "at"
    page.state.magnitude = 18.2
    assert len(page.rows[0]) == (labels["magnitude"] == 18).sum()
    assert "nearest to 18.2" in Onlooker(page).words
    page.magnitudes = "brighter"
    assert len(page.rows[0]) == (labels["magnitude"] < 18.2).sum()
    page.state.libraries = ["emiles", "popstar"]
    chosen = labels["library"].isin(["emiles", "popstar"]) & (labels["magnitude"] < 18.2)
    assert len(page.rows[0]) == chosen.sum()
    assert set(page.scores[0].by_library) == {"emiles", "popstar"}
    assert counts(pictures(page)[2]).sum() == len(page.rows[2])


def test_the_magnitude_of_the_sidebar_does_not_matter_for_all_magnitudes(page):
    scores = page.scores
    page.state.magnitude = 17.0
    assert page.scores is scores


def test_residuals_are_drawn_in_the_place_of_predictions(page):
    page.quantity = "residual"
    assert len(pictures(page)) == 3
    points = pictures(page)[1][()].get(0)
    assert points.bounds.lbrt()[1::2] == (-1.6, 1.6)
    page.quantity = "predicted"
    assert pictures(page)[1][()].get(0).bounds.lbrt()[1::2] == LIMITS["metallicity"]


def test_one_parameter_at_several_magnitudes(page, labels):
    page.state.magnitude = 21.0
    page.layout, page.parameter = "magnitudes", "ebv"
    drawn = [rows["magnitude"].unique().tolist() for rows in page.rows]
    assert drawn == [list(MAGNITUDES), [16.0], [18.0], [20.0], [21.0]]
    assert len(pictures(page)) == 5
    seen = Onlooker(page)
    assert not seen.sees("Magnitudes")
    assert seen.sees("Parameter")
    assert "i = 21.0" in seen.words
    assert "E(B−V) is" in seen.words
    page.layout = "parameters"
    assert len(pictures(page)) == 3
    assert seen.sees("Magnitudes")


def test_medians_can_be_left_out(page):
    n_marks = [len(picture[()].Points.I) for picture in pictures(page)]
    assert n_marks == [len(found.medians) for found in page.scores]
    assert n_marks[1:] == [3, 8]
    seen = Onlooker(page)
    assert "Circles are medians" in seen.words
    page.medians = False
    assert "Circles" not in seen.words
    assert [len(picture[()].Points.I) for picture in pictures(page)] == [0, 0, 0]


def test_an_empty_selection_says_so(page):
    page.magnitudes = "brighter"
    page.state.magnitude = 16.0
    seen = Onlooker(page)
    assert "Move the magnitude" in seen.words
    assert seen.pictures == []
    assert "As published" not in seen.words
    page.magnitudes = "all"
    assert len(seen.pictures) == 3
    assert "As published" in seen.words
    assert "Move the magnitude" not in seen.words


def test_a_model_that_saw_every_ssp_is_tested_under_other_noise(page, monkeypatch):
    monkeypatch.setattr(cache, "model_card", lambda name: card_with({"split": "random"}))
    page.state.libraries = ["bc03"]
    assert page.selection.split == "random"
    assert (page.tested_on.select.value, page.tested_on.select.disabled) == ("random", True)
    assert "has seen every SSP" in page.tested_on.note.object
    assert "other noise" in Onlooker(page).words
    # Another network brings back what was chosen before.
    monkeypatch.setattr(cache, "model_card", lambda name: card_with({"split": "ssp"}))
    page.state.libraries = ["popstar"]
    assert (page.selection.split, page.tested_on.select.disabled) == ("ssp", False)
    page.tested_on.select.value = "random"
    assert page.selection.split == page.split == "random"


def test_what_is_wrong_is_said(page, monkeypatch):
    def fail(model: str, split: str) -> pd.DataFrame:
        raise InputError("There is no model here.")

    monkeypatch.setattr(page_module.cache, "held_out_table", fail)
    page.split = "random"
    assert "no model here" in Onlooker(page).words
    assert pictures(page) == []


def test_many_mocks_are_drawn_before_they_are_measured(page, monkeypatch):
    monkeypatch.setattr(page_module, "_MANY", 100)
    seen = []
    send = page._send
    monkeypatch.setattr(page, "_send", lambda *events: (seen.append(page.scores), send(*events)))
    page.magnitudes = "at"
    assert seen == [[], page.scores]
    assert page.scores[2].overall["n"] == len(page.rows[2])

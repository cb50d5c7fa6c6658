import re

import holoviews as hv
import numpy as np
import pandas as pd
import pytest
from bokeh.models import LinearAxis
from onlooker import Onlooker, card_with

from sspexplorer.analysis.by_magnitude import metrics_by_magnitude, metrics_of_card
from sspexplorer.analysis.full_size import FullSize, full_size
from sspexplorer.analysis.held_out import density_table
from sspexplorer.app import cache
from sspexplorer.app.trust.magnitude import FULL_SIZE, PUBLISHED, SEDFIT, AgainstMagnitude
from sspexplorer.app.trust.magnitude_numbers import reached_words
from sspexplorer.errors import InputError
from sspexplorer.metrics import evaluate
from sspexplorer.mocks import PARAMETERS
from sspexplorer.noise import NoiseModel
from sspexplorer.plots.magnitude import (
    PUBLISHED_CIGALE,
    PUBLISHED_NETWORKS,
    Curves,
    Look,
    legend_html,
    metric_curves,
)
from sspexplorer.plots.style import PARAMETER_COLOURS

N_SSP, PER_SSP = 200, 10
SIGMA = {"log_age": 0.2, "metallicity": 0.4, "ebv": 0.05}


@pytest.fixture(scope="module", autouse=True)
def bokeh():
    hv.extension("bokeh")


@pytest.fixture(scope="module")
def labels() -> pd.DataFrame:
    """SSPs of three libraries at three magnitudes."""
    rng = np.random.default_rng(5)
    ssp = np.repeat(np.arange(N_SSP), PER_SSP)
    one = pd.DataFrame(
        {
            "ssp": [f"SSP {k}" for k in ssp],
            "library": np.take(["emiles", "bc03", "popstar"], ssp % 3),
            "log_age": rng.uniform(7, 10, N_SSP)[ssp],
            "metallicity": rng.uniform(-2, 0.4, N_SSP)[ssp],
            "ebv": rng.uniform(0, 0.8, len(ssp)),
        }
    )
    return pd.concat([one.assign(magnitude=m) for m in (16.0, 17.0, 20.0)], ignore_index=True)


def predictions(labels: pd.DataFrame, *, shared_error: float = 0.0) -> np.ndarray:
    """Truth and Gaussian noise, of which a part is the same for all mocks of an SSP."""
    rng = np.random.default_rng(6)
    number = labels["ssp"].str.slice(4).astype(int).to_numpy()
    true = labels[list(PARAMETERS)].to_numpy()
    own = rng.normal(0, np.sqrt(1 - shared_error**2), true.shape)
    common = rng.normal(0, shared_error, (N_SSP, 3))[number]
    return true + (own + common) * list(SIGMA.values())


@pytest.fixture(scope="module")
def table(labels) -> pd.DataFrame:
    return density_table(labels, predictions(labels))


@pytest.fixture(scope="module")
def metrics(table) -> pd.DataFrame:
    return metrics_by_magnitude(table, "mine")


def test_metrics_are_those_of_the_command_line_and_of_cards(labels, metrics):
    found = evaluate(predictions(labels), labels)
    card = metrics_of_card({"metrics": {"ssp": found}}, "ssp", "mine")
    assert len(card) == 9
    pd.testing.assert_frame_equal(metrics[card.columns], card)
    assert metrics_of_card({}, "ssp", "mine").empty


def test_errors_of_independent_mocks_are_those_of_theory(table):
    metrics = metrics_by_magnitude(table, "mine", n_draws=1000)
    n = N_SSP * PER_SSP
    per_root_n = metrics["parameter"].map(SIGMA) / n**0.5
    # Of a Gaussian: the median's error is sqrt(π/2) σ/√n, that of σ_NMAD 1.166 σ/√n.
    assert (metrics["bias_err"] / per_root_n).mean() == pytest.approx(1.2533, rel=0.15)
    assert (metrics["sigma_nmad_err"] / per_root_n).mean() == pytest.approx(1.166, rel=0.15)
    share = metrics["outlier_fraction"]
    expected = np.sqrt(share * (1 - share) / n)
    assert metrics["outlier_fraction_err"].mean() == pytest.approx(expected.mean(), rel=0.1)


def test_errors_grow_when_mocks_of_an_ssp_fail_together(labels):
    together = density_table(labels, predictions(labels, shared_error=0.8))
    found = metrics_by_magnitude(together, "mine").set_index("parameter").loc["log_age"]
    # Variance of a mean: (1 − ρ)/n + ρ/n_ssp, with ρ = 0.64.
    expected = 1.2533 * SIGMA["log_age"] * np.sqrt(0.36 / (N_SSP * PER_SSP) + 0.64 / N_SSP)
    assert found["bias_err"].mean() == pytest.approx(expected, rel=0.3)


def test_metrics_without_any_mock_are_an_empty_table(table):
    empty = metrics_by_magnitude(table.iloc[:0], "mine")
    assert empty.empty
    assert {"run", "sigma_nmad", "n"} <= set(empty.columns)


def marks(figure: hv.DynamicMap) -> pd.DataFrame:
    return figure[()].Points.I.dframe()


def lines(figure: hv.DynamicMap) -> pd.DataFrame:
    return figure[()].Segments.I.dframe()


def test_figures_hold_every_number_and_those_of_the_paper(metrics):
    other = metrics.assign(run="other")
    figures = metric_curves(pd.concat([metrics, other]))
    points = marks(figures["sigma_nmad"])
    ours = points[points["run"] == "mine"].sort_values(["name", "magnitude"])
    assert len(ours) == len(metrics)
    assert sorted(ours["value"]) == pytest.approx(sorted(metrics["sigma_nmad"]))
    cigale = points[points["run"] == PUBLISHED_CIGALE]
    assert sorted(cigale["value"]) == [0.06, 0.30, 0.40]
    age = points[(points["run"] == PUBLISHED_NETWORKS) & (points["name"] == "log age")]
    assert sorted(zip(age["magnitude"], age["value"], strict=True)) == [
        (17, 0.13),
        (17, 0.23),
        (21, 0.46),
    ]
    outliers = marks(figures["outlier_fraction"])
    assert sorted(outliers.loc[outliers["run"] == PUBLISHED_NETWORKS, "value"]) == [1, 17, 24]
    drawn = lines(figures["bias"])
    assert (drawn["from"] == drawn["to"]).sum() == 2 * len(metrics)
    joined = drawn[drawn["from"] != drawn["to"]]
    assert joined["dash"].value_counts().to_dict() == {"solid": 2 * 3, "dashed": 2 * 3}
    assert set(joined["colour"]) == set(PARAMETER_COLOURS.values())


def test_runs_may_have_colours_of_their_own(metrics):
    card = metrics.drop(columns=[name for name in metrics if name.endswith("_err")])
    looks = {"mine": Look("dotted", "#123456")}
    figure = metric_curves(card, parameters=["ebv"], published=False, looks=looks)["pearson"]
    dots = marks(figure)
    assert set(lines(figure)["dash"]) == {"dotted"}
    assert set(dots["colour"]) == {"#123456"}
    assert list(dots["place"]) == [16, 17, 20]
    assert "123456" in legend_html(Curves(card, ("ebv",), looks, published=False))


def test_the_axis_along_the_top_is_the_signal_to_noise_ratio(metrics):
    figure = hv.render(metric_curves(metrics)["bias"])
    top = next(axis for axis in figure.above if isinstance(axis, LinearAxis))
    assert "S/N" in top.axis_label
    expected = float(NoiseModel.default().typical_snr(np.float64(18)))
    assert top.major_label_overrides[18.0] == f"{expected:.0f}"
    assert figure.y_range.start == -figure.y_range.end


@pytest.fixture
def page(table, monkeypatch) -> AgainstMagnitude:
    def networks(name: str, split: str, libraries: tuple[str, ...]) -> pd.DataFrame:
        if split == "broken":
            raise InputError("There is no such split.")
        rows = table[table["library"].isin(libraries)]
        return metrics_by_magnitude(rows, name, n_draws=5)

    def fits(name: str, split: str, libraries: tuple[str, ...]) -> pd.DataFrame:
        rows = table[table["library"].isin(libraries)].iloc[::10]
        return metrics_by_magnitude(rows, SEDFIT, n_draws=5)

    monkeypatch.setattr(cache, "magnitude_metrics", networks)
    monkeypatch.setattr(cache, "sedfit_metrics", fits)
    return AgainstMagnitude()


def axes(seen: Onlooker) -> list[str]:
    """What is drawn upwards in each picture."""
    return [hv.render(picture).yaxis[0].axis_label for picture in seen.pictures]


def runs_drawn(seen: Onlooker) -> set[str]:
    """Whose points the first picture holds."""
    return set(marks(seen.pictures[0])["run"])


def parameters_of_tables(seen: Onlooker) -> list[str]:
    """Parameters that have a table of numbers, in order."""
    names = ("log age", "[M/H]", "E(B−V)")
    return [name for name in names if re.search(rf"{re.escape(name)} \[\w+\]", seen.words)]


def test_the_page_compares_both_recipes_and_the_fit(page):
    assert list(page.table["run"].unique()) == ["default", "paper", SEDFIT, FULL_SIZE]
    seen = Onlooker(page)
    for words in ("Default, n = 2,000", "Paper's recipe", "SED fit, n = 200"):
        assert words in seen.words
    assert parameters_of_tables(seen) == ["log age", "[M/H]", "E(B−V)"]
    assert "At i = 20 the SED fit" in seen.words
    csv = seen.saved("Download as CSV")
    # Three runs at three magnitudes, and the paper's size at 13.
    assert len(csv) == 3 * (3 * 3 + 13)
    assert csv["sigma_nmad"].to_numpy() == pytest.approx(page.table["sigma_nmad"].to_numpy())


def test_choices_change_what_is_drawn(page):
    seen = Onlooker(page)
    others, chips = seen.control("Compare with"), seen.control("Parameters")
    assert PUBLISHED_NETWORKS in runs_drawn(seen)
    others.value = []
    assert list(page.table["run"].unique()) == ["default"]
    assert runs_drawn(seen) == {"Default"}
    page.others = [SEDFIT, PUBLISHED]
    assert others.value == [SEDFIT, PUBLISHED]
    chips.value = ["ebv"]
    assert parameters_of_tables(seen) == ["E(B−V)"]
    chips.value = []
    assert chips.value == page.parameters == ["ebv"]
    assert axes(seen)[-1] == "Pearson coefficient"
    page.correlation = "r2"
    assert "R²" in axes(seen)[-1]
    assert len(axes(seen)) == 4


def test_the_papers_size_stands_beside_what_is_published(page, tmp_path):
    trained = full_size()
    seen = Onlooker(page)
    assert "Paper's size, stand-ins" in seen.words
    assert f"learnt from {trained.n_train:,} mocks" in seen.words
    assert "published are 0.23, 0.29, 0.04" in seen.words
    drawn = marks(seen.pictures[1])
    ours = drawn[(drawn["run"] == "Paper's size, stand-ins") & (drawn["name"] == "log age")]
    assert ours.loc[ours["magnitude"] == 17, "value"].item() == trained.scatter("log_age", 17)
    page.others = [PUBLISHED]
    assert FULL_SIZE not in set(page.table["run"])
    assert full_size(path=tmp_path / "none.json") is None


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (0.2349, "It reaches all three over all magnitudes, and all three at i = 17."),
        (0.24, "It reaches all but log age over all magnitudes, and all three at i = 17."),
    ],
)
def test_what_is_reached_is_said_in_the_digits_that_are_published(age, words):
    scatter = {"log_age": age, "metallicity": 0.1, "ebv": 0.04}
    overall = {name: {"sigma_nmad": value} for name, value in scatter.items()}
    table = pd.DataFrame({"parameter": list(scatter), "magnitude": 17.0, "sigma_nmad": 0.01})
    assert reached_words(FullSize("paper-fast", 2, 1, 14, overall, table)) == words


def test_the_chosen_model_is_not_offered_for_comparison_with_itself(page):
    others = Onlooker(page).control("Compare with")
    assert "default" not in others.options.values()
    page.state.model = "paper"
    assert list(page.table["run"].unique()) == ["paper", "default", SEDFIT, FULL_SIZE]
    assert "paper" not in others.options.values()
    assert "default" in others.value


def test_only_libraries_that_the_model_knows_are_compared(page, monkeypatch):
    card = card_with({"libraries": ["bc03"], "split": "ssp"})
    monkeypatch.setattr(cache, "model_card", lambda name: card)
    page.state.libraries = ["bc03", "popstar"]
    assert page.worker.question.libraries == ("bc03",)
    page.state.libraries = ["popstar"]
    seen = Onlooker(page)
    assert seen.pictures == []
    assert "no mocks" in seen.words
    page.state.libraries = ["bc03"]
    assert len(seen.pictures) == 4


def test_a_model_that_saw_every_ssp_is_tested_under_other_noise(page, monkeypatch):
    monkeypatch.setattr(cache, "model_card", lambda name: card_with({"split": "random"}))
    page.state.libraries = ["bc03"]
    assert page.worker.question.split == "random"
    assert page.tested_on.select.disabled
    assert "has seen every SSP" in page.tested_on.note.object

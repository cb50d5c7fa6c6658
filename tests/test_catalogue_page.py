import asyncio
import gc
import io
import re
import sys
import tempfile
import threading
import time
import weakref
from contextlib import redirect_stdout
from html import escape
from itertools import chain
from pathlib import Path
from urllib.parse import urlencode

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import pyarrow.parquet as pq
import pytest
from catalogues import pretend_dust_map
from onlooker import Onlooker
from pictures import again_until
from playwright.sync_api import Page, expect
from typer.testing import CliRunner

from sspexplorer.analysis.catalogue import ALL, FLAGGED, SELECTED, WELL, WITHOUT, Answers
from sspexplorer.analysis.galaxy import Galaxy, nearest_ssps
from sspexplorer.analysis.regions import corners_of
from sspexplorer.analysis.request import PredictionRequest
from sspexplorer.app import cache
from sspexplorer.app.apply import reading, words
from sspexplorer.app.apply.catalogue import YourCatalogue
from sspexplorer.app.apply.linked import EXAMPLES
from sspexplorer.app.apply.method import NETWORK
from sspexplorer.app.apply.reading import Reading
from sspexplorer.app.apply.words import picture_text, scatter_text
from sspexplorer.app.choices import accept, read_query, write_query
from sspexplorer.app.kit.work import Worker, counting
from sspexplorer.bands import BAND_NAMES, load_bands
from sspexplorer.catalogue import dump_map, load_map, read_catalogue
from sspexplorer.catalogue.masks import MaskRule
from sspexplorer.catalogue.taken import sentences, topics
from sspexplorer.catalogue.ways import for_page
from sspexplorer.cli import app as cli
from sspexplorer.errors import InputError
from sspexplorer.mocks import make_mocks
from sspexplorer.models import POINT_MEANING, Predictions
from sspexplorer.networks.prediction import predict
from sspexplorer.noise import NoiseModel
from sspexplorer.plots import catalogue as plots
from sspexplorer.plots.galaxy import galaxy_picture, pull_picture
from sspexplorer.posterior.taken import Choices
from sspexplorer.progress import Progress
from sspexplorer.resources import data_path

SIMULATED, FAR, REAL = EXAMPLES.values()
HTML = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module", autouse=True)
def bokeh():
    hv.extension("bokeh")


@pytest.fixture
def view() -> YourCatalogue:
    """The page, where the network without error bars predicts."""
    return YourCatalogue(by=NETWORK)


@pytest.fixture(scope="module")
def simulated() -> pd.DataFrame:
    return pd.read_csv(data_path("examples", SIMULATED))


@pytest.fixture(scope="module")
def answers(simulated: pd.DataFrame) -> Answers:
    """Twelve galaxies: one with many bands missing, one with hardly any, one with none."""
    table = simulated.dropna().head(12).reset_index(drop=True)
    table[["id", "redshift"]] = [(f"00{k}", 0.0) for k in range(12)]
    table.loc[0, BAND_NAMES[20:40]] = np.nan
    table.loc[1, list(BAND_NAMES[5:])] = np.nan
    table.loc[2, list(BAND_NAMES)] = np.nan
    return answer(table)


def answer(table: pd.DataFrame) -> Answers:
    catalogue = read_catalogue(csv(table), "galaxies.csv")
    found = predict(cache.model("default"), catalogue.flux, catalogue.redshift)
    asked = PredictionRequest("default", "default", Choices())
    return Answers.of(catalogue, Predictions(found, POINT_MEANING), asked)


def csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False).encode()


def run(*steps) -> None:
    """Run coroutines one after the other."""

    async def all_steps() -> None:
        for step in steps:
            await step

    asyncio.run(all_steps())


def opened(view: YourCatalogue, name: str = SIMULATED) -> YourCatalogue:
    run(view.open(data_path("examples", name), name), view.predict())
    assert view.worker.trouble == ""
    return view


def press(part: pn.viewable.Viewable, label: str) -> None:
    found = [b for b in pn.panel(part).select(pn.widgets.Button) if b.label == label]
    found[0].clicks += 1


def shown_text(part: pn.viewable.Viewable) -> str:
    return "".join(str(pane.object) for pane in part.select(pn.pane.HTML))


def test_an_example_is_understood_before_it_is_predicted(view):
    run(view.open(data_path("examples", REAL), REAL))
    text = shown_text(view.__panel__())
    assert "real_galaxies.csv, 3 rows" in text
    assert all(note in text for note in view.catalogue.notes)
    assert 'title="uJAVA, 3545 Å: missing"' in text
    assert 'title="J0500, ' in text
    assert "in every row" in text
    assert view.result is None


def test_every_row_is_predicted_and_the_first_is_in_sight(view, simulated):
    result = opened(view).result
    assert result.row == 0
    assert result.list.grid.selection == [0]
    assert list(result.list.grid.value["own0"]) == list(simulated["id"])
    expected = predict(cache.model("default"), view.catalogue.flux, view.catalogue.redshift)
    assert result.list.grid.value["log_age"].to_numpy() == pytest.approx(expected["pred_log_age"])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("paper.pdf", b"%PDF-1.4", "paper.pdf ends in .pdf"),
        ("page.fits", b"<!DOCTYPE html><html></html>", "page.fits is a web page"),
        ("empty.csv", b"", "empty.csv is empty"),
        ("other.csv", "a,b\n1,2\n", "other.csv: 0 of the 57 bands found"),
        ("noending", b"a", "noending has no ending"),
        ("cut.parquet", b"PAR1abcdefgh", "cut.parquet is cut short"),
    ],
)
def test_a_bad_file_gets_a_sentence_and_the_page_goes_on(view, name, content, said):
    run(view.open(content, name))
    assert view.worker.trouble.startswith(said)
    assert view.catalogue is None
    opened(view, REAL)
    assert len(view.result.answers.table) == 3


def test_of_two_files_the_later_one_stays(view, monkeypatch):
    go_on = threading.Event()

    def slow(path: Path, name: str, **options):
        if name == SIMULATED:
            go_on.wait(5)
        return read_catalogue(path, name, **options)

    monkeypatch.setattr(reading, "read_catalogue", slow)

    async def both() -> None:
        first = asyncio.create_task(view.open(data_path("examples", SIMULATED), SIMULATED))
        await asyncio.sleep(0)
        await view.open(data_path("examples", REAL), REAL)
        go_on.set()
        await first

    asyncio.run(both())
    assert view.catalogue.name == REAL
    assert not view.worker.busy


def test_cancelling_stops_the_work_and_keeps_what_was_there(view, monkeypatch):
    opened(view, REAL)
    before = view.result
    begun, stopped = threading.Event(), []

    def endless(*args, progress: Progress, **options):
        begun.set()
        try:
            while True:
                progress.check()
                time.sleep(0.01)
        finally:
            stopped.append(True)

    monkeypatch.setattr("sspexplorer.analysis.request.predict_rows", endless)
    monkeypatch.setattr(reading, "read_catalogue", endless)

    async def cancel_soon(work) -> None:
        begun.clear()
        task = asyncio.create_task(work)
        await asyncio.to_thread(begun.wait)
        view.worker.cancel()
        await task

    for work in (view.predict(), view.open(data_path("examples", SIMULATED), SIMULATED)):
        asyncio.run(cancel_soon(work))
        assert view.result is before
        assert view.worker.trouble == ""
    assert stopped == [True, True]


def test_another_photometry_or_unit_is_read_and_predicted_again(view, simulated):
    both = simulated.join(simulated[list(BAND_NAMES)].add_prefix("AUTO_") * 2)
    run(view.open(csv(both), "both.csv"), view.predict())
    assert list(view.taken.photometry.options) == ["plain", "AUTO"]
    view.taken.photometry.value = "AUTO"
    assert view.catalogue.photometry == "AUTO"
    assert view.result.answers.catalogue is view.catalogue
    view.taken.unit.value = "flambda"
    assert (view.catalogue.unit, view.catalogue.photometry) == ("flambda", "AUTO")
    assert view.taken.unit.value == "flambda"
    view.taken.unit.value = view.taken.unit.options["as found"]
    assert view.catalogue.unit == "fnu"


def survey_like(simulated: pd.DataFrame) -> pd.DataFrame:
    """Twenty galaxies with two redshifts, dust of the Milky Way, and a mask for a band."""
    table = simulated.dropna().head(20)[list(BAND_NAMES)].reset_index(drop=True)
    table = table.assign(z_spec=0.01, PHOTOZ=0.02, PHOTOZ_ERR=0.005, EBV_SFD=0.1)
    return table.assign(MASK_FLAGS_J0500=[1] * 5 + [0] * 15, other_J0500=table["J0500"] * 2)


def test_a_choice_is_kept_when_another_changes(view, simulated):
    run(view.open(csv(survey_like(simulated)), "survey.csv"))
    taken, found = view.taken, view.catalogue
    taken.redshift.value = ("column", "PHOTOZ")
    assert view.catalogue.redshift == pytest.approx(np.full(20, 0.02))
    assert view.catalogue.redshift_err == pytest.approx(np.full(20, 0.005))
    taken.dust.value = ("none",)
    assert (view.catalogue.flux[6:, 0] < found.flux[6:, 0]).all()
    assert view.catalogue.n_missing_by_band["J0500"] == 5
    taken.masks.value = list(taken.masks.options.values())[-1]
    assert view.catalogue.n_missing_by_band["J0500"] == 0
    taken.dust.value = ("number",)
    taken.dust_value.value = 0.1
    assert view.catalogue.flux[6:] == pytest.approx(found.flux[6:])
    assert view.catalogue.redshift_column == "PHOTOZ"
    taken.redshift.value = ("none",)
    assert view.catalogue.redshift is None
    taken.redshift.value = ("found",)
    assert view.catalogue.redshift_column == "z_spec"


def test_dust_is_looked_up_where_there_are_positions_and_a_map(
    view, simulated, monkeypatch, tmp_path
):
    table = survey_like(simulated).assign(RA=10.0, DEC=2.0)
    title = "the map of Schlegel, Finkbeiner & Davis"
    monkeypatch.setitem(sys.modules, "dustmaps", None)
    run(view.open(csv(table), "survey.csv"))
    assert title not in view.taken.dust.options
    pretend_dust_map(monkeypatch, tmp_path, np.full(20, 0.2))
    run(view.open(csv(table), "survey.csv"))
    by_column = view.catalogue.flux
    view.taken.dust.value = view.taken.dust.options[title]
    assert "Schlegel" in view.catalogue.galactic
    assert view.taken.dust.value == view.taken.dust.options[title]
    assert (view.catalogue.flux[6:, 0] > by_column[6:, 0]).all()


def test_cells_of_the_bands_are_changed_and_the_map_reads_the_same(view, simulated):
    run(view.open(csv(survey_like(simulated)), "survey.csv"))
    taken, before = view.taken, view.catalogue
    taken.each_band.collapsed = False
    bands = taken.bands
    bands.band = "J0500"
    assert (bands.flux, bands.error, bands.mask) == ("J0500", "–", "MASK_FLAGS_J0500")
    bands.flux = "other_J0500"
    bands.param.update(band="J0510")
    bands.flux = "–"
    assert set(bands.changes) == {"J0500", "J0510"}
    taken.read_again.param.trigger("clicks")
    at = BAND_NAMES.index("J0500")
    assert view.catalogue.flux[5:, at] == pytest.approx(2 * before.flux[5:, at])
    assert view.catalogue.absent_bands == ("J0510",)
    assert view.catalogue.n_missing_by_band["J0500"] == 5
    file = io.BytesIO()
    file.write(dump_map(view.catalogue.column_map()).encode())
    kept = view.catalogue
    run(view.open(csv(survey_like(simulated)), "survey.csv"))
    assert view.catalogue.absent_bands == ()
    taken.map_file.file.param.update(filename="my.yaml", value=file.getvalue())
    assert view.catalogue.flux == pytest.approx(kept.flux, nan_ok=True)
    taken.map_file.file.param.update(filename="my.yaml", value=b"bands: {J0500: nowhere}")
    assert "nowhere" in view.worker.trouble
    assert view.catalogue.absent_bands == ("J0510",)


def test_a_question_has_its_answers_as_buttons(view, simulated):
    table = simulated.dropna().head(5)[list(BAND_NAMES)]
    table = (20 - 2.5 * np.log10(table / table.median(axis=None))).add_prefix("MAG_VEGA_")
    run(view.open(csv(table), "vega.csv"))
    assert view.catalogue is None
    assert view.worker.trouble == ""
    text = shown_text(view.__panel__())
    assert "What are the numbers of the bands?" in text
    assert "choose “AB magnitudes” under “Unit of the bands”" in text
    buttons = {b.label: b for b in view.__panel__().select(pn.widgets.Button)}
    buttons["AB magnitudes"].param.trigger("clicks")
    assert view.catalogue.unit == "mag"
    assert "What are the numbers" not in shown_text(view.__panel__())


def test_the_page_says_what_the_command_line_says(view, simulated):
    run(view.open(csv(survey_like(simulated)), "survey.csv"))
    text = shown_text(view.__panel__())
    said = (*view.catalogue.notes, *sentences(view.catalogue))
    assert all(escape(for_page(sentence)) in text for sentence in said)
    assert "“none” under “E(B−V) of the Milky Way” leaves it out" in text
    assert sorted(said) == sorted(chain.from_iterable(topics(view.catalogue).values()))


def test_the_download_is_what_the_command_line_writes(view, simulated, tmp_path):
    opened(view)
    offered = Onlooker(view).control("Format")
    endings = [".csv", ".sheets.csv", ".ecsv", ".fits", ".vot", ".parquet"]
    assert list(offered.options.values()) == [*endings, ".py", ".session.json"]
    added = ("pred_log_age", "pred_metallicity", "pred_ebv", "pred_n_bands", "pred_flag")
    for ending in endings:
        offered.value = ending
        assert view.output.download.filename == f"simulated_galaxies_predictions{ending}"
        file = io.BytesIO()
        view.output.download.write(file)
        back = read_catalogue(file.getvalue(), f"back{ending}")
        assert back.column_names == (*simulated.columns, *added)
        assert list(back.frame(["id"])["id"]) == list(simulated["id"])
        assert back.flux == pytest.approx(view.catalogue.flux, nan_ok=True)
    out = tmp_path / "out.parquet"
    command = ["predict", data_path("examples", SIMULATED), "--model", "default", "--out", out]
    assert CliRunner().invoke(cli, list(map(str, command))).exit_code == 0
    schema = pq.read_schema(out)
    assert pq.read_schema(io.BytesIO(file.getvalue())).equals(schema, check_metadata=True)
    assert b"SSPMODEL" in b"".join(schema.metadata.values())


def test_names_are_text_and_never_html(view, simulated):
    table = simulated.head(3).assign(id=HTML)
    table.insert(1, HTML + "_name", HTML)
    table["J0500"] = table["J0500"].astype(object)
    table.loc[1, "J0500"] = HTML
    run(view.open(csv(table), f"{HTML}.csv"), view.predict())
    assert HTML in view.catalogue.name
    assert "<img" not in shown_text(view.__panel__())
    assert "&lt;img" in shown_text(view.__panel__())
    grid = view.result.list.grid
    assert not any("<" in title for title in grid.titles.values())
    assert all(name.isidentifier() for name in grid.value.columns)


def test_another_file_leaves_nothing_behind(view, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    run(view.open(data_path("examples", REAL).read_bytes(), REAL), view.predict())
    kept = weakref.ref(view.result.answers)
    assert len(list(tmp_path.iterdir())) == 1
    view.close()
    gc.collect()
    assert kept() is None
    assert not list(tmp_path.iterdir())
    assert view.catalogue is None
    assert view.result is None


def test_a_click_shows_the_nearest_galaxy_and_its_row_wherever_it_is(view):
    result = opened(view).result
    table = result.answers.table
    result.map.tap.event(x=table.loc[123, "log_age"], y=table.loc[123, "metallicity"])
    assert (result.row, result.list.grid.selection, result.list.grid.page) == (123, [123], 13)
    assert "SIM-124, row 124" in Onlooker(result).words
    press(result, "Next →")
    assert result.row == 124
    press(result, "← Before")
    result.list.grid.sorters = [{"field": "log_age", "dir": "asc"}]
    result.row = 57
    place = table["log_age"].rank().astype(int)[57]
    assert result.list.grid.page == (place - 1) // 10 + 1
    press(result, "Next →")
    assert table["log_age"].rank().astype(int)[result.row] == place + 1
    result.row = int(table["log_age"].idxmin())
    press(result, "← Before")
    assert result.row == table["log_age"].idxmin()


def test_choosing_a_group_shows_its_rows_only(view):
    result = opened(view).result
    flagged = result.answers.table["flag"] != ""
    result.group = FLAGGED
    assert list(result.list.grid.value.index) == list(np.flatnonzero(flagged))
    assert "unlike the mocks" in Onlooker(result).words
    assert result.row == np.flatnonzero(flagged)[0]
    assert result.list.grid.selection == [0]


def test_what_is_selected_in_the_picture_is_listed_searched_and_written(view):
    result = opened(view).result
    table = result.answers.table
    young = np.flatnonzero(table["log_age"] < 9)
    low, high = table["metallicity"].min() - 1, table["metallicity"].max() + 1
    result.select(corners_of((0.0, low, 9.0, high)))
    assert (result.group, result.rows.tolist()) == (SELECTED, young.tolist())
    assert list(result.list.grid.value.index) == young.tolist()
    assert result.row == young[0]
    drawn = result.picture[()].get(0)
    assert (drawn["alpha"] > 0.5).sum() == len(young) < len(drawn)
    # Nothing is no selection, and another one takes the place of the first.
    result.select(corners_of((20.0, low, 21.0, high)))
    assert len(result.rows) == len(young)
    result.up = "ebv"
    assert ((result.picture[()].get(0))["alpha"] > 0.5).sum() == len(young)
    result.search = table["name"][young[3]].lower()
    assert result.rows.tolist() == [young[3]]
    view.output.rows.value = True
    assert view.output.download.filename == "simulated_galaxies_predictions_part.csv"
    written = io.BytesIO()
    view.output.write(written)
    content = pd.read_csv(io.BytesIO(written.getvalue()), dtype={"id": str})
    assert content["id"].tolist() == [table["name"][young[3]]]
    result.param.update(group=ALL, search="no such galaxy")
    assert "No row has “no such galaxy”" in Onlooker(result).words
    result.search = ""
    assert len(result.rows) == len(table)
    assert (result.picture[()].get(0)["alpha"] > 0.5).all()


def test_a_link_carries_the_file_of_the_server_the_galaxy_and_the_axes(monkeypatch):
    first = opened(YourCatalogue(), FAR)
    first.result.param.update(row=41, across="log_mass", up="log_sfr", colour="redshift")
    mass = first.result.answers.table["log_mass"][41]
    first.result.select(corners_of((mass - 0.3, -90.0, mass + 0.3, 90.0)))
    assert 1 < len(first.result.rows) < 200
    link = write_query(first, YourCatalogue.QUERY)
    expected = {"file": FAR, "row": "42", "across": "log_mass", "up": "log_sfr"}
    expected |= {"colour": "redshift", "around": link["around"]}
    assert {name: link[name] for name in expected} == expected

    begun = []
    monkeypatch.setattr(pn.state, "execute", begun.append)
    second = YourCatalogue()
    accept(second, read_query(second, YourCatalogue.QUERY, "?" + urlencode(link)))
    monkeypatch.undo()
    run(begun[0]())
    seen = second.result
    assert (seen.row, seen.across, seen.up) == (41, "log_mass", "log_sfr")
    assert (seen.colour, seen.rows.tolist()) == ("redshift", first.result.rows.tolist())
    # What was drawn on other axes says nothing of these.
    first.result.up = "ebv"
    assert "around" not in write_query(first, YourCatalogue.QUERY)
    # One's own files are in no link, and what is not offered is not opened.
    run(second.open(data_path("examples", REAL).read_bytes(), REAL), second.predict())
    assert not set(expected) & set(write_query(second, YourCatalogue.QUERY))
    accept(second, {"outline": ((0.0, 1.0),)})
    assert second.outline is None
    accept(second, {"file": "../../secret.csv"})
    assert second.file == ""


def test_the_script_does_what_the_page_did(tmp_path, monkeypatch):
    view = YourCatalogue(floor=0.05, redshift="unknown")
    found = Reading(masks=MaskRule(masks=False), galactic="none")
    run(view._read(data_path("examples", REAL).read_bytes(), REAL, found), view.predict())
    view.result.row = 2
    view.output.format.value = ".py"
    assert view.output.download.filename == "real_galaxies_predictions.py"
    written = io.BytesIO()
    view.output.write(written)
    (tmp_path / REAL).write_bytes(data_path("examples", REAL).read_bytes())
    monkeypatch.chdir(tmp_path)
    script = written.getvalue().decode()
    with redirect_stdout(io.StringIO()) as said:
        exec(compile(script, "script", "exec"), {})
    again = pd.read_csv(tmp_path / "real_galaxies_predictions.csv")
    expected = view.result.answers.predictions
    assert again["pred_log_age"].to_numpy() == pytest.approx(expected["pred_log_age"], abs=1e-6)
    assert f"{expected['pred_log_age'][2]:.4f}" in said.getvalue()


def test_columns_of_the_table_are_chosen_and_stay_for_the_next_answers():
    view = opened(YourCatalogue(), FAR)
    listed = view.result.list
    assert {"log_mass", "log_mass_err", "log_sfr"} <= set(listed.grid.value)
    view.result.row = 123
    listed.columns = [*listed.columns, "age", "t50"]
    shown = listed.grid
    assert (shown.selection, shown.page) == ([123], 13)
    names = list(shown.value)
    assert names.index("flag") < names.index("log_age") < names.index("age") < names.index("t50")
    age = view.result.answers.table["log_age"].to_numpy()
    assert shown.value["age"].to_numpy() == pytest.approx(10 ** (age - 9))
    assert np.array_equal(
        shown.value["t50_err"], view.result.answers.predictions["pred_t50_err"], equal_nan=True
    )
    run(view.predict())
    assert "t50" in view.result.list.grid.value


def test_the_chosen_libraries_are_drawn_through_the_galaxy(view):
    result = opened(view, REAL).result
    view.state.libraries = ["bc03"]
    words = Onlooker(result).words
    assert "BC03" in words
    assert "PopStar" not in words


def test_rows_are_counted_by_what_became_of_them(answers):
    counts = {name: int(rows.sum()) for name, rows in answers.groups.items()}
    assert counts == {
        ALL: 12,
        WELL: 9,
        FLAGGED: 1,
        WITHOUT: 2,
        "many-bands-missing": 1,
        "too-few-bands": 1,
        "no-bands": 1,
    }
    assert answers.sentence() == (
        "10 of 12 rows were predicted, 1 with a flag. 2 cannot be: too few bands (1), no bands (1)."
    )
    assert answers.legend == (
        (0, "no flag", 9),
        (1, "many bands missing", 1),
    )


def test_own_columns_are_shown_as_they_can_be_sorted(answers, simulated):
    assert list(answers.own_titles.values())[:3] == ["id", "sim_magnitude", "redshift"]
    assert answers.table.loc[7, "own0"] == "007"
    magnitudes = simulated.dropna()["sim_magnitude"].to_numpy()[:12]
    assert answers.table["own1"].to_numpy() == pytest.approx(magnitudes)
    large = simulated.head(3).assign(id=np.arange(3) + 2**53 + 1)
    assert list(answer(large).table["own0"]) == [str(2**53 + k) for k in (1, 2, 3)]


def test_a_row_without_prediction_is_shown_all_the_same(view, answers):
    run(view.open(csv(answers.catalogue.frame()), "galaxies.csv"), view.predict())
    for row in (1, 2):
        view.result.row = row
        words = Onlooker(view.result).words
        assert "Flag: " in words
        assert "BC03" not in words
    view.result.group = WITHOUT
    assert "None of these rows" in Onlooker(view.result).words


def test_a_band_that_was_set_aside_is_crossed_out_and_not_compared():
    ssp = nearest_ssps(np.array([9.5, 0.0, 0.1]), ["bc03"])[0]
    flux, error = 2e-28 * ssp.noise_free, 2e-30 * ssp.noise_free
    flux[10] *= 5
    wrecked = Galaxy.from_row(flux, error, np.empty((0, 57)), (ssp,))
    mended = Galaxy.from_row(flux, error, np.empty((0, 57)), (ssp,), BAND_NAMES[10])
    assert mended.difference_from(ssp) < 1e-6 < wrecked.difference_from(ssp)
    drawn = galaxy_picture(hv.streams.Pipe(data=mended))[()]
    assert drawn.get(len(drawn) - 1)["band"].tolist() == [BAND_NAMES[10]]


@pytest.mark.parametrize("colour", ["ebv", "log_age", "flag"])
def test_many_galaxies_are_drawn_as_a_density(answers, monkeypatch, colour):
    table = answers.table[answers.predicted].rename(columns={"flag": "reason"})
    kinds = []
    for most in (len(table), len(table) - 1):
        monkeypatch.setattr(plots, "MAX_POINTS", most)
        mark = hv.streams.Pipe(data=table[["log_age", "metallicity"]].head(1))
        tap = hv.streams.SingleTap()
        picture = plots.population_picture(
            table, mark, hv.streams.Pipe(data=None), [tap], colour=colour
        )
        kinds.append(type(picture[()].get(0)))
        assert tap.source is not None
    assert kinds[0] is hv.Points
    assert issubclass(kinds[1], hv.Raster)


def test_upper_limits_are_triangles_and_what_is_not_drawn_is_counted(monkeypatch):
    values = np.random.default_rng(4).normal(size=(5, 4))
    table = pd.DataFrame(values, columns=["log_age", "metallicity", "ebv", "log_sfr"])
    table = table.assign(log_mass=10.0, row=np.arange(5), name="", reason="", reason_index=0)
    table["limit"] = [True, False, False, True, False]
    mark = hv.streams.Pipe(data=table[["log_mass", "log_sfr"]].head(1))
    axes = ("log_mass", "log_sfr")

    def drawn() -> hv.Element:
        bright = hv.streams.Pipe(data=None)
        return plots.population_picture(table, mark, bright, [], axes=axes)[()].get(0)

    assert (drawn()["shape"] == "inverted_triangle").tolist() == table["limit"].tolist()
    said = picture_text(table, *axes, undrawn=7)
    assert "Speagle" in said
    assert "upper limits of 95\u00a0% (2)" in said
    assert "unknown: 7." in said
    assert picture_text(table, "log_age", "metallicity", undrawn=0) == ""
    for module in (plots, words):
        monkeypatch.setattr(module, "MAX_POINTS", 4)
    assert "left out (2)" in picture_text(table, *axes, undrawn=0)
    assert issubclass(type(drawn()), hv.Raster)


def test_the_closest_mixture_is_the_one_that_the_answer_speaks_of():
    view = opened(YourCatalogue())
    result, far = view.result, 4.0
    predictions = result.answers.predictions
    galaxy = result.galaxy
    assert galaxy.mixture.score == pytest.approx(predictions["pred_chi2"][0])
    low, mid, high = galaxy.mixture.low, galaxy.mixture.flux, galaxy.mixture.high
    assert np.all(low <= high)
    assert np.median(high - low) < np.nanmedian(galaxy.flux_err)
    used = np.isfinite(galaxy.used)
    assert np.mean(galaxy.pulls[used] ** 2) == pytest.approx(galaxy.mixture.score, rel=0.05)
    assert np.abs(np.median((galaxy.flux - mid)[used] / mid[used])) < 0.1
    assert np.abs(galaxy.pulls[used]).max() < far
    assert "Closest mixture" in shown_text(view.__panel__())
    pipe = hv.streams.Pipe(data=galaxy)
    assert len(pull_picture(pipe)[()].get(2)) == used.sum()
    result.mixed = False
    assert result.galaxy.mixture is None
    assert "nearest to the prediction" in shown_text(view.__panel__())
    result.row = 5
    assert result.galaxy.mixture is None
    result.mixed = True
    assert result.galaxy.mixture.score == pytest.approx(predictions["pred_chi2"][5])


def test_a_galaxy_is_compared_with_ssps_over_its_measured_bands():
    ssps = nearest_ssps(np.array([9.5, 0.0, 0.1]), ["bc03", "popstar"])
    flux = 3e-28 * ssps[0].noise_free
    flux[:4] = np.nan
    error = np.where(np.isfinite(flux), flux / 25, np.nan)
    galaxy = Galaxy.from_row(flux, error, cache.model("default").templates, ssps)
    assert galaxy.difference_from(ssps[0]) == pytest.approx(0, abs=1e-9)
    assert galaxy.difference_from(ssps[1]) > 0.01
    assert galaxy.snr == pytest.approx(25)
    assert np.isfinite(galaxy.filled).all()
    points = galaxy_picture(hv.streams.Pipe(data=galaxy))[()].values()[4:]
    assert [len(p) for p in points] == [53, 4, 0]


def test_nothing_is_drawn_without_a_prediction_and_dust_is_never_negative():
    assert nearest_ssps(np.full(3, np.nan), ["bc03"]) == ()
    (ssp,) = nearest_ssps(np.array([9.5, 0.0, -0.1]), ["bc03"], redshift=np.nan)
    assert (ssp.ebv, ssp.redshift) == (0.0, 0.0)


def test_a_typical_scatter_is_told_only_where_errors_are_known():
    card = cache.model_card("default")
    flux = np.ones(57)
    templates = cache.model("default").templates
    snr = NoiseModel.default().typical_snr(20.0)
    known = Galaxy.from_row(flux, flux / snr, templates)
    assert f"median S/N {snr:.0f}." in scatter_text(card, known)
    assert "mocks of that S/N (i = 20)" in scatter_text(card, known)
    unknown = Galaxy.from_row(flux, flux * np.nan, templates)
    assert "Predicted vs true" in scatter_text(card, unknown)
    assert "Predicted vs true" in scatter_text({}, known)


def test_a_worker_tells_what_went_wrong_in_one_sentence():
    worker = Worker()

    def fail(error: Exception):
        raise error

    for error, said in (
        (InputError("This is why."), "This is why."),
        (MemoryError(), "That needs more memory"),
        (KeyError("x"), "That did not work: KeyError."),
    ):
        outcome = asyncio.run(worker.run("Failing", lambda progress, e=error: fail(e)))
        assert not outcome.done
        assert worker.trouble.startswith(said)
    assert asyncio.run(worker.run("Working", lambda progress: 7)).value == 7
    assert worker.trouble == ""


def test_work_on_rows_says_how_many_are_done():
    told = []
    progress = counting(Progress(lambda *said: told.append(said)), "Predicting", 1_000_000)
    progress.report(0.25)
    progress.part(0.5, 0.5).report(1.0, "Laying out")
    assert told == [
        (0.25, "Predicting: 250,000 of 1,000,000 rows"),
        (1.0, "Laying out"),
    ]


def test_posteriors_come_with_errors_a_corner_and_what_was_set_aside():
    view = opened(YourCatalogue(), REAL)
    answers = view.result.answers
    assert answers.model == "galaxy"
    assert answers.has_errors
    assert "weighted by their light" in shown_text(view.__panel__())
    assert list(view.result.list.grid.value.columns)[-8:] == [
        "flag", "log_age", "log_age_err", "metallicity", "metallicity_err", "ebv", "ebv_err",
        "n_bands",
    ]  # fmt: skip
    assert "±" in Onlooker(view.result).words
    corner = view.posterior
    assert list(corner.drawn.tables) == ["galaxy", "SED fit, one population"]
    drawn = corner.drawn.tables["galaxy"]["log_age"]
    row = answers.predictions.iloc[0]
    assert drawn.mean() == pytest.approx(row["pred_log_age"], abs=0.05)
    view.result.row = 2
    assert corner.drawn.tables["galaxy"]["log_age"].mean() > drawn.mean()


def test_another_method_predicts_again():
    view = opened(YourCatalogue(by="ssp"), REAL)
    before = view.result.answers.predictions
    view.by = "galaxy"
    run(view.predict())
    assert view.result.answers.model == "galaxy"
    view.floor = 0.1
    run(view.predict())
    assert (view.result.answers.predictions["pred_log_age_err"] > 0).all()
    assert view.result.answers.predictions["pred_chi2"].lt(before["pred_chi2"]).all()


def pressed(part: pn.viewable.Viewable, label: str) -> None:
    """Press the button that bears a label."""
    (button,) = (one for one in part.select(pn.widgets.Button) if one.name == label)
    button.clicks += 1


def test_what_all_galaxies_say_is_put_right_by_a_button():
    mocks = make_mocks(["bc03"], ebv_grid=[0.13], magnitudes=[18.0])
    mocks = mocks.rows(np.arange(len(mocks)) % (len(mocks) // 30) == 0)
    columns = dict(zip(BAND_NAMES, mocks.flux.T, strict=True))
    columns |= {f"{b}_err": e for b, e in zip(BAND_NAMES, mocks.flux_err.T, strict=True)}
    table = pd.DataFrame(columns).assign(redshift=0.05)
    view = YourCatalogue(by="ssp")
    run(view.open(csv(table), "rest.csv"), view.predict())
    assert f"of {len(mocks)} galaxies fit better at rest" in shown_text(view.__panel__())
    pressed(view.__panel__(), "Take all as at rest")
    assert view.redshift == "rest"
    run(view.predict())
    assert view.result.answers.asked.choices.redshift_as == "rest"
    assert view.result.answers.suspicions == ()


def flambda_without_unit() -> pd.DataFrame:
    """A survey's table: F_λ in columns that do not say so, relative errors, masks."""
    mocks = make_mocks(["bc03"], magnitudes=[17.0], ebv_grid=[0.0])
    mocks = mocks.rows(np.arange(len(mocks)) % 12 == 0)
    flux = mocks.flux / load_bands().pivot ** 2
    columns = {"TILE_ID": np.arange(len(mocks)) + 2**60}
    for k, band in enumerate(BAND_NAMES):
        columns[f"FLUX_APER_COR_3_0_{band}"] = flux[:, k] / np.median(flux)
        columns[f"FLUX_RELERR_APER_COR_3_0_{band}"] = mocks.flux_err[:, k] / mocks.flux[:, k]
        columns[f"MASK_FLAGS_{band}"] = (np.arange(len(mocks)) % 40 == k).astype(int)
    return pd.DataFrame(columns).assign(z_spec=0.0, EBV_SFD=0.03)


def test_a_unit_is_changed_beside_why_it_was_taken_and_the_map_saved(
    page: Page, server: str, tmp_path: Path
):
    flambda_without_unit().to_csv(tmp_path / "survey.csv", index=False)
    page.goto(f"{server}?page=catalogue&by=network")
    page.locator("input[name=filepond]").first.set_input_files(tmp_path / "survey.csv")
    expect(
        page.get_by_text(re.compile("Taken as F_λ: no unit is given, and .* rows scored"))
    ).to_be_visible()
    unit = page.get_by_label("Unit of the bands")
    expect(unit.locator("option:checked")).to_have_text("as found: F_λ")
    unit.select_option("F_ν")
    expect(page.get_by_text("Taken as F_ν: as you chose.")).to_be_visible()
    expect(page.get_by_role("button", name="Predict", exact=True)).to_be_enabled()

    page.get_by_text("Columns of each band").click()
    cell = page.get_by_role("row").filter(has_text="J0500").get_by_role("gridcell").nth(2)
    expect(cell).to_have_text("FLUX_RELERR_APER_COR_3_0_J0500")
    band, flux = (page.get_by_label(name, exact=True) for name in ("band", "flux or magnitude"))
    again_until(
        page.get_by_role("gridcell", name="J0400", exact=True).click,
        lambda patience: expect(band.locator("option:checked")).to_have_text(
            "J0400", timeout=patience
        ),
    )
    expect(flux.locator("option:checked")).to_have_text("FLUX_APER_COR_3_0_J0400")
    flux.select_option("–")
    expect(page.get_by_text("1 band is changed")).to_be_visible()
    page.get_by_role("button", name="Read again").click()
    expect(page.get_by_text("Not in the table: J0400.")).to_be_visible()
    expect(unit.locator("option:checked")).to_have_text("F_ν")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the map").click()
    assert download.value.suggested_filename == "survey.csv.columns.yaml"
    download.value.save_as(tmp_path / "map.yaml")
    mapping = load_map(tmp_path / "map.yaml")
    assert mapping["unit"] == "fnu"
    assert mapping["bands"]["J0400"] is None
    again = read_catalogue(tmp_path / "survey.csv", columns=mapping)
    assert (again.unit, again.photometry) == ("fnu", "FLUX_APER_COR_3_0")

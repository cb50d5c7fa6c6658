"""The notebooks as a workshop meets them: JupyterLab in a browser, and no network.

Each runs once, from top to bottom; every figure is drawn, and the page in its last cell answers.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("*.ipynb"))

# What takes long, and what will do in a test.
SMALLER = {
    "02_training_and_metrics": {"epochs=8": "epochs=1"},
    "03_degeneracies": {"n_draws=100": "n_draws=5"},
    "06_sed_fitting": {"(bright, 500)": "(bright, 40)", "(network), 60)": "(network), 20)"},
}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs_and_asks_a_question(path: Path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not [cell for cell in code if cell.outputs or cell.execution_count]
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert "<details>" in text
    assert ".servable()" in code[-1].source
    assert "ssp.notebook()" in code[0].source


# Gestures on the page in the last cell, each of which changes its picture.


def slide(page: Locator) -> None:
    handle = page.get_by_role("slider").first
    handle.focus()
    key = "Left" if float(handle.get_attribute("aria-valuenow") or 0) else "Right"
    for _ in range(3):
        handle.press(f"Arrow{key}")


def choose(page: Locator) -> None:
    page.locator("select").first.select_option(index=1)


def uncheck(page: Locator) -> None:
    page.get_by_role("checkbox").first.click()


def predict_the_example(page: Locator) -> None:
    page.get_by_role("button", name="Example: three real galaxies").click()
    page.get_by_role("button", name="Predict", exact=True).click()


GESTURES: dict[str, Callable[[Locator], None]] = {
    "01_seds_and_noise": slide,
    "02_training_and_metrics": uncheck,
    "03_degeneracies": choose,
    "04_libraries_and_map": choose,
    "05_composite_populations": slide,
    "06_sed_fitting": slide,
    "07_your_catalogue": predict_the_example,
}


@pytest.fixture(scope="module")
def lab(chromium: str, tmp_path_factory) -> Iterator[str]:
    """URL of a JupyterLab with copies of the notebooks, in which what takes long is made short."""
    home, work = tmp_path_factory.mktemp("jupyter"), tmp_path_factory.mktemp("notebooks")
    for path in NOTEBOOKS:
        text = path.read_text(encoding="utf-8")
        for long, short in SMALLER.get(path.stem, {}).items():
            assert long in text
            text = text.replace(long, short)
        (work / path.name).write_text(text, encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {
        "ServerApp.port": port,
        "ServerApp.root_dir": work,
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "ServerApp.disable_check_xsrf": True,
        "IdentityProvider.token": "",
        "LabApp.expose_app_in_browser": True,
        "LabApp.news_url": "None",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    }
    command = [sys.executable, "-m", "jupyterlab"]
    command += [f"--{name}={value}" for name, value in options.items()]
    places = {"JUPYTER_CONFIG_DIR": home, "JUPYTER_DATA_DIR": home, "IPYTHONDIR": home}
    places |= {"JUPYTERLAB_WORKSPACES_DIR": home, "JUPYTERLAB_SETTINGS_DIR": home}
    log = home / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            env=os.environ | {k: str(v) for k, v in places.items()},
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/api", process, log)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=60).close()
            return
        except (urllib.error.URLError, ConnectionError):
            assert process.poll() is None, log.read_text()
            time.sleep(0.2)
    raise AssertionError(f"JupyterLab did not answer: {log.read_text()}")


@pytest.fixture(scope="module")
def reader(browser: Browser, lab: str) -> Iterator[Page]:
    """A browser that reaches JupyterLab, and no other host."""
    context = browser.new_context(viewport={"width": 1440, "height": 1200})
    others: list[str] = []
    allowed = (f"{lab}/", "data:", "blob:", lab.replace("http", "ws"))

    def only_here(route) -> None:
        if route.request.url.startswith(allowed):
            route.continue_()
        else:
            others.append(route.request.url)
            route.abort()

    context.route("**/*", only_here)
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.on("websocket", lambda ws: ws.url.startswith(allowed) or others.append(ws.url))
    yield page
    context.close()
    assert others == []


RUN_ALL = """async () => {
    const notebook = jupyterapp.shell.currentWidget;
    await notebook.context.ready;
    await notebook.sessionContext.ready;
    await jupyterapp.commands.execute('notebook:run-all-cells');
    const cells = notebook.content.widgets.filter(cell => cell.model.type == 'code');
    return cells.flatMap(cell => cell.model.outputs.toJSON());
}"""

CLOSE = "async () => { await jupyterapp.shell.currentWidget.sessionContext.shutdown(); }"

# What the figures of the notebook hold, and how they answer to the wheel.
FIGURES = """() => {
    const models = Bokeh.documents.flatMap(d => d.roots()).flatMap(r => [...r.references()]);
    const figures = new Set(models.filter(model => model.type == 'Figure'));
    const sum = values => {
        if (typeof values == 'number') return Number.isFinite(values) ? values : 0;
        if (values == null || typeof values == 'string') return 0;
        return Array.from(values.data ?? values).reduce((total, part) => total + sum(part), 0);
    };
    const columns = source => Object.values(
        source.data instanceof Map ? Object.fromEntries(source.data) : source.data);
    const sources = figure => figure.renderers.map(r => r.data_source).filter(s => s?.data);
    return [...figures].map(figure => ({
        id: figure.id,
        holds: sources(figure).map(source => columns(source).map(sum)),
        ranges: [figure.x_range, figure.y_range].map(r => [r.start, r.end]),
        bounded: [figure.x_range, figure.y_range].every(r => r.bounds != null),
        wheel: figure.toolbar.active_scroll != null,
    }));
}"""

DRAWN = """canvas => canvas.width > 0 && canvas.height > 0 && canvas.getContext('2d')
    .getImageData(0, 0, canvas.width, canvas.height).data.some(value => value)"""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_draws_every_figure_and_its_page_answers(
    reader: Page, lab: str, path: Path
):
    reader.goto(f"{lab}/lab/tree/{path.name}?reset")
    reader.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.sessionContext")
    outputs = reader.evaluate(RUN_ALL)
    assert not [o.get("evalue") for o in outputs if o["output_type"] == "error"]
    said = "".join(str(o["text"]) for o in outputs if o.get("name") == "stderr")
    assert "Traceback" not in said
    assert "could not be applied" not in said

    figures = reader.evaluate(FIGURES)
    shown = reader.locator(".bk-Figure")
    expect(shown).to_have_count(len(figures))
    assert figures or path.stem == "07_your_catalogue"
    assert all(figure["bounded"] and not figure["wheel"] for figure in figures)
    for figure in shown.all():
        figure.scroll_into_view_if_needed()
        canvas = figure.locator("canvas").first.element_handle()
        reader.wait_for_function(DRAWN, arg=canvas)

    last = reader.locator(".jp-Notebook .jp-CodeCell").last
    last.scroll_into_view_if_needed()
    GESTURES[path.stem](last)
    reader.wait_for_function(
        f"before => JSON.stringify(({FIGURES})().map(f => f.holds)) != before",
        arg=reader.evaluate("figures => JSON.stringify(figures.map(f => f.holds))", figures),
    )
    reader.evaluate(CLOSE)

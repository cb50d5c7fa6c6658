"""The notebooks as a workshop meets them: JupyterLab in a browser, and no network.

Each runs once, from top to bottom; every figure is drawn, and the page in its last cell answers.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import (
    BrowserContext,
    Locator,
    Page,
    Request,
    TimeoutError,
    WebSocket,
)

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("*.ipynb"))

PATIENCE = 240_000  # ms; a notebook takes some 20 s, and shared machines stall

# What takes long, and what will do in a test.
SMALLER = {
    "02_training_and_metrics": {
        "epochs=8": "epochs=1",
        "magnitudes=(16, 18, 20, 22)": "magnitudes=(18,)",
    },
    "03_degeneracies": {"n_draws=100": "n_draws=5"},
    "04_libraries_and_map": {"magnitudes=(16.0, 18.0, 20.0, 22.0)": "magnitudes=(16.0, 22.0)"},
    "06_sed_fitting": {"(bright, 500)": "(bright, 40)", "(network), 60)": "(network), 20)"},
    "07_your_catalogue": {"(0, 10, 20, 30, 40, 50)": "(0, 40)"},
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
    }
    command = [sys.executable, "-m", "jupyterlab"]
    command += [f"--{name}={value}" for name, value in options.items()]
    places = {"JUPYTER_CONFIG_DIR": home, "JUPYTER_DATA_DIR": home, "IPYTHONDIR": home}
    places |= {"JUPYTERLAB_WORKSPACES_DIR": home, "JUPYTERLAB_SETTINGS_DIR": home}
    # What moves while JupyterLab loads costs more than the loading, and its news are elsewhere.
    unwanted = ("splash", "announcements")
    config = {"disabledExtensions": {f"@jupyterlab/apputils-extension:{u}": True for u in unwanted}}
    (home / "labconfig").mkdir()
    (home / "labconfig" / "page_config.json").write_text(json.dumps(config))
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
def kernel(lab: str) -> str:
    """URL of JupyterLab, in which one kernel answers all notebooks.

    Torch and Panel are imported once, then. What a notebook does not import itself, ruff finds.
    """
    started = ask(f"{lab}/api/kernels", {"name": "python3"})["id"]
    for path in NOTEBOOKS:
        session = {"path": path.name, "name": path.name, "type": "notebook"}
        ask(f"{lab}/api/sessions", session | {"kernel": {"id": started}})
    return lab


def ask(url: str, content: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        url, json.dumps(content).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


@pytest.fixture
def opened(visitors: BrowserContext, kernel: str, path: Path) -> Iterator[Page]:
    """The notebook in JupyterLab, its kernel ready; leaving, nothing may have gone wrong.

    In a tab of its own, so that what scripts of one notebook leave behind meets no other.
    """
    page = visitors.new_page()
    page.set_default_timeout(PATIENCE)
    wrong: list[str] = []

    def watch(asked: Request | WebSocket) -> None:
        ours = (f"{kernel}/", kernel.replace("http", "ws"), "data:", "blob:")
        if not asked.url.startswith(ours):
            wrong.append(f"request to another host: {asked.url}")

    page.on("request", watch)
    page.on("websocket", watch)
    page.on("pageerror", lambda error: wrong.append(f"{error.message}\n{error.stack}"))
    page.goto(f"{kernel}/lab?reset")
    page.wait_for_function("() => window.jupyterapp")
    page.evaluate("() => jupyterapp.restored.then(() => {})")
    # With braces: what the command answers with, the notebook, is not sent to us.
    page.evaluate("path => { jupyterapp.commands.execute('docmanager:open', {path}) }", path.name)
    page.wait_for_function(f"() => ({KERNEL})() == 'idle'", polling=200)
    yield page
    page.close()
    assert not wrong, "\n".join(wrong)


KERNEL = "() => jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status"

# How far the notebook is, and what its cells complain of. The first output holds 10 MB of scripts.
RUN = """() => {
    const notebook = jupyterapp.shell.currentWidget;
    const cells = notebook.content.widgets.map(cell => cell.model).filter(c => c.type == 'code');
    const ran = cells.filter(cell => cell.executionCount && cell.executionState == 'idle');
    const outputs = type => cells
        .flatMap(({outputs}) => Array.from({length: outputs.length}, (_, i) => outputs.get(i)))
        .filter(output => output.type == type).map(output => output.toJSON());
    return {
        cells: cells.length,
        ran: ran.length,
        errors: outputs('error').map(output => output.evalue),
        warnings: outputs('stream').filter(o => o.name == 'stderr').map(o => o.text),
    };
}"""

# The figures of the page: whether any of their data are in view, and how they meet the wheel.
# `held` is what those of the last cell are drawn from, as sums.
FIGURES = """() => {
    const below = view =>
        view.model.type == 'Figure' ? [view] : [...view.children()].flatMap(below);
    const host = el => el.getRootNode() instanceof ShadowRoot ? host(el.getRootNode().host) : el;
    const sheet = jupyterapp.shell.currentWidget.node;
    const figures = Array.from(Bokeh.index.roots ?? []).flatMap(below)
        .filter(view => sheet.contains(host(view.el)));
    const cell = [...sheet.querySelectorAll('.jp-CodeCell')].at(-1);
    const sum = values => {
        if (typeof values == 'number') return Number.isFinite(values) ? values : 0;
        if (values == null || typeof values == 'string') return 0;
        let total = 0;
        for (const part of values.data ?? values) total += sum(part);
        return total;
    };
    const columns = data => data instanceof Map ? [...data.values()] : Object.values(data);
    const overlap = (low, high, range) =>
        low <= Math.max(range.start, range.end) && Math.min(range.start, range.end) <= high;
    const glyphs = view => view.model.renderers
        .filter(renderer => renderer.visible && renderer.data_source)
        .map(renderer => view.views.find_one(renderer));
    const filled = view => glyphs(view).map(renderer => renderer.glyph.bounds()).some(box =>
        overlap(box.x0, box.x1, view.model.x_range) && overlap(box.y0, box.y1, view.model.y_range));
    const seen = figures.map(view => ({
        filled: filled(view),
        bounded: [view.model.x_range, view.model.y_range].every(range => range.bounds != null),
        wheel: view.model.toolbar.active_scroll != null,
    }));
    const held = figures.filter(view => cell.contains(host(view.el))).map(view => glyphs(view)
        .map(renderer => columns(renderer.model.data_source.data).map(sum)));
    return {seen, held: JSON.stringify(held)};
}"""

# Changes made by Python that the page would send back to it.
ECHOES = """() => {
    const manager = {_event_buffer: [], _blocked: true, _timeout: Infinity};
    Bokeh.Panel.CommManager.prototype._document_changed.call(manager, {sync: false});
    return manager._event_buffer.length;
}"""

# Twice the same, with nothing at work in between.
AT_REST = f"""() => {{
    const {{held}} = ({FIGURES})();
    const same = window.heldBefore == held && ({KERNEL})() == 'idle';
    window.heldBefore = held;
    return same;
}}"""

DRAWN = """canvas => canvas.width > 0 && canvas.height > 0 && canvas.getContext('2d')
    .getImageData(0, 0, canvas.width, canvas.height).data.some(value => value)"""


def run_all(page: Page) -> None:
    """Have all cells run, as a visitor does, and wait for the last; none may complain."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    over = f"() => {{ const run = ({RUN})(); return run.ran == run.cells || run.errors.length; }}"
    try:
        page.wait_for_function(over, polling=500)
    except TimeoutError:
        raise AssertionError(f"Not done: {page.evaluate(RUN)}") from None
    run = page.evaluate(RUN)
    assert run["errors"] == []
    assert run["warnings"] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_draws_every_figure_and_its_page_answers(opened: Page, path: Path):
    run_all(opened)
    opened.wait_for_function(AT_REST, polling=500)
    shown = opened.locator(".bk-Figure")
    assert shown.count() or path.stem == "07_your_catalogue"
    for figure in shown.all():
        figure.scroll_into_view_if_needed()
        canvas = figure.locator("canvas").first.element_handle()
        opened.wait_for_function(DRAWN, arg=canvas)

    last = opened.locator(".jp-Notebook .jp-CodeCell").last
    last.scroll_into_view_if_needed()
    opened.wait_for_function(AT_REST, polling=500)
    figures = opened.evaluate(FIGURES)
    assert len(figures["seen"]) == shown.count()
    assert all(f["filled"] and f["bounded"] and not f["wheel"] for f in figures["seen"])
    assert opened.evaluate(ECHOES) == 0
    GESTURES[path.stem](last)
    changed = f"before => ({FIGURES})().held != before"
    opened.wait_for_function(changed, arg=figures["held"], polling=300)

"""The notebooks as pages: run once, with their pictures, and read without a kernel.

They are kept in ``notebooks/`` without outputs. A copy of each goes into the source of the site,
and myst-nb runs it unless its cache has the outputs. Bokeh draws its pictures in the reader's
browser, from scripts of the installed packages that are copied into the site.
"""

import hashlib
from pathlib import Path

import bokeh
import nbformat
import panel
from sphinx.application import Sphinx
from sphinx.util.osutil import copyfile

ROOT = Path(__file__).resolve().parents[2]
PAGES = "notebooks"

_BOKEH = Path(bokeh.__file__).parent / "server" / "static" / "js"
_PANEL = Path(panel.__file__).parent / "dist"
# What Bokeh and Panel draw with, in the order in which they lean on each other. Pictures wait for
# what `ssp.notebook()` asks for, whether they need it or not.
SCRIPTS = (
    *(_BOKEH / f"bokeh{part}.min.js" for part in ("", "-gl", "-widgets", "-tables")),
    *(next(_PANEL.rglob(f"{name}.min.js")) for name in ("tabulator", "filepond")),
    _PANEL / "panel.min.js",
)

LAST = """```{note}
In JupyterLab (`make notebooks`) this cell opens a page of the app, which needs Python to answer.
```"""


def state_of_the_package() -> str:
    """Hash of all that outputs depend on besides the notebook: code, models, libraries."""
    found = hashlib.sha256()
    for folder in (ROOT / "sspexplorer", ROOT / "data"):
        for path in sorted(folder.rglob("*")):
            if path.suffix in {".py", ".json", ".h5", ".csv", ".safetensors", ".parquet"}:
                found.update(path.relative_to(ROOT).as_posix().encode())
                found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def copy_for_reading(notebook: nbformat.NotebookNode, state: str) -> nbformat.NotebookNode:
    """Copy of a notebook that is run again when the package has changed, and whose page is told of.

    Parameters
    ----------
    notebook : NotebookNode
        As it is kept. The last cell shows a page of the app.
    state : str
        What the package is, see :func:`state_of_the_package`.
    """
    *cells, page = notebook.cells
    page.metadata["tags"] = ["skip-execution"]
    # The cache goes by the code of a notebook; a comment is code.
    mark = nbformat.v4.new_code_cell(f"# {state}", id="state", metadata={"tags": ["remove-cell"]})
    note = nbformat.v4.new_markdown_cell(LAST, id="note")
    notebook.cells = [cells[0], mark, *cells[1:], page, note]
    return notebook


def copy_notebooks(app: Sphinx) -> None:
    """Write the copies, those that changed, into the source of the site."""
    state = state_of_the_package()
    target = Path(app.srcdir) / PAGES
    target.mkdir(exist_ok=True)
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        text = nbformat.writes(copy_for_reading(nbformat.read(path, as_version=4), state))
        copy = target / path.name
        if not copy.exists() or copy.read_text(encoding="utf-8") != text:
            copy.write_text(text, encoding="utf-8")


def copy_scripts(app: Sphinx, error: Exception | None) -> None:
    """Put the scripts of Bokeh and Panel into the site."""
    if error is None and app.builder.format == "html":
        for path in SCRIPTS:
            copyfile(path, Path(app.outdir) / "_static" / path.name, force=True)


def add_scripts(app: Sphinx, pagename: str, *_: object) -> None:
    """Load those scripts on pages with pictures, and on no other."""
    if pagename.startswith(f"{PAGES}/") and app.builder.format == "html":
        for path in SCRIPTS:
            app.add_js_file(path.name)


def setup(app: Sphinx) -> dict:
    """Join the build."""
    app.connect("builder-inited", copy_notebooks)
    app.connect("html-page-context", add_scripts)
    app.connect("build-finished", copy_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""The public names: listed, loaded when first used, told to type checkers, and documented."""

import ast
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sspexplorer as ssp

NAMES = sorted(name for name in ssp.__all__ if name != "__version__")

# What importing the package must not wait for.
HEAVY = {"torch", "panel", "holoviews", "bokeh", "numpy", "pandas", "scipy", "sklearn", "umap"}


def modules_after(code: str, repository: Path) -> set[str]:
    """First names of the modules that a fresh interpreter holds after some code."""
    report = f"import json, sys; {code}; print(json.dumps([m.split('.')[0] for m in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", report], capture_output=True, text=True, check=True, cwd=repository
    )
    return set(json.loads(done.stdout))


def test_importing_the_package_brings_nothing_heavy(repository):
    code = "import sspexplorer as ssp; dir(ssp); ssp.__all__; ssp.__version__; ssp.InputError"
    assert HEAVY.isdisjoint(modules_after(code, repository))


def test_a_name_brings_only_what_it_needs(repository):
    assert {"torch", "panel"}.isdisjoint(
        modules_after("from sspexplorer import load_library, observe", repository)
    )


def test_every_name_is_there_and_a_wrong_one_is_refused():
    assert set(ssp.__all__) <= set(dir(ssp))
    assert all(getattr(ssp, name).__name__ == name for name in NAMES)
    with pytest.raises(AttributeError, match="'load_libary'"):
        _ = ssp.load_libary


def test_type_checkers_are_told_the_same_names_from_the_same_places(repository):
    stub = ast.parse((repository / "sspexplorer" / "__init__.pyi").read_text())
    told = {
        alias.asname: getattr(__import__(node.module, fromlist=[alias.name]), alias.name)
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert told == {name: getattr(ssp, name) for name in NAMES}
    assert (repository / "sspexplorer" / "py.typed").exists()


@pytest.mark.parametrize("name", NAMES)
def test_the_docstring_of_a_public_name_tells_its_arguments(name):
    found = getattr(ssp, name)
    text = inspect.getdoc(found)
    assert text
    if inspect.isclass(found) and issubclass(found, Exception):
        return
    missing = [given for given in inspect.signature(found).parameters if given not in text]
    assert not missing


def test_the_reference_has_every_public_name_once(repository):
    text = (repository / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"auto\w+:: sspexplorer\.(\w+)", text)) == sorted(NAMES)

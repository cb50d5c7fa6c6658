"""Which module may lean on which: one street, walked in one direction."""

from graphlib import CycleError, TopologicalSorter

import pytest
from source import MODULES, PACKAGE, ROOT, dotted, imported

import sspexplorer

# The street, one way: a module imports only from those before it.
STREET = (
    "errors",
    "bounds",
    "letters",
    "resources",
    "constants",
    "masses",
    "whole",
    "progress",
    "flags",
    "artifact",
    "shipped",
    "bands",
    "gaps",
    "dust",
    "attenuation",
    "photometry",
    "foreground",
    "noise",
    "noisy_bands",
    "nebular",
    "gas",
    "libraries",
    "mocks",
    "on_demand",
    "labels",
    "glossary",
    "histories",
    "populations",
    "galaxies",
    "networks",
    "metrics",
    "sedfit",
    "embedding",
    "posterior",
    "models",
    "catalogue",
    "archive",
    "analysis",
    "streams",
    "jobs",
    "plots",
    "app",
    "cli",
)

# Where on the street each drawing package may first be imported.
DRAWS_FROM = {
    "bokeh": "plots",
    "colorcet": "plots",
    "datashader": "plots",
    "holoviews": "plots",
    "panel": "app",
    "panel_material_ui": "app",
}

# Inside the app: from what all share to what is assembled of it. A section imports no other.
SECTIONS = ("explore", "trust", "apply", "train")
APP_STREET = (
    "once",
    "cache",
    "choices",
    "state",
    "serving",
    "kit",
    "notebook",
    "frame",
    "section",
    "pages",
    "server",
)


def street_name(module: str) -> str | None:
    """House of `sspexplorer.house.room`; None for anything else, and for the package itself."""
    first, _, rest = module.partition(".")
    return rest.split(".")[0] if first == "sspexplorer" and rest else None


def test_the_package_itself_imports_nothing_of_itself():
    assert [name for _, name in imported(PACKAGE / "__init__.py")] == ["importlib.import_module"]


def test_nothing_inside_takes_a_public_name_by_the_front_door():
    doors = {f"sspexplorer.{name}" for name in sspexplorer.__all__} - {"sspexplorer.__version__"}
    assert not [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in MODULES
        for line, name in imported(path)
        if name in doors
    ]


def test_every_module_has_a_place_on_the_street():
    houses = {street_name(dotted(path)) for path in MODULES}
    assert houses <= set(STREET), "give each a place in STREET"


def test_street_is_one_way():
    wrong_way = [
        f"{path.relative_to(ROOT)}:{line}: {here} imports {name}"
        for path in MODULES
        for line, name in imported(path)
        if (here := street_name(dotted(path)))
        and (there := street_name(name)) in STREET
        and STREET.index(there) > STREET.index(here)
    ]
    assert not wrong_way


def test_drawing_stays_at_the_end_of_the_street():
    too_early = [
        f"{path.relative_to(ROOT)}:{line}: {name} is for {first} and after"
        for path in MODULES
        for line, name in imported(path)
        if (first := DRAWS_FROM.get(name.split(".")[0]))
        and STREET.index(street_name(dotted(path))) < STREET.index(first)
    ]
    assert not too_early


def app_place(module: str) -> str:
    """House of `sspexplorer.app.house.room` on the street of the app; "" outside of it."""
    parts = module.split(".")
    house = parts[2] if module.startswith("sspexplorer.app.") and len(parts) > 2 else ""
    return "section" if house in SECTIONS else house if house in APP_STREET else ""


def test_the_app_is_walked_one_way():
    wrong_way = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in MODULES
        for line, name in imported(path)
        if (here := app_place(dotted(path)))
        and (there := app_place(name))
        and (
            APP_STREET.index(there) > APP_STREET.index(here)
            or (here == there == "section" and name.split(".")[2] != dotted(path).split(".")[2])
        )
    ]
    assert not wrong_way


def test_no_files_import_in_a_circle():
    """Imports inside functions, and for type checkers alone, included."""
    files = {dotted(path): path for path in MODULES}
    leans_on = {
        here: {name if name in files else name.rpartition(".")[0] for _, name in imported(path)}
        - {here}
        for here, path in files.items()
    }
    try:
        TopologicalSorter(leans_on).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_every_module_of_the_app_has_a_place():
    modules = [dotted(path) for path in (PACKAGE / "app").rglob("*.py")]
    assert [name for name in modules if not app_place(name)] == ["sspexplorer.app"]

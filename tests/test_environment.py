"""What the repository promises about its packages, and which module may lean on which."""

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "sspexplorer"

# The street, one way: a module imports only from those before it.
STREET = (
    "errors",
    "letters",
    "resources",
    "constants",
    "progress",
    "artifact",
    "shipped",
    "bands",
    "dust",
    "photometry",
    "noise",
    "nebular",
    "gas",
    "libraries",
    "mocks",
    "labels",
    "histories",
    "populations",
    "galaxies",
    "gaps",
    "networks",
    "metrics",
    "sedfit",
    "embedding",
    "posterior",
    "models",
    "catalogue",
    "analysis",
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

MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def by_name(requirements: list[str]) -> dict[str, Requirement]:
    parsed = (Requirement(line) for line in requirements)
    return {canonicalize_name(requirement.name): requirement for requirement in parsed}


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def direct(project: dict) -> dict[str, Requirement]:
    extras = project["optional-dependencies"].values()
    return by_name(sum(extras, project["dependencies"]))


@pytest.fixture(scope="module")
def pins() -> dict[str, Version]:
    """Versions in constraints.txt, which holds only comments and `name==version`."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): Version(version) for name, version in pairs}


@pytest.fixture(scope="module")
def conda() -> dict:
    return yaml.safe_load((ROOT / "environment.yml").read_text())


@pytest.fixture(scope="module")
def conda_pip(conda: dict) -> list[str]:
    return next(entry["pip"] for entry in conda["dependencies"] if isinstance(entry, dict))


# Packages


def test_torch_is_pinned_exactly_everywhere(direct, pins, conda_pip):
    assert str(direct["torch"].specifier) == "==2.13.0"
    assert str(pins["torch"]) == "2.13.0"
    assert "torch==2.13.0" in conda_pip


def test_every_direct_dependency_is_pinned_within_its_range(direct, pins):
    wrong = {
        name: f"{requirement} but pinned to {pins.get(name)}"
        for name, requirement in direct.items()
        if name not in pins or pins[name] not in requirement.specifier
    }
    assert not wrong


def test_everything_the_direct_dependencies_bring_is_pinned(direct, pins):
    unpinned, waiting, seen = set(), list(direct.values()), set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in seen:
            continue
        seen.add(name)
        # Torch pins the CUDA packages some of its builds need; they differ from machine to machine.
        exact = str(requirement.specifier).startswith("==")
        if name not in pins and not exact:
            unpinned.add(name)
        try:
            brought = [Requirement(line) for line in requires(name) or []]
        except PackageNotFoundError:
            continue
        waiting += [r for r in brought if not r.marker or r.marker.evaluate({"extra": ""})]
    assert not unpinned


def test_conda_environment_is_the_same_as_pyproject(direct, pins, conda_pip):
    listed = by_name([line for line in conda_pip if not line.startswith("--")])
    assert listed.keys() == direct.keys()
    assert {name: str(requirement.specifier) for name, requirement in listed.items()} == {
        name: f"=={pins[name]}" for name in direct
    }
    assert "--constraint constraints.txt" in conda_pip
    assert "--editable ." in conda_pip


def test_conda_python_is_one_the_project_takes(project, conda):
    python = next(entry for entry in conda["dependencies"] if str(entry).startswith("python"))
    specifier = SpecifierSet(python.removeprefix("python"))
    wanted = SpecifierSet(project["requires-python"])
    minors = [f"3.{minor}" for minor in range(8, 30)]
    allowed = [minor for minor in minors if minor in specifier]
    assert allowed
    assert allowed[0] == next(minor for minor in minors if minor in wanted)


def test_pre_commit_runs_the_pinned_ruff(pins):
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    for hook in config["repos"][0]["hooks"]:
        assert hook["additional_dependencies"] == [f"ruff=={pins['ruff']}"]


# Imports


def test_importing_the_package_is_light():
    code = "import json, sys, sspexplorer; print(json.dumps(list(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    heavy = {"torch", "panel", "holoviews", "bokeh", "datashader", "umap", "sklearn", "pandas"}
    assert heavy.isdisjoint(json.loads(done.stdout))


def street_name(module: str) -> str | None:
    """House of `sspexplorer.house.room`; None for anything else, and for the package itself."""
    first, _, rest = module.partition(".")
    return rest.split(".")[0] if first == "sspexplorer" and rest else None


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything a file imports, inside functions as well."""
    package = dotted(path) if path.name == "__init__.py" else dotted(path).rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*above, node.module or ""] if node.level else [node.module])
            yield from ((node.lineno, f"{base.strip('.')}.{alias.name}") for alias in node.names)


def test_the_package_itself_imports_nothing():
    assert not list(imported(PACKAGE / "__init__.py"))


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_street_is_one_way(path):
    here = street_name(dotted(path))
    assert here in STREET, f"{dotted(path)} has no place on the street: give it one in STREET"
    wrong_way = [
        f"{path.relative_to(ROOT)}:{line}: {here} imports {name}"
        for line, name in imported(path)
        if (there := street_name(name)) in STREET
        and there != here
        and STREET.index(there) > STREET.index(here)
    ]
    assert not wrong_way


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_drawing_stays_at_the_end_of_the_street(path):
    here = STREET.index(street_name(dotted(path)))
    too_early = [
        f"{path.relative_to(ROOT)}:{line}: {name} is for {first} and after"
        for line, name in imported(path)
        if (first := DRAWS_FROM.get(name.split(".")[0])) and here < STREET.index(first)
    ]
    assert not too_early


def test_every_imported_package_is_a_declared_dependency(project):
    declared = by_name(project["dependencies"]).keys()
    providers = packages_distributions()
    undeclared = {
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in [*MODULES, ROOT / "app.py"]
        if path.exists()
        for line, name in imported(path)
        if (top := name.split(".")[0]) not in sys.stdlib_module_names
        and top != "sspexplorer"
        and declared.isdisjoint(map(canonicalize_name, providers.get(top, [])))
    }
    assert not undeclared

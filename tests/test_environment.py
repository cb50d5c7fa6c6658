"""What the repository promises about its packages."""

import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from source import MODULES, ROOT, imported

import sspexplorer


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


def test_torch_is_pinned_where_it_is_installed_and_free_where_it_is_required(
    direct, pins, conda_pip
):
    assert [clause.operator for clause in direct["torch"].specifier] == [">="]
    assert str(pins["torch"]) == "2.13.0"
    assert "torch==2.13.0" in conda_pip


def test_the_version_is_that_of_the_newest_entry_of_the_changelog(project):
    entries = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert entries[0] == sspexplorer.__version__
    # The build reads it from the package, so there is no second place to write it.
    assert "version" in project["dynamic"]


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


def test_every_imported_package_is_a_declared_dependency(project):
    # What only an extra brings is imported where it is asked for, and answered for if missing.
    extras = project["optional-dependencies"]
    extra = by_name([*extras["dust"], *extras["notebooks"], *extras["survey"]]).keys()
    declared = by_name(project["dependencies"]).keys()
    providers = packages_distributions()
    undeclared = {
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in [*MODULES, ROOT / "app.py"]
        if path.exists()
        for line, name in imported(path)
        if (top := name.split(".")[0]) not in sys.stdlib_module_names
        and top != "sspexplorer"
        and canonicalize_name(top) not in extra
        and declared.isdisjoint(map(canonicalize_name, providers.get(top, [])))
    }
    assert not undeclared

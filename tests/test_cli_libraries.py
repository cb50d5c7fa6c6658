"""``sspexplorer libraries``, with libraries that are added and removed."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sspexplorer.cli import main
from sspexplorer.libraries import SHIPPED_NAMES, load_library, store, write_library
from sspexplorer.libraries.readers import SOURCES


@pytest.fixture
def given(tmp_path, monkeypatch) -> Path:
    """File with a library of one's own, and an empty folder for what is added."""
    monkeypatch.setenv("SSPEXPLORER_DATA", str(tmp_path / "data"))
    whole = load_library("emiles", None)
    mine = whole.select(whole.metallicity > 0)
    texts = {"title": "My own", "left_out": ("94 SSPs of lower metallicity.",), "citation": "Me"}
    write_library(replace(mine, name="own", **texts), tmp_path / "given.h5")
    return tmp_path / "given.h5"


@pytest.fixture
def run(monkeypatch, capsys):
    def command(*arguments: object) -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        monkeypatch.setattr(sys, "argv", ["sspexplorer", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        return left.value.code, *capsys.readouterr()

    return command


def test_a_library_is_added_listed_used_and_removed(given, run, tmp_path):
    code, out, err = run("libraries", "add", "own", given, "--name", "mine", "--json")
    added = json.loads(out)
    assert code == 0
    assert err.startswith("100% reading")
    assert (added["name"], added["title"], added["n_ssp"]) == ("mine", "My own", 22)
    assert added["left_out"][0] == "94 SSPs of lower metallicity."
    assert added["left_out"][1].startswith("1 SSP not between 1.5 Myr and 14 Gyr")

    listed = json.loads(run("libraries", "--json")[1])["libraries"]
    assert [item["name"] for item in listed] == [*SHIPPED_NAMES, "mine"]
    assert [item["added"] for item in listed] == [False] * 5 + [True]
    missing = {item["name"]: item["missing_bands"] for item in listed}
    assert missing["mastar"] == ["uJAVA", "J1007"]
    assert [len(bands) for bands in missing.values()] == [0, 0, 0, 15, 2, 0]
    assert listed[-1] == added

    report = run("mocks", tmp_path / "m.parquet", "--libraries", "mine", "--json")[1]
    assert json.loads(report)["n"] == 22 * 8 * 13

    assert json.loads(run("libraries", "remove", "mine", "--json")[1]) == {"removed": "mine"}
    assert "mine" not in run("libraries")[1]


def test_what_was_left_out_is_said_in_words(given, run):
    code, out, _ = run("libraries", "add", "own", given)
    assert code == 0
    assert "left out: 94 SSPs of lower metallicity." in out
    assert "sspexplorer mocks m.parquet --libraries given" in out
    assert run("libraries", "remove", "given")[:2] == (0, "given is removed.\n")


def test_an_interrupt_is_said_and_leaves_nothing(given, run, monkeypatch):
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "read_source", interrupted)
    code, out, err = run("libraries", "add", "own", given)
    assert (code, out) == (130, "")
    assert err.startswith("Stopped; nothing was added.")
    assert "given" not in run("libraries")[1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["add", "cb20"], "No library 'cb20' can be added; those that can are emiles-full, cb19"),
        (["add", "xsl"], "XSL cannot be downloaded; give its path."),
        (["add", "own", "none.h5"], "none.h5"),
        (["add", "own", "none.h5", "--name", "bc03"], "bc03 is that of a library that ships"),
        (["remove", "bc03"], "cannot be removed"),
        (["remove", "mine"], "No library 'mine' was added"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(arguments, sentence, given, run):
    code, out, err = run("libraries", *arguments)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert sentence in err


def test_help_names_every_library_that_can_be_added(given, run):
    words = run("libraries", "add", "--help")[1].split()
    assert set(SOURCES) <= {word.strip(",;:.") for word in words}

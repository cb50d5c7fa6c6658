"""The documentation: its tables are computed, its pages are linked, what it names is there."""

import subprocess
import sys

import pytest


@pytest.fixture
def update_docs(repository, monkeypatch):
    monkeypatch.syspath_prepend(repository / "scripts")
    import update_docs

    return update_docs


def card(update_docs, bias: float) -> dict:
    group = {
        name: {"bias": bias, "sigma_nmad": 0.2071, "outlier_fraction": 0.174, "n": 39000}
        for name in update_docs.PARAMETERS
    }
    ssp = {
        "overall": group,
        "by_magnitude": dict.fromkeys(update_docs.MAGNITUDES, group),
        "by_library": dict.fromkeys(update_docs.LIBRARIES, group),
    }
    return {"name": "default", "metrics": {"ssp": ssp}}


def test_tables_show_what_the_shipped_models_do(repository):
    command = [sys.executable, "scripts/update_docs.py", "--check"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_table_has_a_row_of_each_recipe(update_docs):
    biases = {"default": -0.0123, "paper": 0.0004}
    recipes = {n: update_docs.metrics_of(card(update_docs, b)) for n, b in biases.items()}
    lines = update_docs.table(recipes).splitlines()
    assert "Measured on 39 000 mocks" in lines[0]
    place = lines.index(
        "| **all, 16 ≤ i ≤ 22** | default |" + " −0.012, 0.207, 17% |" * 3,
    )
    assert lines[place + 1] == "|  | paper's recipe |" + " +0.000, 0.207, 17% |" * 3
    assert lines[-1].startswith(
        "| *the paper, split at random*, fraction at i ≈ 17 | as published | +0.01, 0.23, 17% |"
    )
    assert len({line.count("|") for line in lines[3:]}) == 1


def test_only_what_lies_between_the_marks_changes(update_docs):
    marked = "before\n<!-- accuracy:begin -->\nold\n<!-- accuracy:end -->\nafter\n"
    assert update_docs.filled(marked, "accuracy", "new") == marked.replace("old", "new")
    with pytest.raises(SystemExit, match="marks"):
        update_docs.filled(marked, "posteriors", "new")


def test_a_card_without_held_out_ssps_is_refused(update_docs):
    with pytest.raises(SystemExit, match="held out"):
        update_docs.metrics_of({"name": "mine", "metrics": {"random": {}}})

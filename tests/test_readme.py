"""The accuracy table of the README is computed, and is that of the model that ships."""

import subprocess
import sys

import pytest


@pytest.fixture
def update_readme(repository, monkeypatch):
    monkeypatch.syspath_prepend(repository / "scripts")
    import update_readme

    return update_readme


@pytest.fixture
def held_out(update_readme) -> dict:
    group = {
        name: {"bias": -0.0123, "sigma_nmad": 0.2071, "outlier_fraction": 0.174, "n": 39000}
        for name in update_readme.PARAMETERS
    }
    return {
        "split": "ssp",
        "overall": group,
        "by_magnitude": dict.fromkeys(update_readme.MAGNITUDES, group),
        "by_library": dict.fromkeys(update_readme.LIBRARIES, group),
    }


def test_readme_shows_the_accuracy_of_the_default_model(repository):
    command = [sys.executable, "scripts/update_readme.py", "--check"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_table_is_the_same_from_a_card_and_from_evaluate(update_readme, held_out):
    from_evaluate = update_readme.table(update_readme.evaluations_in(held_out))
    card = {"name": "default", "metrics": {"ssp": held_out}}
    assert update_readme.table(update_readme.evaluations_in(card)) == from_evaluate
    assert "Measured on 39 000 mocks" in from_evaluate
    assert "| **all, 16 ≤ i ≤ 22** | −0.012, 0.207, 17% |" in from_evaluate
    assert (
        "| *the paper, split at random*, fraction at i ≈ 17 | +0.01, 0.23, 17% |" in from_evaluate
    )


def test_only_what_lies_between_the_marks_changes(update_readme):
    marked = f"before\n{update_readme.BEGIN}\nold\n{update_readme.END}\nafter\n"
    assert update_readme.filled(marked, "new") == marked.replace("old", "new")
    with pytest.raises(SystemExit, match="marks"):
        update_readme.filled("before\nafter\n", "new")


def test_metrics_of_another_split_are_refused(update_readme, held_out):
    with pytest.raises(SystemExit, match="held out"):
        update_readme.evaluations_in(held_out | {"split": "random"})

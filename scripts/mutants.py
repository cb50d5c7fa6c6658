"""Change the code a little, many times, and see whether the tests notice.

    python -m pip install mutmut
    python scripts/mutants.py                        every subject, 60 changes of each
    python scripts/mutants.py metrics --sample 0     one subject, every change

`mutmut` makes the changes ("mutants"), in a copy of the package; each runs the tests that reach it.
The score is the part of the mutants that some test notices. What survives is listed, and shown by
`mutmut show NAME` in the folder that is printed.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What is changed, and the tests that are about it.
SUBJECTS = {
    "metrics": (["sspexplorer/metrics.py"], ["test_metrics"]),
    "noise": (["sspexplorer/noise.py"], ["test_noise", "test_promises"]),
    "photometry": (["sspexplorer/photometry.py"], ["test_photometry", "test_partial_libraries"]),
    "sedfit": (
        ["sspexplorer/sedfit/grid.py", "sspexplorer/sedfit/fitting.py"],
        ["test_sedfit", "test_promises", "test_partial_libraries"],
    ),
    "prediction": (
        [
            "sspexplorer/posterior/prediction.py",
            "sspexplorer/posterior/judging.py",
            "sspexplorer/posterior/taken.py",
        ],
        ["test_posterior", "test_promises"],
    ),
    "catalogue": (
        ["sspexplorer/catalogue/*"],
        [
            "test_catalogue",
            "test_catalogue_files",
            "test_catalogue_missing",
            "test_catalogue_names",
            "test_catalogue_redshifts",
            "test_catalogue_refusals",
            "test_catalogue_text",
            "test_catalogue_two_sided",
            "test_catalogue_units",
            "test_columns_map",
        ],
    ),
}
# Each mutant runs in a fork of the run before it, whose caches were filled by the code as it was.
FORGET = """

def pytest_sessionstart(session):
    import functools
    import gc

    for found in gc.get_objects():
        if type(found) is functools._lru_cache_wrapper:
            found.cache_clear()
"""
NOTICED, SURVIVED, UNREACHED = 1, 0, 33


def prepared(subject: str, folder: Path) -> None:
    """Copy what mutmut works on to a folder of its own."""
    changed, tests = SUBJECTS[subject]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("sspexplorer", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "tests" / "conftest.py").open("a") as conftest:
        conftest.write(FORGET)
    (folder / "mutants").mkdir()
    (folder / "mutants" / "data").symlink_to(ROOT / "data")
    for name in ("docs", "pytest.ini"):
        if (ROOT / name).exists():
            (folder / "mutants" / name).symlink_to(ROOT / name)
    lines = {
        "source_paths": ["sspexplorer"],
        "only_mutate": changed,
        "pytest_add_cli_args": ["-q", "-p", "no:cacheprovider", "-m", "not browser"],
        "pytest_add_cli_args_test_selection": [f"tests/{name}.py" for name in tests],
    }
    text = "".join(f"{key} =\n    " + "\n    ".join(v) + "\n" for key, v in lines.items())
    (folder / "setup.cfg").write_text(f"[mutmut]\n{text}timeout_constant = 60\n")


def outcomes(folder: Path) -> dict[str, int | None]:
    """Exit code of the tests for each mutant; None if it was not tried."""
    found: dict[str, int | None] = {}
    for path in (folder / "mutants" / "sspexplorer").rglob("*.py.meta"):
        found |= json.loads(path.read_text())["exit_code_by_key"]
    return found


def score(subject: str, folder: Path, sample: int, seed: int) -> None:
    """Try mutants of a subject, and print how many were noticed."""
    prepared(subject, folder)
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1"]
    # The first run makes the mutants and learns which test reaches which; none has this name.
    subprocess.run([*command, "none"], cwd=folder, capture_output=True)
    names = sorted(outcomes(folder))
    if not names:
        raise SystemExit(f"No mutants of {subject}: run {' '.join(command)} in {folder}.")
    chosen = random.Random(seed).sample(names, sample) if 0 < sample < len(names) else names
    done = subprocess.run([*command, *chosen], cwd=folder, capture_output=True, text=True)
    codes = {name: outcomes(folder)[name] for name in chosen}
    if all(code is None for code in codes.values()):
        raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
    survived = [name for name, code in codes.items() if code in (SURVIVED, UNREACHED)]
    n = len(chosen) - len(survived)
    print(f"{subject}: {n} of {len(chosen)} noticed ({n / len(chosen):.0%}); {len(names)} in all")
    for name in survived:
        print(f"  {'no test' if codes[name] == UNREACHED else 'survived'}: {name}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("subjects", nargs="*", choices=[[], *SUBJECTS])
    parser.add_argument("--sample", type=int, default=60, help="mutants of each; 0 for all")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--folder", type=Path, default=ROOT / ".cache" / "mutants")
    given = parser.parse_args()
    for subject in given.subjects or SUBJECTS:
        score(subject, given.folder / subject, given.sample, given.seed)


if __name__ == "__main__":
    main()

"""What the commands print, on consoles that know no Greek."""

import json
import os
import subprocess
import sys

import pytest

from sspexplorer.letters import in_plain_letters

COMMANDS = {
    "predict": ["predict", "GIVEN", "--out", "OUT.csv", "--model", "default"],
    "predict, JSON": ["predict", "GIVEN", "--out", "OUT.csv", "--model", "default", "--json"],
    "sedfit": ["sedfit", "GIVEN", "--out", "OUT.csv", "--libraries", "emiles"],
    "libraries": ["libraries"],
    "help": ["mocks", "--help"],
    "usage": ["predict", "--no-such-option"],
    "refusal": ["predict", "Ångström μ σ ≤ λ.csv", "--out", "x.csv"],
}
# Of all letters that the commands may print, what is not in the encoding is in plain letters.
ENCODINGS = ("ascii", "cp1252", "utf-8")


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    path = tmp_path_factory.mktemp("console") / "Σ galaxies.csv"
    columns = [f"J{w:04d}" for w in range(400, 910, 10)]
    path.write_text(",".join(columns) + "\n" + ",".join(["1.5e-28"] * 51) + "\n")
    return path


# All commands in one process, as a console sees them one after the other: torch is slow to load.
RUN_ALL = """
import json, sys
from sspexplorer.cli import main

codes = {}
for name, words in json.loads(sys.argv[1]).items():
    sys.argv = ["sspexplorer", *words]
    print("-----", name)
    try:
        main()
    except SystemExit as end:
        codes[name] = end.code
print("=====", json.dumps(codes))
"""


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_console_takes_what_is_printed(encoding, given):
    commands = {
        name: [str(given) if word == "GIVEN" else word for word in words]
        for name, words in COMMANDS.items()
    }
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL, json.dumps(commands)],
        cwd=given.parent,
        capture_output=True,
        timeout=300,
        env=os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
    )
    out, err = done.stdout.decode(encoding), done.stderr.decode(encoding)
    printed = out + err
    assert "Traceback" not in printed
    out, _, codes = out.partition("===== ")
    codes = json.loads(codes)
    assert codes == {name: 2 if name in ("usage", "refusal") else 0 for name in COMMANDS}, printed
    for part in out.split("----- ")[1:]:
        assert "\\u" not in part or part.startswith("predict, JSON")
    plain = {
        "ascii": "Angstrom u sigma <= lambda.csv",
        "cp1252": "Ångström u sigma <= lambda.csv",
    }
    name = plain.get(encoding, "Ångström μ σ ≤ λ.csv")
    assert f"There is no file {name}." in err


def test_a_table_goes_to_standard_output_and_all_else_to_the_other(given):
    command = ["predict", "-", "--out", "-", "--model", "default"]
    done = subprocess.run(
        [sys.executable, "-m", "sspexplorer.cli", *command],
        input=given.read_bytes(),
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    header, row = done.stdout.decode().splitlines()
    assert header.startswith("J0400,J0410")
    assert "pred_log_age" in header
    assert row.startswith("1.5e-28,")
    assert "1 of 1 rows predicted" in done.stderr.decode()


def test_letters_have_plain_ones():
    text = "χ² ≤ 3 σ − 5 Å, é and 三"
    assert in_plain_letters(text) == "chi2 <= 3 sigma - 5 A, e and ?"
    assert in_plain_letters("plain") == "plain"

"""What the commands print, on consoles that know no Greek."""

import io
import os
import subprocess
import sys

import pytest

from sspexplorer.cli import main
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


@pytest.fixture
def run(monkeypatch):
    """Runs a command as on a console of an encoding: its exit code, standard output and error."""

    def on(encoding: str, words: list[str]) -> tuple[int, str, str]:
        written = [io.BytesIO(), io.BytesIO()]
        for name, stream in zip(("stdout", "stderr"), written, strict=True):
            monkeypatch.setattr(sys, name, io.TextIOWrapper(stream, encoding=encoding))
        monkeypatch.setattr(sys, "argv", ["sspexplorer", *words])
        with pytest.raises(SystemExit) as end:
            main()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        return end.value.code, *(stream.getvalue().decode(encoding) for stream in written)

    return on


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_console_takes_what_is_printed(encoding, given, run, monkeypatch):
    monkeypatch.chdir(given.parent)
    plain = {
        "ascii": "Angstrom u sigma <= lambda.csv",
        "cp1252": "Ångström u sigma <= lambda.csv",
    }
    name = plain.get(encoding, "Ångström μ σ ≤ λ.csv")
    for command, words in COMMANDS.items():
        code, out, err = run(encoding, [str(given) if w == "GIVEN" else w for w in words])
        assert (code or 0) == (2 if command in ("usage", "refusal") else 0), err
        assert "\\u" not in out or command == "predict, JSON"
        if command == "refusal":
            assert f"There is no file {name}." in err


def test_a_table_goes_to_standard_output_and_all_else_to_the_other(given):
    """In a process of its own, through a pipe as Windows makes them."""
    command = ["predict", "-", "--out", "-", "--model", "default"]
    done = subprocess.run(
        [sys.executable, "-m", "sspexplorer.cli", *command],
        input=given.read_bytes(),
        capture_output=True,
        timeout=300,
        env=os.environ | {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"},
    )
    assert done.returncode == 0, done.stderr
    header, row = done.stdout.decode().splitlines()
    assert header.startswith("J0400,J0410")
    assert "pred_log_age" in header
    assert row.startswith("1.5e-28,")
    assert "1 of 1 rows predicted" in done.stderr.decode("cp1252")


def test_letters_have_plain_ones():
    text = "χ² ≤ 3 σ − 5 Å, é and 三"
    assert in_plain_letters(text) == "chi2 <= 3 sigma - 5 A, e and ?"
    assert in_plain_letters("plain") == "plain"

"""The package as others install it: a wheel, in an environment of its own, away from here."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
import venv
from pathlib import Path

import pytest
import typer

from sspexplorer.cli import app


@pytest.fixture(scope="module")
def source(repository: Path, tmp_path_factory) -> Path:
    """What a container is made of: that of the repository which ``.dockerignore`` lets through."""
    folder = tmp_path_factory.mktemp("source")
    lines = (repository / ".dockerignore").read_text().splitlines()
    for name in (line[1:] for line in lines if line.startswith("!")):
        if (repository / name).is_dir():
            leave_out = shutil.ignore_patterns("__pycache__")
            shutil.copytree(repository / name, folder / name, ignore=leave_out)
        else:
            shutil.copy(repository / name, folder)
    return folder


@pytest.fixture(scope="module")
def installed(source: Path, tmp_path_factory) -> Path:
    """Folder of programs of an environment that holds the wheel; what it needs is borrowed."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", str(source), "--wheel-dir", str(folder)]
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    subprocess.run([*build, *offline], check=True, cwd=folder)
    (wheel,) = folder.glob("*.whl")

    home = folder / "environment"
    venv.create(home, with_pip=False)
    names = {"base": str(home), "platbase": str(home)}
    place = Path(sysconfig.get_path("purelib", "venv", names))
    install = [sys.executable, "-m", "pip", "--python", str(home), "install", "--no-index"]
    subprocess.run(
        [*install, "--no-deps", "--no-compile", "--quiet", str(wheel)], check=True, cwd=folder
    )
    # After its own packages, the environment looks among ours: nothing is downloaded.
    (place / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Path(sysconfig.get_path("scripts", "venv", names))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory) -> dict:
    """Where and with what its programs are run: nothing leads back to the repository."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "SSPEXPLORER"))}
    return {"cwd": tmp_path_factory.mktemp("elsewhere"), "env": kept, "text": True}


def run(program: Path, *arguments: str, **options) -> str:
    done = subprocess.run([program, *arguments], capture_output=True, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_container_names_what_is_there(repository: Path, source: Path):
    text = (repository / "Dockerfile").read_text()
    names = re.findall(r"/source/(\S+)", text)
    assert names
    assert not [name for name in names if not (source / name).exists()]
    lines = re.findall(r"^(?:ENTRYPOINT|CMD) (.*)", text, re.M)
    program, name, *options = (word for line in lines for word in json.loads(line))
    assert program == "sspexplorer"
    # Options that are not there are refused.
    typer.main.get_command(app).commands[name].make_context(name, options)


def test_the_package_and_its_data_are_those_of_the_wheel(installed: Path, elsewhere: dict):
    code = "import sspexplorer as s, sspexplorer.resources as r; print(s.__file__, r.data_path())"
    package, data = run(installed / "python", "-c", code, **elsewhere).split()
    home = installed.parent
    assert home in Path(package).parents
    assert Path(data) == Path(package).parent / "data"
    assert (Path(package).parent / "py.typed").exists()
    assert (Path(package).parent / "__init__.pyi").exists()


def test_the_wheel_lists_libraries_and_predicts_its_example(installed: Path, elsewhere: dict):
    program = installed / "sspexplorer"
    listed = json.loads(run(program, "libraries", "--json", **elsewhere))
    assert {"emiles", "bc03", "popstar"} <= set(json.dumps(listed).split('"'))
    example = installed.parent.rglob("examples/real_galaxies.csv")
    run(program, "predict", str(next(example)), "--out", "answers.csv", **elsewhere)
    assert "pred_log_age_p84" in (elsewhere["cwd"] / "answers.csv").read_text()


def test_the_wheel_serves_the_app_and_leaves_no_file(
    installed: Path, elsewhere: dict, tmp_path_factory
):
    own = tmp_path_factory.mktemp("t")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = elsewhere["cwd"] / "log"
    options = elsewhere | {"env": elsewhere["env"] | {"TMPDIR": str(own)}}
    with log.open("w") as output:
        command = [installed / "sspexplorer", "serve", "--port", str(port)]
        server = subprocess.Popen(command, stdout=output, stderr=output, **options)
        try:
            assert "SSP Explorer" in answer(f"http://localhost:{port}/app", server, log)
            assert list(own.iterdir())
        finally:
            server.terminate()
            server.wait(timeout=30)
    assert list(own.iterdir()) == []


def answer(url: str, server: subprocess.Popen, log: Path) -> str:
    for _ in range(900):
        try:
            with urllib.request.urlopen(url, timeout=120) as reply:
                return reply.read().decode()
        except (urllib.error.URLError, ConnectionError):
            assert server.poll() is None, log.read_text()
            time.sleep(0.2)
    raise AssertionError(f"The server did not answer: {log.read_text()}")

"""A server that is left alone: its processes, its headers, its log, and what it takes."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
from tornado.testing import AsyncHTTPTestCase
from tornado.web import Application

from sspexplorer import __version__
from sspexplorer.app.serving.headers import with_headers
from sspexplorer.app.serving.health import Health
from sspexplorer.app.serving.logs import JSONLines
from sspexplorer.app.serving.settings import Settings, set_limits
from sspexplorer.cli import app
from sspexplorer.errors import InputError
from sspexplorer.jobs.queue import TrainingQueue

# Workers that say who they are; one is killed from outside, and then all are told to end.
_SERVER = """
import os, signal, sys, time
from sspexplorer.app.serving import logs, settings
from sspexplorer.app.serving.supervisor import supervise

def work(tell):
    signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b"ended\\n"), os._exit(0)))
    os.write(1, f"{os.getpid()}\\n".encode())
    tell()
    time.sleep(60)

# What is forked has no threads, so it has none of what brings them.
print(len({"numpy", "pandas", "pyarrow", "panel", "torch"} & set(sys.modules)), flush=True)
supervise(work, 2)
"""


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_workers_are_replaced_when_they_are_killed_and_end_with_their_server():
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert server.stdout.readline() == "0\n"
    workers = [int(server.stdout.readline()) for _ in range(2)]
    os.kill(workers[0], signal.SIGKILL)
    workers.append(int(server.stdout.readline()))
    server.send_signal(signal.SIGTERM)
    said, log = server.communicate(timeout=30)
    assert said.split() == ["ended", "ended"]
    assert "A worker ended after" in log
    assert not any(map(is_alive, workers))


class TestAnswers(AsyncHTTPTestCase):
    def get_app(self) -> Application:
        health = {"is_warm": lambda: False, "n_sessions": lambda: 3}
        application = Application([(r"/health", Health, health)])
        application.add_transform(with_headers(Settings().headers))
        return application

    def test_health_and_headers(self):
        answer = self.fetch("/health")
        said = json.loads(answer.body)
        assert (said["alive"], said["warm"], said["sessions"]) == (True, False, 3)
        assert said["version"] == __version__
        assert 10 < said["memory_mb"] < 1e5
        for response in (answer, self.fetch("/no-such-page")):
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
            assert "default-src 'self'" in response.headers["Content-Security-Policy"]
            assert not re.search(r"\d", response.headers["Server"])


def test_whoever_may_embed_the_app_is_named():
    headers = Settings(embedders=("https://hub.example.org",)).headers
    assert "X-Frame-Options" not in headers
    assert "frame-ancestors 'self' https://hub.example.org" in headers["Content-Security-Policy"]
    assert Settings(port=80, address="0.0.0.0", origins=("x.org",)).websocket_origins == [
        "127.0.0.1:80",
        "localhost:80",
        "x.org",
    ]


def test_a_log_has_no_cell_of_a_catalogue():
    secret = "NGC-1234"

    def logged(name: str, message: str, *args, error: Exception | None = None) -> dict:
        info = None
        if error:
            try:
                raise error
            except ValueError:
                info = sys.exc_info()
        record = logging.LogRecord(name, logging.ERROR, "x.py", 1, message, args, info)
        line = JSONLines().format(record)
        assert "\n" not in line
        assert secret not in line
        return json.loads(line)

    event = logged("sspexplorer.app.kit.work", "Work failed", error=ValueError(f"cell {secret}"))
    assert (event["event"], event["error"]) == ("Work failed", "ValueError")
    assert "test_serving.py" in event["at"][0]
    assert "%r" in logged("bokeh.server.views.ws", "Unhandled: %r", secret)["event"]
    said = logged("tornado.access", "%d %s", 200, f"GET /app?id={secret}&x=1 (127.0.0.1)")
    assert said["event"] == "200 GET /app (127.0.0.1)"


def test_what_serve_cannot_use_is_refused_in_a_sentence(tmp_path, monkeypatch):
    for name in ("MEMORY", "SECONDS", "UPLOAD"):
        monkeypatch.setenv(f"SSPEXPLORER_{name}", "")
    with pytest.raises(InputError, match="SSPEXPLORER_SECONDS must be a positive number"):
        set_limits(100, 0, 10)
    empty = tmp_path / "password"
    empty.write_text("\n")
    for arguments, said in (
        (["--password-file", str(tmp_path / "none")], "cannot be read"),
        (["--password-file", str(empty)], "has no password in it"),
    ):
        with pytest.raises(InputError, match=said):
            app(["serve", *arguments], standalone_mode=False)


def test_trainings_end_with_their_server():
    queue, left = TrainingQueue(), []
    training = SimpleNamespace(ended=False, cancel=lambda: left.append(1))
    queue._waiting.append(training)
    assert queue.close() == 1
    assert left == [1]
    assert queue.close() == 0

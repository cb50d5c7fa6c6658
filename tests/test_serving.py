"""A server that is left alone: its processes, its headers, its log, and what it takes."""

import asyncio
import json
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import panel as pn
import pytest
from onlooker import Onlooker
from tornado.testing import AsyncHTTPTestCase
from tornado.web import Application
from tornado.websocket import WebSocketClosedError

from sspexplorer import __version__
from sspexplorer.app.apply.offered import offered_files
from sspexplorer.app.server import make_server
from sspexplorer.app.serving import folder, logs, memory
from sspexplorer.app.serving.headers import with_headers
from sspexplorer.app.serving.health import Health, memory_mb
from sspexplorer.app.serving.logs import JSONLines
from sspexplorer.app.serving.passwords import VISITOR, login_page, read_passwords
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


@pytest.mark.parametrize(
    ("error", "is_told"), [(WebSocketClosedError(), False), (ValueError("x"), True)]
)
def test_a_visitor_who_left_in_mid_sentence_is_no_line_of_error(error, is_told, caplog):
    logs.leave_out_farewells()
    logging.getLogger("asyncio").error("never retrieved", exc_info=error)
    assert bool(caplog.records) == is_told


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
    monkeypatch.setenv("PANEL_OAUTH_PROVIDER", "github")
    with pytest.raises(InputError, match="PANEL_OAUTH_PROVIDER is set, but serve would let every"):
        app(["serve"], standalone_mode=False)


def test_trainings_end_with_their_server():
    queue, left = TrainingQueue(), []
    training = SimpleNamespace(ended=False, cancel=lambda: left.append(1))
    queue._waiting.append(training)
    assert queue.close() == 1
    assert left == [1]
    assert queue.close() == 0


def test_visitors_choose_among_the_catalogues_of_a_folder_and_see_nothing_else(
    tmp_path, monkeypatch
):
    inside, outside = tmp_path / "catalogues", tmp_path / "secret.csv"
    outside.write_text("id\n1\n")
    (inside / "folder.csv").mkdir(parents=True)
    for name in ("b.csv", "a.fits.gz", ".hidden.csv", "notes.docx"):
        (inside / name).write_text("id\n")
    (inside / "link.csv").symlink_to(outside)
    (inside / "within.csv").symlink_to(inside / "b.csv")
    monkeypatch.setenv(folder.CATALOGUES, "")
    assert offered_files(None, None) == []
    with pytest.raises(InputError, match=r"cannot be offered: Not a directory"):
        folder.set_folder(outside)
    folder.set_folder(inside)
    assert list(folder.offered()) == ["a.fits.gz", "b.csv", "within.csv"]
    for name in ("link.csv", "../secret.csv", str(outside), "folder.csv", "", "c.csv"):
        with pytest.raises(InputError, match="offers no catalogue"):
            folder.find(name)

    opened, told = [], []

    async def press() -> None:
        async def open_(path, name):
            opened.append((path, name))

        controls = Onlooker(offered_files(open_, told.append)[0])
        controls.control("A catalogue of this server").value = "b.csv"
        for n_answers in (1, 2):
            controls.press("Open it")
            while len(opened) + len(told) < n_answers:
                await asyncio.sleep(0)
            (inside / "b.csv").unlink(missing_ok=True)

    asyncio.run(press())
    assert opened == [((inside / "b.csv").resolve(), "b.csv")]
    assert "offers no catalogue b.csv" in str(told[0])


class TestPasswords(AsyncHTTPTestCase):
    """A light server with a password for all, below a prefix."""

    def get_app(self) -> Application:
        self.folder = tempfile.TemporaryDirectory()
        settings = Settings(prefix="/ssp", passwords={VISITOR: "J0378"})
        self.server = make_server(
            lambda: pn.pane.HTML("welcome"), settings, "secret", Path(self.folder.name), bool
        )
        return self.server._tornado

    def tearDown(self) -> None:
        self.server.unlisten()
        self.folder.cleanup()
        super().tearDown()

    def test_who_does_not_know_it_is_not_let_in(self):
        def ask(path, password=None, cookies=""):
            answer = self.fetch(
                path,
                method="GET" if password is None else "POST",
                body=None if password is None else f"username={VISITOR}&password={password}",
                headers={"Cookie": cookies},
                follow_redirects=False,
            )
            return answer.code, answer.headers.get("Location", ""), answer

        for path in ("/ssp/", "/ssp/app", "/ssp/app/"):
            answer = self.fetch(path)
            form = answer.body.decode()
            assert urlsplit(answer.effective_url).path == "/ssp/login"
            assert 'action="./login"' in form
            assert "http" not in form  # nothing comes from another host
        script = "/ssp/app/autoload.js?bokeh-autoload-element=here"
        with self.assertNoLogs("tornado.application"):
            assert ask(script)[0] == 403
        code, place, answer = ask("/ssp/login", "wrong")
        assert (code, place.startswith("/ssp/login?error=")) == (302, True)
        assert "Set-Cookie" not in answer.headers
        assert "try again" in ask(place)[2].body.decode()
        code, place, answer = ask("/ssp/login", "J0378", "next_url=/ssp/app")
        assert (code, place) == (302, "/ssp/app")
        cookies = "; ".join(c.split(";")[0] for c in answer.headers.get_list("Set-Cookie"))
        page = ask("/ssp/app", cookies=cookies)[2]
        assert page.code == 200
        assert "docs_json" in page.body.decode()
        assert ask(script, cookies=cookies)[0] == 200
        assert ask("/ssp/app", cookies="user=visitor")[0] == 302
        assert ask("/ssp/health")[0] == 200


def test_files_of_passwords_are_read_at_the_door(tmp_path):
    path = tmp_path / "users.json"
    path.write_text('{"ana": "J0378", "ben": "iSDSS"}')
    users = read_passwords(path)
    assert users == {"ana": "J0378", "ben": "iSDSS"}
    assert "Name" in login_page(users)
    assert "Name" not in login_page({VISITOR: "x"})
    for text in ("[1]", '{"ana": 1}', '{"ana": ""}', "{}", "{"):
        path.write_text(text)
        with pytest.raises(InputError, match=r"users\.json"):
            read_passwords(path)


def test_free_memory_goes_back_to_the_system():
    def free_after(n_blocks: int) -> float:
        # Small blocks, with one that stays behind each: what malloc keeps for itself.
        blocks = [bytes(2000) for _ in range(n_blocks)]
        kept = blocks[::50]
        del blocks
        before = memory_mb()
        memory.give_back()
        for thread in threading.enumerate():
            if thread.name == "memory":
                thread.join()
        return before - memory_mb() if kept else 0.0

    memory.bound_arenas()
    assert free_after(100_000) > 50

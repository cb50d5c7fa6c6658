"""A Firefox that tests drive, by the protocol that it speaks itself: WebDriver BiDi.

https://www.w3.org/TR/webdriver-bidi/; what is done and said with it here is what tests need.
"""

import base64
import json
import subprocess
import time
from itertools import count
from pathlib import Path
from typing import Any

from websocket import create_connection

_PATIENCE = 180.0  # s; shared machines stall
_PREFERENCES = {
    # Every other host is refused at once, so that what is fetched from one fails on every machine.
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "ui.prefersReducedMotion": 1,
}
_WELCOMED = "() => { try { localStorage.setItem('ssp_welcomed', '1'); } catch {} }"


class Firefox:
    """One window.

    Parameters
    ----------
    path : str
        Of the program.
    profile : Path
        An empty folder of its own.

    Attributes
    ----------
    errors : list of str
        What pages have written to the console as errors.
    """

    def __init__(self, path: str, profile: Path) -> None:
        lines = (f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in _PREFERENCES.items())
        (profile / "user.js").write_text("\n".join(lines))
        self.errors: list[str] = []
        self._numbers = count()
        with (profile / "log").open("w") as log:
            command = [path, "--headless", "--no-remote", "--profile", str(profile)]
            self._process = subprocess.Popen(
                [*command, "--remote-debugging-port=0"], stdout=log, stderr=log
            )
        try:
            # It refuses web pages, which name their origin.
            self._socket = create_connection(
                self._address(profile), timeout=_PATIENCE, suppress_origin=True
            )
            self._ask("session.new", capabilities={})
            self._ask("session.subscribe", events=["log.entryAdded"])
            self._ask("script.addPreloadScript", functionDeclaration=_WELCOMED)
            (window,) = self._ask("browsingContext.getTree")["contexts"]
            self._window = {"context": window["context"]}
        except BaseException:
            self._process.kill()
            raise

    def close(self) -> None:
        """End it."""
        self._socket.close()
        self._process.terminate()
        self._process.wait(timeout=_PATIENCE)

    def set_size(self, width: int, height: int) -> None:
        """Make the window so many pixels large."""
        self._ask(
            "browsingContext.setViewport",
            **self._window,
            viewport={"width": width, "height": height},
        )

    def goto(self, url: str) -> None:
        """Open an address, and wait until it is loaded."""
        self._ask("browsingContext.navigate", **self._window, url=url, wait="complete")

    def evaluate(self, function: str, argument: Any = None) -> Any:
        """Call a function of JavaScript, asynchronous or not, on something that JSON can say."""
        whole = f"async (said) => JSON.stringify(await ({function})(JSON.parse(said)))"
        answer = self._ask(
            "script.callFunction",
            functionDeclaration=whole,
            arguments=[{"type": "string", "value": json.dumps(argument)}],
            target=self._window,
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        said = answer["result"]
        return json.loads(said["value"]) if said["type"] == "string" else None

    def screenshot(self) -> bytes:
        """What is seen of the page, as PNG."""
        return base64.b64decode(
            self._ask("browsingContext.captureScreenshot", **self._window)["data"]
        )

    def _address(self, profile: Path) -> str:
        """Where it listens, which it writes down as soon as it does."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            try:
                told = json.loads((profile / "WebDriverBiDiServer.json").read_text())
            except (FileNotFoundError, ValueError):
                assert self._process.poll() is None, (profile / "log").read_text()
                time.sleep(0.1)
                continue
            return f"ws://{told['ws_host']}:{told['ws_port']}/session"
        raise AssertionError(f"Firefox did not begin: {(profile / 'log').read_text()}")

    def _ask(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            said = json.loads(self._socket.recv())
            if said.get("method") == "log.entryAdded" and said["params"]["level"] == "error":
                self.errors.append(said["params"]["text"])
            if said.get("id") == number:
                assert said["type"] == "success", said
                return said["result"]

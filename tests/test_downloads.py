"""Downloads from a server that stalls, breaks off, sends what it should not, or is not there."""

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from files_server import FileServer, serve_files

from sspexplorer.errors import Cancelled, InputError
from sspexplorer.libraries.downloads import fetch
from sspexplorer.progress import Progress

CONTENT = bytes(range(256)) * 4000  # 1 MB
SHA256 = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
NAME = "spectra.npz"


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serve_files() as server:
        server.files[NAME] = CONTENT
        yield server


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_comes_whole_and_once(server, tmp_path):
    seen: list[float] = []
    path = fetch(
        f"{server.url}/{NAME}",
        tmp_path / "new",
        SHA256,
        progress=Progress(lambda fraction, words: seen.append(fraction)),
    )
    assert path.read_bytes() == CONTENT
    assert left(path.parent) == [NAME]
    assert seen[-1] == 1
    assert seen == sorted(seen)
    assert fetch(f"{server.url}/{NAME}", tmp_path / "new", SHA256) == path
    assert server.asked == [(NAME, None)]


@pytest.mark.parametrize("sha256", [SHA256, None])
def test_a_line_that_breaks_is_taken_up_where_it_broke(server, tmp_path, sha256):
    server.manner[NAME] = "cut"
    assert fetch(f"{server.url}/{NAME}", tmp_path, sha256).read_bytes() == CONTENT
    starts = [int(asked[6:-1]) for _, asked in server.asked[1:]]
    assert len(starts) >= 2
    # What had not filled a piece when the line broke is asked for again.
    assert all(
        0 <= (len(CONTENT) // 3 + 1) * n - start < 70_000 for n, start in enumerate(starts, 1)
    )


def test_a_stall_is_said_and_the_next_call_goes_on(server, tmp_path):
    server.manner[NAME] = "stall"
    with pytest.raises(InputError, match=r"stalled\. 0\.3 MB are kept: the same command goes on"):
        fetch(f"{server.url}/{NAME}", tmp_path, stall_seconds=0.3)
    part = (tmp_path / f"{NAME}.part").read_bytes()
    assert len(part) > 300_000
    assert part == CONTENT[: len(part)]
    server.manner[NAME] = ""
    assert fetch(f"{server.url}/{NAME}", tmp_path).read_bytes() == CONTENT
    assert server.asked[-1] == (NAME, f"bytes={len(part)}-")
    assert left(tmp_path) == [NAME]


def test_a_part_of_an_older_version_is_not_continued(server, tmp_path):
    server.manner[NAME] = "stall"
    with pytest.raises(InputError, match="stalled"):
        fetch(f"{server.url}/{NAME}", tmp_path, stall_seconds=0.3)
    server.manner[NAME], server.files[NAME] = "", CONTENT[::-1]
    assert fetch(f"{server.url}/{NAME}", tmp_path).read_bytes() == CONTENT[::-1]


def test_a_server_that_knows_no_ranges_sends_all_again(server, tmp_path):
    server.manner[NAME] = "no ranges"
    assert fetch(f"{server.url}/{NAME}", tmp_path).read_bytes() == CONTENT


def test_a_part_that_is_whole_already_is_taken(server, tmp_path):
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT)
    assert fetch(f"{server.url}/{NAME}", tmp_path, SHA256).read_bytes() == CONTENT


def test_a_part_that_is_too_long_is_dropped(server, tmp_path):
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT + b"more")
    assert fetch(f"{server.url}/{NAME}", tmp_path, SHA256).read_bytes() == CONTENT


def test_wrong_bytes_are_refused_and_deleted(server, tmp_path):
    server.files[NAME] = CONTENT[::-1]
    with pytest.raises(InputError, match=f"its checksum is not {SHA256}. It was deleted"):
        fetch(f"{server.url}/{NAME}", tmp_path, SHA256)
    assert left(tmp_path) == []


def test_a_redirect_is_followed_but_not_in_circles(server, tmp_path):
    server.manner |= {NAME: "redirect", "round": "circle"}
    assert fetch(f"{server.url}/{NAME}", tmp_path, SHA256).read_bytes() == CONTENT
    with pytest.raises(InputError, match="it redirects again and again"):
        fetch(f"{server.url}/round", tmp_path)


def test_what_cannot_be_had_is_said_in_one_sentence(server, tmp_path):
    with pytest.raises(InputError, match=r"/data/none\.npz is not there \(the server answers 404"):
        fetch(f"{server.url}/none.npz", tmp_path)
    server.manner["page.fits"] = "html"
    with pytest.raises(InputError, match="gives a web page, not data"):
        fetch(f"{server.url}/page.fits", tmp_path)
    server.manner["mute.fits"] = "mute"
    with pytest.raises(InputError, match="stopped, no answer"):
        fetch(f"{server.url}/mute.fits", tmp_path, stall_seconds=0.3)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/x.npz"
        with pytest.raises(InputError, match="the server cannot be reached"):
            fetch(url, tmp_path)
    assert left(tmp_path) == []


def test_a_download_can_be_cancelled_and_resumed(server, tmp_path):
    seen: list[float] = []
    with pytest.raises(Cancelled):
        fetch(
            f"{server.url}/{NAME}",
            tmp_path,
            progress=Progress(lambda fraction, words: seen.append(fraction), lambda: bool(seen)),
        )
    assert left(tmp_path) == [f"{NAME}.part", f"{NAME}.part.version"]
    assert fetch(f"{server.url}/{NAME}", tmp_path, SHA256).read_bytes() == CONTENT
    assert left(tmp_path) == [NAME]


def test_a_folder_that_cannot_be_written_is_named(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="Cannot write into"):
        fetch(f"{server.url}/{NAME}", tmp_path / "file")

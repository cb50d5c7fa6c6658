"""Libraries that are added, replaced and removed; nothing is ever half there."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from files_server import serve_files

from sspexplorer.errors import Cancelled, InputError
from sspexplorer.libraries import (
    SHIPPED_NAMES,
    SSPLibrary,
    library_names,
    library_title,
    library_version,
    load_library,
    read_library,
    store,
    write_library,
)
from sspexplorer.libraries.readers import RemoteFile, Source
from sspexplorer.libraries.store import add_library, keep_library, remove_library
from sspexplorer.mocks import make_mocks
from sspexplorer.progress import Progress


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """Where added libraries go in this test."""
    monkeypatch.setenv("SSPEXPLORER_DATA", str(tmp_path / "data"))
    return tmp_path / "data/libraries"


@pytest.fixture
def mine() -> SSPLibrary:
    """Part of a shipped library under a name of its own."""
    whole = load_library("emiles")
    return replace(whole.select(whole.metallicity > 0), name="mine", title="My own")


def left(folder: Path) -> list[str]:
    """Files that are not there for good: all but libraries and locks."""
    return [
        path.name
        for path in folder.parent.rglob("*")
        if path.is_file() and path.suffix not in (".h5", ".lock")
    ]


def test_an_added_library_is_served_like_a_shipped_one(mine, folder):
    assert library_names() == SHIPPED_NAMES
    kept = keep_library(mine)
    assert library_names() == (*SHIPPED_NAMES, "mine")
    assert library_title("mine") == "My own"
    assert np.array_equal(kept.spectra, mine.spectra)
    assert load_library("mine") is load_library("mine")
    assert set(make_mocks(["mine", "emiles"]).labels["library"]) == {"mine", "emiles"}
    # In the compact form of the shipped ones.
    write_library(mine, folder.parent / "same.h5")
    sizes = [path.stat().st_size for path in (folder / "mine.h5", folder.parent / "same.h5")]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.02)


def test_a_library_that_was_added_before_one_of_its_name_was_shipped_stays(mine, folder):
    keep_library(mine)
    (folder / "mine.h5").rename(folder / "m11.h5")
    assert library_names() == (*SHIPPED_NAMES, "m11-added")
    found = load_library("m11-added")
    assert (found.name, library_title("m11-added"), len(found)) == (
        "m11-added",
        "My own",
        len(mine),
    )
    assert library_title("m11") != "My own"
    remove_library("m11-added")
    assert library_names() == SHIPPED_NAMES
    assert not (folder / "m11.h5").exists()


def test_adding_anew_refreshes_what_is_served(mine):
    keep_library(mine)
    before, version = load_library("mine"), library_version("mine")
    keep_library(mine.select(mine.log_age > 9))
    assert library_version("mine") != version
    assert len(load_library("mine")) < len(before)
    assert load_library("bc03") is load_library("bc03")


def test_a_removed_library_is_gone(mine, folder):
    keep_library(mine, "other")
    assert library_names()[-1] == "other"
    assert load_library("other").ids[0].startswith("other/")
    remove_library("other")
    assert library_names() == SHIPPED_NAMES
    with pytest.raises(InputError, match="no SSP library called 'other'; there are emiles, bc03"):
        load_library("other")
    with pytest.raises(InputError, match=r"No library 'other' was added; those that were: none\."):
        remove_library("other")
    with pytest.raises(InputError, match="ships with SSP Explorer and cannot be removed"):
        remove_library("bc03")


@pytest.mark.parametrize(
    "name", ["emiles", "all", "paper", "../up", "a/b", "Mine", "a,b", "1st", "", "x" * 41, ".x"]
)
def test_names_that_cannot_be_taken_are_refused(mine, name, folder):
    with pytest.raises(InputError, match="name"):
        add_library("own", folder / "none.h5", name=name)
    with pytest.raises(InputError, match="no SSP library called"):
        load_library(name if name != "emiles" else "../emiles")
    assert not folder.exists()


def test_a_library_that_cannot_be_used_is_refused(mine, folder):
    short = mine.wavelength > 5000
    with pytest.raises(InputError, match="do not cover band uJAVA"):
        keep_library(
            replace(mine, wavelength=mine.wavelength[short], spectra=mine.spectra[:, short])
        )
    dark = mine.spectra.copy()
    dark[:2, mine.wavelength > 8951] = 0
    with pytest.raises(InputError, match=f"2 of {len(mine)} SSPs have no flux at some wavelength"):
        keep_library(replace(mine, spectra=dark))
    with pytest.raises(InputError, match=r"no SSP between 1\.5 Myr and 14 Gyr"):
        keep_library(replace(mine, log_age=mine.log_age - 8))
    with pytest.raises(InputError, match="metallicities must be finite"):
        keep_library(replace(mine, metallicity=mine.metallicity * np.nan))
    assert not folder.exists()


def test_files_that_are_not_libraries_are_no_choice(mine, folder):
    keep_library(mine)
    (folder / "page.h5").write_text("<html>")
    (folder / "mine.h5").rename(folder / "renamed.h5")
    assert library_names() == (*SHIPPED_NAMES, "renamed")
    assert load_library("renamed").name == "renamed"


def test_a_file_of_ones_own_is_read(mine, tmp_path):
    seen: list[float] = []
    write_library(mine, tmp_path / "given.h5")
    library = add_library(
        "own",
        tmp_path / "given.h5",
        progress=Progress(lambda fraction, words: seen.append(fraction)),
    )
    assert (library.name, library.title) == ("given", "My own")
    assert np.array_equal(library.metallicity, mine.metallicity)
    assert seen[-1] == 1
    # Its title is taken by now, and what is shown of a library tells it from all others.
    assert add_library("own", tmp_path / "given.h5", name="again").title == "My own (again)"
    with pytest.raises(InputError, match="No library 'cb20' can be added; those that can are"):
        add_library("cb20")
    with pytest.raises(InputError, match="cannot be downloaded; give its path"):
        add_library("own")


# Interrupted


# A run that was started in the background ignores Ctrl-C, and so would its children.
CHILD = textwrap.dedent("""
    import os, signal, sys, time
    from pathlib import Path
    from dataclasses import replace
    from sspexplorer.libraries import load_library
    from sspexplorer.libraries import store
    from sspexplorer.errors import InputError

    signal.signal(signal.SIGINT, signal.default_int_handler)
    mine = replace(load_library("emiles"), name="mine")
    """)


def child(code: str) -> subprocess.Popen:
    command = [sys.executable, "-c", CHILD + textwrap.dedent(code)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_full_disk_is_told_and_leaves_what_was_there(mine, folder):
    keep_library(mine)
    process = child("""
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            store.keep_library(mine)
        except InputError as error:
            print(error)
        """)
    said, trouble = process.communicate(timeout=120)
    assert said.startswith(f"Cannot keep the library mine in {folder}: File too large"), trouble
    assert left(folder) == []
    assert len(load_library("mine")) == len(mine)


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_a_blow_in_mid_writing_leaves_what_was_there(mine, folder, blow):
    keep_library(mine)
    # The disk is slow: the blow falls when all is written but not yet in its place.
    process = child("""
        def slow(*args):
            print("writing", flush=True)
            time.sleep(60)

        os.fsync = slow
        store.keep_library(mine)
        """)
    assert process.stdout.readline() == "writing\n"
    os.kill(process.pid, blow)
    process.communicate(timeout=60)
    assert len(load_library("mine")) == len(mine)
    assert library_names() == (*SHIPPED_NAMES, "mine")
    if blow == signal.SIGINT:
        assert left(folder) == []
    keep_library(mine, "another")
    assert left(folder) == []


def test_two_processes_add_the_same_library_at_once(mine, folder):
    code = "for _ in range(4): store.keep_library(mine)\nprint('done')"
    processes = [child(code), child(code)]
    for process in processes:
        while process.poll() is None and library_names() == SHIPPED_NAMES:
            time.sleep(0.02)
    while any(process.poll() is None for process in processes):
        assert len(read_library(folder / "mine.h5")) == 118
        time.sleep(0.02)
    assert [process.communicate()[0] for process in processes] == ["done\n"] * 2
    assert left(folder) == []


def test_a_folder_that_cannot_be_written_is_named(mine, folder):
    folder.parent.write_text("a file where the folder should be")
    with pytest.raises(InputError, match=f"Cannot write into {folder}"):
        keep_library(mine)


# Downloaded


@pytest.fixture
def remote(mine, tmp_path, monkeypatch):
    """A server with a library in two files, the source that names them, and its reader."""
    source = Source(
        "far",
        "Far",
        "",
        "",
        "Two files.",
        (RemoteFile("https://example.org/a.h5"), RemoteFile("https://example.org/b.txt")),
    )
    write_library(mine, tmp_path / "a.h5")

    def read(name, path, progress):
        assert (path / "b.txt").read_bytes() == b"good" * 50_000, "refused"
        return replace(read_library(path / "a.h5"), name=name)

    def refusing(*args):
        try:
            return read(*args)
        except AssertionError as error:
            raise InputError(str(error)) from None

    monkeypatch.setattr(store, "SOURCES", {"far": source})
    monkeypatch.setattr(store, "read_source", refusing)
    with serve_files() as server:
        server.files |= {"a.h5": (tmp_path / "a.h5").read_bytes(), "b.txt": b"good" * 50_000}
        yield server


def test_what_is_downloaded_is_added_and_the_files_deleted(remote, folder):
    seen: list[str] = []
    progress = Progress(lambda fraction, words: seen.append(words))
    library = add_library("far", base_url=remote.url, progress=progress)
    assert library.name == "far"
    files = {words.rpartition(")")[0] + ")" for words in seen if words.endswith("MB")}
    assert files == {"downloading a.h5 (1 of 2)", "downloading b.txt (2 of 2)"}
    assert [asked for asked, _ in remote.asked] == ["a.h5", "b.txt"]
    assert left(folder) == []


def test_a_stopped_download_adds_nothing_and_goes_on_where_it_was(remote, folder):
    def stop() -> bool:
        return any(name == "b.txt" for name, _ in remote.asked)

    with pytest.raises(Cancelled):
        add_library("far", base_url=remote.url, progress=Progress(is_cancelled=stop))
    assert library_names() == SHIPPED_NAMES
    assert "b.txt.part" in left(folder)
    add_library("far", base_url=remote.url)
    (first, again) = [asked for name, asked in remote.asked if name == "b.txt"]
    assert (first, again[:6]) == (None, "bytes=")
    assert sum(name == "a.h5" for name, _ in remote.asked) == 1
    assert left(folder) == []


def test_files_that_the_reader_refuses_are_deleted(remote, folder):
    remote.files["b.txt"] = b"bad"
    with pytest.raises(InputError, match="refused"):
        add_library("far", base_url=remote.url)
    assert library_names() == SHIPPED_NAMES
    assert left(folder) == []


def test_one_download_of_a_library_at_a_time(remote, folder):
    def second(fraction: float | None, words: str | None) -> None:
        with pytest.raises(InputError, match="Another process is adding far at this moment"):
            add_library("far", base_url=remote.url)

    add_library("far", base_url=remote.url, progress=Progress(second))

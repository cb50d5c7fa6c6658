"""What goes wrong on other people's machines: killed processes, full disks, folders of others."""

from pathlib import Path

import pytest

from sspexplorer.catalogue import read_catalogue
from sspexplorer.resources import data_path
from sspexplorer.whole import whole


@pytest.fixture(scope="module")
def galaxies():
    return read_catalogue(data_path("examples", "real_galaxies.csv"))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path, galaxies):
    (tmp_path / ".sspexplorer-0123.part").write_bytes(b"half a table")
    (tmp_path / ".other.part").write_bytes(b"somebody else's")
    with whole(tmp_path / "slow") as running:
        busy = set(files(tmp_path)) - {".other.part"}
        galaxies.write(tmp_path / "out.csv")
        assert len(busy) == 1
        assert {*files(tmp_path)} == {*busy, ".other.part", "out.csv"}
        running.write(b"done")
    assert files(tmp_path) == [".other.part", "out.csv", "slow"]
    # A writer whose new file somebody takes for left makes another one.
    opened = Path.open

    def taken(path, mode="r", *args):
        file = opened(path, mode, *args)
        if mode == "xb" and not taken.done:
            taken.done = True
            path.unlink()
        return file

    taken.done = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", taken)
        galaxies.write(tmp_path / "again.csv")
    assert "again.csv" in files(tmp_path)

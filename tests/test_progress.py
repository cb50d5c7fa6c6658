"""Long work tells how far it is, and stops when it is asked to."""

import pytest

from sspexplorer.errors import Cancelled
from sspexplorer.progress import NO_PROGRESS, Progress


def test_a_part_reports_its_share_of_the_whole_and_stops_with_it():
    told, stop = [], []
    whole = Progress(lambda *said: told.append(said), lambda: bool(stop))
    second = whole.part(0.5, 0.25)
    second.report(0.0, "rows")
    second.report(1.0)
    assert told == [(0.5, "rows"), (0.75, None)]
    second.check()
    stop.append(True)
    with pytest.raises(Cancelled):
        second.check()


def test_nobody_watches_no_progress():
    NO_PROGRESS.report(0.5, "rows")
    NO_PROGRESS.check()
    assert not NO_PROGRESS.cancelled()

"""The map of SEDs in one colouring: it follows what is sent, and hears what is done on it."""

from collections.abc import Callable, Sequence
from typing import Any

import holoviews as hv
import pandas as pd

from sspexplorer.app.kit import parts
from sspexplorer.plots.embedding import Marks, sed_map
from sspexplorer.plots.view import View

MAP_HEIGHT = "max(440px, calc(100vh - 330px))"


class LiveMap:
    """The map in one colouring, alive.

    Parameters
    ----------
    mocks : DataFrame
    marks : Marks
        What lies over them.
    view : View
        What is in view of it.
    colour, libraries
        As of :func:`~sspexplorer.plots.embedding.sed_map`.
    on_lasso, on_box, on_tap : callable
        Are told what is drawn on it, and where it is clicked.

    Attributes
    ----------
    mocks, marks : Pipe
    area : Column
        Holds the picture.
    """

    def __init__(
        self,
        mocks: pd.DataFrame,
        marks: Marks,
        view: View,
        *,
        colour: str,
        libraries: Sequence[str],
        on_lasso: Callable[..., Any],
        on_box: Callable[..., Any],
        on_tap: Callable[..., Any],
    ) -> None:
        self.view = view
        self.mocks, self.marks = hv.streams.Pipe(data=mocks), hv.streams.Pipe(data=marks)
        lasso, box = hv.streams.Lasso(), hv.streams.BoundsXY()
        tap = hv.streams.SingleTap(x=None, y=None)
        for stream, act in ((lasso, on_lasso), (box, on_box), (tap, on_tap)):
            stream.add_subscriber(act)
        picture = sed_map(
            self.mocks,
            self.marks,
            colour=colour,
            view=view,
            libraries=libraries,
            selections=(lasso, box, tap),
        )
        self.area = parts.picture_pane(parts.figure(picture), height=MAP_HEIGHT)

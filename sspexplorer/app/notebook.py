"""What makes pictures and pages appear in the cells of a notebook, without a network."""

import warnings

import holoviews as hv
import panel as pn

from sspexplorer.app.kit.theme import PageDesign


def notebook() -> None:
    """Make a notebook ready to show pictures and pages: call it once, in the first cell.

    The scripts of Bokeh, HoloViews and Panel go into the output of the cell, about 10 MB in a
    notebook that is saved with its outputs; otherwise the browser would ask two hosts for them, and
    show nothing where there is no network. Outside a notebook it only chooses the backend.
    """
    # What downloads libraries warns in a notebook that its bars need ipywidgets; none is shown.
    warnings.filterwarnings("ignore", message="IProgress not found")
    # HoloViews first: what it has loaded Panel does not load again.
    hv.extension("bokeh", inline=True, logo=False)
    pn.extension(
        "tabulator", "filedropper", design=PageDesign, respect_explicit_sizing=True, inline=True
    )


def is_ready() -> bool:
    """Whether :func:`notebook` was called, or a server has made itself ready for pages."""
    return pn.config.design is PageDesign

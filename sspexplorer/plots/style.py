"""One palette and one set of figure options, shared by every picture.

Colours have meanings: a library, a parameter and a wavelength each keep theirs everywhere. All
of them are seen on a white page and on a near-black one, so a picture needs no redrawing when
the theme changes: the Bokeh theme (:func:`bokeh_theme`) carries everything that differs.
"""

from binascii import crc32
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import colorcet
import holoviews as hv
import numpy as np
from bokeh.models import Axis, NoOverlap, Plot
from bokeh.themes import Theme

from sspexplorer.bands import load_bands
from sspexplorer.labels import library_label
from sspexplorer.plots.saving import save_button
from sspexplorer.plots.view import hold_view

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif'

# Against both backgrounds each has a contrast of at least 2.8, and under simulated deuteranopia
# and protanopia (Machado et al. 2009) the libraries, and the three parameters, stay at least 0.1
# apart in OKLab.
LIBRARY_COLOURS = {
    "emiles": "#E58000",
    "bc03": "#1F7F45",
    "popstar": "#3B93EA",
    "m11": "#F0309C",
    "mastar": "#9024CC",
}
PARAMETER_COLOURS = {"log_age": "#12A594", "metallicity": "#5F5FD3", "ebv": "#D6324A"}

# For libraries that are added: against both backgrounds as above, and at least 0.05 apart from
# each other and from those that ship. Those of the paper have one each, others one by their name.
ADDED_COLOURS = ("#B5502F", "#D6478F", "#5A8FA8", "#8C4A86", "#C26BD8", "#A050D0")
_OF_THE_PAPER = dict(zip(("emiles-full", "cb19", "xsl"), ADDED_COLOURS, strict=False))


# For marks that belong to neither a library nor a parameter: reference lines, medians, spectra.
NEUTRAL = "#7A808B"

# For ``.opts(colorbar=True, colorbar_opts=COLOUR_BAR)``: HoloViews frames it in black by itself.
COLOUR_BAR = {"bar_line_color": None, "major_tick_line_color": None, "width": 12}

# White with a black rim stands out on either page, whatever lies under it.
REAL_GALAXY_STYLE = {"color": "#FFFFFF", "line_color": "#111318", "line_width": 1.5}

# Both ends of the map are cut off, so that neither sinks into a white or a black page.
DENSITY_COLOURS: tuple[str, ...] = tuple(colorcet.CET_L20[60:235])

# How light looks, as anchors (Å, OKLCH lightness, chroma, hue in degrees). Lightness is held in
# the middle so that violet and deep red remain visible on either page.
_LIGHT = np.array(
    [
        (3500, 0.54, 0.19, 305),
        (4200, 0.54, 0.20, 290),
        (4600, 0.60, 0.17, 262),
        (4900, 0.68, 0.12, 225),
        (5150, 0.70, 0.13, 165),
        (5450, 0.72, 0.16, 135),
        (5800, 0.76, 0.15, 100),
        (6100, 0.70, 0.16, 62),
        (6500, 0.62, 0.19, 36),
        (7000, 0.55, 0.19, 27),
        (8000, 0.49, 0.16, 22),
        (9800, 0.45, 0.12, 15),
    ]
)
_OKLAB_TO_LMS = np.array(
    [
        (1.0, 0.3963377774, 0.2158037573),
        (1.0, -0.1055613458, -0.0638541728),
        (1.0, -0.0894841775, -1.2914855480),
    ]
)
_LMS_TO_RGB = np.array(
    [
        (4.0767416621, -3.3077115913, 0.2309699292),
        (-1.2684380046, 2.6097574011, -0.3413193965),
        (-0.0041960863, -0.7034186147, 1.7076147010),
    ]
)

_INK = {False: "#1B1D22", True: "#E7E9ED"}
_MUTED = {False: "#5D636E", True: "#9DA3AE"}
_LINE = {False: "#C9CDD4", True: "#3C414A"}
_GRID = {False: "#E9EBEF", True: "#282C33"}
_PAGE = {False: "#FFFFFF", True: "#15171B"}


def library_colour(name: str) -> str:
    """Colour of a library, shipped or added, as ``#rrggbb``: the same at every call."""
    if name in LIBRARY_COLOURS:
        return LIBRARY_COLOURS[name]
    by_name = ADDED_COLOURS[crc32(name.encode()) % len(ADDED_COLOURS)]
    return _OF_THE_PAPER.get(name, by_name)


def library_dots(names: Iterable[str]) -> dict[str, str]:
    """Colours of libraries by what is shown of them, for the dots before rows of tables."""
    return {library_label(name): library_colour(name) for name in names}


def light_colours(wavelength: np.ndarray) -> list[str]:
    """Colour of light of each wavelength, visible on a white and on a black page.

    Parameters
    ----------
    wavelength : ndarray, shape (n,)
        Å. Near ultraviolet is drawn violet, near infrared deep red.

    Returns
    -------
    list of str
        n colours as ``#rrggbb``.
    """
    lightness, chroma, hue = (
        np.interp(wavelength, _LIGHT[:, 0], column) for column in _LIGHT[:, 1:].T
    )
    angle = np.radians(hue)
    lab = np.stack([lightness, chroma * np.cos(angle), chroma * np.sin(angle)])
    linear = np.clip(_LMS_TO_RGB @ (_OKLAB_TO_LMS @ lab) ** 3, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in np.rint(encoded.T * 255).astype(int)]


@cache
def band_colours() -> tuple[str, ...]:
    """Colour of light of each of the 57 bands, in band order."""
    return tuple(light_colours(load_bands().pivot))


@cache
def bokeh_theme(dark: bool = False) -> Theme:
    """Colours and fonts of axes, grids, legends and backgrounds for one theme of the page.

    Axes are themed by subclass and not as ``Axis``: HoloViews copies the properties of ``Axis``
    into each plot as if a user had set them, and those would not change with the theme.
    """
    ink, muted, line = _INK[dark], _MUTED[dark], _LINE[dark]
    axis = {
        "axis_label_text_color": ink,
        "axis_label_text_font": FONT,
        "axis_label_text_font_size": "13px",
        "axis_label_text_font_style": "normal",
        "axis_label_standoff": 10,
        "axis_line_color": line,
        "major_label_text_color": muted,
        "major_label_text_font": FONT,
        "major_label_text_font_size": "12px",
        "major_tick_in": 0,
        "major_tick_line_color": line,
        "major_tick_out": 5,
        "minor_tick_line_color": None,
    }
    return Theme(
        json={
            "attrs": {
                "Plot": {
                    "background_fill_color": _PAGE[dark],
                    "border_fill_color": _PAGE[dark],
                    "outline_line_color": None,
                },
                "ContinuousAxis": axis,
                "CategoricalAxis": axis,
                "Grid": {"grid_line_color": _GRID[dark]},
                "Legend": {
                    "background_fill_alpha": 0.85,
                    "background_fill_color": _PAGE[dark],
                    "border_line_color": None,
                    "glyph_height": 16,
                    "glyph_width": 16,
                    "inactive_fill_color": _PAGE[dark],
                    "label_text_color": ink,
                    "label_text_font": FONT,
                    "label_text_font_size": "12px",
                    "title_text_color": muted,
                    "title_text_font": FONT,
                    "title_text_font_size": "12px",
                    "title_text_font_style": "normal",
                },
                "BaseColorBar": {
                    "background_fill_alpha": 0,
                    "bar_line_color": None,
                    "major_label_text_color": muted,
                    "major_label_text_font": FONT,
                    "major_label_text_font_size": "12px",
                    "major_tick_line_color": None,
                    "title_text_color": ink,
                    "title_text_font": FONT,
                    "title_text_font_size": "12px",
                    "title_text_font_style": "normal",
                },
                "Title": {
                    "text_color": ink,
                    "text_font": FONT,
                    "text_font_size": "14px",
                    "text_font_style": "bold",
                },
                "Label": {
                    # For labels over points, which set an alpha of their own.
                    "background_fill_alpha": 0,
                    "background_fill_color": _PAGE[dark],
                    "text_color": muted,
                    "text_font": FONT,
                    "text_font_size": "12px",
                },
            }
        }
    )


def by_number(
    column: str, colours: Sequence[str], *, first: int = 0, style: str = "color"
) -> dict[str, Any]:
    """Options that colour by a column of whole numbers, in the browser.

    A column of colour names would be slow to check and to send. HoloViews takes whole numbers
    that are all the same for a colour itself, and nothing is seen: they are made fractions.

    Parameters
    ----------
    column : str
    colours : sequence of str
        That of ``first``, of the number after it, and so on.
    first : int
    style : str
        Option to set: "color", or "text_color" of labels.
    """
    limits = (first - 0.5, first + len(colours) - 0.5)
    return {style: hv.dim(column) * 1.0, "cmap": list(colours), "clim": limits}


def quiet_toolbar(plot: Any, element: Any) -> None:
    """HoloViews hook: tools appear only under the pointer, and without the Bokeh logo."""
    figure = plot.state
    if isinstance(figure, Plot):
        figure.toolbar.autohide = True
        figure.toolbar.logo = None


def space_labels(plot: Any, element: Any) -> None:
    """HoloViews hook: numbers along the lower axis that would touch on a phone are left out."""
    figure = plot.state
    # On an axis that goes to the left, Bokeh would take all for touching.
    if not isinstance(figure, Plot) or plot.invert_xaxis:
        return
    for axis in figure.below:
        if isinstance(axis, Axis) and not isinstance(axis.major_label_policy, NoOverlap):
            axis.major_label_policy = NoOverlap()


def figure_options(*hooks: Callable[[Any, Any], None], **options: Any) -> dict[str, Any]:
    """Options that every figure starts from, for ``element.opts(**figure_options(...))``.

    Parameters
    ----------
    *hooks
        HoloViews hooks to run besides :func:`quiet_toolbar`, :func:`space_labels`,
        :func:`~sspexplorer.plots.saving.save_button` and, after all others,
        :func:`~sspexplorer.plots.view.hold_view`.
    **options
        HoloViews options that are added, or take the place of the common ones.
    """
    common = {
        "responsive": True,
        "show_grid": True,
        "toolbar": "above",
        "default_tools": ["pan", "box_zoom", "wheel_zoom", "reset"],
        "active_tools": ["box_zoom"],
        "hooks": [quiet_toolbar, space_labels, save_button, *hooks, hold_view],
    }
    return common | options

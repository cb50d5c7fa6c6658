"""Pictures and tables of photometric noise: its size in each band, and what it does to an SED."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import colorcet
import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import HoverTool

from sspexplorer.bands import BAND_NAMES, load_bands
from sspexplorer.mocks import Observation
from sspexplorer.noise import NoiseModel
from sspexplorer.plots.sed import (
    SED_COLOURS,
    WAVELENGTH_RANGE,
    photometry_table,
    scale_flux_axis,
)
from sspexplorer.plots.style import by_number, figure_options

# Fig. 3 of the paper.
MAGNITUDES = (16.0, 18.0, 20.0, 22.0)
# From bright to faint, then one for the magnitude that the visitor chose. Both ends of the map
# are cut off, so that no line sinks into a white or a black page.
MAGNITUDE_COLOURS: tuple[str, ...] = (
    *(colorcet.CET_L8[place] for place in (85, 118, 155, 192)),
    SED_COLOURS[1],
)
SHOWN_BANDS = ("J0400", "J0510", "J0660", "J0900", "iSDSS")

_SAME = 0.05  # mag: what is nearer to one of the magnitudes is that one
_LABEL_X = 9850.0
_CHOSEN_X = 2500.0
_ERROR_LIMITS = (0.002, 3.0)
_BY_RANK = by_number("rank", MAGNITUDE_COLOURS)


@dataclass(frozen=True, eq=False)
class Errors:
    """What the picture of errors is made of.

    Attributes
    ----------
    noise : NoiseModel
    chosen : float
        i magnitude (AB) to draw besides :data:`MAGNITUDES`.
    reference : NoiseModel or None
        Another to compare with, dashed.
    """

    noise: NoiseModel
    chosen: float
    reference: NoiseModel | None = None


def shown_magnitudes(chosen: float) -> list[tuple[int, float]]:
    """Rank (place among the colours) and value of the magnitudes to show, bright to faint."""
    ranked = list(enumerate(MAGNITUDES))
    if min(abs(chosen - magnitude) for magnitude in MAGNITUDES) > _SAME:
        ranked.append((len(MAGNITUDES), float(chosen)))
    return sorted(ranked, key=lambda pair: pair[1])


def error_table(noise: NoiseModel, ranked: Sequence[tuple[int, float]]) -> pd.DataFrame:
    """One row for each band at each magnitude.

    Columns ``rank``, ``magnitude`` (i, AB), ``band``, ``wavelength`` (Å), ``narrow``, ``error``
    (mag) and ``snr``.
    """
    bands = load_bands()
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "rank": float(rank),
                    "magnitude": magnitude,
                    "band": BAND_NAMES,
                    "wavelength": bands.pivot,
                    "narrow": bands.narrow,
                    "error": noise.magnitude_error(magnitude),
                    "snr": 1 / noise.relative_error(magnitude),
                }
            )
            for rank, magnitude in ranked
        ],
        ignore_index=True,
    )


def snr_table(errors: Errors) -> pd.DataFrame:
    """Typical signal-to-noise ratio of the narrow bands, and the error in some bands.

    Returns
    -------
    DataFrame
        A row for each magnitude; where there is a reference, its S/N and how its errors compare.
    """
    rows = {}
    for _, magnitude in shown_magnitudes(errors.chosen):
        error = errors.noise.magnitude_error(magnitude)
        row = {"S/N": float(errors.noise.typical_snr(magnitude))}
        if errors.reference is not None:
            other = errors.reference.magnitude_error(magnitude)
            row["S/N by default"] = float(errors.reference.typical_snr(magnitude))
            row["Δm / default"] = float(np.median(error / other))
        row |= {f"Δm {name}": error[BAND_NAMES.index(name)] for name in SHOWN_BANDS}
        rows[f"i = {magnitude:.1f}"] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def row_colours(chosen: float) -> dict[str, str]:
    """Colour of each row of :func:`snr_table`."""
    return {f"i = {m:.1f}": MAGNITUDE_COLOURS[rank] for rank, m in shown_magnitudes(chosen)}


def error_picture(errors: Errors) -> hv.Overlay:
    """Draw the magnitude error of each band at several magnitudes.

    Lines join the narrow bands; diamonds are the broad ones, which are deeper. Dashes: the
    reference.

    Parameters
    ----------
    errors : Errors
    """
    lines = _segments(error_table(errors.noise, shown_magnitudes(errors.chosen)))
    dashes = _segments(_reference_table(errors))
    points = _band_points(errors)
    return (
        dashes.opts(**_BY_RANK, line_dash="dashed", line_width=1.2)
        * lines.opts(**_BY_RANK, line_width=1.6)
        * points.opts(**_BY_RANK, size="size", marker="marker", tools=[_error_hover()])
        * _names(errors).opts(
            **by_number("rank", MAGNITUDE_COLOURS, style="text_color"),
            text_align="left",
            text_font_size="12px",
        )
    ).opts(
        **figure_options(
            xlabel="Wavelength [Å]",
            ylabel="Magnitude error Δm [mag]",
            xlim=(2400.0, 10_900.0),
            ylim=_ERROR_LIMITS,
            logy=True,
            show_legend=False,
            apply_ranges=False,
        )
    )


def _reference_table(errors: Errors) -> pd.DataFrame:
    if errors.reference is None:
        return _NO_ERRORS
    return error_table(errors.reference, shown_magnitudes(errors.chosen))


_NO_ERRORS = pd.DataFrame(
    columns=["rank", "magnitude", "band", "wavelength", "narrow", "error", "snr"]
)


def _segments(table: pd.DataFrame) -> hv.Segments:
    pieces = [np.empty((0, 5))]
    for rank, rows in table[table["narrow"].astype(bool)].groupby("rank"):
        x, y = rows["wavelength"].to_numpy(), rows["error"].to_numpy()
        pieces.append(np.column_stack([x[:-1], y[:-1], x[1:], y[1:], np.full(len(x) - 1, rank)]))
    return hv.Segments(np.concatenate(pieces), ["x0", "y0", "x1", "y1"], "rank")


def _band_points(errors: Errors) -> hv.Points:
    table = error_table(errors.noise, shown_magnitudes(errors.chosen))
    table["size"] = np.where(table["narrow"], 4.0, 9.0)
    table["marker"] = np.where(table["narrow"], "circle", "diamond")
    details = ["rank", "magnitude", "band", "snr", "size", "marker"]
    return hv.Points(table, ["wavelength", "error"], details)


def _names(errors: Errors) -> hv.Labels:
    """Magnitudes written at the red end of their lines, the chosen one at the blue end."""
    rows = []
    for rank, magnitude in shown_magnitudes(errors.chosen):
        chosen = rank == len(MAGNITUDES)
        error = errors.noise.magnitude_error(magnitude)
        place = error[BAND_NAMES.index("J0390" if chosen else "J0910")]
        text = f"{magnitude:.1f}" if chosen else f"i = {magnitude:.0f}"
        rows.append((_CHOSEN_X if chosen else _LABEL_X, place, text, float(rank)))
    table = pd.DataFrame(rows, columns=["wavelength", "error", "text", "rank"])
    return hv.Labels(table, ["wavelength", "error"], ["text", "rank"])


def noisy_picture(observations: Sequence[tuple[int, Observation]]) -> hv.Overlay:
    """Draw one SED under the noise of several magnitudes, and without any, dashed.

    Parameters
    ----------
    observations : sequence of (int, Observation)
        With the rank of each magnitude, its place among the colours.
    """
    return (
        _noisy_lines(observations).opts(**_BY_RANK, line_width=1, line_alpha=0.55)
        * _noisy_points(observations).opts(**_BY_RANK, size=4, tools=[_noisy_hover()])
        # Dark on white, so that it is seen on every colour and on both themes.
        * _noise_free(observations).opts(color="#FFFFFF", line_width=5)
        * _noise_free(observations).opts(color="#111318", line_width=3, line_dash="dashed")
    ).opts(
        **figure_options(
            _hold_flux_axis,
            xlabel="Observed wavelength [Å]",
            ylabel="Fν / median Fν",
            xlim=WAVELENGTH_RANGE,
            show_legend=False,
            apply_ranges=False,
        )
    )


def noisy_table(observations: Sequence[tuple[int, Observation]]) -> pd.DataFrame:
    """One row for each band of each SED, faint to bright, so that the bright are seen.

    Columns as :func:`~sspexplorer.plots.sed.photometry_table`, and ``rank``.
    """
    drawn = sorted(observations, key=lambda pair: -pair[1].magnitude)
    table = photometry_table([observation for _, observation in drawn])
    return table.assign(rank=np.repeat([float(rank) for rank, _ in drawn], len(BAND_NAMES)))


def _noisy_points(observations: Sequence[tuple[int, Observation]]) -> hv.Points:
    details = ["rank", "magnitude", "band", "flux_err", "snr", "noise_free"]
    return hv.Points(noisy_table(observations), ["wavelength", "flux"], details)


def _noisy_lines(observations: Sequence[tuple[int, Observation]]) -> hv.Segments:
    table = noisy_table(observations)
    narrow = table[np.tile(load_bands().narrow, len(observations))]
    drawn = narrow.rename(columns={"flux": "error"}).assign(narrow=True)
    return _segments(drawn)


def _noise_free(observations: Sequence[tuple[int, Observation]]) -> hv.Curve:
    narrow = load_bands().narrow
    flux = observations[0][1].noise_free[narrow]
    return hv.Curve((load_bands().pivot[narrow], flux), "wavelength", "noise_free")


def _hold_flux_axis(plot: Any, overlay: hv.Overlay) -> None:
    """HoloViews hook: scale the flux axis to the SED without noise, with room for the noise."""
    noise_free = overlay.get(overlay.keys()[-1]).dimension_values("noise_free")
    scale_flux_axis(plot, -0.5, float(np.ceil(np.nanmax(noise_free) * 1.6 * 4) / 4))


def _error_hover() -> HoverTool:
    return HoverTool(
        tooltips=[
            ("Band", "@band, @wavelength{0} Å"),
            ("i", "@magnitude{0.0}"),
            ("Δm", "@error{0.0000} mag"),
            ("S/N", "@snr{0.0}"),
        ],
        visible=False,
    )


def _noisy_hover() -> HoverTool:
    return HoverTool(
        tooltips=[
            ("Band", "@band, @wavelength{0} Å"),
            ("i", "@magnitude{0.0}"),
            ("Fν", "@flux{0.000} ± @flux_err{0.000}"),
            ("Without noise", "@noise_free{0.000}"),
        ],
        visible=False,
    )

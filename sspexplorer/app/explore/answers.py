"""Truth and prediction side by side, as a table whose cells are drawn and written.

Plain HTML: it changes with every step of a slider, and costs a hundredth of a figure.
"""

from collections.abc import Sequence
from html import escape

import numpy as np

from sspexplorer.labels import PARAMETER_LABELS, library_label, population_text
from sspexplorer.mocks import PARAMETERS, Observation
from sspexplorer.plots.density import LIMITS
from sspexplorer.plots.sed import SED_COLOURS

TICKS = {
    "log_age": (6, 7, 8, 9, 10),
    "metallicity": (-2, -1, 0),
    "ebv": (0, 0.2, 0.4, 0.6, 0.8),
}


def answers_html(
    observations: Sequence[Observation], predictions: np.ndarray, scatter: np.ndarray
) -> str:
    """Table with one row for each SED and one column for each parameter.

    Parameters
    ----------
    observations : sequence of Observation
        The SEDs and their true parameters.
    predictions : ndarray, shape (n, 3)
        What the network says of them: log_age (log10 yr), metallicity (dex), ebv (mag).
    scatter : ndarray, shape (n, n_draws, 3)
        What it says under other draws of the noise.
    """
    levels = np.percentile(scatter, [2.5, 16, 84, 97.5], axis=1)
    head = "".join(f"<th>{PARAMETER_LABELS[name]}{_axis(name)}</th>" for name in PARAMETERS)
    rows = []
    for row, observation in enumerate(observations):
        cells = "".join(
            _cell(name, getattr(observation, name), predictions[row, k], levels[:, row, k], row)
            for k, name in enumerate(PARAMETERS)
        )
        rows.append(f"<tr>{_name(row, observation)}{cells}</tr>")
    return (
        f"<table><thead><tr><th>SED</th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _name(row: int, observation: Observation) -> str:
    library = escape(library_label(observation.library))
    return (
        f'<td><div class="name"><i style="background:{SED_COLOURS[row]}"></i><div>{row + 1} '
        f"{library}<small>{population_text(observation)}</small></div></div></td>"
    )


def _cell(name: str, true: float, predicted: float, levels: np.ndarray, row: int) -> str:
    colour = f"background:{SED_COLOURS[row]}"
    x95, x68, x68_end, x95_end = (_percent(name, value) for value in levels)
    error = (levels[2] - levels[1]) / 2
    words = f"{true:.2f} → {predicted:.2f} ± {error:.2f}".replace("-", "−")
    grid = "".join(
        f'<i class="grid" style="left:{_percent(name, t):.1f}%"></i>' for t in TICKS[name]
    )
    return (
        f'<td><div class="strip">{grid}'
        f'<i class="p95" style="left:{x95:.1f}%;width:{x95_end - x95:.1f}%;{colour}"></i>'
        f'<i class="p68" style="left:{x68:.1f}%;width:{x68_end - x68:.1f}%;{colour}"></i>'
        f'<i class="truth" style="left:{_percent(name, true):.1f}%"></i>'
        f'<i class="dot" style="left:{_percent(name, predicted):.1f}%;{colour}"></i></div>'
        f'<small class="words">{words}</small></td>'
    )


def _axis(name: str) -> str:
    marks = (
        f'<span style="left:{_percent(name, tick):.1f}%">{tick:g}</span>'.replace(">-", ">−")
        for tick in TICKS[name]
    )
    return f'<div class="axis">{"".join(marks)}</div>'


def _percent(name: str, value: float) -> float:
    """Place on the strip of a parameter, kept within it."""
    low, high = LIMITS[name]
    return float(np.clip(100 * (value - low) / (high - low), 0, 100))

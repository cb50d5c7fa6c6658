"""Words and numbers of metrics against magnitude."""

from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd

from sspexplorer.analysis.full_size import PUBLISHED_SCATTER, FullSize
from sspexplorer.labels import PARAMETER_NAMES, PARAMETER_UNITS, listed
from sspexplorer.mocks import PARAMETERS
from sspexplorer.noise import NoiseModel
from sspexplorer.plots.magnitude import Curves, snr_text
from sspexplorer.plots.style import PARAMETER_COLOURS

# Heading and format of each metric in the table.
_SHOWN = {
    "bias": ("Bias μ", "+.3f"),
    "sigma_nmad": ("σ\u00a0NMAD", ".3f"),
    "outlier_fraction": ("Outliers", ".1%"),
    "pearson": ("Pearson", ".3f"),
    "r2": ("R²", ".3f"),
}


def caption_text(curves: Curves, fit: str) -> str:
    """What to notice: how the scatter grows, and how far it is from the least there can be.

    ``fit`` is the run of the SED fit, which may be missing.
    """
    table = curves.table
    first = table["run"].iloc[0]
    chosen = table[table["run"] == first].set_index("parameter")
    ends = []
    for name in curves.parameters:
        rows = chosen.loc[[name]]
        low, high = rows["sigma_nmad"].iloc[[0, -1]]
        ends.append(f"{low:.2f} to {high:.2f} {PARAMETER_UNITS[name]} in {PARAMETER_NAMES[name]}")
    faint, bright = chosen["magnitude"].max(), chosen["magnitude"].min()
    text = (
        f"From i = {bright:.0f} to {faint:.0f} the σ\u00a0NMAD of {first} grows from "
        f"{listed(ends)} ({rows['n'].iloc[0]:,} mocks at each magnitude)."
    )
    return text + _beside_fit(curves, first, fit)


def _beside_fit(curves: Curves, first: str, fit: str) -> str:
    """Compare with the SED fit where it is drawn, in the middle of the magnitudes."""
    name = curves.parameters[0]
    rows = curves.table[(curves.table["parameter"] == name) & (curves.table["magnitude"] == 20)]
    sigma = rows.set_index("run")["sigma_nmad"]
    if fit not in sigma or first not in sigma:
        return ""
    n = rows.set_index("run").loc[fit, "n"]
    return (
        f" At i = 20 the SED fit (rings, {n:,} mocks each) has {sigma[fit]:.2f} "
        f"{PARAMETER_UNITS[name]} in {PARAMETER_NAMES[name]}, {first} {sigma[first]:.2f}."
    )


def numbers_html(curves: Curves, correlation: str) -> str:
    """Metrics at every magnitude: a table for each parameter, the runs side by side.

    ``correlation``, "pearson" or "r2", is the one of them that is shown.
    """
    metrics = [name for name in _SHOWN if name == correlation or name not in ("pearson", "r2")]
    return "".join(_numbers_of(curves, name, metrics) for name in curves.parameters)


def _numbers_of(curves: Curves, parameter: str, metrics: Sequence[str]) -> str:
    table, noise = curves.table, curves.noise or NoiseModel.default()
    runs = list(table["run"].unique())
    rows = table[table["parameter"] == parameter].set_index(["magnitude", "run"])
    dot = f'<i class="dot" style="background:{PARAMETER_COLOURS[parameter]}"></i>'
    name = f"{dot}{PARAMETER_NAMES[parameter]} [{PARAMETER_UNITS[parameter]}]"
    over = "".join(
        f'<th class="run edge" colspan="{len(metrics)}">{escape(run)}{_count(table, run)}</th>'
        for run in runs
    )
    names = "".join(f"<th>{_SHOWN[metric][0]}</th>" for metric in metrics)
    names = names.replace("<th>", '<th class="edge">', 1) * len(runs)
    body = []
    for magnitude in sorted(rows.index.unique("magnitude")):
        cells = "".join(_cells(rows, (magnitude, run), metrics) for run in runs)
        snr = snr_text(float(noise.typical_snr(np.float64(magnitude))))
        body.append(f"<tr><td>{magnitude:.1f}</td><td>{snr}</td>{cells}</tr>")
    return (
        # Where it is wider than the window, it is scrolled by keyboard as well.
        '<div class="runs" tabindex="0" role="group" aria-label="Numbers">'
        f'<div class="label">{name}</div><table><thead>'
        f'<tr><td colspan="2"></td>{over}</tr><tr><th>i</th><th>S/N</th>{names}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _cells(rows: pd.DataFrame, key: tuple[float, str], metrics: Sequence[str]) -> str:
    if key not in rows.index:
        return '<td class="edge">–</td>' + "<td>–</td>" * (len(metrics) - 1)
    row = rows.loc[key]
    # Adding 0.0 takes the sign off a bias that is zero in the digits that are shown.
    texts = [f"{round(row[metric], 3) + 0.0:{_SHOWN[metric][1]}}" for metric in metrics]
    cells = "".join(f"<td>{text}</td>" for text in texts)
    return cells.replace("<td>", '<td class="edge">', 1).replace("-", "−").replace("nan", "–")


def _count(table: pd.DataFrame, run: str) -> str:
    """How many mocks each number is of."""
    counts = table.loc[table["run"] == run, "n"]
    low, high = counts.min(), counts.max()
    return f", n = {low:,}" if low == high else f", n = {low:,} to {high:,}"


def full_size_words(trained: FullSize) -> str:
    """What a training at the paper's size is, what it reached and what not."""

    def scatters(magnitude: float | None) -> str:
        return listed(
            [
                f"{trained.scatter(name, magnitude):.2f} {PARAMETER_UNITS[name]} in "
                f"{PARAMETER_NAMES[name]}"
                for name in PARAMETERS
            ]
        )

    published = ", ".join(f"{value:.2f}" for value in PUBLISHED_SCATTER.values())
    return (
        f"Paper's size: recipe “{trained.recipe}” learnt from {trained.n_train:,} mocks, split at "
        "random, of stand-ins for the paper's libraries: as many SSPs on the same grids, but with "
        f"spectra interpolated from BC03. Tested on {trained.n_test:,} others it has a σ\u00a0NMAD "
        f"of {scatters(None)} over all magnitudes, and of {scatters(17.0)} at i = 17; published "
        f"are {published}. {reached_words(trained)}"
    )


def reached_words(trained: FullSize) -> str:
    """Where the published scatter is reached, in the two digits that are published."""
    text = []
    for where, magnitude in (("over all magnitudes", None), ("at i = 17", 17.0)):
        missed = [
            PARAMETER_NAMES[name]
            for name, value in PUBLISHED_SCATTER.items()
            if round(trained.scatter(name, magnitude), 2) > value
        ]
        text.append(f"{'all but ' + listed(missed) if missed else 'all three'} {where}")
    return f"It reaches {text[0]}, and {text[1]}."

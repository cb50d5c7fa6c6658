"""Tables of composite populations: what networks say of them beside the truth."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sspexplorer.histories.evolution import Evolution
from sspexplorer.histories.families import Member
from sspexplorer.histories.rates import PRESENT
from sspexplorer.mocks import PARAMETERS

# Prefixes of columns: predicted, and the truth weighted by light and by mass.
KINDS = ("pred", "light", "mass")


def history_table(
    members: Sequence[Member],
    evolutions: Sequence[Evolution],
    predictions: Sequence[np.ndarray],
    quantiles: Sequence[np.ndarray] | None = None,
    age: str = "log_mean_age",
) -> pd.DataFrame:
    """One row for each time of each history.

    Parameters
    ----------
    members : sequence of Member
    evolutions : sequence of Evolution
        One for each member, n times each.
    predictions : sequence of ndarray, shape (n, 3)
        What a network says of each evolution.
    quantiles : sequence of ndarray, shape (2, n, 3), optional
        What 16 and 84 % of its answers under noise lie below.
    age : {"log_mean_age", "log_age"}
        Which mean of the age is the truth, see :mod:`sspexplorer.histories.means`.

    Returns
    -------
    DataFrame
        ``member`` (from 1), ``label``, ``time`` (Gyr since the beginning), ``pred_…``,
        ``light_…`` and ``mass_…`` for log_age (log10 yr), metallicity (dex) and ebv (mag), with
        quantiles ``p16_…`` and ``p84_…``; then ``rate`` (star formation, fraction of all mass per
        Gyr), ``young_light`` (fraction of the light that the youngest SSP stands in for) and
        ``old_mass`` (of the mass, the oldest).
    """
    frames = []
    for index, (member, evolution) in enumerate(zip(members, evolutions, strict=True)):
        columns = {"member": index + 1, "label": member.label, "time": evolution.times / 1e9}
        values = (predictions[index], evolution.truth("light", age), evolution.truth("mass", age))
        groups = dict(zip(KINDS, values, strict=True))
        if quantiles is not None:
            groups |= {"p16": quantiles[index][0], "p84": quantiles[index][1]}
        for prefix, group in groups.items():
            columns |= {f"{prefix}_{name}": group[:, k] for k, name in enumerate(PARAMETERS)}
        total = sum(part.mass for part in member.history)
        rate = sum(part.mass * part.formation.rate(evolution.times) for part in member.history)
        columns["rate"] = rate / total * 1e9
        columns |= {"young_light": evolution.young_light, "old_mass": evolution.old_mass}
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def deviation_table(table: pd.DataFrame) -> pd.DataFrame:
    """How far predictions are from the light-weighted truth, over all times.

    Parameters
    ----------
    table : DataFrame
        See :func:`history_table`.

    Returns
    -------
    DataFrame
        A row for each label, then one for all together (``All``) if there are several; for each
        parameter the median of predicted − true (``bias_…``), that of its absolute value
        (``off_…``), the largest (``max_…``) and the number of times, ``n``.
    """
    groups = [(label, rows) for label, rows in table.groupby("label", sort=False)]
    if len(groups) > 1:
        groups.append(("All", table))
    rows = {}
    for label, part in groups:
        rows[label] = {"n": len(part)}
        for name in PARAMETERS:
            delta = part[f"pred_{name}"] - part[f"light_{name}"]
            rows[label] |= {
                f"bias_{name}": delta.median(),
                f"off_{name}": delta.abs().median(),
                f"max_{name}": delta.max(),
            }
    return pd.DataFrame.from_dict(rows, orient="index")


def rate_table(members: Sequence[Member]) -> pd.DataFrame:
    """Star formation of each member, with its edges: ``member``, ``time`` (Gyr), ``rate``.

    The rate is in fractions of the mass that forms in all time, per Gyr.
    """
    frames = [pd.DataFrame(columns=["member", "time", "rate"])] if not members else []
    for index, member in enumerate(members, start=1):
        edges = [
            edge + side
            for part in member.history
            for edge in (
                part.formation.start,
                part.formation.start + getattr(part.formation, "duration", 0.0),
            )
            for side in (-1.0, 1.0)
        ]
        time = np.union1d(np.linspace(0, PRESENT, 281), edges)
        time = time[(time >= 0) & (time <= PRESENT)]
        total = sum(part.mass for part in member.history)
        rate = sum(part.mass * part.formation.rate(time) for part in member.history) / total
        frames.append(pd.DataFrame({"member": index, "time": time / 1e9, "rate": rate * 1e9}))
    return pd.concat(frames, ignore_index=True)

"""What the page of mixed populations says: captions, notes and numbers, all computed."""

import numpy as np
import pandas as pd

from sspexplorer.analysis.histories import OWN, Answer, SSPEquivalent
from sspexplorer.histories import SOLAR_Z
from sspexplorer.histories.tables import deviation_table
from sspexplorer.labels import (
    PARAMETER_NAMES,
    PARAMETER_UNITS,
    age_text,
    library_label,
    model_title,
)
from sspexplorer.libraries import load_library
from sspexplorer.mocks import PARAMETERS
from sspexplorer.plots.histories import MEMBER_COLOURS

# When constant star formation has lasted this long, the paper finds nothing well constrained; and
# so long after a second burst it sees predictions fluctuate (Appendix C).
SETTLED = 2.0  # Gyr

# Title of each column of numbers, and its format.
_COLUMNS = {
    f"{kind}_{name}": (f"{PARAMETER_NAMES[name]}: {words} [{PARAMETER_UNITS[name]}]", pattern)
    for name in PARAMETERS
    for kind, words, pattern in (
        ("bias", "median Δ", "{:+.2f}"),
        ("off", "median |\u2060Δ\u2060|", "{:.2f}"),
    )
} | {"max_ebv": ("E(B−V): largest Δ [mag]", "{:+.2f}"), "n": ("times", "{:,d}")}
FORMATS = dict(_COLUMNS.values())


def score_table(answer: Answer) -> pd.DataFrame:
    """Deviations of every model from the light-weighted truth, as they are shown.

    A row for each model; where a family has several members, one for each of them below it.
    """
    names, rows = [], []
    for model, table in answer.tables.items():
        found = deviation_table(table)
        order = [found.index[-1], *found.index[:-1]]
        names += [model_title(model), *order[1:]]
        rows.append(found.loc[order])
    found = pd.concat(rows)[list(_COLUMNS)].set_axis(names)
    return found.rename(columns={column: title for column, (title, _) in _COLUMNS.items()})


def row_colours(answer: Answer) -> dict[str, str]:
    """Colour of each member, by label."""
    labels = [member.label for member in answer.question.members]
    return dict(zip(labels, MEMBER_COLOURS, strict=False))


def caption_text(answer: Answer, family: str) -> str:
    """Say what the lines are, and what to notice."""
    model = model_title(answer.model)
    lines = (
        f"Solid: what “{model}” predicts{_bands(answer)}; dashed: the truth weighted by light "
        "at 5500 to 6500 Å; dotted: by mass."
    )
    found = {"bursts": _bursts, "second": _second, "constant": _constant, OWN: _in_general}
    return f"{lines} {(_in_general if answer.of_posterior else found[family])(answer)}"


def _bands(answer: Answer) -> str:
    if answer.of_posterior:
        return (
            ", the median of its posterior within its 68 % interval, told of the errors of "
            f"i = {answer.question.magnitude:.1f}"
        )
    return ", with 68 % of its answers under noise" if answer.question.noisy else ""


def _in_general(answer: Answer) -> str:
    found = deviation_table(answer.table).iloc[-1]
    figures = ", ".join(
        f"{_number(found[f'bias_{name}'])} {PARAMETER_UNITS[name]} in {PARAMETER_NAMES[name]}"
        for name in PARAMETERS
    )
    return f"Median of predicted − light-weighted over {found['n']:.0f} times: {figures}."


def _bursts(answer: Answer) -> str:
    found = deviation_table(answer.table)
    members = found.drop(index="All", errors="ignore")
    worst = members["off_log_age"].idxmax()
    return (
        f"{_in_general(answer)} A burst of 1 Gyr is soon like an SSP: the networks are off in log "
        f"age by a median of {members['off_log_age'].min():.2f} to "
        f"{members['off_log_age'].max():.2f} dex ({worst} is the worst), and E(B−V) is never more "
        f"than {members['max_ebv'].max():.2f} mag too large."
    )


def _second(answer: Answer) -> str:
    table = answer.table
    starts = [max(part.formation.start for part in m.history) for m in answer.question.members]
    since = table["time"] - np.array(starts)[table["member"] - 1] / 1e9
    after = table[(since > 0) & (since <= SETTLED)]
    young = after["pred_log_age"] - after["light_log_age"]
    dust, age = after["pred_ebv"] - after["light_ebv"], young.loc[young.abs().idxmax()]
    return (
        f"In the {SETTLED:.0f} Gyr after the second burst (upright dashes), log age is off by up "
        f"to {_number(age)} dex and E(B−V) over-predicted by up to {dust.max():.2f} mag; over all "
        f"{len(table)} times the medians are {_number(_median(table, 'log_age'))} dex and "
        f"{_number(_median(table, 'ebv'))} mag."
    )


def _constant(answer: Answer) -> str:
    late = answer.table[answer.table["time"] > SETTLED]
    predicted, light = (
        age_text(float(np.median(late[f"{kind}_log_age"]))) for kind in ("pred", "light")
    )
    dust = (late["pred_ebv"] - late["light_ebv"]).max()
    return (
        f"After {SETTLED:.0f} Gyr the predicted age is {predicted} (median of {len(late)} times) "
        f"where the light is {light} old: the youngest stars outshine the rest. E(B−V) is "
        f"over-predicted by up to {dust:.2f} mag, and [M/H] is off by a median of "
        f"{_number(_median(late, 'metallicity'))} dex."
    )


def _median(table: pd.DataFrame, name: str) -> float:
    return float((table[f"pred_{name}"] - table[f"light_{name}"]).median())


def _number(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def mixture_note(answer: Answer, family: str) -> str:
    """Say what was mixed of what, and where an SSP stands in for another age."""
    question = answer.question
    library = load_library(question.library)
    metals = sorted({m.metallicity for e in answer.evolutions for m in e.mixtures})
    listed = ", ".join(f"{value:+.2f}".replace("-", "−") for value in metals)
    words = [
        f"SSPs of {library_label(question.library)} with [M/H] = {listed}"
        + (f", the nearest to log Z/{SOLAR_Z:g}." if family != OWN else ".")
    ]
    if family == "second":
        words.append("The paper does not give the masses of the two bursts; here they are equal.")
    ages = [m.log_age for e in answer.evolutions for m in e.mixtures]
    young, old = answer.table["young_light"], answer.table["old_mass"]
    youngest = age_text(max(age[0] for age in ages))
    much = f"at most {young.max():.1%} of the light"
    if (young > 0.1).any():
        much = f"more than a tenth of the light at {(young > 0.1).sum()} of {len(young)} times"
    words.append(f"The youngest SSP, {youngest}, stands in for younger stars: {much}.")
    if (old > 0.005).any():
        words.append(
            f"The oldest, {age_text(min(age[-1] for age in ages))}, stands in for older stars at "
            f"{(old > 0.005).sum()} of {len(old)} times."
        )
    words.append(f"The library has {len(library):,} SSPs; ages between two are interpolated.")
    words.append(
        "A model of single populations can only answer with the one that looks most alike, the "
        "SSP-equivalent: mostly the age of the youngest stars (Trager & Somerville 2009), neither "
        "the mean of the light nor that of the mass."
    )
    return " ".join(words)


def likeness_text(answer: Answer, likeness: SSPEquivalent, time: float) -> str:
    """Say what the population at a time is, what it is taken for, and how alike the two are."""
    row = answer.row(likeness.member, time)
    ssp = likeness.ssp
    label = row["label"][0].upper() + row["label"][1:]
    return (
        f"{label}, {row['time']:.1f} Gyr after the beginning: light-weighted "
        f"{_words(row, 'light')}; predicted {_words(row, 'pred')}. In grey the SSP nearest to "
        f"that, {age_text(ssp.log_age)} with [M/H] {_number(ssp.metallicity)} behind E(B−V) "
        f"{ssp.ebv:.2f}: its bands differ by {likeness.rms:.1%} rms, {likeness.sigmas:.1f} σ of "
        f"the noise at i = {ssp.magnitude:.1f}."
    )


def _words(row: pd.Series, kind: str) -> str:
    return (
        f"{age_text(row[f'{kind}_log_age'])}, [M/H] {_number(row[f'{kind}_metallicity'])}, "
        f"E(B−V) {_number(row[f'{kind}_ebv'])}"
    )

"""Kinds of star-formation histories, drawn at random."""

from collections.abc import Callable, Mapping

import numpy as np

from sspexplorer.galaxies.formation import (
    AGE_OF_UNIVERSE,
    TABLE_AGES,
    Episodes,
    Formation,
    TabulatedHistories,
    younger_shares,
)

# Shares of the kinds of histories.
FAMILIES = {
    "delayed": 0.12,
    "constant": 0.06,
    "quenched": 0.12,
    "burst on an old body": 0.10,
    "rejuvenated": 0.06,
    "single burst": 0.10,
    "single population": 0.12,
    "post-starburst": 0.08,
    "lognormal": 0.06,
    "double power law": 0.06,
    "continuity": 0.07,
    "bursty": 0.05,
}
_INSTANT = 1e5  # yr; how long a single population forms
_SUBSTEPS = 8  # in each step of a table, for rates that change fast
_CONTINUITY_BINS = (6, 8, 10)


def draw_histories(
    n: int, shares: Mapping[str, float], rng: np.random.Generator
) -> tuple[Formation, ...]:
    """Draw when the stars of n galaxies formed: a body, a later episode, and what is tabulated.

    What a galaxy does not have is without mass. All metallicities are 0.

    Parameters
    ----------
    n : int
    shares : dict of str to float
        Of each of the :data:`FAMILIES`; they add up to 1.
    rng : numpy.random.Generator
    """
    names = list(shares)
    family = np.array(names)[rng.choice(len(names), n, p=list(shares.values()))]
    tabulated = np.isin(family, list(_RATES))
    body, later = _episodes(family, rng)
    body.mass[tabulated] = 0.0
    tables = [np.zeros((1, len(TABLE_AGES)), dtype=np.float32)]
    table, count = np.zeros(n, dtype=int), 1
    for name, rates in _RATES.items():
        rows = np.flatnonzero(family == name)
        if len(rows):
            tables.append(younger_shares(rates(len(rows), rng)))
            table[rows] = count + np.arange(len(rows))
            count += len(rows)
    others = TabulatedHistories(
        np.concatenate(tables), table, np.ones(n), tabulated.astype(float), np.zeros(n)
    )
    return body, later, others


def log_uniform(low: float, high: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw numbers that are even in their logarithm, shape (n,)."""
    return np.exp(rng.uniform(np.log(low), np.log(high), n))


def _episodes(family: np.ndarray, rng: np.random.Generator) -> tuple[Episodes, Episodes]:
    """Bodies and later episodes; a later episode without mass is none."""
    n = len(family)
    is_a = {name: family == name for name in FAMILIES}
    # Half begin evenly in time, half evenly in its logarithm: dwarfs may be young.
    start = np.where(
        rng.uniform(size=n) < 0.5,
        rng.uniform(1e9, AGE_OF_UNIVERSE, n),
        log_uniform(5e7, AGE_OF_UNIVERSE, n, rng),
    )
    old = is_a["burst on an old body"] | is_a["rejuvenated"] | is_a["post-starburst"]
    start = np.where(old, rng.uniform(2e9, AGE_OF_UNIVERSE, n), start)
    shape = rng.integers(1, 3, n)
    single = is_a["single burst"] | is_a["single population"]
    shape[is_a["constant"] | single] = 0
    timescale = np.minimum(log_uniform(1e8, 1e10, n, rng), 3 * start)
    end = np.zeros(n)
    stopped = is_a["quenched"] | is_a["rejuvenated"]
    share = rng.uniform(size=n) ** 2
    end[stopped] = (start * np.where(old, 0.1 + 0.8 * share, 0.01 + 0.94 * share))[stopped]
    last = log_uniform(1e6, 12.8e9, n, rng)
    length = np.minimum(log_uniform(1e7, 1e9, n, rng), last + 1e7)
    length[is_a["single population"]] = _INSTANT
    end[single] = last[single]
    start[single] = (last + length)[single]
    later = _later(is_a, start, rng)
    psb = is_a["post-starburst"]
    end[psb] = later.start[psb]
    body = Episodes(shape, start, end, timescale, 1 - later.mass, np.zeros(n))
    return body, later


def _later(is_a: Mapping[str, np.ndarray], start: np.ndarray, rng: np.random.Generator) -> Episodes:
    """Later episodes; those of post-starbursts fall off and took up to 80 % of the mass.

    Wild et al. (2020): bursts within the last 2 Gyr, whose strength and length vary.
    """
    n = len(start)
    mass = np.zeros(n)
    for name, low, high in (("burst on an old body", 1e-3, 0.6), ("rejuvenated", 1e-3, 0.3)):
        mass[is_a[name]] = log_uniform(low, high, n, rng)[is_a[name]]
    rejuvenated, psb = is_a["rejuvenated"], is_a["post-starburst"]
    end = np.where(rejuvenated, 0.0, log_uniform(1e6, 5e9, n, rng))
    end = np.minimum(end, 0.8 * start)
    length = np.where(rejuvenated, log_uniform(3e6, 1e9, n, rng), log_uniform(1e7, 1e9, n, rng))
    since, falling = log_uniform(5e7, 2e9, n, rng), log_uniform(2e7, 4e8, n, rng)
    mass = np.where(psb, log_uniform(0.02, 0.8, n, rng), mass)
    return Episodes(
        np.where(psb, 2, 0),
        np.where(psb, np.minimum(since, 0.8 * start), end + length),
        np.where(psb, 0.0, end),
        np.where(psb, falling, 1e9),
        mass,
        np.zeros(n),
    )


def _fine_times() -> np.ndarray:
    """Times since the Big Bang (yr) within the steps of a table, shape (n_steps, _SUBSTEPS)."""
    inside = (np.arange(_SUBSTEPS) + 0.5) / _SUBSTEPS
    return AGE_OF_UNIVERSE - (TABLE_AGES[:-1, None] + np.diff(TABLE_AGES)[:, None] * inside)


def _averaged(
    log_rate: Callable[[np.ndarray, np.ndarray], np.ndarray], parameters: np.ndarray
) -> np.ndarray:
    """Mean rates (n, n_steps) in the steps of a table, of the log of a rate at a time."""
    times = _fine_times()
    found = np.empty((len(parameters), len(times)))
    for rows in np.array_split(np.arange(len(parameters)), -(-len(parameters) // 2000)):
        logs = log_rate(times.ravel(), parameters[rows])
        logs = logs - logs.max(axis=1, keepdims=True)
        found[rows] = np.exp(logs).reshape(len(rows), *times.shape).mean(axis=2)
    return found


def _lognormal(n: int, rng: np.random.Generator) -> np.ndarray:
    """Carnall et al. (2019): maximum at 0.1 to 15 Gyr, as wide as 0.1 to 20 Gyr."""
    peak, width = rng.uniform(1e8, 15e9, n), rng.uniform(1e8, 20e9, n)
    # The full width at half maximum of a lognormal is 2 t_max sinh(τ √(2 ln 2)).
    sigma = np.arcsinh(width / (2 * peak)) / np.sqrt(2 * np.log(2))
    centre = np.log(peak) + sigma**2

    def log_rate(time: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        logs = np.log(time)
        return -0.5 * ((logs - parameters[:, :1]) / parameters[:, 1:]) ** 2 - logs

    return _averaged(log_rate, np.stack([centre, sigma], axis=1))


def _double_power_law(n: int, rng: np.random.Generator) -> np.ndarray:
    """Carnall et al. (2019): ((t/τ)^α + (t/τ)^−β)^−1, slopes even in log, 0.1 to 1000."""
    turn = rng.uniform(1e8, 15e9, n)
    falling, rising = log_uniform(0.1, 1000, n, rng), log_uniform(0.1, 1000, n, rng)

    def log_rate(time: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        x = np.log(time) - parameters[:, :1]
        return -np.logaddexp(parameters[:, 1:2] * x, -parameters[:, 2:] * x)

    return _averaged(log_rate, np.stack([np.log(turn), falling, rising], axis=1))


def _continuity(n: int, rng: np.random.Generator) -> np.ndarray:
    """Leja et al. (2019): the log of the rate changes by Student's t from bin to bin.

    ν = 2, σ = 0.3 dex; bins of 30 and 70 Myr, then even in log age to 85 % of the age of the
    universe, and one for the rest; 6, 8 or 10 of them.
    """
    rates = np.empty((n, len(TABLE_AGES) - 1))
    middles = (TABLE_AGES[1:] + TABLE_AGES[:-1]) / 2
    which = rng.integers(len(_CONTINUITY_BINS), size=n)
    for index, count in enumerate(_CONTINUITY_BINS):
        rows = np.flatnonzero(which == index)
        edges = np.geomspace(1e8, 0.85 * AGE_OF_UNIVERSE, count - 2)
        steps = np.searchsorted(np.concatenate([[3e7], edges]), middles)
        change = 0.3 * rng.standard_t(2, (len(rows), count - 1))
        log_rate = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(change, axis=1)], axis=1)
        log_rate -= log_rate.max(axis=1, keepdims=True)
        rates[rows] = 10 ** np.maximum(log_rate, -30)[:, steps]
    return rates


def _bursty(n: int, rng: np.random.Generator) -> np.ndarray:
    """Formation that goes on with bursts and lulls: the log of the rate wanders.

    A damped random walk of 0.2 to 0.8 dex that forgets itself in 10 to 500 Myr (Caplar &
    Tacchella 2019), about a constant or falling rate that began 0.3 to 13.8 Gyr ago.
    Steps longer than that time hold the mean of many bursts and vary less.
    """
    middles, lengths = (TABLE_AGES[1:] + TABLE_AGES[:-1]) / 2, np.diff(TABLE_AGES)
    start = log_uniform(3e8, AGE_OF_UNIVERSE, n, rng)[:, None]
    scale = log_uniform(5e8, 3e10, n, rng)[:, None]
    sigma = rng.uniform(0.2, 0.8, n)[:, None]
    memory = log_uniform(1e7, 5e8, n, rng)[:, None]
    walk = np.empty((n, len(middles)))
    walk[:, 0] = rng.standard_normal(n)
    for step in range(1, len(middles)):
        kept = np.exp(-(middles[step] - middles[step - 1]) / memory[:, 0])
        walk[:, step] = kept * walk[:, step - 1] + np.sqrt(1 - kept**2) * rng.standard_normal(n)
    walk *= sigma / np.sqrt(np.maximum(1, lengths / (2 * memory)))
    # The young end is never empty: the first steps are younger than any start.
    return 10**walk * np.exp((middles - start) / scale) * (middles < start)


_RATES: dict[str, Callable[[int, np.random.Generator], np.ndarray]] = {
    "lognormal": _lognormal,
    "double power law": _double_power_law,
    "continuity": _continuity,
    "bursty": _bursty,
}

"""What is doubtful about a row of a catalogue: one word for each reason, and what it means.

A column of flags (``pred_flag``, ``fit_flag``) is empty where all is well. Else it holds one code
or several, with a space between, the cause of a missing answer first. What a flag says of one row
alone has a column of its own: which bands were left out is in ``pred_set_aside``.

>>> codes("few-bands errors-unknown")
('few-bands', 'errors-unknown')
>>> sentence("errors-unknown")
'No band has an error: 5 % of the median flux was taken.'
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd


def _from_prior(what: str) -> str:
    return (
        f"The prior more than the data decides the {what}: the posterior's variance is more than "
        "50 % of the prior's."
    )


_SENTENCES = {
    # Why there is no answer.
    "no-bands": "No band was measured: no answer.",
    "too-few-bands": (
        "Too few bands for an answer: posteriors and SED fits need 5, networks without error bars "
        "20."
    ),
    "flux-not-positive": "The median flux is not positive: no answer.",
    "redshift-outside": (
        "The redshift is outside what the model answers for, 0 to 1 for mixed populations and SED "
        "fits, 0 to 0.1 for the model of single populations: no answer."
    ),
    # What an answer is based on.
    "few-bands": "Fewer than 20 bands: they leave more open, and the errors say how much.",
    "many-bands-missing": "More than 20 % of the bands are missing, and were filled in.",
    "errors-unknown": "No band has an error: 5 % of the median flux was taken.",
    "some-errors-unknown": "Some bands have no error: 5 % of the median flux was taken.",
    "bands-too-noisy": (
        "Bands that are far noisier than the others, and say next to nothing, were left out."
    ),
    "bands-set-aside": "Bands that all others contradict were set aside.",
    "redshift-unknown": "The redshift is unknown: fitted at 0.",
    "redshift-uncertain": (
        "The redshift's error is above 0.005, and the fit is that at the redshift itself."
    ),
    "redshift-not-modelled": "The redshift is above 0.01, and the network was trained at 0.",
    # What the answer looks like.
    "unlike-training": (
        "Unlike any population in the training: one in a hundred of those is as far off (p < 0.01)."
    ),
    "no-model-fits": "No model fits: the reduced χ² is above 5.",
    "redshift-contradicted": "The colours contradict the redshift, beyond its error.",
    "redshift-at-limit": (
        "By its colours, and without a redshift, it may lie beyond those that the model knows."
    ),
    "star-formation-limit": (
        "It may form no stars at all: rates of star formation are upper limits (95 %)."
    ),
    "log-age-from-prior": _from_prior("age"),
    "metallicity-from-prior": _from_prior("metallicity"),
    "ebv-from-prior": _from_prior("dust"),
    "log-age-outside": "The age is outside the training range.",
    "metallicity-outside": "The metallicity is outside the training range.",
    "ebv-outside": "E(B−V) is outside the training range.",
}
CODES = tuple(_SENTENCES)


def codes(value: str) -> tuple[str, ...]:
    """Words of one cell: codes of a column of flags, or names of bands that were left out."""
    return tuple(value.split())


def cell(words: Iterable[str]) -> str:
    """One cell of several words, as :func:`codes` takes it apart."""
    return " ".join(words)


def label(code: str) -> str:
    """Two or three words for a legend: ``few bands``."""
    return code.replace("-", " ").replace("ebv", "E(B−V)")


def labels(value: str) -> str:
    """One cell for people, in a few words: ``few bands, errors unknown``."""
    return ", ".join(map(label, codes(value)))


def labelled(column: pd.Series) -> pd.Series:
    """Labels of a whole column of flags: there are few kinds of them, and many rows."""
    return column.map({value: labels(value) for value in column.unique()})


def sentences(value: str) -> str:
    """One cell for people, in whole sentences."""
    return " ".join(map(sentence, codes(value)))


def sentence(code: str) -> str:
    """What a code means, for people.

    Raises
    ------
    KeyError
        If there is no such code.
    """
    return _SENTENCES[code]


def column(n: int) -> np.ndarray:
    """Flags of ``n`` rows, shape (n,), all empty, to be given to :func:`add`."""
    return np.full(n, "", dtype=object)


def add(flags: np.ndarray, rows: np.ndarray, code: str) -> None:
    """Add a code to some rows of a column, behind those that are there.

    Parameters
    ----------
    flags : ndarray of str, shape (n,)
        Changed in place.
    rows : ndarray of bool, shape (n,)
    code : str
        One of :data:`CODES`.

    Raises
    ------
    KeyError
        If there is no such code.
    """
    sentence(code)
    flags[rows] += np.where(flags[rows] == "", code, f" {code}").astype(object)


def count(flags: Iterable[str]) -> dict[str, int]:
    """Rows that have each code, the commonest first; of a column, {code: n}."""
    found: Counter[str] = Counter()
    for value, n in Counter(flags).items():
        found.update(dict.fromkeys(codes(value), n))
    return dict(found.most_common())


def described(flags: Iterable[str] | Mapping[str, int]) -> list[str]:
    """Lines for a reader: the number of rows of each code, the code, and what it means.

    Parameters
    ----------
    flags : iterable of str, or mapping of str to int
        A column, or what :func:`count` made of it.
    """
    counts = flags if isinstance(flags, Mapping) else count(flags)
    return [f"{n:,} {code}: {sentence(code)}" for code, n in counts.items()]

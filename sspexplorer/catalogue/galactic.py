"""Which E(B−V) of the Milky Way a catalogue is corrected for: a column, a number, or a map."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sspexplorer.catalogue.positions import position_column, positions
from sspexplorer.catalogue.values import AnyTable, column_names, column_numbers
from sspexplorer.catalogue.ways import way
from sspexplorer.errors import InputError
from sspexplorer.foreground import MAX_EBV

# What can be asked for besides a number and the name of a column.
FOUND, NONE, SFD = "found", "none", "sfd"

_SAYS_GALACTIC = re.compile(
    r"(e_?b_?m?_?v_?(sfd|sf11|gal(actic)?|mw|planck|foreground|fg)(\d*|_\w+)?)|"
    r"((sfd|sf11|gal(actic)?|mw|planck|foreground|fg)_?e_?b_?m?_?v)"
)
_BARE = re.compile(r"e_?b_?m?_?v")
# Beside one of these a bare E(B−V) may be that of the stars of the galaxy.
_OF_POPULATIONS = re.compile(
    r"(.*_)?(log_?age|age|ages|metal(licity)?|m_h|z_h|fe_h|log_?m(ass)?|mass|tau|sfr|library)(_.*)?"
)
_CORRECTED = re.compile(r"dered(dened)?|unred(dened)?|(ext|dust|gal)_?corr(ected)?|corr_?ext")


@dataclass(frozen=True, eq=False)
class GalacticDust:
    """Dust of the Milky Way before each galaxy.

    Attributes
    ----------
    ebv : ndarray, shape (n,), or None
        E(B−V) in mag, NaN where it is not known; None if nothing is corrected.
    source : str
        Column, number or map; "" if nothing is corrected.
    note : str
        A sentence on what was done and why; "" if there is nothing to say.
    """

    ebv: np.ndarray | None = None
    source: str = ""
    note: str = ""


def galactic_dust(
    table: AnyTable, choice: str | float = FOUND, photometry: Sequence[str] = ()
) -> GalacticDust:
    """Find the E(B−V) of the Milky Way to correct the photometry for.

    Parameters
    ----------
    table : pyarrow.Table or astropy Table
    choice : str or float
        "found" takes a column whose name says that it is Galactic reddening, if there is one;
        "none" corrects nothing; a number is for all rows; "sfd" looks each position up in the map
        of Schlegel, Finkbeiner & Davis (1998), which ``dustmaps`` must have; else the name of a
        column.
    photometry : sequence of str
        Names of the columns that fluxes are read from: where they say that they are corrected,
        nothing is corrected again.

    Raises
    ------
    InputError
        If the choice cannot be had, or is no reddening.
    """
    corrected = next((name for name in photometry if _CORRECTED.search(name.lower())), None)
    if corrected and choice != NONE:
        return GalacticDust(
            note=f"Column {corrected} is corrected for the dust of the Milky Way by its name, so "
            "nothing is corrected again."
        )
    if choice == NONE:
        return GalacticDust()
    if choice == FOUND:
        return _by_name(table)
    number = _number(choice)
    if number is not None:
        ebv = np.full(len(table), _checked(np.array([number]), "The number")[0])
        return _corrected(ebv, f"{number:g} mag for all rows")
    if choice == SFD and SFD not in column_names(table):
        return _corrected(_from_map(table), "the map of Schlegel, Finkbeiner & Davis (1998)")
    if choice not in column_names(table):
        raise InputError(
            f"There is no column {choice!r} with the E(B−V) of the Milky Way; give a column, a "
            "number in mag, 'sfd' or 'none'."
        )
    return _corrected(_column(table, str(choice)), f"column {choice}")


def can_look_up(table: AnyTable) -> bool:
    """Whether "sfd" can be asked for: the table has positions, and this machine has the map."""
    if not all(position_column(table, key) for key in ("ra", "dec")):
        return False
    try:
        from dustmaps.std_paths import data_dir
    except ImportError:
        return False
    return all(Path(data_dir(), "sfd", f"SFD_dust_4096_{p}gp.fits").is_file() for p in "ns")


def _by_name(table: AnyTable) -> GalacticDust:
    simple = {name: _simple(name) for name in column_names(table)}
    for name, words in simple.items():
        if _SAYS_GALACTIC.fullmatch(words):
            return _corrected(_column(table, name), f"column {name}")
    bare = next((name for name, words in simple.items() if _BARE.fullmatch(words)), None)
    if bare is None:
        return GalacticDust()
    if beside := next((n for n, words in simple.items() if _OF_POPULATIONS.fullmatch(words)), None):
        return GalacticDust(
            note=f"Column {bare} stands beside {beside} and may be the dust of the galaxies: "
            f"nothing is corrected for the Milky Way; {way('galactic', bare)} takes it so."
        )
    return _corrected(_column(table, bare), f"column {bare}")


def _corrected(ebv: np.ndarray, source: str) -> GalacticDust:
    known = np.isfinite(ebv)
    if not known.any():
        return GalacticDust(note=f"E(B−V) of the Milky Way from {source} is missing in every row.")
    return GalacticDust(ebv, source, note_on(source, ebv, int(np.count_nonzero(~known))))


def note_on(source: str, ebv: np.ndarray, n_without: int) -> str:
    """What was corrected for.

    Parameters
    ----------
    source : str
        See :class:`GalacticDust`.
    ebv : ndarray
        E(B−V) of all rows or some.
    n_without : int
        Rows of all that have none.
    """
    text = (
        f"Corrected for the dust of the Milky Way with E(B−V) from {source}, median "
        f"{np.nanmedian(ebv):.3f} mag (Fitzpatrick 1999, R_V = 3.1; "
        f"{way('galactic', NONE)} leaves it out)."
    )
    if n_without:
        text += f" {n_without:,} rows have none and are left as they are."
    return text


def _column(table: AnyTable, name: str) -> np.ndarray:
    values = column_numbers(table, name).values.astype(float)
    if values.ndim != 1:
        raise InputError(f"Column {name!r} has several values in a row, so it is no reddening.")
    return _checked(np.where(values <= -90, np.nan, values), f"Column {name!r}")


def _checked(ebv: np.ndarray, what: str) -> np.ndarray:
    known = ebv[np.isfinite(ebv)]
    if known.size and (known.min() < -0.05 or known.max() > MAX_EBV):
        raise InputError(
            f"{what} goes from {known.min():g} to {known.max():g}, which is no E(B−V) of the Milky "
            "Way in mag."
        )
    return np.maximum(ebv, 0.0)


def _from_map(table: AnyTable) -> np.ndarray:
    from astropy.coordinates import SkyCoord

    for key in ("ra", "dec"):
        if not position_column(table, key):
            raise InputError(f"There is no column with {key} to look dust up at.")
    found = positions(table)
    if found is None:
        raise InputError("The columns with ra and dec hold no positions to look dust up at.")
    try:
        from dustmaps.sfd import SFDQuery
    except ImportError:
        raise InputError(
            "Looking up dust needs the package dustmaps: pip install 'sspexplorer[dust]'."
        ) from None
    there = np.isfinite(found.ra)
    ebv = np.full(len(there), np.nan)
    try:
        ebv[there] = SFDQuery()(SkyCoord(found.ra[there], found.dec[there], unit="deg"))
    except OSError:
        raise InputError(
            "The map of Schlegel, Finkbeiner & Davis is not on this machine; "
            "python -c 'from dustmaps.sfd import fetch; fetch()' gets it."
        ) from None
    return _checked(ebv, "The map")


def _simple(name: str) -> str:
    return re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_")


def _number(choice: str | float) -> float | None:
    try:
        return float(choice)
    except ValueError:
        return None

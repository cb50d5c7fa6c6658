"""What training SEDs say of the numbers of a catalogue, and where they contradict all else."""

from dataclasses import dataclass, field, replace

import numpy as np

from sspexplorer.bands import N_BANDS
from sspexplorer.catalogue import scoring
from sspexplorer.catalogue.fnu import to_fnu
from sspexplorer.catalogue.limits import find_codes
from sspexplorer.catalogue.photometries import ChoiceNeededError
from sspexplorer.catalogue.scoring import Verdict
from sspexplorer.catalogue.units import BY_NAME, UNITS, BandUnit, ErrorUnit, error_unit
from sspexplorer.catalogue.ways import way

_GOOD = 3.0  # χ² per band
# What names, units or sizes say is believed unless another reading fits well, and better by so
# much in so many rows; for a stated unit these must also be some.
_FAR_SHARE, _FAR_DELTA, _STATED_ROWS = 0.9, 25.0, 5


@dataclass(frozen=True)
class Decision:
    """What the numbers are taken to be, for each band, and why.

    Attributes
    ----------
    unit : str
        Key of :data:`~sspexplorer.catalogue.units.UNITS`; the commonest where the bands differ.
    reason : str
        Why, in words that complete "taken as F_ν: …".
    source : str
        What decided: "you", "unit", "name", "size", "data" or "nothing".
    bands : tuple of BandUnit, 57 values
    errors : tuple of ErrorUnit, 57 values
    verdict : Verdict or None
        How surely, where the data decided.
    """

    unit: str
    reason: str
    source: str
    bands: tuple[BandUnit, ...]
    errors: tuple[ErrorUnit, ...] = field(default=())
    verdict: Verdict | None = None

    @property
    def absolute(self) -> bool:
        """Whether the size of the unit is known, so that F_ν is in erg s⁻¹ cm⁻² Hz⁻¹.

        It is that of magnitudes, of columns with a unit, and of numbers as small as only those in
        cgs units are; names and the shape of SEDs say nothing of it.
        """
        if self.unit in ("mag", "stmag") or self.source in ("unit", "size"):
            return True
        return any(band != BY_NAME[self.unit] for band in self.bands)


def otherwise(*units: str) -> str:
    """How to choose other units than what was taken."""
    return f"if that is wrong, say {way('unit', *units)}"


def _read_as(
    kind: str, flux: np.ndarray, error: np.ndarray, errors: tuple[ErrorUnit, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """F_ν and σ of the rows, if the numbers are of this kind."""
    bands = (BY_NAME[kind],) * N_BANDS
    own = tuple(
        e if e.kind == "relative" else replace(error_unit(b, "absolute", None), power=e.power)
        for b, e in zip(bands, errors, strict=True)
    )
    logarithmic = np.full(N_BANDS, BY_NAME[kind].step != 0)
    codes = find_codes(flux, error, logarithmic)
    every = max(1, len(flux) // (4 * scoring.ROWS))
    flux, error = flux[::every].copy(), error[::every].copy()
    to_fnu(flux, error, bands, own, codes)
    return flux, error


def doubt_magnitudes(
    flux: np.ndarray, error: np.ndarray, errors: tuple[ErrorUnit, ...]
) -> ChoiceNeededError | None:
    """Question about what has the size of magnitudes, if galaxies look like that only in fluxes.

    Faint galaxies in µJy may have it. Their errors tell: those of magnitudes, taken for fluxes,
    would be so small that no SED fits.
    """
    if np.mean(np.isfinite(error[np.isfinite(flux)])) < 0.5:
        return None
    readings = {k: _read_as(k, flux, error, errors) for k in ("mag", "fnu", "flambda")}
    first = scoring.score(readings, floor=0.0)
    if first is None or first.kind == "mag":
        return None
    pair = {kind: readings[kind] for kind in ("mag", first.kind)}
    verdict = scoring.score(pair, floor=0.0)
    if verdict is None or verdict.kind == "mag" or not _is_far_better(verdict):
        return None
    return ChoiceNeededError(
        "The numbers have the size of magnitudes, but against training SEDs "
        f"{UNITS[verdict.kind]} fits better in {verdict.share:.0%} of {_rows(verdict.rows)}; "
        f"say {way('unit', *readings)}.",
        "unit",
        tuple(readings),
    )


def _is_far_better(verdict: Verdict) -> bool:
    """Whether the data contradict what names, units or sizes say, beyond what galaxies do."""
    return (
        verdict.sure
        and verdict.share >= _FAR_SHARE
        and verdict.delta_chi2 >= _FAR_DELTA
        and verdict.chi2[verdict.kind] < _GOOD
    )


def doubt_st(flux: np.ndarray, error: np.ndarray, errors: tuple[ErrorUnit, ...]) -> str:
    """Ask about ST magnitudes that are like galaxies only if they are AB: the two are mixed up.

    Of simulated galaxies whose unit is right, AB never fits better by Δχ² = 9; power laws, which
    no training SED is like, may fit better by 25 either way, though not one after the other.

    Returns
    -------
    str
        What to add to the reason where there is less to say against it; "" where there is nothing.
    """
    kinds = ("stmag", "mag")
    verdict = scoring.score({kind: _read_as(kind, flux, error, errors) for kind in kinds})
    if verdict is None or not verdict.sure or verdict.kind == "stmag":
        return ""
    fit = (
        f"as AB magnitudes they fit training SEDs better in {verdict.share:.0%} of "
        f"{_rows(verdict.rows)}, median Δχ² {verdict.delta_chi2:.0f}"
    )
    if verdict.rows < _STATED_ROWS or not _is_far_better(verdict):
        return f", though {fit}; {otherwise('mag')}"
    raise ChoiceNeededError(
        f"The table says ST magnitudes, but {fit}; say {way('unit', *kinds)}.", "unit", kinds
    )


def _rows(n: int) -> str:
    return f"{n} row{'s' if n > 1 else ''}"


def by_data(flux: np.ndarray, error: np.ndarray, errors: tuple[ErrorUnit, ...]) -> Decision:
    """Decide between F_ν and F_λ.

    Raises
    ------
    ChoiceNeededError
        If the data do not.
    """
    readings = {kind: _read_as(kind, flux, error, errors) for kind in ("fnu", "flambda")}
    verdict = scoring.score(readings)
    if verdict is None:
        reason = (
            f"nothing says otherwise, and fewer than {scoring.MIN_BANDS} bands in each row do "
            f"not tell it from F_λ; {otherwise('flambda')}"
        )
        return Decision("fnu", reason, "nothing", (BY_NAME["fnu"],) * N_BANDS)
    rows = f"{_rows(verdict.rows)} scored"
    fit = (
        f"against training SEDs it fits better than {UNITS[verdict.against]} in "
        f"{verdict.share:.0%} of {rows}, median Δχ² {verdict.delta_chi2:.0f}"
    )
    if verdict.chi2[verdict.kind] > _GOOD:
        fit += f", though neither fits well (χ² per band {verdict.chi2[verdict.kind]:.0f})"
    if not verdict.sure:
        raise ChoiceNeededError(
            "Neither names nor units nor sizes say whether the fluxes are F_ν or F_λ, and the "
            f"data do not decide ({UNITS[verdict.kind]}: {fit}); say "
            f"{way('unit', 'fnu', 'flambda')}, or name the unit in the table.",
            "unit",
            ("fnu", "flambda"),
        )
    reason = f"no unit is given, and {fit}; {otherwise(verdict.against)}"
    return Decision(verdict.kind, reason, "data", (BY_NAME[verdict.kind],) * N_BANDS, (), verdict)

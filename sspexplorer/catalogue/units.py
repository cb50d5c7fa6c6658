"""Units as files write them: of a flux density, of a magnitude, and of an error."""

import re
import unicodedata
import warnings
from dataclasses import dataclass

import numpy as np
from astropy import units as u

from sspexplorer.catalogue.values import BLANKS
from sspexplorer.errors import InputError

UNITS = {
    "fnu": "F_ν",
    "flambda": "F_λ",
    "mag": "AB magnitudes",
    "stmag": "ST magnitudes",
}

_CGS = {"fnu": u.erg / (u.s * u.cm**2 * u.Hz), "flambda": u.erg / (u.s * u.cm**2 * u.AA)}
_MAG, _DEX, _DECIBEL = -2.5, 1.0, 10.0
_LN10 = float(np.log(10))
_MAGGY = 3631.0  # Jy
_PREFIXES = {"": 1.0, "m": 1e-3, "milli": 1e-3, "u": 1e-6, "micro": 1e-6, "n": 1e-9, "nano": 1e-9}
_ABSENT = (
    *(*BLANKS, "---", "?", "1", "unknown", "undefined", "unspecified"),
    *("unitless", "dimensionless", "arbitrary", "arb", "arb.", "arbitrary units", "arb. units"),
)
_PERCENT = ("%", "percent", "per cent", "pct")

# Words in any letter case, as files write them, and what astropy calls them. An A is never an
# ampere here.
_WORDS = {
    **dict.fromkeys(("erg", "ergs"), "erg"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("a", "aa", "ang", "angs", "angst", "angstrom", "angstroms"), "Angstrom"),
    **dict.fromkeys(("hz", "hertz"), "Hz"),
    **dict.fromkeys(("w", "watt", "watts"), "W"),
    **dict.fromkeys(("um", "micron", "microns", "micrometer", "micrometers"), "um"),
    **dict.fromkeys(("nm", "nanometer", "nanometers"), "nm"),
    **dict.fromkeys(("cm", "centimeter", "centimeters"), "cm"),
    **dict.fromkeys(("m", "meter", "meters"), "m"),
    **dict.fromkeys(("flam", "flambda", "f_lambda"), "erg/(s cm2 Angstrom)"),
    **dict.fromkeys(("fnu", "f_nu"), "erg/(s cm2 Hz)"),
    "per": "/",
}
_JANSKY = re.compile(r"(?i)(micro|milli|nano|mu|u|n|m|)-?(jy|jansky?s?|janskies)")
_MAGGIES = re.compile(r"(?i)(nano|milli|micro|n|u|m|)-?(mgys?|maggys?|maggies?)")
_LATEX = {r"\AA": "Angstrom", r"\mu": "u", r"\times": "*", r"\%": "%", "\\,": " "}
_SIGNS = str.maketrans(
    {"−": "-", "–": "-", "·": " ", "⋅": " ", "∙": " ", "×": "*", "μ": "u", "Å": "Angstrom "}
    | dict.fromkeys("{}$~", "")
)
_AB = re.compile(r"(ab)?mag(nitude)?s?(ab)?|m?ab|mabmag|(ab)?mag(nitude)?s?(absystem|system)")
_ST = re.compile(r"stmag(nitude)?s?|mag(nitude)?s?st|m?st")
_MILLI = re.compile(r"(ab)?(mmag|millimag(nitude)?)s?(ab)?")
_LOGARITHM = re.compile(r"(?is)(m?mag|dex|log_?(?:10)?|db)\s*(?:[\[(](.+)[\])]|\s(.+))")
_STEPS = {"mag": _MAG, "mmag": 1e3 * _MAG, "dex": _DEX, "db": _DECIBEL}
_SQUARE = re.compile(r"(?:1\s*/\s*)?\((.+)\)\s*(?:\^|\*\*)?\s*\(?([+-]?2)\)?")
_COUNTS = re.compile(
    r"(?i)\b(counts?|cts?|adus?|dn|dns|e-?|electrons?|photons?|ph|photlam|obmag)\b"
)

_NOT_UNDERSTOOD = "is not understood"


class UnitError(InputError):
    """A unit that cannot be converted to F_ν; the text says why, after "which"."""


@dataclass(frozen=True)
class BandUnit:
    """Unit of one band's numbers.

    Attributes
    ----------
    kind : str
        "fnu" or "flambda".
    scale : float
        Size of the unit in erg/s/cm²/Hz or erg/s/cm²/Å.
    step : float
        0 for fluxes. Logarithmic numbers are ``step`` log10(F / ``scale``): −2.5 for magnitudes,
        1 for dex.
    """

    kind: str
    scale: float = 1.0
    step: float = 0.0

    @property
    def name(self) -> str:
        """Key of :data:`UNITS`; that of the flux for other logarithms than magnitudes."""
        if self.step in (_MAG, 1e3 * _MAG):
            return {"fnu": "mag", "flambda": "stmag"}[self.kind]
        return self.kind


@dataclass(frozen=True)
class ErrorUnit:
    """Unit of one band's errors: σ is ``scale`` × number ** ``power``.

    Attributes
    ----------
    kind : str
        "fnu" or "flambda", with σ in cgs; or "relative", with σ as a fraction of the flux.
    scale : float
    power : float
        1, or −0.5 for inverse variances and 0.5 for variances.
    """

    kind: str
    scale: float = 1.0
    power: float = 1.0


# Oke & Gunn (1983): m_AB = −2.5 log10(F_ν / erg s⁻¹ cm⁻² Hz⁻¹) − 48.6; m_ST has F_λ in
# erg s⁻¹ cm⁻² Å⁻¹ and 21.1 (Koornneef et al. 1986).
AB = BandUnit("fnu", 10 ** (-0.4 * 48.6), _MAG)
ST = BandUnit("flambda", 10 ** (-0.4 * 21.1), _MAG)
BY_NAME = {"fnu": BandUnit("fnu"), "flambda": BandUnit("flambda"), "mag": AB, "stmag": ST}


def is_absent(text: str) -> bool:
    """Whether a unit's text says that there is none."""
    return text.strip().lower() in _ABSENT


def read_unit(text: str) -> BandUnit | None:
    """Understand the unit of a flux density or magnitude; None if the text says nothing.

    Parameters
    ----------
    text : str
        As files write it: astropy, FITS, VizieR, desispec, SDSS or LaTeX.

    Raises
    ------
    UnitError
        If it is not understood, or is no flux density or AB or ST magnitude.

    Examples
    --------
    >>> read_unit("10**-17 erg s-1 cm-2 Angstrom-1")
    BandUnit(kind='flambda', scale=1e-17, step=0.0)
    """
    if is_absent(text):
        return None
    text = _plain(text)
    if (logarithmic := _logarithmic(text)) is not None:
        return logarithmic
    unit, size = _parsed(text)
    for kind, cgs in _CGS.items():
        if (scale := _scale(unit, cgs)) is not None:
            return BandUnit(kind, scale * size)
    raise UnitError(_why_not(unit, text))


def read_error_unit(text: str) -> ErrorUnit | None:
    """Understand the unit of errors; None if the text says nothing.

    Raises
    ------
    UnitError
        If it is not the unit of an error of a flux density or magnitude.

    Examples
    --------
    >>> read_error_unit("%")
    ErrorUnit(kind='relative', scale=0.01, power=1.0)
    """
    if is_absent(text):
        return None
    if text.strip(" []()").lower() in _PERCENT:
        return ErrorUnit("relative", 0.01)
    plain = _plain(text)
    step = {"dex": _DEX, "db": _DECIBEL}.get(plain.lower())
    if step is None and (logarithmic := _logarithmic(plain, any_zero=True)) is not None:
        step = logarithmic.step
    if step is not None:
        return ErrorUnit("relative", abs(_LN10 / step))
    return _linear_error(plain)


def _linear_error(text: str) -> ErrorUnit:
    square = _SQUARE.fullmatch(text)
    if square:
        unit, size = _parsed(square[1])
        inverse = text.startswith("1") != square[2].startswith("-")
        powers = {1: -0.5 if inverse else 0.5}
    else:
        unit, size = _parsed(text)
        powers = {1: 1.0, 2: 0.5, -2: -0.5}
        if fraction := _scale(unit, u.dimensionless_unscaled):
            return ErrorUnit("relative", fraction)
    for power, root in powers.items():
        for kind, cgs in _CGS.items():
            if (scale := _scale(unit, cgs**power)) is not None:
                scale = scale if square else scale**root
                return ErrorUnit(kind, scale * size, root)
    raise UnitError(_why_not(unit, text))


def error_unit(band: BandUnit, kind: str, read: ErrorUnit | None) -> ErrorUnit:
    """Unit of a band's errors.

    Parameters
    ----------
    band : BandUnit
        Unit of its flux.
    kind : str
        What their name says, see :attr:`~sspexplorer.catalogue.names.BandColumn.error_kind`.
    read : ErrorUnit or None
        Their own unit, if they have one.
    """
    relative = abs(np.log(10) / band.step) if band.step else 0.0
    own = ErrorUnit("relative", relative) if relative else ErrorUnit(band.kind, band.scale)
    if power := {"ivar": -0.5, "variance": 0.5}.get(kind):
        base = read or own
        return base if base.power != 1 else ErrorUnit(base.kind, base.scale, power)
    if read is not None:
        return read
    if kind == "percent":
        return ErrorUnit("relative", 0.01)
    if kind == "relative":
        # A "relative" error of a magnitude is as good as its error.
        return ErrorUnit("relative", 1.0)
    return own


def unit_of_name(name: str) -> str:
    """Unit that a column's name ends in, as ``J0378 (uJy)``, or has as a word; "" without one.

    >>> unit_of_name("J0378_err [1e-17 erg/s/cm2/A]")
    '1e-17 erg/s/cm2/A'
    """
    bracket = re.search(r"[\[(]\s*([^\[\]]+?)\s*[\])]\s*$", name)
    text = bracket[1] if bracket and bracket.start() > 0 else ""
    if text and not is_absent(text) and not re.fullmatch(r"[\d\s.,]+", text):
        try:
            read_error_unit(text)
        except UnitError as refused:
            return "" if _NOT_UNDERSTOOD in str(refused) else text
        return text
    words = re.split(r"[^0-9A-Za-zµμ]+", name)
    return next((w for w in words if _JANSKY.fullmatch(w) or _MAGGIES.fullmatch(w)), "")


def _plain(text: str) -> str:
    """Text without the marks of LaTeX, superscripts, and brackets around it all."""
    for mark, sign in _LATEX.items():
        text = text.replace(mark, sign)
    text = unicodedata.normalize("NFKC", text).translate(_SIGNS)
    text = re.sub(r"\\[A-Za-z]+", " ", text).strip(" '\"")
    while _is_enclosed(text):
        text = text[1:-1].strip()
    return text


def _is_enclosed(text: str) -> bool:
    """Whether one pair of brackets encloses all of a text."""
    if text[:1] + text[-1:] not in ("[]", "()"):
        return False
    depth = np.cumsum([(x in "[(") - (x in "])") for x in text])
    return bool((depth[:-1] > 0).all() and depth[-1] == 0)


def _logarithmic(text: str, any_zero: bool = False) -> BandUnit | None:
    """Magnitudes and other logarithms; None if the text is neither.

    With ``any_zero``, the zero point does not matter.
    """
    letters = re.sub(r"[^a-z]", "", text.lower())
    # mag/arcsec2 has more to it than its letters.
    simple = not re.search(r"[/^*\d]", text)
    if simple and _AB.fullmatch(letters):
        return AB
    if simple and _ST.fullmatch(letters):
        return ST
    if simple and _MILLI.fullmatch(letters):
        return BandUnit("fnu", AB.scale, 1e3 * _MAG)
    if not any_zero and "vega" in letters:
        raise UnitError(
            "are Vega magnitudes: their zero points in these bands are not known here, so convert "
            "them to AB"
        )
    if not any_zero and re.search("asinh|lupt", letters):
        raise UnitError(
            "are asinh magnitudes (luptitudes): each band has its own softening, which is not "
            "known here, so give fluxes or AB magnitudes"
        )
    if any_zero and simple and re.search("mag|vega|lupt", letters):
        return AB
    found = _LOGARITHM.fullmatch(text)
    if not found:
        return None
    inside = found[2] or found[3]
    step = _STEPS.get(found[1].lower(), _DEX)
    if any_zero:
        return BandUnit("fnu", 1.0, step)
    unit = read_unit(inside)
    if unit is None or unit.step:
        raise UnitError(_NOT_UNDERSTOOD)
    return BandUnit(unit.kind, unit.scale, step)


def _parsed(text: str) -> tuple[u.UnitBase | None, float]:
    """Astropy's unit and the number to multiply a flux by; None if the text is no unit.

    A maggy is read as a jansky, and the number makes up for it.
    """
    text = re.sub(
        r"(?<![\w.])(?:1(?:\.0*)?\s*[xX*]\s*)?10\s*(?:\*\*|\^)\s*\(?([+-]?\d+)\)?", r"1e\1 ", text
    )
    text = re.sub(r"(?<![\w.])10([+-]\d+)", r"1e\1 ", text)
    text = re.sub(r"(?<![A-Za-z])([\d.]+)[eEdD]([+-]?\d+)\s*[xX*]?(?!\d)", r"\1e\2 ", text)
    text = re.sub(r"(?<=[A-Za-z\d)])\.(?=[A-Za-z(])", " ", text)
    size = 1.0

    def word(match: re.Match) -> str:
        nonlocal size
        found = match[0]
        if re.fullmatch(r"(?i)e", found) and text[match.start() - 1 : match.start()].isdigit():
            return found
        if maggies := _MAGGIES.fullmatch(found):
            size = _MAGGY * _PREFIXES[maggies[1].lower()]
            return "Jy"
        if (jansky := _JANSKY.fullmatch(found)) and found != "MJy":
            prefix = jansky[1].lower()
            return {"micro": "u", "mu": "u", "milli": "m", "nano": "n"}.get(prefix, prefix) + "Jy"
        return _WORDS.get(found.lower(), found)

    text = re.sub(r"[A-Za-z_]+(?:-(?=[Jj]))?[A-Za-z_]*", word, text)
    with warnings.catch_warnings():
        # Astropy warns of a second slash, which half of all catalogues write.
        warnings.simplefilter("ignore")
        for form in ("generic", "cds", "vounit", "ogip"):
            try:
                return u.Unit(text.strip(), format=form), size
            except (ValueError, TypeError, ArithmeticError):
                continue
    return None, size


def _scale(unit: u.UnitBase | None, cgs: u.UnitBase) -> float | None:
    """Size of a unit in ``cgs``; None if it is none of its kind, or has no size."""
    try:
        if unit is None or not unit.is_equivalent(cgs):
            return None
        scale = float(unit.to(cgs))
    except (ValueError, TypeError, ArithmeticError):
        return None
    # 1e-17, not 9.999999999999999e-18.
    return float(f"{scale:.14g}") if 0 < scale < np.inf else None


def _why_not(unit: u.UnitBase | None, text: str) -> str:
    if _COUNTS.search(text):
        return "are counts: to make fluxes of them takes a zero point for each band"
    if unit is None:
        return _NOT_UNDERSTOOD
    for area in (u.sr, u.arcsec**2, u.pix, u.beam):
        flux, magnitude = unit * area, u.mag / area
        if any(_scale(flux, cgs) for cgs in _CGS.values()) or _scale(unit, magnitude):
            return "is a surface brightness: give the flux of each galaxy"
    if unit.is_equivalent(u.W / u.m**2):
        return "is a flux, not a flux density: give it per Hz or per Å"
    return "is no flux density or magnitude"

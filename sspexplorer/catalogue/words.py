"""A column's name as words: what separates them, what they mean, what belongs to a unit.

Names come as ``FLUX_AUTO_J0378``, ``psfFluxErr``, ``dJ0378``, ``MAGERR`` or
``mag_auto[jpas::J0660]``. Signs and changes of case separate words, and a run of letters is cut
where it is made of known words.
"""

import re
from functools import lru_cache

from sspexplorer.catalogue.band_words import take_bands


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


ERROR_WORDS = _set(
    "ERR ERROR ERRORS ERRS UNC UNCERT UNCERTAINTY SIGMA SIG STD STDDEV STDEV RMS 1SIGMA"
)
INVERSE_VARIANCE_WORDS = frozenset({"IVAR", "INVVAR"})
VARIANCE_WORDS = frozenset({"VAR", "VARIANCE", "VARIANCES"})
# One side of an error, or one bound of an interval; the second pair only beside an error.
LOWER_WORDS, UPPER_WORDS = _set("LO LOW LOWER L68 P16 Q16"), _set("HI HIGH UPPER U68 P84 Q84")
LOWER_ERROR_WORDS, UPPER_ERROR_WORDS = _set("MINUS NEG MIN"), _set("UP PLUS POS MAX")
RELATIVE_WORDS = frozenset({"RELERR", "FRACERR", "REL", "FRAC", "RELATIVE", "FRACTIONAL"})
PERCENT_WORDS = frozenset({"PERCENT", "PCT", "PERC"})

# What a word says of the numbers.
QUANTITIES = {
    "FLUX": "FLUX",
    "FLUXES": "FLUX",
    "FLX": "FLUX",
    "MAG": "MAG",
    "MAGS": "MAG",
    "MAGNITUDE": "MAG",
    "MAGAB": "MAG",
    "ABMAG": "MAG",
    "FNU": "FNU",
    "FLAMBDA": "FLAMBDA",
    "FLAM": "FLAMBDA",
    "JY": "FNU",
    "MJY": "FNU",
    "UJY": "FNU",
    "NJY": "FNU",
    "MAGGIES": "FNU",
    "NMGY": "FNU",
    "NANOMAGGIES": "FNU",
}
APERTURES = _set(
    "APER APERTURE AUTO PETRO ISO PSFCOR PSF KRON TOTAL TOT MODEL CMODEL FIBER BEST WIN GAAP "
    "SED PHOT PHOTOMETRY"
)
SURVEYS = _set("JPAS MINIJPAS JPLUS SPLUS OAJ SDSS")
# Observed fluxes only if errors are beside them: model and best are also what a fit gives, and
# corr a correction.
NEED_ERRORS = frozenset({"MODEL", "CMODEL", "BEST", "CORR"})

# SExtractor's IMAFLAGS come from a mask image, its FLAGS from the extraction.
MASK_WORDS = frozenset({"MASK", "MASKS", "MASKED", "BADPIX", "IMAFLAGS"})
FLAG_WORDS = frozenset({"FLAG", "FLAGS"})
# These look like flags, but what their values mean is not known.
QUALITY_WORDS = _set("QUALITY QUAL QFLAG BAD GOOD CLEAN SATURATED SAT WARN WARNING")
# What makes a column something else than photometry, though it names a band.
OTHER_WORDS = _set(
    "LIM LIMIT LIMITS MAGLIM LIMMAG DEPTH NOBS NEXP NIMG NDET NPIX COUNT COUNTS EXPTIME TEXP "
    "EXPOSURE MJD DATE TIME AX EXT EXTINCTION EBV AEBV MW TRANSMISSION TRANS SNR SN S2N SIGNOISE "
    "BESTFIT FIT FITTED FITFLUX SYN SYNTH SYNTHETIC TEMPLATE TEMPL TPL BAYES PRED PREDICTED RESID "
    "RESIDUAL RESIDUALS CHI CHI2 CHISQ ZP ZPT ZEROPOINT ZPOINT FWHM SEEING RADIUS RAD AREA APCOR "
    "APCORR APERCOR APERCORR KCORR KCOR OFFSET CLASS ID WEIGHT WMAP NORM EW MU SB BACKGROUND "
    "BKG SKY WAVE WAVELENGTH LAMBDA ODDS PIT COLOR COLOUR ABSMAG LUM LUMINOSITY X Y "
    "RA DEC THETA ELLIP CLASSSTAR PSFFWHM GAIN AIRMASS MUMAX"
)
_DROPPED = frozenset({"BAND", "FILTER", "FILT"})

_LETTER_PREFIXES = {"E": "ERR", "D": "ERR", "F": "FLUX", "M": "MAG"}
_FIRST_LETTERS = _LETTER_PREFIXES | {"A": "AX", "N": "NOBS", "K": "KCORR"}
_LETTER_PAIRS = {
    "EF": ("ERR", "FLUX"),
    "DF": ("ERR", "FLUX"),
    "EM": ("ERR", "MAG"),
    "DM": ("ERR", "MAG"),
    "MERR": ("MAG", "ERR"),
    "FERR": ("FLUX", "ERR"),
    "MAGERR": ("MAG", "ERR"),
    "FLUXERR": ("FLUX", "ERR"),
    **{f"ERR{end}": ("ERR", "LOWER") for end in ("L", "LO", "M")},
    **{f"ERR{end}": ("ERR", "UPPER") for end in ("U", "UP", "HI", "P")},
    "LERR": ("LOWER", "ERR"),
    "UERR": ("UPPER", "ERR"),
}
_BAND_WORD = re.compile(
    r"J\d{3,4}|NB0?\d{3}|NB1007|F[01]?\d{3}|JPAS\d{3,5}|UJAVA|JAVA|[IUGRZ](SDSS|JPAS)|UJ(JPAS|PAS)"
)
_KNOWN = (
    ERROR_WORDS
    | INVERSE_VARIANCE_WORDS
    | VARIANCE_WORDS
    | LOWER_WORDS
    | UPPER_WORDS
    | RELATIVE_WORDS
    | PERCENT_WORDS
    | frozenset(QUANTITIES)
    | APERTURES
    | SURVEYS
    | MASK_WORDS
    | FLAG_WORDS
    | QUALITY_WORDS
    | OTHER_WORDS
    | _DROPPED
    | NEED_ERRORS
    | frozenset({"COR"})
)
_LETTER_BEFORE = frozenset(QUANTITIES) | ERROR_WORDS

_UNIT_AT_END = re.compile(r"\s*[\[({]((?:[^\[\](){}]|\{[^{}]*\}|\([^()]*\))*)[\])}]\s*$")


def split_unit(name: str) -> tuple[str, str]:
    """Part a column name and the unit that stands behind it in brackets, "" if none does.

    >>> split_unit("J0378 (1e-17 erg/s/cm2/A)")
    ('J0378', '1e-17 erg/s/cm2/A')
    >>> split_unit("J0378 [mag(ST)]")
    ('J0378', 'mag(ST)')
    >>> split_unit("mag_auto[jpas::J0660]")
    ('mag_auto[jpas::J0660]', '')
    """
    found = _UNIT_AT_END.search(name)
    if not found or not name[: found.start()].strip():
        return name, ""
    inside = found[1].strip()
    # [jpas::J0660] and (J0378) say the band, [3] which value of an array.
    if "::" in inside or inside.isdigit() or _names_a_band(inside, name[: found.start()]):
        return name, ""
    return name[: found.start()].strip(), inside


def _names_a_band(text: str, before: str) -> bool:
    """Whether brackets hold a name, as in ``err(i_auto)``, and no unit."""
    found, rest = take_bands([word for word in re.split(r"[^0-9A-Z]+", text.upper()) if word])
    sure = SURVEYS.issuperset(rest) or (before.strip().upper() in ERROR_WORDS and "/" not in text)
    return any(band.known and (sure or not band.weak) for band in found)


def words_of(name: str) -> list[str]:
    """Words of a column name in capitals, without its unit.

    >>> words_of("psfFluxErr_J0378")
    ['PSF', 'FLUX', 'ERR', 'J0378']
    """
    # A namespace says where the filter is defined, as in [jpas::J0660].
    bare = re.sub(r"\w+::", "", split_unit(name)[0])
    chunks = [chunk for chunk in re.split(r"[^0-9A-Za-z]+", bare) if chunk]
    return [
        word
        for i, chunk in enumerate(chunks)
        for word in _cut(chunk, first=i == 0)
        if word not in _DROPPED
    ]


def _cut(chunk: str, first: bool) -> list[str]:
    """Words in one run of letters and digits."""
    whole = chunk.upper()
    if first and whole in _FIRST_LETTERS:
        return [_FIRST_LETTERS[whole]]
    # eJ_378, du_JAVA, ei
    if first and whole[0] in "ED" and whole[1:] in ("J", "U", "I", "JPAS"):
        return ["ERR", whole[1:]]
    if (found := _segments(whole)) is not None:
        return list(found)
    by_case = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[A-Z]", chunk)
    # u_JAVA and J0378 are no change of case worth a cut; fluxAuto is.
    if len(by_case) > 1 and all(len(part) > 2 for part in by_case):
        return [word for part in by_case for word in (_segments(part.upper()) or (part.upper(),))]
    return [whole]


@lru_cache(maxsize=4096)
def _segments(chunk: str) -> tuple[str, ...] | None:
    """Known words that a run of letters is made of, the longest first; None if it is not."""
    return _whole(chunk) or _with_letter(chunk) or _joined(chunk)


def _whole(chunk: str) -> tuple[str, ...] | None:
    if chunk in _LETTER_PAIRS:
        return _LETTER_PAIRS[chunk]
    return (chunk,) if chunk in _KNOWN or _BAND_WORD.fullmatch(chunk) else None


def _with_letter(chunk: str) -> tuple[str, ...] | None:
    """Read ``dJ0378``, ``eMag``, ``J0378e`` and ``imag``."""
    letter, rest = chunk[:1], chunk[1:]
    is_band = bool(_BAND_WORD.fullmatch(rest))
    if letter in _LETTER_PREFIXES and (is_band or (letter in "ED" and rest in QUANTITIES)):
        return (_LETTER_PREFIXES[letter], rest)
    if letter == "A" and is_band:
        return ("AX", rest)
    if letter in "ED" and re.fullmatch(r"0[3-9]\d\d|1007", rest):
        return ("ERR", rest)
    if letter in "UGRIZJ" and rest in _LETTER_BEFORE:
        return (letter, rest)
    if chunk.endswith("E") and (_BAND_WORD.fullmatch(chunk[:-1]) or chunk[:-1] in QUANTITIES):
        return (chunk[:-1], "ERR")
    return None


def _joined(chunk: str) -> tuple[str, ...] | None:
    for end in range(len(chunk) - 3, 2, -1):
        head = _whole(chunk[:end])
        tail = _segments(chunk[end:]) if head else None
        if head and tail:
            return (*head, *tail)
    # FJ0378ERR: a letter, then words.
    letter, rest = chunk[:1], chunk[1:]
    tail = _joined(rest) if letter in _LETTER_PREFIXES and len(rest) > 6 else None
    if tail and any(map(_BAND_WORD.fullmatch, tail)):
        return (_LETTER_PREFIXES[letter], *tail)
    return None

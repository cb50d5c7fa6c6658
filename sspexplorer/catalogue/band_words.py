"""Which band a word of a column's name means."""

import re
from dataclasses import dataclass

from sspexplorer.bands import BAND_NAMES

_BY_WORD = {name.upper(): name for name in BAND_NAMES} | {"JAVA": "uJAVA"}
# J1007 is centred at 10070 Å by its name and at 9600 Å by its curve: both are in use.
CENTRES = (
    (3518.0, "uJAVA"),
    (3785.0, "J0378"),
    *((10.0 * int(name[1:]), name) for name in BAND_NAMES[2:55]),
    (9600.0, "J1007"),
    (10070.0, "J1007"),
)
CENTRE_TOLERANCE = 40.0  # Å: less than half the way to the next band

_BROAD = frozenset("UGRIZ")
# Words after which digits are a band's: J_378, NB_0378, jpas_0378.
_BEFORE_DIGITS = frozenset({"J", "NB", "F", "JPAS", "MINIJPAS", "SPLUS", "JPLUS"})
_DIGITS = re.compile(r"\d{3,4}")


@dataclass(frozen=True)
class BandWord:
    """One band in a name.

    Attributes
    ----------
    band : str
        One of the 57 names if ``known``, else what the name says.
    known : bool
        Whether it is one of the 57.
    weak : bool
        Whether the word may well mean something else, such as a lone ``i`` or ``378``.
    kept : str
        What of the words also says which photometry: JPAS of ``JPAS3785``.
    """

    band: str
    known: bool
    weak: bool = False
    kept: str = ""


def take_bands(words: list[str]) -> tuple[list[BandWord], list[str]]:
    """Part the words of a name into its bands and the rest.

    >>> take_bands(["FLUX", "J", "378"])
    ([BandWord(band='J0378', known=True, weak=False, kept='')], ['FLUX'])
    """
    read: list[tuple[BandWord | None, list[str]]] = []
    i = 0
    while i < len(words):
        pair = _of_pair(words[i], words[i + 1]) if i + 1 < len(words) else None
        step = 2 if pair else 1
        read.append((pair or _of_word(words[i]), words[i : i + step]))
        i += step
    # J0378 beside a lone number or an i: those are then something else.
    strong = any(band and not band.weak for band, _ in read)
    found: list[BandWord] = []
    rest: list[str] = []
    for band, own in read:
        if band is None or (strong and band.weak):
            rest += own
            continue
        found.append(band)
        rest += [band.kept] if band.kept else []
    return found, rest


def _of_pair(first: str, second: str) -> BandWord | None:
    for letter, survey in ((first, second), (second, first)):
        if survey in ("SDSS", "JPAS") and letter in (*_BROAD, "UJ"):
            kept = "JPAS" if survey == "JPAS" else ""
            if letter == "I":
                return BandWord("iSDSS", True, kept=kept)
            return BandWord(f"{letter}{survey}", False)
    if (first, second) in (("U", "JAVA"), ("U", "J")):
        return BandWord("uJAVA", True)
    if first in _BEFORE_DIGITS and re.fullmatch(r"\d{3,5}", second):
        return _of_digits(second, "JPAS" if first == "JPAS" else "")
    if first == "JPAS" and second == "JAVA":
        return BandWord("uJAVA", True, kept="JPAS")
    return None


def _of_word(word: str) -> BandWord | None:
    if word in _BY_WORD:
        return BandWord(_BY_WORD[word], True)
    if word == "IJPAS":
        return BandWord("iSDSS", True, kept="JPAS")
    if re.fullmatch(r"U?JPAS|[UGRZ]SDSS|[UGRZ]JPAS|UJJPAS", word) and word != "JPAS":
        return BandWord(word, False)
    if match := re.fullmatch(r"(JPAS|J|NB|F)(\d{3,5})", word):
        return _of_digits(match[2], "JPAS" if match[1] == "JPAS" else "", word)
    if _DIGITS.fullmatch(word):
        found = _of_digits(word, "")
        return BandWord(found.band, True, weak=True) if found and found.known else None
    if word in ("I", "UJ"):
        return BandWord({"I": "iSDSS", "UJ": "uJAVA"}[word], True, weak=True)
    return BandWord(word, False, weak=True) if word in _BROAD - {"Z"} else None


def _of_digits(digits: str, survey: str, word: str = "") -> BandWord | None:
    """Band of ``0378`` or ``378`` nm, or after a survey's name of ``3785`` Å, or None.

    Never the nearest: J0395 of J-PLUS is none of ours.
    """
    name = f"J{int(digits):04d}"
    if name in BAND_NAMES:
        return BandWord(name, True, kept=survey)
    if survey and len(digits) > 3 and not digits.startswith("0"):
        distance, band = min((abs(float(digits) - centre), name) for centre, name in CENTRES)
        if distance <= CENTRE_TOLERANCE:
            return BandWord(band, True, kept=survey)
    # J2000 is an epoch.
    is_band = survey or 300 <= int(digits) <= 1100
    return BandWord(word or f"{survey}{digits}", False) if is_band else None

"""What one column name says: which band, which photometry, flux, error or mask.

A name is read as words, in any letter case (see :mod:`~sspexplorer.catalogue.words`). One word,
or two for ``i_JPAS``, names the band; ``FLUX`` or ``MAG`` the quantity; ``err``, ``e``, ``rms``,
``RELERR`` or ``ivar`` make it an error, ``FLAGS`` or ``MASK`` a mask; whatever is left
(``APER_COR_3_0``, ``AUTO``) names the aperture. Words such as MAGLIM, NOBS or bestfit say that a
column is no photometry, though it names a band.
"""

from dataclasses import dataclass
from functools import lru_cache

from sspexplorer.catalogue import words as w
from sspexplorer.catalogue.band_words import take_bands
from sspexplorer.catalogue.two_sided import BOUNDS, SIDES

EXAMPLE_NAMES = "J0378, FLUX_AUTO_J0378, MAG_AUTO_J0378, JPAS3785 or an array FLUX_APER_COR_3_0"


@dataclass(frozen=True)
class BandColumn:
    """Where one band's numbers are.

    Attributes
    ----------
    band : str
        One of the 57 names.
    flux : str
        Column with the flux or magnitude.
    error : str
        Column with its error, "" if there is none.
    flux_element, error_element : int or None
        Which value of an array column; None for a plain column.
    error_kind : str
        What the error column holds: "absolute", "relative" (a fraction of the flux), "percent",
        "ivar" (1/σ² in the flux's own unit) or "variance" (σ²); with ``error_upper``, "sides" (an
        error each) or "bounds" (of a 68 % interval).
    mask : str
        Column of integers that are 0 where the band is good, "" if there is none.
    mask_element : int or None
        Which value of an array column; None for a plain column.
    mask_kind : str
        "mask" where any value above 0 says that the band is bad, "sextractor" for the bits of
        SExtractor's FLAGS.
    flags : str
        Column of SExtractor's flags where ``mask`` holds mask flags, so that both count.
    flags_element : int or None
        Which value of it.
    error_upper : str
        Column with the upper error or bound where ``error`` has the lower one, else "".
    error_upper_element : int or None
        Which value of it.
    """

    band: str
    flux: str
    error: str = ""
    flux_element: int | None = None
    error_element: int | None = None
    error_kind: str = "absolute"
    mask: str = ""
    mask_element: int | None = None
    mask_kind: str = ""
    flags: str = ""
    flags_element: int | None = None
    error_upper: str = ""
    error_upper_element: int | None = None

    @property
    def relative(self) -> bool:
        """Whether the error is a fraction of the flux."""
        return self.error_kind == "relative"

    @property
    def masks(self) -> tuple[tuple[str, int | None, str], ...]:
        """Every (column, element, kind) that can say that this band is bad."""
        found = (
            (self.mask, self.mask_element, self.mask_kind),
            (self.flags, self.flags_element, "sextractor"),
        )
        return tuple(source for source in found if source[0])


_LONGEST = 200  # letters; what is longer is no name of a band
WHOLE_ERRORS = ("absolute", "relative", "percent", "ivar", "variance")
TWO_SIDED = (SIDES, BOUNDS)
ERROR_KINDS = (*WHOLE_ERRORS, *TWO_SIDED)
MASK_KINDS = ("mask", "sextractor")


@dataclass(frozen=True)
class ColumnName:
    """One name, read.

    Attributes
    ----------
    band : str
        The band, "" for an array of all bands.
    known : bool
        Whether the band is one of the 57.
    quantity : str
        FLUX, MAG, FNU, FLAMBDA, or "" where the name does not say.
    aperture : str
        What is left of the name, in capitals.
    role : str
        "flux", "error", "mask", "flag" (of unknown meaning) or "other".
    kind : str
        One of :data:`WHOLE_ERRORS` or :data:`MASK_KINDS`; "lower sides" or the like for one of
        :data:`TWO_SIDED`; "" for other roles.
    suffix : str
        "1" of ``J0378_1``, as joins of tables append it.
    weak : bool
        Whether the word that names the band may mean something else, such as a lone ``i``.
    trusted : bool
        Whether every word is one that we know to belong to photometry.
    """

    band: str
    known: bool = True
    quantity: str = ""
    aperture: str = ""
    role: str = "flux"
    kind: str = ""
    suffix: str = ""
    weak: bool = False
    trusted: bool = True

    @property
    def needs_errors(self) -> bool:
        """Whether only errors beside it make it an observed flux."""
        return not self.trusted or bool(w.NEED_ERRORS & set(self.aperture.split("_")))


def names_a_band(name: str) -> bool:
    """Whether a column is plainly about one band: its flux, error, mask or anything else."""
    read = parse(name)
    return read is not None and bool(read.band) and not read.weak


def read_name(name: str) -> ColumnName | None:
    """Read one column name; None if it does not look like photometry, its error or its mask.

    >>> read_name("FLUX_RELERR_AUTO_J0378").kind
    'relative'
    """
    read = parse(name)
    return None if read is None or read.role in ("flag", "other") else read


@lru_cache(maxsize=8192)
def parse(name: str) -> ColumnName | None:
    """Read one column name, also where it names a band and something else than photometry."""
    if len(name) > _LONGEST:
        return None
    words, suffix = _take_suffix(w.words_of(name))
    bands, words = take_bands(words)
    if len(bands) > 1:
        return None
    role, kind, words = _take_role(words)
    quantity, words = _take_quantity(words)
    aperture = "_".join(words)
    known_words = [word.rstrip("0123456789") in w.APERTURES | w.SURVEYS for word in words]
    trusted = bool(quantity) or all(
        known or word in w.NEED_ERRORS or word == "COR" or word.isdigit()
        for known, word in zip(known_words, words, strict=True)
    )
    if bands:
        band = bands[0]
        if band.weak and not band.known and not (quantity or any(known_words)):
            return None
        return ColumnName(
            band.band, band.known, quantity, aperture, role, kind, suffix, band.weak, trusted
        )
    says_photometry = quantity or any(word in w.APERTURES for word in words)
    if role in ("mask", "flag") or says_photometry or (role == "error" and not words):
        return ColumnName("", True, quantity, aperture, role, kind, suffix, False, trusted)
    return None


def _take_suffix(words: list[str]) -> tuple[list[str], str]:
    """Part the number that a join of two tables appends, or pandas' x and y."""
    if len(words) < 2:
        return words, ""
    if words[-1] in w.ERROR_WORDS | w.INVERSE_VARIANCE_WORDS:
        # J0378_1_err, where a table was joined before its errors were named.
        left, suffix = _take_suffix(words[:-1])
        return [*left, words[-1]], suffix
    last, before = words[-1], words[-2]
    # In APER_COR_3_0 both are of the aperture, and FLUX_APER_1 is the first one.
    numbered = last in "123456789" and not (before.isdigit() and len(before) < 3)
    if (numbered and before not in ("APER", "APERTURE", "COR")) or last in ("X", "Y"):
        return words[:-1], last
    return words, ""


def _take_role(words: list[str]) -> tuple[str, str, list[str]]:
    """Role, kind, and the words that say neither."""
    there = set(words)
    if there & w.OTHER_WORDS:
        return "other", "", words
    if there & (w.MASK_WORDS | w.FLAG_WORDS):
        kind = "mask" if there & w.MASK_WORDS else "sextractor"
        return "mask", kind, [x for x in words if x not in w.MASK_WORDS | w.FLAG_WORDS]
    if there & w.QUALITY_WORDS:
        return "flag", "", words
    if there & w.INVERSE_VARIANCE_WORDS:
        taken = w.INVERSE_VARIANCE_WORDS | w.ERROR_WORDS
        return "error", "ivar", [x for x in words if x not in taken]
    if there & w.VARIANCE_WORDS:
        return "error", "variance", [x for x in words if x not in w.VARIANCE_WORDS | w.ERROR_WORDS]
    errors = w.ERROR_WORDS | {"E", "RELERR", "FRACERR"}
    if (found := _take_side(words, bool(there & w.ERROR_WORDS))) is not None:
        return found
    if not there & errors:
        return ("other" if there & (w.RELATIVE_WORDS | w.PERCENT_WORDS) else "flux"), "", words
    kind = "absolute"
    if there & w.RELATIVE_WORDS:
        kind = "relative"
    if there & w.PERCENT_WORDS:
        kind = "percent"
    taken = errors | w.RELATIVE_WORDS | w.PERCENT_WORDS
    return "error", kind, [x for x in words if x not in taken]


def _take_side(words: list[str], is_error: bool) -> tuple[str, str, list[str]] | None:
    """Read one side of an error, or one bound of an interval; None if it is neither."""
    lower = w.LOWER_WORDS | (w.LOWER_ERROR_WORDS if is_error else frozenset())
    upper = w.UPPER_WORDS | (w.UPPER_ERROR_WORDS if is_error else frozenset())
    for side, known in (("lower", lower), ("upper", upper)):
        if known & set(words):
            left = [x for x in words if x not in known | w.ERROR_WORDS]
            return "error", f"{side} {SIDES if is_error else BOUNDS}", left
    return None


def _take_quantity(words: list[str]) -> tuple[str, list[str]]:
    """Quantity, and the other words; a unit says more than FLUX does."""
    said = [w.QUANTITIES[word] for word in words if word in w.QUANTITIES]
    if not said:
        return "", words
    quantity = next((q for q in said if q in ("FNU", "FLAMBDA")), said[0])
    same = {quantity, "FLUX"} if quantity != "MAG" else {"MAG"}
    return quantity, [word for word in words if w.QUANTITIES.get(word) not in same]

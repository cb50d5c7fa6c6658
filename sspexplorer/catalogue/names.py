"""What a catalogue's column names say: which band, which photometry, flux or error, redshift.

A name is read as words between ``_`` (or any other sign), in any letter case. One word, or two
for ``i_JPAS``, names the band; ``FLUX`` or ``MAG`` the quantity; ``err``, ``error``, ``e`` or
``RELERR`` make it an error; whatever is left (``APER_COR_3_0``, ``AUTO``) names the aperture.
Quantity and aperture together label a *photometry*: one set of up to 57 columns, or one array
column, that belong together.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sspexplorer.bands import BAND_NAMES
from sspexplorer.errors import InputError

PLAIN = "plain"
EXAMPLE_NAMES = "J0378, FLUX_AUTO_J0378, MAG_AUTO_J0378, JPAS3785 or an array FLUX_APER_COR_3_0"

# The archive's arrays have 60 values: J1007 is followed by three bands we do not use.
ARRAY_ORDERS: dict[int, tuple[str | None, ...]] = {
    57: BAND_NAMES,
    60: (*BAND_NAMES[:56], None, None, None, BAND_NAMES[56]),
}

_BAND_OF_WORD = {name.upper(): name for name in BAND_NAMES}
# J1007 is centred at 10070 Å by its name and at 9600 Å by its curve: both are in use.
_CENTRES = [
    (3518.0, "uJAVA"),
    (3785.0, "J0378"),
    *((10.0 * int(name[1:]), name) for name in BAND_NAMES[2:55]),
    (9600.0, "J1007"),
    (10070.0, "J1007"),
]
_CENTRE_TOLERANCE = 40.0  # Å

_QUANTITIES = ("FLUX", "MAG", "FNU", "FLAMBDA")
_COMPOUNDS = {
    "FLUXERR": ("FLUX", "ERR"),
    "MAGERR": ("MAG", "ERR"),
    "FLAM": ("FLAMBDA",),
    "ERROR": ("ERR",),
    "UNC": ("ERR",),
    "SIGMA": ("ERR",),
}
_APERTURES = ("APER", "AUTO", "PETRO", "ISO", "PSFCOR", "PSF", "KRON", "TOTAL", "MODEL")
# Words that make a column something else than photometry, though it may name a band.
_NOT_PHOTOMETRY = re.compile(
    "FLAGS?|MASK(ED)?|SNR|SN|S2N|FWHM|ZPT?|ZEROPOINT|NEXP|EXT(INCTION)?|EBV|AREA|RADIUS|LIM(IT)?|"
    "DEPTH|CLASS|ID|WEIGHT|COUNTS?|NPIX|K?CORR|EW|MU|BACKGROUND|BKG|I?VAR|WAVE(LENGTH)?|NORM|WMAP|"
    "PRED|FIT|CHI2|X|Y|RA|DEC|ODDS|PIT|COLOU?R"
)
_PREFERRED = ("APER_COR_3_0", "", "AUTO")

_SPEC, _PHOT = r"spec(troscopic)?", r"phot(o|ometric)?"
_REDSHIFT_NAMES = (
    ("spectroscopic", rf"((z|redshift)_?{_SPEC}|{_SPEC}_?(z|redshift))(_?best)?"),
    ("of unstated kind", r"z|redshift|z_?(hel|helio|best|cmb)|zred"),
    (
        "photometric",
        rf"((z|redshift)_?{_PHOT}|{_PHOT}_?(z|redshift)|z(?=_?ml))"
        r"(_?(ml|best|mode|median|mean|peak|map))?",
    ),
)


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
        What the error column holds: "absolute", "relative" (a fraction of the flux), "percent"
        or "ivar" (1/σ² in the flux's own unit).
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

    @property
    def relative(self) -> bool:
        """Whether the error is a fraction of the flux."""
        return self.error_kind == "relative"

    @property
    def masks(self) -> tuple[tuple[str, int | None, str], ...]:
        """Every (column, element, kind) that can say that this band is bad."""
        found = ((self.mask, self.mask_element, self.mask_kind),)
        found += ((self.flags, self.flags_element, "sextractor"),)
        return tuple(source for source in found if source[0])


@dataclass(frozen=True)
class Photometry:
    """One set of columns that belong together: a label, its quantity, and a column per band.

    ``clashes`` are sentences about bands that two columns claim.
    """

    label: str
    quantity: str
    aperture: str
    columns: tuple[BandColumn, ...]
    clashes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recognised:
    """All that the names of a table say.

    Attributes
    ----------
    photometries : tuple of Photometry
        The best first: most bands, then APER_COR_3_0, plain, AUTO, others.
    redshifts : tuple of (column, kind)
        Spectroscopic before unstated before photometric.
    other_bands : tuple of str
        Columns of bands that are not among the 57.
    odd_arrays : tuple of (column, length)
        Photometric array columns of another length than 57 or 60.
    """

    photometries: tuple[Photometry, ...]
    redshifts: tuple[tuple[str, str], ...]
    other_bands: tuple[str, ...]
    odd_arrays: tuple[tuple[str, int], ...]

    def photometry(self, label: str | None) -> Photometry:
        """Photometry with this label, in any letter case; the best one if None.

        Raises
        ------
        InputError
            If there is no such photometry, or two of its columns claim the same band.
        """
        if label is None:
            chosen = self.photometries[0]
        else:
            # AUTO also stands for FLUX_AUTO, or for MAG_AUTO where that is all there is.
            wanted = [f"{prefix}{label.upper()}" for prefix in ("", "FLUX_", "MAG_")]
            by_label = {p.label.upper(): p for p in self.photometries}
            found = [by_label[name] for name in wanted if name in by_label]
            if not found:
                known = ", ".join(p.label for p in self.photometries)
                raise InputError(f"There is no photometry {label!r} in the table; it has {known}.")
            chosen = found[0]
        if chosen.clashes:
            raise InputError(chosen.clashes[0])
        return chosen


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
        "flux", "error" or "relative error".
    """

    band: str
    known: bool
    quantity: str
    aperture: str
    role: str


def read_name(name: str) -> ColumnName | None:
    """Read one column name; None if it does not look like photometry.

    >>> read_name("FLUX_RELERR_AUTO_J0378")
    ColumnName(band='J0378', known=True, quantity='FLUX', aperture='AUTO', role='relative error')
    """
    words = [w for w in re.split(r"[^0-9A-Z]+", name.upper()) if w]
    if words and words[0] == "E":
        words = [*words[1:], "ERR"]
    words = [w for word in words for w in _COMPOUNDS.get(word, (word,))]
    words, role = _take_role(words)
    if any(map(_NOT_PHOTOMETRY.fullmatch, words)):
        return None
    quantity = next((w for w in words if w in _QUANTITIES), "")
    words = [w for w in words if w != quantity]
    band, known, words, bands = _take_band(words)
    aperture = "_".join(words)
    if bands > 1 or not (bands or quantity or any(w in _APERTURES for w in words)):
        return None
    return ColumnName(band, known, quantity, aperture, role)


def _take_role(words: list[str]) -> tuple[list[str], str]:
    if "RELERR" in words or {"REL", "ERR"} <= set(words):
        return [w for w in words if w not in ("RELERR", "REL", "ERR")], "relative error"
    if "ERR" in words:
        return [w for w in words if w != "ERR"], "error"
    return words, "flux"


def _take_band(words: list[str]) -> tuple[str, bool, list[str], int]:
    """Band, whether it is one of ours, the other words, and how many bands were named."""
    band, known, rest, bands = "", False, [], 0
    for i, word in enumerate(words):
        if word in ("U", "UJ", "G", "R", "I", "Z") and words[i + 1 : i + 2] == ["JPAS"]:
            continue
        before = words[i - 1] if i else ""
        found = _band_of(word, before)
        if found is None:
            rest.append(word)
            continue
        if word.startswith("JPAS"):
            rest.append("JPAS")
        band, known = found
        bands += 1
    return band, known, rest, bands


def _band_of(word: str, before: str) -> tuple[str, bool] | None:
    if word in _BAND_OF_WORD:
        return _BAND_OF_WORD[word], True
    if word == "JPAS" and before in ("U", "UJ", "G", "R", "I", "Z"):
        return ("iSDSS", True) if before == "I" else (before, False)
    if match := re.fullmatch(r"JPAS(\d{4,5})", word):
        distance, band = min((abs(float(match[1]) - c), name) for c, name in _CENTRES)
        return (band, True) if distance <= _CENTRE_TOLERANCE else (word, False)
    if re.fullmatch(r"J\d{4}|UJPAS|[UGRZ]SDSS", word):
        return word, False
    return None


@dataclass
class _Gathered:
    """Columns of one (quantity, aperture): band → (column, element, relative) in file order."""

    flux: dict[str, list[tuple[str, int | None]]] = field(default_factory=dict)
    error: dict[str, list[tuple[str, int | None, bool]]] = field(default_factory=dict)


def recognise(names: Sequence[str], width: Callable[[str], int]) -> Recognised:
    """Find the photometries, the redshifts and what is left over in a table's names.

    Parameters
    ----------
    names : sequence of str
        Column names in file order.
    width : callable
        Values in each row of a column: 1 for a plain column. Asked only of columns whose name
        looks like photometry.
    """
    gathered: dict[tuple[str, str], _Gathered] = {}
    other_bands, odd_arrays = [], []
    for name in names:
        column = read_name(name)
        if column is None:
            continue
        if column.band and not column.known:
            if column.role == "flux":
                other_bands.append(name)
            continue
        elements = _elements(column, width(name))
        if elements is None:
            if column.role == "flux" and width(name) != 1:
                odd_arrays.append((name, width(name)))
            continue
        group = gathered.setdefault((column.quantity, column.aperture), _Gathered())
        for band, element in elements:
            if column.role == "flux":
                group.flux.setdefault(band, []).append((name, element))
            else:
                relative = column.role == "relative error"
                group.error.setdefault(band, []).append((name, element, relative))
    found = [_photometry(key, gathered) for key, group in gathered.items() if group.flux]
    return Recognised(
        tuple(sorted(found, key=_rank)), _redshifts(names), tuple(other_bands), tuple(odd_arrays)
    )


def _elements(column: ColumnName, width: int) -> Iterable[tuple[str, int | None]] | None:
    if column.band:
        return [(column.band, None)] if width == 1 else None
    if width not in ARRAY_ORDERS:
        return None
    return [(band, i) for i, band in enumerate(ARRAY_ORDERS[width]) if band]


def _photometry(key: tuple[str, str], gathered: dict[tuple[str, str], _Gathered]) -> Photometry:
    quantity, aperture = key
    # FLUX_RELERR_AUTO_J0378 is also the error of a column called AUTO_J0378, and
    # error_AUTO_J0378 that of FLUX_AUTO_J0378; a magnitude's error always says MAG.
    related = ("MAG",) if quantity == "MAG" else (quantity, "FLUX", "")
    groups = [gathered[q, aperture] for q in related if (q, aperture) in gathered]
    columns, clashes = [], []
    label = "_".join(part for part in key if part) or PLAIN
    for band in BAND_NAMES:
        fluxes = gathered[key].flux.get(band, [])
        errors = next((group.error[band] for group in groups if band in group.error), [])
        # An absolute error needs no flux to be one, so it goes first.
        errors = sorted(errors, key=lambda source: source[2])
        if errors and sum(source[2] == errors[0][2] for source in errors) > 1:
            clashes.append(_clash(band, [source[0] for source in errors], "the error of "))
        if len(fluxes) > 1:
            clashes.insert(0, _clash(band, [source[0] for source in fluxes]))
        if fluxes:
            error = errors[0] if errors else ("", None, False)
            columns.append(
                BandColumn(
                    band,
                    fluxes[0][0],
                    error[0],
                    fluxes[0][1],
                    error[1],
                    "relative" if error[2] else "absolute",
                )
            )
    return Photometry(label, quantity, aperture, tuple(columns), tuple(clashes))


def _clash(band: str, names: list[str], what: str = "") -> str:
    return f"Columns {names[0]!r} and {names[1]!r} both claim {what}band {band}."


def _rank(photometry: Photometry) -> tuple[int, int, bool]:
    aperture = photometry.aperture
    preferred = _PREFERRED.index(aperture) if aperture in _PREFERRED else len(_PREFERRED)
    # Faint and negative fluxes have no magnitude, so fluxes tell more.
    return -len(photometry.columns), preferred, photometry.quantity == "MAG"


def redshift_error(names: Sequence[str], redshift: str) -> str | None:
    """Column with the errors of a redshift column, such as ``z_spec_err``; None without one."""
    wanted = re.escape(_simple(redshift))
    error = r"(err|error|unc|sigma)"
    pattern = rf"{wanted}_?{error}|(e|{error})_?{wanted}"
    return next((name for name in names if re.fullmatch(pattern, _simple(name))), None)


def _simple(name: str) -> str:
    return re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_")


def _redshifts(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    simple = [(name, _simple(name)) for name in names]
    return tuple(
        (name, kind)
        for kind, pattern in _REDSHIFT_NAMES
        for name, plain in simple
        if re.fullmatch(pattern, plain)
    )

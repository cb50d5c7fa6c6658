"""One table of ten galaxies in layouts drawn at random: names, unit, missing values, format.

Each of the four is a dictionary of kinds; what is added there is drawn with all the others. A
layout is read right if it gives the fluxes, errors and redshifts of the table that was written,
and, where a model is asked, that model's answers for them.
"""

import gzip
import io
import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import h5py
import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.table import MaskedColumn, Table

from sspexplorer.bands import BAND_NAMES, load_bands
from sspexplorer.catalogue import ChoiceNeededError, read_catalogue
from sspexplorer.errors import InputError
from sspexplorer.resources import data_path

N = 10
_MOST_OFF = 0.05  # of an answer's own error: text rounds
SPEED_OF_LIGHT = 2.99792458e18  # Å/s
WAVELENGTH = load_bands().pivot


def truth() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """F_ν in erg/s/cm2/Hz and its error, shape (10, 57), and redshift, of simulated galaxies."""
    found = read_catalogue(data_path("examples", "simulated_galaxies.csv"))
    with np.errstate(invalid="ignore"):
        noise = np.median(found.flux_err / found.flux, axis=1)
    rows = np.argsort(np.where((found.flux > 0).all(axis=1), noise, np.inf))[5 : 5 + 2 * N : 2]
    redshift = np.random.default_rng(7).uniform(0.01, 0.09, N).round(4)
    return found.flux[rows], found.flux_err[rows], redshift


FLUX, ERROR, REDSHIFT = truth()

# Names of a flux and of its error, by the quantity that they are to hold and the band.
NAMES: dict[str, Callable[[str, str], tuple[str, str]]] = {
    "plain": lambda quantity, band: (_of(quantity, band), _of(quantity, band) + "_err"),
    "e_": lambda quantity, band: (_of(quantity, band), "e_" + _of(quantity, band)),
    "archive": lambda quantity, band: (
        (f"MAG_AUTO_{band}", f"MAG_ERR_AUTO_{band}")
        if quantity == "MAG"
        else (f"FLUX_AUTO_{band}", f"FLUX_AUTO_{band}_ERR")
    ),
    "lower case": lambda quantity, band: (
        _of(quantity, band).lower(),
        "err_" + _of(quantity, band).lower(),
    ),
    "topcat": lambda quantity, band: (_of(quantity, band) + "_1", _of(quantity, band) + "_err_1"),
    "joined": lambda quantity, band: (_of(quantity, band) + "_1", _of(quantity, band) + "_1_err"),
}


def _of(quantity: str, band: str) -> str:
    return f"MAG_{band}" if quantity == "MAG" else band


@dataclass(frozen=True)
class Unit:
    """How fluxes are put in a unit, its text, the quantity, and whether it must be said."""

    put: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
    text: str
    quantity: str = "FLUX"
    needed: bool = False
    in_a_name: str = "1e-17*erg/s/cm2/A"


def _scaled(scale: float) -> Callable:
    return lambda flux, error: (flux / scale, error / scale)


def _flambda(flux: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    factor = SPEED_OF_LIGHT / WAVELENGTH**2 / 1e-17
    return flux * factor, error * factor


def _magnitudes(flux: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return -2.5 * np.log10(flux) - 48.6, 2.5 / np.log(10) * error / flux


def _st(flux: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    per_length = flux * SPEED_OF_LIGHT / WAVELENGTH**2
    return -2.5 * np.log10(per_length) - 21.1, 2.5 / np.log(10) * error / flux


UNITS = {
    "F_nu": Unit(lambda flux, error: (flux, error), "erg / (s cm2 Hz)"),
    "uJy": Unit(_scaled(1e-29), "uJy"),
    "mJy": Unit(_scaled(1e-26), "mJy"),
    "nanomaggies": Unit(_scaled(3.631e-29), "nmgy"),
    "F_lambda": Unit(_flambda, "1e-17 erg / (s cm2 Angstrom)", needed=True),
    "F_lambda, unsaid": Unit(_flambda, ""),
    "AB": Unit(_magnitudes, "mag", "MAG"),
    "ST": Unit(_st, "STmag", "MAG", needed=True, in_a_name="STmag"),
}

# What stands for a missing flux; None is a mask where the format has one, blank elsewhere.
MISSING: dict[str, float | None] = {"none": 0.0, "mask": None, "-99": -99.0, "nan": np.nan}


@dataclass(frozen=True)
class Form:
    """How a table is written, the file's name, and whether it has a place for units."""

    write: Callable[[Table], bytes]
    name: str
    units: bool = True


def _cells(table: Table) -> list[list[str]]:
    columns = []
    for column in table.itercols():
        mask = np.ma.getmaskarray(column)
        cells = ["" if m or c != c else str(c) for c, m in zip(column, mask, strict=True)]
        columns.append(cells)
    return [table.colnames, *map(list, zip(*columns, strict=True))]


def _text(delimiter: str, **how: bool) -> Callable[[Table], bytes]:
    def write(table: Table) -> bytes:
        rows = _cells(table)
        if how.get("spaces"):
            rows = [[cell or "nan" for cell in row] for row in rows]
        if how.get("commas"):
            rows = [rows[0], *([c.replace(".", ",") for c in row] for row in rows[1:])]
        if how.get("units"):
            said = [str(column.unit or " ") for column in table.itercols()]
            rows = [rows[0], said, ["---" for _ in said], *rows[1:]]
        lines = [delimiter.join(row) for row in rows]
        if how.get("trailing"):
            lines = [line + delimiter for line in lines]
        if how.get("comments"):
            lines = ["# made by code", lines[0], *(x for r in lines[1:] for x in ("# next", r))]
        if how.get("commented"):
            lines[0] = "# " + lines[0]
        return ("\n".join(lines) + "\n").encode()

    return write


def _fixed(table: Table) -> bytes:
    rows = _cells(table)
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    lines = ("".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in rows)
    return ("\n".join(lines) + "\n").encode()


def _astropy(form: str, **options) -> Callable[[Table], bytes]:
    def write(table: Table) -> bytes:
        file = io.StringIO() if form.startswith("ascii") else io.BytesIO()
        table.write(file, format=form, **options)
        content = file.getvalue()
        return content.encode() if isinstance(content, str) else content

    return write


def _two_extensions(table: Table) -> bytes:
    error_of = dict(
        pair(quantity, band)
        for pair in NAMES.values()
        for quantity in ("FLUX", "MAG")
        for band in BAND_NAMES
    )
    bands = [name for name in table.colnames if error_of.get(name) in table.colnames]
    errors = [error_of[name] for name in bands]
    if len(bands) < len(BAND_NAMES):
        return _astropy("fits")(table)
    names = [name for name in table.colnames if name not in errors]
    other = table[["id", *errors]]
    other.rename_columns(errors, bands)
    hdus = [fits.table_to_hdu(other), fits.table_to_hdu(table[names])]
    hdus[0].name, hdus[1].name = "ERR", "FLUX"
    file = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(file)
    return file.getvalue()


def _parquet(table: Table) -> bytes:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        table.write(f"{folder}/x.parquet", format="parquet")
        with open(f"{folder}/x.parquet", "rb") as file:
            return file.read()


def _pandas(method: str) -> Callable[[Table], bytes]:
    def write(table: Table) -> bytes:
        file = io.BytesIO()
        getattr(pd.DataFrame(table.to_pandas()), method)(file)
        return file.getvalue()

    return write


def _hdf5(table: Table) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as opened:
        table.write(opened, path="table", serialize_meta=True)
    return file.getvalue()


FORMS = {
    "commas": Form(_text(","), "x.csv", False),
    "semicolons": Form(_text(";"), "x.csv", False),
    "tabs": Form(_text("\t"), "x.tsv", False),
    "bars": Form(_text("|"), "x.txt", False),
    "spaces": Form(_text("  ", spaces=True), "x.dat", False),
    "commented header": Form(_text(" ", spaces=True, commented=True), "x.txt", False),
    "comments": Form(_text(",", comments=True), "x.csv", False),
    "trailing": Form(_text(",", trailing=True), "x.csv", False),
    "decimal commas": Form(_text(";", commas=True), "x.csv", False),
    "fixed width": Form(_fixed, "x.txt", False),
    "VizieR": Form(_text("\t", units=True), "x.tsv"),
    "packed": Form(lambda table: gzip.compress(_text(",")(table)), "x.csv.gz", False),
    "IPAC": Form(_astropy("ascii.ipac"), "x.tbl"),
    "ECSV": Form(_astropy("ascii.ecsv"), "x.ecsv"),
    "FITS": Form(_astropy("fits"), "x.fits"),
    "FITS, packed": Form(lambda table: gzip.compress(_astropy("fits")(table)), "x.fits.gz"),
    "FITS, two extensions": Form(_two_extensions, "x.fits"),
    "VOTable": Form(_astropy("votable"), "x.vot"),
    "VOTable, binary": Form(_astropy("votable", tabledata_format="binary2"), "x.xml"),
    "Parquet": Form(_parquet, "x.parquet"),
    "Parquet of pandas": Form(_pandas("to_parquet"), "x.parquet", False),
    "Feather": Form(_pandas("to_feather"), "x.feather", False),
    "HDF5": Form(_hdf5, "x.hdf5"),
}


@dataclass(frozen=True)
class Layout:
    """One of each kind, and the file they make."""

    names: str
    unit: str
    missing: str
    form: str
    order: int

    def file(self) -> tuple[bytes, str, np.ndarray]:
        """Content, name, and which fluxes are missing."""
        rng = np.random.default_rng(self.order)
        unit, form, code = UNITS[self.unit], FORMS[self.form], MISSING[self.missing]
        with np.errstate(all="ignore"):
            flux, error = unit.put(FLUX, ERROR)
        gone = rng.random((N, 57)) < (0.0 if self.missing == "none" else 0.05)
        columns = [("id", np.array([f"G{i:03d}" for i in range(N)])), ("redshift", REDSHIFT)]
        for i, band in enumerate(BAND_NAMES):
            name, error_name = NAMES[self.names](unit.quantity, band)
            if code is None:
                cells = MaskedColumn(flux[:, i], mask=gone[:, i])
            else:
                cells = np.where(gone[:, i], code, flux[:, i])
            columns += [(name, cells), (error_name, error[:, i])]
        table = Table()
        for k in rng.permutation(len(columns)):
            name, cells = columns[k]
            said = unit.needed and not form.units and name not in ("id", "redshift")
            shown = f"{name}[{unit.in_a_name}]" if said else name
            table[shown] = cells
            if form.units and unit.text and name not in ("id", "redshift"):
                table[shown].unit = unit.text
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return form.write(table), form.name, gone


def drawn(n: int, seed: int = 0) -> list[Layout]:
    """Layouts drawn at random, the same for the same seed."""
    chance = random.Random(seed)
    kinds = (NAMES, UNITS, MISSING, FORMS)
    return [Layout(*(chance.choice(list(kind)) for kind in kinds), order) for order in range(n)]


Predict = Callable[[np.ndarray, np.ndarray, np.ndarray], pd.DataFrame]


def outcome(layout: Layout, predict: Predict | None = None) -> str:
    """ "right", "asked: …", "refused: …" or "WRONG: …".

    Parameters
    ----------
    layout : Layout
    predict : callable, optional
        Predictions with errors for F_ν, σ and redshifts: those of what was read must be those of
        what was written.
    """
    content, name, gone = layout.file()
    try:
        found = read_catalogue(content, name)
    except ChoiceNeededError as error:
        return f"asked: {error}"
    except InputError as error:
        return f"refused: {error}"
    flux, error = np.where(gone, np.nan, FLUX), np.where(gone, np.nan, ERROR)
    if not np.array_equal(np.isnan(found.flux), gone):
        return f"WRONG: {np.isnan(found.flux).sum()} fluxes are missing, not {gone.sum()}"
    scale = np.nanmedian(found.flux / flux)
    if not np.allclose(found.flux, scale * flux, rtol=1e-3, atol=0, equal_nan=True):
        return f"WRONG: fluxes, taken as {found.unit}: {found.unit_reason}"
    if not np.allclose(found.flux_err, scale * error, rtol=1e-2, atol=0, equal_nan=True):
        return "WRONG: errors"
    if found.redshift is None or not np.allclose(found.redshift, REDSHIFT):
        return "WRONG: redshifts"
    if predict is not None:
        asked = predict(found.flux, found.flux_err, found.redshift)
        off = _off(asked, predict(flux, error, REDSHIFT))
        if off > _MOST_OFF:
            return f"WRONG: answers, by {off:.2g} of their errors"
    return "right"


def _off(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """Greatest difference of two tables of predictions, in units of their errors."""
    if list(one["pred_flag"]) != list(other["pred_flag"]):
        return np.inf
    answers = [name.removesuffix("_err") for name in one if name.endswith("_err")]
    off = [np.abs(one[name] - other[name]) / other[f"{name}_err"] for name in answers]
    return float(np.nanmax(off))

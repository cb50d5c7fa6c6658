"""Small catalogues in memory, for the tests that read and write them."""

import io
import sys
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, Table

from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue import read_catalogue

FORMATS = ("csv", "tsv", "ecsv", "fits", "fits.gz", "vot", "parquet")
ARCHIVE_60 = [*BAND_NAMES[:56], "uJPAS", "gSDSS", "rSDSS", "iSDSS"]


def fluxes(n=4, seed=0):
    """Plausible F_nu in erg/s/cm2/Hz, shape (n, 57)."""
    rng = np.random.default_rng(seed)
    return 1e-27 * rng.lognormal(0, 0.3, (n, 57)) * np.linspace(0.5, 2, 57)


def csv_bytes(columns, **kwargs):
    return pd.DataFrame(columns).to_csv(index=False, **kwargs).encode()


def as_text_of(columns, delimiter):
    """Text of columns of cells, every cell in quotes."""
    rows = [list(columns), *zip(*columns.values(), strict=True)]
    return "".join(delimiter.join(f'"{cell}"' for cell in row) + "\n" for row in rows).encode()


def read_csv(columns, name="galaxies.csv", **kwargs):
    return read_catalogue(csv_bytes(columns), name, **kwargs)


def read_table(table, ending="fits", **kwargs):
    buffer = io.BytesIO() if ending != "ecsv" else io.StringIO()
    table.write(buffer, format={"vot": "votable", "ecsv": "ascii.ecsv"}.get(ending, ending))
    data = buffer.getvalue()
    data = data if isinstance(data, bytes) else data.encode()
    return read_catalogue(data, f"galaxies.{ending}", **kwargs)


def written(catalogue, form, extra=None):
    buffer = io.BytesIO()
    catalogue.write(buffer, form, extra)
    return buffer.getvalue()


def jpas_names():
    centres = [3518, 3785, 3900, *range(4000, 9101, 100), 9600]
    return [f"JPAS{centre}" for centre in centres] + ["i_JPAS"]


STYLES = {
    "plain": (list(BAND_NAMES), [f"{b}_err" for b in BAND_NAMES]),
    "plain, error": (list(BAND_NAMES), [f"{b}_error" for b in BAND_NAMES]),
    "plain, e_": (list(BAND_NAMES), [f"e_{b}" for b in BAND_NAMES]),
    "plain, err_": (list(BAND_NAMES), [f"err_{b}" for b in BAND_NAMES]),
    "APER_COR": (
        [f"APER_COR_3_0_{b}" for b in BAND_NAMES],
        [f"FLUX_RELERR_APER_COR_3_0_{b}" for b in BAND_NAMES],
    ),
    "AUTO": ([f"AUTO_{b}" for b in BAND_NAMES], [f"error_AUTO_{b}" for b in BAND_NAMES]),
    "FLUX_AUTO": (
        [f"FLUX_AUTO_{b}" for b in BAND_NAMES],
        [f"FLUX_RELERR_AUTO_{b}" for b in BAND_NAMES],
    ),
    "FLUX_PSFCOR": (
        [f"FLUX_PSFCOR_{b}" for b in BAND_NAMES],
        [f"FLUX_PSFCOR_{b}_err" for b in BAND_NAMES],
    ),
    "MAG_AUTO": (
        [f"MAG_AUTO_{b}" for b in BAND_NAMES],
        [f"MAG_ERR_AUTO_{b}" for b in BAND_NAMES],
    ),
    "JPAS": (jpas_names(), [f"error_{name}" for name in jpas_names()]),
}
CASES = {"as is": str, "upper": str.upper, "lower": str.lower}


def style_columns(style, flux, error, case=str):
    """Columns of one style that hold this F_nu and its error."""
    flux_names, error_names = STYLES[style]
    if style.startswith("MAG"):
        error = error / flux * 2.5 / np.log(10)
        flux = -2.5 * np.log10(flux) - 48.6
    elif "RELERR" in error_names[0]:
        error = error / flux
    columns = {case(name): flux[:, i] for i, name in enumerate(flux_names)}
    return columns | {case(name): error[:, i] for i, name in enumerate(error_names)}


def mixed_table():
    return Table(
        {
            "id": ["007", "", "ñandú"],
            "n": MaskedColumn([1, 2, 999999], mask=[True, False, False], fill_value=-1),
            "small": np.array([-1, 2, 3], "i1"),
            "good": [True, False, True],
            "J0378": [1.0, np.nan, -0.25] * u.uJy,
            "J0390": np.array([0.1, 2.0, 3.0], "f4"),
            "cube": np.arange(12).reshape(3, 2, 2),
        }
    )


def pretend_dust_map(monkeypatch: pytest.MonkeyPatch, folder: Path, ebv: np.ndarray) -> None:
    """Pretend that ``dustmaps`` is here, with the map in a folder."""
    (folder / "sfd").mkdir()
    for pole in "ns":
        (folder / "sfd" / f"SFD_dust_4096_{pole}gp.fits").touch()
    paths, sfd = types.ModuleType("dustmaps.std_paths"), types.ModuleType("dustmaps.sfd")
    paths.data_dir = lambda: str(folder)
    sfd.SFDQuery = lambda: lambda places: ebv[: len(places)]
    known = {"dustmaps": types.ModuleType("dustmaps"), paths.__name__: paths, sfd.__name__: sfd}
    for name, module in known.items():
        monkeypatch.setitem(sys.modules, name, module)

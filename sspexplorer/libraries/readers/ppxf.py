"""The SSPs that come with pPXF, as ``spectra_{xsl,emiles,fsps,galaxev}_9.0.npz``.

An archive of numpy arrays, as ``ppxf.sps_util.sps_lib`` reads it: ``templates`` (n_wave, n_age,
n_metal) in L_sun/Å, ``lam`` (n_wave,) in Å, ``ages`` (n_age,) in Gyr, ``metals`` (n_metal,), [M/H].
IMF and isochrones are not in the file, and so are "unknown" here. Nothing is unpickled.
"""

import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sspexplorer.errors import InputError
from sspexplorer.libraries.readers.contents import Batch, Contents
from sspexplorer.libraries.readers.files import find, refuse_web_page

_KEYS = ("templates", "lam", "ages", "metals")


def reader(key: str) -> Callable[[Path], Contents]:
    """Reader of ``spectra_{key}_9.0.npz``: a function from a path to its contents."""
    name = re.compile(rf"spectra_{key}(_\d+\.\d+)?\.npz")

    def read(path: Path) -> Contents:
        file = find(path, name, f"spectra_{key}_9.0.npz")[0]
        return _contents(file)

    return read


def _contents(path: Path) -> Contents:
    """Contents of one archive.

    Raises
    ------
    InputError
        If it is not such an archive, or is cut short.
    """
    refuse_web_page(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            templates, wavelength, ages, metals = (archive[key] for key in _KEYS)
    except (OSError, EOFError, ValueError, TypeError, AttributeError, KeyError) as error:
        what = " ".join(str(error).split())
        raise InputError(f"{path} is not a pPXF archive of templates: {what}") from None
    except (zipfile.BadZipFile, zlib.error):
        raise InputError(f"{path} is not a whole npz archive; it may be cut short.") from None
    if templates.shape != (len(wavelength), len(ages), len(metals)):
        raise InputError(
            f"{path}: templates has shape {templates.shape}, not (lam, ages, metals) = "
            f"({len(wavelength)}, {len(ages)}, {len(metals)})."
        )
    batch = Batch(
        path.name,
        wavelength.astype(float),
        templates.reshape(len(wavelength), -1).T.astype(float),
        np.repeat(ages.astype(float) * 1e9, len(metals)),
        np.tile(metals.astype(float), len(ages)),
        "unknown",
        "unknown",
    )
    return Contents(iter([batch]), 1, texts={"provenance": {"source": path.name}})

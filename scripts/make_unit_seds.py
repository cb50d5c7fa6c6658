"""Draw the SEDs that numbers without a unit are compared with, data/unit_seds.safetensors.

Run it as ``python scripts/make_unit_seds.py``, a minute. They are galaxies as most are, nearby and
to redshift 1: behind dust of the Milky Way's law and without nuclei. Among all that model
``galaxy`` has met, there is nearly always one that is like any galaxy with its unit mistaken.
"""

from dataclasses import replace

import numpy as np

from sspexplorer import artifact
from sspexplorer.galaxies import EVEN, GalaxyPrior
from sspexplorer.libraries import LIBRARY_NAMES
from sspexplorer.resources import data_path

N_SEDS, SEED = 10_000, 12
FAMILIES = {
    "delayed": 0.22,
    "constant": 0.13,
    "quenched": 0.2,
    "burst on an old body": 0.17,
    "rejuvenated": 0.1,
    "single burst": 0.18,
}


def main() -> None:
    """Draw and write."""
    near = GalaxyPrior(
        libraries=LIBRARY_NAMES,
        active=0.0,
        rich=0.0,
        families=FAMILIES,
        laws={"milky way": 1.0},
    )
    far = replace(near, max_redshift=1.0, pivot=EVEN)
    drawn = (prior.draw(N_SEDS, seed=SEED).flux for prior in (near, far))
    seds = np.concatenate([flux[np.isfinite(flux).all(axis=1)] for flux in drawn])
    seds = seds.astype(np.float16)
    artifact.save_arrays(data_path("unit_seds.safetensors"), {"seds": seds})
    print(f"{len(seds)} SEDs")


if __name__ == "__main__":
    main()

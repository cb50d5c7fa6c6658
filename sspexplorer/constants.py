"""Constants of physics and of photometry, each with its source."""

import numpy as np

# Exact, by definition of the metre (SI Brochure, 9th edition, 2019).
SPEED_OF_LIGHT = 2.99792458e18  # Å/s

# m_AB = −2.5 log10(F_ν) − 48.60, F_ν in erg s⁻¹ cm⁻² Hz⁻¹ (Oke & Gunn 1983, eq. 1).
AB_ZERO_POINT = -48.6
# The flux of magnitude 0 as SDSS rounds it to define the maggy (Finkbeiner et al. 2004).
MAGGY = 3631e-23  # erg s⁻¹ cm⁻² Hz⁻¹

# Relative error of a flux for each magnitude of error: ln 10 / 2.5.
MAG_TO_RELATIVE = float(np.log(10) / 2.5)

"""The composite populations of the paper."""

from dataclasses import dataclass

import numpy as np

from sspexplorer.histories.evolution import Component, History
from sspexplorer.histories.rates import Burst, constant

# The paper gives Z for its composite populations, and no value for the sun. With this one, the
# nearest metallicities of the shipped libraries are those that have the paper's Z.
SOLAR_Z = 0.017


def metallicity_of(z: float) -> float:
    """[M/H] in dex of a mass fraction of metals Z, with Z_sun = 0.017."""
    return float(np.log10(z / SOLAR_Z))


@dataclass(frozen=True)
class Member:
    """A history with the name to show."""

    label: str
    history: History


# Domínguez Sánchez et al. (2026), Appendix C, where the Z of the first are printed ten times too
# large. It does not give the masses of the two bursts: here they are equal.
PAPER_FAMILIES: dict[str, tuple[Member, ...]] = {
    "bursts": tuple(
        Member(f"Z = {z:g}", (Component(Burst(), metallicity_of(z)),))
        for z in (0.004, 0.008, 0.017)
    ),
    "second": tuple(
        Member(
            f"second at {start} Gyr",
            (
                Component(Burst(), metallicity_of(0.008), mass=0.5),
                Component(Burst(start * 1e9), metallicity_of(0.017), mass=0.5),
            ),
        )
        for start in (1, 4, 7, 10)
    ),
    "constant": (Member("constant rate", (Component(constant(), metallicity_of(0.017)),)),),
}

"""Which parameters of a posterior share a density, and between which bounds."""

import numpy as np

from sspexplorer.populations import Populations
from sspexplorer.posterior.density import Bounds

# Parameters that share a density; those that are nearly functions of each other do not.
GROUPS = (
    ("log_age", "metallicity", "ebv"),
    ("log_mean_age", "av"),
    ("mass_log_age", "mass_metallicity"),
    ("mass_log_mean_age",),
    ("log_mass_to_light",),
    ("log_mass_to_light_formed",),
    ("log_ssfr",),
    ("log_t50", "log_t90"),
    ("u_r", "u_r_dust_free"),
    ("d4000",),
)
# What is drawn together, with the redshift that each draw goes with.
JOINT = ("log_age", "metallicity", "ebv", "log_mass_to_light", "log_ssfr", "redshift")
# Masses are over the light that was measured, which noise and gaps change.
OVER_LIGHT = ("log_mass_to_light", "log_mass_to_light_formed")
_LIGHT_SPREAD = 0.3  # dex
# How far the bounds of a density lie outside what is drawn, relative to the range.
_MARGIN = 0.02


def group_bounds(populations: Populations, max_redshift: float) -> tuple[Bounds, ...]:
    """Bounds of the densities of those of :data:`GROUPS` that there are; the redshift last."""
    groups = []
    for group in GROUPS:
        names = tuple(name for name in group if name in populations.names)
        if not names:
            continue
        values = populations.values(names)
        low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
        margin = _MARGIN * (high - low) + _LIGHT_SPREAD * np.isin(names, OVER_LIGHT)
        # No dust is the least there is.
        least = np.isin(names, ("ebv", "av"))
        low, high = np.where(least, 0.0, low - margin), high + margin
        bounds = (tuple(float(f"{v:.4g}") for v in side) for side in (low, high))
        groups.append(Bounds(names, *bounds))
    return (*groups, Bounds(("redshift",), (0.0,), (max_redshift,)))


def joint_bounds(groups: tuple[Bounds, ...]) -> Bounds | None:
    """Bounds of :data:`JOINT`; None where a parameter of it is in none of the groups."""
    sides = {
        name: (low, high)
        for g in groups
        for name, low, high in zip(g.names, g.low, g.high, strict=True)
    }
    if not set(JOINT) <= set(sides):
        return None
    low, high = zip(*(sides[name] for name in JOINT), strict=True)
    return Bounds(JOINT, low, high)

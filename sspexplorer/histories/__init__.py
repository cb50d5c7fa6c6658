"""Composite populations: SSPs of several ages and metallicities mixed by a star-formation history.

A history is a tuple of :class:`Component`, each a rate of star formation with one metallicity and
one dust screen, so that the sum of two histories is the sum of the tuples. Times are in years
since the beginning, ages in years before the time of observation. Rates know their own integrals,
so :func:`evolve` integrates no history numerically:

>>> import numpy as np
>>> from sspexplorer.libraries import load_library
>>> history = (Component(Burst(0, 1e9), metallicity=-0.4), Component(Burst(4e9, 1e9), 0.0))
>>> evolution = evolve(load_library("bc03"), history, np.array([2e9, 5e9, 10e9]))
>>> (evolution.mass_age / 1e9).round(3).tolist()
[1.5, 2.5, 7.5]
"""

from sspexplorer.histories.composition import CompositePopulation, compose, formed_mass
from sspexplorer.histories.evolution import (
    Component,
    Evolution,
    History,
    Mixture,
    evolve,
    ssp_masses,
)
from sspexplorer.histories.families import PAPER_FAMILIES, SOLAR_Z, Member, metallicity_of
from sspexplorer.histories.means import LIGHT_RANGE, Means
from sspexplorer.histories.rates import (
    PRESENT,
    Burst,
    Delayed,
    Exponential,
    StarFormation,
    constant,
)

__all__ = [
    "LIGHT_RANGE",
    "PAPER_FAMILIES",
    "PRESENT",
    "SOLAR_Z",
    "Burst",
    "Component",
    "CompositePopulation",
    "Delayed",
    "Evolution",
    "Exponential",
    "History",
    "Means",
    "Member",
    "Mixture",
    "StarFormation",
    "compose",
    "constant",
    "evolve",
    "formed_mass",
    "metallicity_of",
    "ssp_masses",
]

"""Composite populations at random, with dust, gas, nuclei and redshift: the prior of ``galaxy``.

A galaxy has a body of stars and, in some, a later episode, or a history of a freer kind
(:mod:`.families`). Their spectra are mixed of the SSPs of one library, dimmed by a law of its own
(:mod:`sspexplorer.attenuation`) and, around young stars, lit by gas (:mod:`.mixing`).
"""

from sspexplorer.galaxies.families import FAMILIES, draw_histories
from sspexplorer.galaxies.formation import Episodes, TabulatedHistories
from sspexplorer.galaxies.mixing import LOG_U, NAMES, Gas, Mixer, Nucleus
from sspexplorer.galaxies.prior import EVEN, GALAXY_WORDS, GalaxyPrior

__all__ = [
    "EVEN",
    "FAMILIES",
    "GALAXY_WORDS",
    "LOG_U",
    "NAMES",
    "Episodes",
    "GalaxyPrior",
    "Gas",
    "Mixer",
    "Nucleus",
    "TabulatedHistories",
    "draw_histories",
]

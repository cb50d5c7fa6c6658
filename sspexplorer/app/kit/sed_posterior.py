"""The joint posterior of one SED of the SED explorer, beside the exact one and the truth."""

import numpy as np

from sspexplorer.app.kit.corner import EXACT, LINES, CornerView, exact_models
from sspexplorer.bands import N_BANDS
from sspexplorer.mocks import PARAMETERS, Observation
from sspexplorer.models import load_model
from sspexplorer.plots.corner import Corner
from sspexplorer.posterior.one import OneGalaxy
from sspexplorer.shipped import posterior_names


class SEDPosterior(CornerView):
    """What the models with error bars say of an SED whose redshift they are given."""

    def show(self, number: int, observation: Observation) -> None:
        """Draw the posteriors of an SED, and its true parameters.

        Parameters
        ----------
        number : int
            Of the SED, from 1.
        observation : Observation
        """
        question = (observation.flux.tobytes(), observation.redshift, observation.magnitude)
        words = (
            f"What the colours of SED {number} leave open; grey lines: the truth. {LINES} The "
            "exact posterior weighs every SSP behind every dust by its likelihood under this "
            "noise. “ssp” answers the same question: the nearer to it, the better the network. "
            "“galaxy” thinks of mixtures, too."
        )
        self.ask(question, lambda: _look(observation), words)


def _look(observation: Observation) -> Corner:
    known = float(observation.redshift)
    nothing = np.zeros(N_BANDS, dtype=bool)
    galaxy = OneGalaxy(observation.flux, observation.flux_err, nothing, known, np.nan)
    tables = {name: galaxy.draws(load_model(name)) for name in posterior_names()}
    relative = observation.flux_err / observation.noise_free
    tables[EXACT] = galaxy.exact(exact_models(known), relative)
    return Corner(tables, {name: float(getattr(observation, name)) for name in PARAMETERS})

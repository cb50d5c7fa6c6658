"""What is said of one galaxy of a catalogue, and the SSPs that are drawn through it."""

from typing import Any

import numpy as np
import pandas as pd

from sspexplorer.libraries import load_library
from sspexplorer.metrics import OUTLIER_LIMIT
from sspexplorer.mocks import PARAMETERS, Observation, observe
from sspexplorer.noise import NoiseModel
from sspexplorer.photometry import MAX_REDSHIFT
from sspexplorer.plots.catalogue import Galaxy
from sspexplorer.plots.style import PARAMETER_NAMES, PARAMETER_UNITS

_FEWEST_ERRORS = 20  # bands with an error from which a typical S/N makes sense


def nearest_ssps(
    prediction: np.ndarray, libraries: list[str], redshift: float = 0.0
) -> tuple[Observation, ...]:
    """SSP of each library that is nearest to a prediction, behind the predicted dust.

    Parameters
    ----------
    prediction : ndarray, shape (3,)
        log_age (log10 yr), metallicity (dex) and ebv (mag); none if it is NaN. Negative dust is
        taken as none.
    libraries : list of str
    redshift : float
        Taken as 0 where it is unknown or outside of what can be drawn.
    """
    if not np.isfinite(prediction).all():
        return ()
    log_age, metallicity, ebv = prediction
    seen_at = redshift if 0 <= redshift <= MAX_REDSHIFT else 0.0
    return tuple(
        observe(load_library(name), log_age, metallicity, ebv=max(0.0, ebv), redshift=seen_at)
        for name in libraries
    )


def scatter_text(card: dict[str, Any], galaxy: Galaxy) -> str:
    """Say how far off the model typically is for mocks of the same signal-to-noise ratio.

    Parameters
    ----------
    card : dict
        Of the model.
    galaxy : Galaxy
    """
    metrics = card.get("metrics", {}).get("ssp", {}).get("by_magnitude", {})
    n_errors = int(np.isfinite(galaxy.flux_err).sum())
    if not metrics or n_errors < _FEWEST_ERRORS or not galaxy.snr > 0:
        return (
            "Predictions come without errors of their own: “Predicted vs true” shows how far off "
            "the model typically is for mocks of each magnitude."
        )
    magnitudes = np.array(sorted(map(float, metrics)))
    typical = NoiseModel.default().typical_snr(magnitudes)
    nearest = magnitudes[np.argmin(np.abs(np.log(typical / galaxy.snr)))]
    scatter = next(value for key, value in metrics.items() if float(key) == nearest)
    sigma = ", ".join(
        f"{scatter[name]['sigma_nmad']:.2g} {PARAMETER_UNITS[name]} in {PARAMETER_NAMES[name]}"
        for name in PARAMETERS
    )
    *off, last = (f"{100 * scatter[name]['outlier_fraction']:.0f}" for name in PARAMETERS)
    beyond = galaxy.snr > typical.max() * 1.1 or galaxy.snr < typical.min() / 1.1
    which = "the nearest mocks" if beyond else "mocks of that S/N"
    return (
        f"This galaxy: median S/N {galaxy.snr:.0f}. Held-out SSPs in {which} (i = {nearest:g}) "
        f"scatter by {sigma} (σ_NMAD), and {', '.join(off)} and {last}\u00a0% are off by more than "
        f"{OUTLIER_LIMIT}. Take that as a lower limit: a galaxy is no SSP."
    )


def match_text(prediction: pd.Series) -> str:
    """Say how close the training comes to a galaxy, and what its colours say of its redshift.

    Parameters
    ----------
    prediction : Series
        A row of :func:`sspexplorer.posterior.prediction.predict_posterior`.
    """
    p_value = prediction["pred_p_value"]
    if not np.isfinite(p_value):
        return "Without a prediction there is nothing to compare."
    rarity = f"{p_value:.0%}" if p_value > 0.01 else "less than 1%"
    return (
        f"Closest mixture of training galaxies: reduced χ² {prediction['pred_chi2']:.2f}; "
        f"{rarity} of galaxies like those of the training lie farther off. Redshift from the "
        f"colours alone: {prediction['pred_photoz']:.3f} ± {prediction['pred_photoz_err']:.3f}."
    )

"""What is said of one galaxy of a catalogue, and the SSPs that are drawn through it."""

from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pandas as pd

from sspexplorer.analysis.galaxy import Galaxy
from sspexplorer.analysis.sky import Sky
from sspexplorer.labels import PARAMETER_NAMES, PARAMETER_UNITS, RATES, model_title
from sspexplorer.metrics import OUTLIER_LIMIT
from sspexplorer.mocks import PARAMETERS
from sspexplorer.noise import NoiseModel
from sspexplorer.plots.catalogue import MAX_POINTS
from sspexplorer.plots.published import relation_words

_FAR = 2  # errors beyond which two answers are said to differ
_ALADIN = "https://aladin.cds.unistra.fr/AladinLite/"
_FIELD = 0.03  # deg, across
_FEWEST_ERRORS = 20  # bands with an error from which a typical S/N makes sense


def picture_text(table: pd.DataFrame, across: str, up: str, undrawn: int) -> str:
    """Say what is drawn of two parameters besides points, and what is not.

    Parameters
    ----------
    table : DataFrame
        What is drawn, see :class:`sspexplorer.analysis.catalogue.Answers`.
    across, up : str
        The two axes.
    undrawn : int
        Rows with a prediction, but not of these two.
    """
    words = [relation_words(across, up)]
    limits = int(table["limit"].sum()) if across in RATES or up in RATES else 0
    if limits and len(table) > MAX_POINTS:
        words.append(f"Upper limits are left out ({limits:,}).")
    elif limits:
        words.append(f"Triangles are upper limits of 95\u00a0% ({limits:,}).")
    if undrawn:
        words.append(f"Not drawn, since one of the two is unknown: {undrawn:,}.")
    return " ".join(filter(None, words))


def sky_text(sky: Sky, undrawn: int) -> str:
    """Say what a map of the sky is, and what is not on it.

    Parameters
    ----------
    sky : Sky
    undrawn : int
        Rows with a prediction, but without a position.
    """
    columns = " and ".join(sky.positions.columns)
    areas = "the whole sky" if sky.projection.whole else "a field"
    words = f"Positions of {columns}: {areas} in equal areas, north up and east to the left."
    return words + (f" Not drawn, without a position: {undrawn:,}." if undrawn else "")


def position_html(ra: float, dec: float) -> str:
    """Say where a galaxy is (deg), with a link to a page of CDS that shows the sky there.

    Nothing is asked of that page unless the visitor goes there; then it is told the position.
    """
    there = f"{ra:.6f} {'+' if dec >= 0 else ''}{dec:.6f}"
    address = f"{_ALADIN}?{urlencode({'target': there, 'fov': _FIELD})}"
    return (
        f"<p>RA {ra:.5f}°, Dec {dec:+.5f}°. ".replace("-", "−")
        + f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer" '
        'title="Opens a page of the CDS in Strasbourg, which is told this position">'
        "See it in Aladin Lite ↗</a></p>"
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


def others_text(answer: pd.Series, others: Mapping[str, np.ndarray], trained: str) -> str:
    """Say how networks without error bars stand to an answer that has them, and why.

    Parameters
    ----------
    answer : Series
        ``log_age``, ``metallicity``, ``ebv``, and the ``…_err`` of each.
    others : mapping
        {name of a network: ndarray, shape (3,)}.
    trained : str
        What the networks were trained on, see
        :func:`~sspexplorer.app.kit.model_words.trained_on`.
    """
    values = answer[list(PARAMETERS)].to_numpy(float)
    errors = answer[[f"{name}_err" for name in PARAMETERS]].to_numpy(float)
    off = {name: other - values for name, other in others.items()}
    far = {
        (name, k): abs(delta[k]) / errors[k]
        for name, delta in off.items()
        for k in range(len(PARAMETERS))
        if np.isfinite(delta[k]) and errors[k] > 0
    }
    if not far:
        return ""
    if max(far.values()) <= _FAR:
        return f"Networks without error bars agree within {_FAR} of these errors."
    name, k = max(far, key=far.get)
    parameter = PARAMETERS[k]
    return (
        f"“{model_title(name)}”, which has no error bars, says {PARAMETER_NAMES[parameter]} "
        f"{others[name][k]:.2f}, {abs(off[name][k]):.2f} {PARAMETER_UNITS[parameter]} "
        f"{'more' if off[name][k] > 0 else 'less'}: it was trained on {trained}, and answers "
        "with the one of them that looks most alike. Go by the answer with error bars."
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

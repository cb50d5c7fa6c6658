"""What the columns mean that predictions and fits append to a catalogue: unit and description."""

import re
from typing import NamedTuple


class Described(NamedTuple):
    """Unit as astropy writes it, "" if there is none, and a description in plain letters."""

    unit: str
    description: str


# In letters that FITS headers take.
_PARAMETERS = {
    "log_age": Described("dex(yr)", "log10 of the age"),
    "metallicity": Described("dex", "metallicity [M/H]"),
    "ebv": Described("mag", "reddening E(B-V) of the stars"),
    "log_mean_age": Described("dex(yr)", "log10 of the mean age"),
    "av": Described("mag", "attenuation A_V of the stars"),
    "mass_log_age": Described("dex(yr)", "log10 of the age, weighted by the mass formed"),
    "mass_log_mean_age": Described("dex(yr)", "log10 of the mean age, weighted by the mass formed"),
    "mass_metallicity": Described("dex", "metallicity [M/H], weighted by the mass formed"),
    "log_mass_to_light": Described(
        "dex(solMass)",
        "log10 of the mass in stars (M_sun) per 10^(-0.4 (m - DM)) (1 + z) of the median band",
    ),
    "log_mass": Described("dex(solMass)", "log10 of the mass in living stars, Chabrier IMF"),
    "log_mass_formed": Described("dex(solMass)", "log10 of the mass ever formed, Chabrier IMF"),
    "log_sfr": Described("dex(solMass / yr)", "log10 of the star-formation rate over 100 Myr"),
    "log_ssfr": Described(
        "dex(1 / yr)", "log10 of the star-formation rate over 100 Myr per mass in stars"
    ),
    "t50": Described("Gyr", "lookback time when half of the stars had formed"),
    "t90": Described("Gyr", "lookback time when nine tenths of the stars had formed"),
    "u_r": Described("mag", "rest-frame u - r (SDSS, AB)"),
    "u_r_dust_free": Described("mag", "rest-frame u - r (SDSS, AB) of the stars without dust"),
    "d4000": Described("", "D4000 (Balogh et al. 1999)"),
    "photoz": Described("", "redshift from the colours alone"),
}
_LIMITED = ("log_sfr", "log_ssfr")
_STATISTICS = {
    "": "mean",
    "_err": "standard deviation",
    "_library_err": "what the standard deviation lacks for stars of an unseen library, to z = 0.1",
    "_p16": "16th percentile",
    "_p50": "median",
    "_p84": "84th percentile",
    "_shrinkage": "1 - (standard deviation / that of the prior)^2",
}
_OTHERS: dict[str, Described | dict[str, Described]] = {
    "chi2": {
        "pred": Described("", "chi2 per band of the closest mixture of training SEDs"),
        "fit": Described("", "least chi2 divided by the number of bands less one"),
    },
    "p_value": Described("", "how often galaxies like those of the training are farther from it"),
    "n_bands": Described("", "number of bands that were used"),
    "set_aside": Described("", "bands that were not used, as all others contradict them"),
    "flag": Described("", "what to mind, in words; empty where all is well"),
}
_NAME = re.compile(rf"(pred|fit)_({'|'.join(_PARAMETERS)})({'|'.join(_STATISTICS)})")
_CORRELATION = re.compile(r"(pred|fit)_corr_(log_age|metallicity|ebv)_(log_age|metallicity|ebv)")


def described(name: str) -> Described | None:
    """Unit and description of a column that we append, None for any other.

    >>> described("pred_log_age_err")
    Described(unit='dex', description='log10 of the age: standard deviation of the posterior')
    """
    if match := _NAME.fullmatch(name):
        return _parameter(*match.groups())
    if match := _CORRELATION.fullmatch(name):
        one, other = (_PARAMETERS[key].description for key in match.groups()[1:])
        return Described("", f"correlation of {one} with {other} in the posterior")
    kind, _, rest = name.partition("_")
    if kind not in ("pred", "fit") or rest not in _OTHERS:
        return None
    found = _OTHERS[rest]
    return found[kind] if isinstance(found, dict) else found


def _parameter(kind: str, name: str, statistic: str) -> Described:
    unit, text = _PARAMETERS[name]
    what = _STATISTICS[statistic]
    if name == "photoz" and not statistic:
        what = "median"
    if name in _LIMITED and not statistic:
        what = "mean (95 per cent upper limit if flagged star-formation-limit)"
    if statistic.endswith("_err") and unit.startswith("dex("):
        unit = "dex"
    if statistic == "_shrinkage":
        unit = ""
    whose = "the posterior" if kind == "pred" else "all models, weighted by their likelihood"
    return Described(unit, f"{text}: {what} of {whose}")

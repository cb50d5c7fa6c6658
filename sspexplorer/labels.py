"""Names for people: of parameters with their units, of libraries, models and populations."""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress

from sspexplorer.errors import InputError
from sspexplorer.libraries import library_title
from sspexplorer.mocks import Observation

LIBRARY_LABELS = {"emiles": "E-MILES", "bc03": "BC03", "popstar": "PopStar"}

MODEL_TITLES = {
    "default": "Default",
    "paper": "As in the paper",
    "galaxy": "galaxy: mixed populations",
    "ssp": "ssp: one population",
    **{f"default-{name}": f"{label} alone" for name, label in LIBRARY_LABELS.items()},
}

# What the server appends to the name of a network that a visitor keeps.
_KEPT_MARK = re.compile(r" #[\w-]{22}$")

_HYPHEN_AS_MINUS = re.compile(r"(?<![\w.\-])-(?=\d)")

PARAMETER_NAMES = {"log_age": "log age", "metallicity": "[M/H]", "ebv": "E(B−V)"}

PARAMETER_UNITS = {"log_age": "dex", "metallicity": "dex", "ebv": "mag"}

PARAMETER_LABELS = {
    "log_age": "log age [yr]",
    "metallicity": "[M/H] [dex]",
    "ebv": "E(B−V) [mag]",
}
# What else models know of galaxies, with the unit of its errors.
DERIVED_LABELS = {
    "log_mean_age": "log of the mean age [dex]",
    "av": "A_V [mag]",
    "mass_log_age": "log age by mass [dex]",
    "mass_metallicity": "[M/H] by mass [dex]",
    "mass_log_mean_age": "log of the mean age by mass [dex]",
    "log_mass_to_light": "log mass over light [dex]",
    "log_mass_to_light_formed": "log mass formed over light [dex]",
    "log_ssfr": "log specific rate [dex]",
    "log_t50": "log t50 [dex]",
    "log_t90": "log t90 [dex]",
    "u_r": "u − r [mag]",
    "u_r_dust_free": "u − r without dust [mag]",
    "d4000": "D4000",
}
# What else can be an axis of a catalogue's picture.
AXIS_LABELS = PARAMETER_LABELS | {
    "redshift": "redshift",
    "log_mass": "log mass in stars [M☉]",
    "log_sfr": "log star-formation rate [M☉/yr]",
    "log_ssfr": "log specific rate [1/yr]",
}
# What a table of predictions can have besides the three parameters, by its name in the file.
COLUMN_LABELS = {
    "age": "age [Gyr]",
    "log_mass": "log mass [M☉]",
    "log_sfr": "log SFR [M☉/yr]",
    "log_ssfr": "log sSFR [1/yr]",
    "log_mass_formed": "log mass formed [M☉]",
    "av": "A_V [mag]",
    "log_mean_age": "log mean age [yr]",
    "mass_log_age": "log age by mass [yr]",
    "mass_metallicity": "[M/H] by mass [dex]",
    "t50": "t50 [Gyr]",
    "t90": "t90 [Gyr]",
    "u_r": "u − r [mag]",
    "u_r_dust_free": "u − r, no dust [mag]",
    "d4000": "D4000",
    "photoz": "z from colours",
    "chi2": "χ² a band",
    "p_value": "p-value",
    "n_bands": "bands",
}
# Of these, what may be an upper limit: rates of galaxies that may form no stars.
RATES = ("log_sfr", "log_ssfr")


def library_label(name: str) -> str:
    """Name to show of a library, shipped or added; of one that is gone, its short name."""
    if name in LIBRARY_LABELS:
        return LIBRARY_LABELS[name]
    with suppress(InputError):
        return library_title(name)
    return name


# Fields whose depths the noise can have; the others are called by their names.
FIELD_NAMES = {"smooth": "Smooth, miniJPAS", "JNEP": "J-NEP"}


def field_name(name: str) -> str:
    """Name of a field for people; see :func:`sspexplorer.noise.fields`."""
    return FIELD_NAMES.get(name, f"miniJPAS {name}")


def library_options(names: Iterable[str]) -> dict[str, str]:
    """Names of libraries by what is shown of them, as widgets take them."""
    return {library_label(name): name for name in names}


def age_text(log_age: float) -> str:
    """Age in Myr or Gyr, with three digits."""
    age = 10**log_age
    return f"{age / 1e6:.3g} Myr" if age < 1e9 else f"{age / 1e9:.3g} Gyr"


def population_text(observation: Observation) -> str:
    """Age, metallicity and dust in words."""
    return (
        f"{age_text(observation.log_age)}, [M/H] {observation.metallicity:+.2f}, "
        f"E(B−V) {observation.ebv:.2f}"
    ).replace("-", "−")


def model_title(name: str) -> str:
    """Name to show of a model: of one that a visitor keeps, without what makes it unguessable."""
    return MODEL_TITLES.get(name) or _KEPT_MARK.sub("", name)


def run_title(name: str) -> str:
    """Name of a model where several are side by side."""
    return "Paper's recipe" if name == "paper" else model_title(name)


def with_unit(name: str) -> str:
    """Name of a parameter, and the unit of differences in it."""
    return f"{PARAMETER_NAMES[name]} [{PARAMETER_UNITS[name]}]"


def minus(text: str) -> str:
    """Write the minus of negative numbers as one, wherever a hyphen stands for it.

    Examples
    --------
    >>> minus("-0.45 dex, E-MILES, 10-20, J1234-05")
    '−0.45 dex, E-MILES, 10-20, J1234-05'
    """
    return _HYPHEN_AS_MINUS.sub("−", text)


def listed(items: Sequence[str]) -> str:
    """Items as a list in words."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)

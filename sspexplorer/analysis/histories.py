"""What the page of mixed populations asks, and how it is answered."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from sspexplorer.gaps import row_median
from sspexplorer.histories import (
    PAPER_FAMILIES,
    Burst,
    Component,
    Delayed,
    Evolution,
    Exponential,
    Member,
    StarFormation,
    constant,
    evolve,
)
from sspexplorer.histories.tables import history_table
from sspexplorer.libraries import load_library
from sspexplorer.mocks import Observation, observe
from sspexplorer.models import AnyModel, load_model
from sspexplorer.networks.model import Model
from sspexplorer.networks.prediction import noise_scatter
from sspexplorer.noise import NoiseModel
from sspexplorer.photometry import spectral_fnu
from sspexplorer.posterior.estimator import Estimator
from sspexplorer.posterior.prior import truths_of
from sspexplorer.shipped import is_posterior

OWN = "own"
FAMILIES = {
    "A burst, three metallicities": "bursts",
    "A second burst": "second",
    "Constant star formation": "constant",
    "Your own history": OWN,
}
FORMS = {
    "Burst": "burst",
    "Exponential, exp(−t/τ)": "exponential",
    "Delayed, t exp(−t/τ)": "delayed",
    "Constant rate": "constant",
}

# Every 0.1 Gyr, so that medians over time weigh all times alike.
TIMES = np.arange(1, 141) * 1e8  # yr
N_DRAWS = 32
_SECOND_DURATION = 1e9  # yr, as that of the paper's bursts


@dataclass(frozen=True)
class OwnHistory:
    """A history of the visitor's own: one form of star formation, and maybe a burst later.

    Attributes
    ----------
    form : str
        One of :data:`FORMS`.
    timescale : float
        Duration of a burst, or τ, Gyr.
    metallicity, ebv : float
        dex, mag.
    share : float
        Fraction of all mass that forms in the second burst, which lasts 1 Gyr; below 1.
    start : float
        Of the second burst, Gyr.
    later_metallicity, later_ebv : float
        Of the second burst; dex, mag.
    """

    form: str
    timescale: float
    metallicity: float
    ebv: float
    share: float
    start: float
    later_metallicity: float
    later_ebv: float

    @property
    def formation(self) -> StarFormation:
        """Star formation before any second burst."""
        timescale = self.timescale * 1e9
        if self.form == "exponential":
            return Exponential(0.0, timescale)
        if self.form == "delayed":
            return Delayed(0.0, timescale)
        return Burst(0.0, timescale) if self.form == "burst" else constant()

    @property
    def members(self) -> tuple[Member, ...]:
        """The history alone, or without and with the second burst."""
        first = Component(self.formation, self.metallicity, self.ebv)
        if not self.share:
            return (Member("your history", (first,)),)
        burst = Burst(self.start * 1e9, _SECOND_DURATION)
        later = Component(burst, self.later_metallicity, self.later_ebv, self.share)
        both = (replace(first, mass=1 - self.share), later)
        return Member("with the second burst", both), Member("without it", (first,))


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes
    ----------
    members : tuple of Member
    library : str
    models : tuple of str
        The first one is drawn.
    magnitude : float
        i magnitude of the errors, and of the noise.
    noisy : bool
        Whether networks are asked about SEDs with noise.
    noise : NoiseModel or None
        None is the default.
    """

    members: tuple[Member, ...]
    library: str
    models: tuple[str, ...]
    magnitude: float = 20.0
    noisy: bool = False
    noise: NoiseModel | None = field(default=None, compare=False)
    noise_id: int = 0


@dataclass(frozen=True, eq=False)
class SSPEquivalent:
    """A composite population and the SSP that a prediction points at.

    Attributes
    ----------
    member : int
        Which member of the family it is, from 1.
    composite, ssp : Observation
    noisy : bool
        Whether the points of the composite are drawn with noise.
    """

    member: int
    composite: Observation
    ssp: Observation
    noisy: bool = False

    @property
    def rms(self) -> float:
        """Root mean square of the relative difference of the two over the bands, no noise."""
        return float(np.sqrt(np.mean((self.ssp.noise_free / self.composite.noise_free - 1) ** 2)))

    @property
    def sigmas(self) -> float:
        """The same, in units of the σ of the composite's noise in each band."""
        difference = self.ssp.noise_free - self.composite.noise_free
        return float(np.sqrt(np.mean((difference / self.composite.flux_err) ** 2)))


@dataclass(frozen=True, eq=False)
class Answer:
    """Evolutions of all members, and what each model says of them.

    Attributes
    ----------
    question : Question
    evolutions : tuple of Evolution
    tables : dict
        {model: :func:`~sspexplorer.histories.tables.history_table`}.
    """

    question: Question
    evolutions: tuple[Evolution, ...]
    tables: dict[str, pd.DataFrame]

    @property
    def model(self) -> str:
        """The model that is drawn."""
        return self.question.models[0]

    @property
    def table(self) -> pd.DataFrame:
        """Of the model that is drawn."""
        return self.tables[self.model]

    @property
    def of_posterior(self) -> bool:
        """Whether the model that is drawn answers with posteriors."""
        return is_posterior(self.model)

    def row(self, member: int, time: float) -> pd.Series:
        """Row of the table at the time (Gyr) nearest to ``time``."""
        rows = self.table[self.table["member"] == member]
        return rows.iloc[int(np.argmin(np.abs(rows["time"].to_numpy() - time)))]

    def likeness(self, member: int, time: float) -> SSPEquivalent:
        """A member at a time, with noise if that was asked for, and the SSP it is taken for."""
        question, row = self.question, self.row(member, time)
        library = load_library(question.library)
        ssp = observe(
            library,
            row["pred_log_age"],
            row["pred_metallicity"],
            ebv=max(0.0, row["pred_ebv"]),
            magnitude=question.magnitude,
            noise=question.noise,
        )
        evolution = self.evolutions[member - 1]
        composite = _observed(
            evolution, row, library.name, magnitude=question.magnitude, noise=question.noise
        )
        if not question.noisy:
            composite = replace(composite, flux=composite.noise_free)
        return SSPEquivalent(member, composite, replace(ssp, flux=ssp.noise_free), question.noisy)


def answer(question: Question, load: Callable[[str], AnyModel] = load_model) -> Answer:
    """Mix the populations and have every model predict them.

    Parameters
    ----------
    question : Question
    load : callable
        Finds a model by its name.
    """
    library = load_library(question.library)
    evolutions = tuple(evolve(library, m.history, TIMES) for m in question.members)
    tables = {}
    for name in question.models:
        model = load(name)
        if isinstance(model, Model):
            tables[name] = _points(question, model, evolutions)
        else:
            tables[name] = _posteriors(question, model, evolutions)
    return Answer(question, evolutions, tables)


def _points(question: Question, model: Model, evolutions: tuple[Evolution, ...]) -> pd.DataFrame:
    """What networks say, of SEDs without noise or of many draws of it."""
    flux, members = np.concatenate([e.flux for e in evolutions]), question.members
    if not question.noisy:
        return history_table(members, evolutions, np.split(model.predict(flux), len(members)))
    scatter = noise_scatter(
        model, flux, question.magnitude, noise=question.noise, n_draws=N_DRAWS, common=True
    )
    low, middle, high = np.percentile(scatter, [16, 50, 84], axis=1)
    quantiles = np.split(np.stack([low, high]), len(members), axis=1)
    return history_table(members, evolutions, np.split(middle, len(members)), quantiles)


def _posteriors(
    question: Question, estimator: Estimator, evolutions: tuple[Evolution, ...]
) -> pd.DataFrame:
    """Medians and 68 % intervals for SEDs without noise that are told to have its errors."""
    flux = np.concatenate([e.flux for e in evolutions])
    flux /= row_median(flux)[:, None]
    noise = question.noise or NoiseModel.default()
    error = flux * noise.relative_error(question.magnitude)
    mixture = estimator.model.posterior(flux, error, np.zeros(len(flux)))[0]
    low, middle, high = np.moveaxis(mixture.quantiles((0.16, 0.5, 0.84)), -1, 0)
    members = question.members
    quantiles = np.split(np.stack([low, high]), len(members), axis=1)
    age = truths_of(estimator.card)[0]
    return history_table(members, evolutions, np.split(middle, len(members)), quantiles, age)


def _observed(
    evolution: Evolution,
    row: pd.Series,
    library: str,
    *,
    magnitude: float,
    noise: NoiseModel | None,
) -> Observation:
    index = int(np.argmin(np.abs(evolution.times / 1e9 - row["time"])))
    scale = row_median(evolution.flux[[index]])[0]
    noise_free = evolution.flux[index] / scale
    rng = np.random.default_rng(0)
    noisy, error = (noise or NoiseModel.default()).add(noise_free, magnitude, rng)
    return Observation(
        library=library,
        log_age=row["light_log_age"],
        metallicity=row["light_metallicity"],
        ebv=row["light_ebv"],
        magnitude=magnitude,
        redshift=0.0,
        wavelength=evolution.wavelength,
        spectrum=spectral_fnu(evolution.spectrum(index), evolution.wavelength) / scale,
        noise_free=noise_free,
        flux=noisy,
        flux_err=error,
    )


def members_of(family: str, own: OwnHistory) -> tuple[Member, ...]:
    """Histories of a family of :data:`FAMILIES`."""
    return own.members if family == OWN else PAPER_FAMILIES[family]

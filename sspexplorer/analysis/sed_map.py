"""What the map of SEDs is asked about: mocks in a region, and galaxies on top."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sspexplorer.analysis.catalogue import Answers
from sspexplorer.analysis.regions import inside
from sspexplorer.catalogue import Catalogue
from sspexplorer.embedding import (
    equal_magnitude,
    load_embedding,
    sparse_templates,
    training_templates,
)
from sspexplorer.gaps import complete
from sspexplorer.labels import age_text, library_label
from sspexplorer.libraries import LIBRARY_NAMES, in_order
from sspexplorer.metrics import OUTLIER_LIMIT, summary
from sspexplorer.mocks import PARAMETERS
from sspexplorer.models import AnyModel, load_model, predict_rows
from sspexplorer.posterior.estimator import Estimator
from sspexplorer.posterior.judging import likeness_p_values
from sspexplorer.posterior.likeness import UNLIKE
from sspexplorer.progress import NO_PROGRESS, Progress
from sspexplorer.shipped import DEFAULT_MODEL, posterior_names

if TYPE_CHECKING:
    from sspexplorer.networks.model import Model

# More mocks of a region than these are represented by as many, drawn by lot.
MAX_SEDS, MAX_PREDICTED = 8000, 10_000
MAX_GALAXIES = 10_000
_CHUNK = 1500
QUANTILES = (0.16, 0.5, 0.84)


def map_table(labels: pd.DataFrame, plane: np.ndarray) -> pd.DataFrame:
    """One row for each mock: what the map is shaded from.

    Parameters
    ----------
    labels : DataFrame, n rows
        As in :class:`~sspexplorer.mocks.MockSample`.
    plane : ndarray, shape (n, 2)
        See :meth:`sspexplorer.embedding.Embedding.place`.

    Returns
    -------
    DataFrame
        ``x``, ``y``, ``log_age``, ``metallicity``, ``ebv``, ``magnitude``, ``library``
        (categorical) and ``held_out`` (whether the SSP is of the test split).
    """
    columns = {"x": plane[:, 0], "y": plane[:, 1]}
    columns |= {name: labels[name].to_numpy(float) for name in (*PARAMETERS, "magnitude")}
    columns["library"] = pd.Categorical(labels["library"], in_order(labels["library"]))
    columns["held_out"] = (labels["split"] == "test").to_numpy()
    return pd.DataFrame(columns)


@dataclass(frozen=True, eq=False)
class RegionParameters:
    """Parameters of held-out mocks of a region, shape (n, 3) each."""

    true: np.ndarray = field(default_factory=lambda: np.empty((0, 3)))
    predicted: np.ndarray = field(default_factory=lambda: np.empty((0, 3)))


@dataclass(frozen=True, eq=False)
class MapMocks:
    """Mocks on the map.

    Attributes
    ----------
    table : DataFrame
        See :func:`sspexplorer.plots.embedding.map_table`.
    flux : ndarray, shape (n, 57), float32
        F_ν over its median.
    """

    table: pd.DataFrame
    flux: np.ndarray

    def chosen(self, libraries: Sequence[str], magnitudes: Sequence[float]) -> np.ndarray:
        """Rows of these libraries and magnitudes, which lie next to each other in the grid."""
        if not magnitudes:
            return np.arange(0)
        library = self.table["library"].cat
        mask = np.isin(library.categories, libraries)[library.codes]
        mask &= self.table["magnitude"].between(magnitudes[0], magnitudes[-1]).to_numpy()
        return np.flatnonzero(mask)


@dataclass(frozen=True, eq=False)
class Region:
    """Mocks within an outline on the map.

    Attributes
    ----------
    whole : bool
        There is no outline: these are all mocks in sight.
    counts : DataFrame
        A row for each library in sight: ``here`` and ``all``.
    quantiles : ndarray, shape (3, 57)
        16 %, median and 84 % of F_ν over its median.
    true : ndarray, shape (n_tested, 3)
        Parameters of mocks of held-out SSPs.
    predicted : dict
        {name of a model: ndarray, shape (n_tested, 3)}, the chosen model first.
    """

    whole: bool
    counts: pd.DataFrame
    quantiles: np.ndarray
    true: np.ndarray
    predicted: dict[str, np.ndarray]

    @classmethod
    def of(
        cls,
        mocks: MapMocks,
        rows: np.ndarray,
        outline: np.ndarray,
        models: Mapping[str, "Model"],
    ) -> "Region":
        """Look into a region.

        Parameters
        ----------
        mocks : MapMocks
        rows : ndarray of int
            Mocks in sight.
        outline : ndarray, shape (m, 2)
            Corners; none for all mocks in sight.
        models : dict
            Those that predict the parameters of the mocks, by name; the chosen one first.
        """
        table = mocks.table
        here = rows
        if len(outline):
            here = rows[inside(table[["x", "y"]].to_numpy()[rows], outline)]
        library = table["library"].cat
        codes = library.codes.to_numpy()
        counts = pd.DataFrame(
            {
                key: np.bincount(codes[those], minlength=len(library.categories))
                for key, those in (("here", here), ("all", rows))
            },
            index=list(library.categories),
        )
        seds = _some(here, MAX_SEDS)
        quantiles = np.full((3, mocks.flux.shape[1]), np.nan)
        if len(seds):
            quantiles = np.quantile(mocks.flux[seds], QUANTILES, axis=0)
        tested = _some(here[table["held_out"].to_numpy()[here]], MAX_PREDICTED)
        true = table[list(PARAMETERS)].to_numpy()[tested]
        predicted = {
            name: model.predict(mocks.flux[tested]) if len(tested) else true
            for name, model in models.items()
        }
        return cls(not len(outline), counts[counts["all"] > 0], quantiles, true, predicted)

    @property
    def parameters(self) -> RegionParameters:
        """Truth and predictions of the chosen model."""
        return RegionParameters(self.true, next(iter(self.predicted.values())))

    @property
    def n(self) -> int:
        """How many mocks there are."""
        return int(self.counts["here"].sum())

    def library_table(self) -> pd.DataFrame:
        """Mocks of each library: their number, part of the region, part of the library."""
        here, total = self.counts["here"], self.counts["all"]
        return pd.DataFrame(
            {
                "Mocks here": here.to_numpy(),
                "Part of the region": (here / max(1, self.n)).to_numpy(),
                "Part of the library": (here / total).to_numpy(),
            },
            index=[library_label(name) for name in self.counts.index],
        )

    def score_table(self) -> pd.DataFrame:
        """Metrics of what each model predicts for held-out mocks, by parameter and model."""
        rows = {}
        for k, name in enumerate(PARAMETERS):
            true = self.true[:, k]
            for model, predictions in self.predicted.items():
                predicted = predictions[:, k]
                found = summary(predicted, true)
                rows[name, model] = {
                    "Median true": float(np.median(true)) if len(true) else np.nan,
                    "predicted": float(np.median(predicted)) if len(true) else np.nan,
                    "Bias μ": round(found["bias"], 3) + 0.0,
                    "σ\u00a0NMAD": found["sigma_nmad"],
                    f"|Δ| > {OUTLIER_LIMIT}": found["outlier_fraction"],
                    "n": found["n"],
                }
        return pd.DataFrame.from_dict(rows, orient="index")


def _some(rows: np.ndarray, number: int) -> np.ndarray:
    """At most so many of the rows, the same at every call."""
    if len(rows) <= number:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, number, replace=False))


@dataclass(frozen=True, eq=False)
class MapGalaxies:
    """Galaxies of a catalogue on the map.

    Attributes
    ----------
    name : str
        Of the catalogue.
    table : DataFrame
        ``row`` (from 1), ``name``, ``log_age``, ``metallicity``, ``ebv`` and ``flag`` (see
        :class:`~sspexplorer.analysis.catalogue.Answers`), ``x``, ``y``, ``distance``,
        ``nearest`` (row of the training templates, −1 if none), a column with the distance from
        each library, ``magnitude``: that of mocks of the same signal-to-noise ratio, NaN
        where errors are unknown, and ``p_value``: how often galaxies like those of the training
        of model ``judge`` are farther from it, as in ``pred_p_value``.
    flux : ndarray, shape (n, 57)
        F_ν over the median of the bands that are there.
    n_rows : int
        Rows of the catalogue; of a long one only some are placed.
    judge : str
        Name of the model with error bars that says which are unlike its training; "" without one.
    """

    name: str
    table: pd.DataFrame
    flux: np.ndarray
    n_rows: int
    judge: str = DEFAULT_MODEL

    @classmethod
    def place(
        cls,
        catalogue: Catalogue,
        model: AnyModel,
        *,
        progress: Progress = NO_PROGRESS,
    ) -> "MapGalaxies":
        """Place, predict and measure the galaxies of a catalogue.

        Of a model with error bars the table has ``log_age_err``, ``metallicity_err`` and
        ``ebv_err``, too.

        Raises
        ------
        Cancelled
            If ``progress`` said so.
        """
        rows = np.arange(len(catalogue))
        if len(rows) > MAX_GALAXIES:
            rows = np.linspace(0, len(rows) - 1, MAX_GALAXIES).astype(int)
        embedding, templates = load_embedding(), training_templates()
        flux, parts = catalogue.flux[rows], []
        for start in range(0, len(rows), _CHUNK):
            progress.check()
            filled, _ = complete(flux[start : start + _CHUNK], sparse_templates())
            nearest = embedding.nearest(filled)
            x, y = embedding.place(filled).T
            best = nearest.index.to_numpy()
            closest = nearest.distances.fillna(np.inf).to_numpy().argmin(axis=1)
            columns = {"x": x, "y": y, "distance": nearest.distance}
            columns["nearest"] = best[np.arange(len(best)), closest]
            parts.append(nearest.distances.assign(**columns))
        redshifts = _redshifts(catalogue, rows)
        predictions = predict_rows(
            model, flux, catalogue.flux_err[rows], *redshifts, progress=progress
        ).table
        everywhere = predictions.set_axis(rows).reindex(np.arange(len(catalogue)))
        everywhere["pred_flag"] = everywhere["pred_flag"].fillna("")
        answers = Answers.gather(catalogue, everywhere, "")
        errors = [f"{name}_err" for name in PARAMETERS] if answers.has_errors else []
        kept = ["row", "name", *PARAMETERS, *errors, "flag"]
        table = answers.table[kept].iloc[rows].reset_index(drop=True)
        table = pd.concat([table, pd.concat(parts, ignore_index=True)], axis=1)
        table["magnitude"] = equal_magnitude(flux, catalogue.flux_err[rows])
        judge = DEFAULT_MODEL if DEFAULT_MODEL in posterior_names() else ""
        if judge and model is load_model(judge):
            table["p_value"] = predictions["pred_p_value"].to_numpy(float)
        else:
            table["p_value"] = _p_values(judge, catalogue, rows, progress)
        table["of"] = templates.labels["library"].reindex(table["nearest"]).to_numpy()
        unnamed = table["name"] == ""
        table.loc[unnamed, "name"] = "row " + table.loc[unnamed, "row"].astype(str)
        return cls(catalogue.name, table, _over_median(flux), len(catalogue), judge)

    @property
    def placed(self) -> np.ndarray:
        """Which have a place, shape (n,)."""
        return self.table["x"].notna().to_numpy()

    @property
    def unlike(self) -> np.ndarray:
        """Which are unlike the training of the model that judges, shape (n,).

        The same galaxies have the flag ``unlike-training`` when that model predicts them.
        """
        return self.table["p_value"].to_numpy() < UNLIKE

    def judged(self, magnitude: float) -> pd.DataFrame:
        """Table with ``nearer`` (see ``Embedding.fraction_nearer``) and ``verdict`` in words.

        Parameters
        ----------
        magnitude : float
            i magnitude of the mocks to compare distances with where errors are unknown.
        """
        table = self.table
        compared = table["magnitude"].fillna(magnitude).to_numpy()
        nearer = load_embedding().fraction_nearer(table["distance"].to_numpy(), compared)
        verdicts = [self._verdict(p) for p in table["p_value"]]
        return table.assign(compared=compared, nearer=nearer, verdict=verdicts)

    def _verdict(self, p_value: float) -> str:
        if not self.judge:
            return "no model with error bars is there to judge it"
        if np.isnan(p_value):
            return "not judged: too few bands, no flux, or a redshift beyond the models"
        share = f"{p_value:.0%}" if p_value > UNLIKE else "less than 1%"
        kind = "unlike" if p_value < UNLIKE else "like"
        return f"{kind} the training of “{self.judge}”: {share} of its galaxies are farther off"

    def median_distances(self) -> dict[str, float]:
        """Median distance from the templates of each library, and of "all"."""
        columns = {name: name for name in LIBRARY_NAMES} | {"all": "distance"}
        return {name: float(self.table[column].median()) for name, column in columns.items()}


def _redshifts(catalogue: Catalogue, rows: np.ndarray) -> list[np.ndarray | None]:
    """Redshifts of rows and their errors, where there are any."""
    both = (catalogue.redshift, catalogue.redshift_err)
    return [None if values is None else values[rows] for values in both]


def _p_values(judge: str, catalogue: Catalogue, rows: np.ndarray, progress: Progress) -> np.ndarray:
    if not judge:
        return np.full(len(rows), np.nan)
    redshifts = _redshifts(catalogue, rows)
    estimator = load_model(judge)
    assert isinstance(estimator, Estimator)
    return likeness_p_values(
        estimator,
        catalogue.flux[rows],
        catalogue.flux_err[rows],
        *redshifts,
        progress=progress,
    )


def _over_median(flux: np.ndarray) -> np.ndarray:
    """Divide each row by the median of what is there; NaN where nothing is, or it is dark."""
    scaled = np.where(np.isfinite(flux), flux, np.nan)
    lit = np.isfinite(scaled).any(axis=1)
    median = np.full(len(flux), np.nan)
    median[lit] = np.nanmedian(scaled[lit], axis=1)
    median[median <= 0] = np.nan
    return scaled / median[:, None]


def nearest_text(template: int) -> str:
    """Name a training template in words."""
    label = training_templates().labels.iloc[template]
    words = (
        f"{library_label(label['library'])}, {age_text(label['log_age'])}, "
        f"[M/H] {label['metallicity']:+.2f}, E(B−V) {label['ebv']:.2f}"
    )
    return words.replace("-", "−").replace("E−MILES", "E-MILES")

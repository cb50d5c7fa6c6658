"""One galaxy of a catalogue: its bands, what is closest to them, and what the model says of it."""

from collections.abc import Callable
from functools import partial
from html import escape

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn

from sspexplorer import flags
from sspexplorer.analysis.catalogue import Answers
from sspexplorer.analysis.galaxy import Galaxy, nearest_ssps
from sspexplorer.app import cache
from sspexplorer.app.apply.words import match_text, others_text, position_html, scatter_text
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.model_words import trained_on
from sspexplorer.app.kit.theme import css
from sspexplorer.app.state import SharedState
from sspexplorer.bands import N_BANDS
from sspexplorer.labels import PARAMETER_LABELS, age_text, library_label, model_title
from sspexplorer.mocks import PARAMETERS
from sspexplorer.networks.prediction import predict
from sspexplorer.plots.galaxy import galaxy_picture, pull_picture
from sspexplorer.plots.style import library_dots
from sspexplorer.shipped import compared_networks

PICTURE_HEIGHT = "max(300px, calc(100vh - 570px))"
_PULL_HEIGHT = "150px"
BOTH_HEIGHT = f"calc({PICTURE_HEIGHT} + {_PULL_HEIGHT})"

_FLAGGED = (
    "This galaxy has a flag: it is unlike the mocks that the model was tested on, so they do not "
    "tell how far off its prediction is."
)
_WITH_MIXTURE = (
    "Bands that were set aside are crossed out. The line is the mixture of training galaxies that "
    "comes closest, in a shade that holds 68 % of those closest to copies of the galaxy with noise "
    "of their own. Below, what is left: a band in three should be outside of ±1 σ, and none far "
    "off."
)
_WITH_SSPS = (
    "Bands that were set aside are crossed out, those that were missing hollow. Lines are the SSP "
    "of each library that is nearest to the prediction, at the galaxy’s redshift: a mixture of "
    "stars need not look like any of them."
)


class OneGalaxyView:
    """Pictures and words of one galaxy, which stand in different places.

    Parameters
    ----------
    answers : Answers
    state : SharedState
        Its libraries are compared with the galaxy.
    on_step : callable
        Called with 1 or −1 where the next galaxy, or the one before, is asked for.

    Attributes
    ----------
    pictures, words, caption : Column
        SED over what is left of it; name, flags and numbers; what the pictures show.
    """

    def __init__(
        self, answers: Answers, state: SharedState, on_step: Callable[[int], None]
    ) -> None:
        self._answers, self._state, self._row, self._mixed = answers, state, 0, True
        self._network, self._model = cache.model(answers.network), cache.model(answers.model)
        self._galaxy = hv.streams.Pipe(data=None)
        self._title, self._said = parts.html("", "result-words"), parts.html("", "result-words")
        self._table, self._below = parts.stack(), parts.stack()
        self.words = parts.stack(self._heading(on_step), self._said, self._table, gap=8)
        self.caption = parts.stack(gap=8)
        self.pictures = parts.stack(gap=0)

    @property
    def galaxy(self) -> Galaxy:
        """The galaxy in sight."""
        return self._galaxy.data

    def show(self, row: int, *, mixed: bool) -> None:
        """Show a row, counted from 0, with the closest mixture or the nearest SSPs."""
        self._row, self._mixed = row, mixed
        self._galaxy.send(self._look())
        if not len(self.pictures):
            sed, pulls = (
                pn.pane.HoloViews(draw(self._galaxy), linked_axes=False)
                for draw in (galaxy_picture, pull_picture)
            )
            self._pull_pane = parts.picture_pane(pulls, height=_PULL_HEIGHT)
            self.pictures[:] = [parts.picture_pane(sed, height=PICTURE_HEIGHT), self._below]
        self._describe()

    def _prediction(self) -> np.ndarray:
        return self._answers.table.loc[self._row, list(PARAMETERS)].to_numpy(float)

    def _look(self) -> Galaxy:
        catalogue = self._answers.catalogue
        redshift = 0.0 if catalogue.redshift is None else catalogue.redshift[self._row]
        ssps = nearest_ssps(self._prediction(), self._state.libraries, redshift)
        aside = self._answers.predictions.get("pred_set_aside")
        drawn = self._mixed and self._answers.predicted[self._row]
        return Galaxy.from_row(
            catalogue.flux[self._row],
            catalogue.flux_err[self._row],
            self._network.templates,
            ssps,
            "" if aside is None else aside.loc[self._row],
            self._answers.one(self._row).closest(self._model) if drawn else None,
        )

    def _describe(self) -> None:
        galaxy, line = self._galaxy.data, self._answers.table.loc[self._row]
        name = f"{line['name']}, row {line['row']}" if line["name"] else f"Row {line['row']}"
        age = f": {age_text(line['log_age'])}" if np.isfinite(line["log_age"]) else ""
        flag = f"Flag: {flags.sentences(line['flag'])}" if line["flag"] else "No flag."
        words = f"{flag} {line['n_bands']} of {N_BANDS} bands used."
        self._title.object = f'<h2 title="{escape(name)}">{escape(name)}{escape(age)}</h2>'
        self._said.object = f"<p>{escape(words)}</p>{self._position()}"
        self._table[:] = [self._numbers(galaxy)]
        if self._answers.has_errors:
            text = f"{match_text(self._answers.predictions.loc[self._row])} {self._others_text()}"
        elif line["flag"]:
            text = _FLAGGED
        else:
            text = scatter_text(cache.model_card(self._answers.model), galaxy)
        about = _WITH_MIXTURE if self._mixed else _WITH_SSPS
        self.caption[:] = [parts.caption(about), parts.caption(text)]
        self._below[:] = [self._pull_pane] if galaxy.mixture is not None else []

    def _position(self) -> str:
        if self._answers.sky is None:
            return ""
        positions = self._answers.sky.positions
        ra, dec = positions.ra[self._row], positions.dec[self._row]
        return position_html(ra, dec) if np.isfinite(ra) else ""

    def _numbers(self, galaxy: Galaxy) -> pn.pane.HTML:
        """What the model says, and the nearest SSPs, one under the other."""
        labels, mixed = list(PARAMETER_LABELS.values()), galaxy.mixture is not None
        if self._answers.has_errors:
            said = {model_title(self._answers.model): [*self._with_errors(), None]}
        else:
            said = {self._answers.model: self._prediction()} | self._others()
            said = {model_title(name): [*values, None] for name, values in said.items()}
        rows = dict(said)
        if mixed:
            rows["Closest mixture"] = [None, None, None, f"{galaxy.mixture.score:.2f}"]
        for ssp in galaxy.ssps:
            off = f"{galaxy.chi2_of(ssp):.2f}" if mixed else f"{galaxy.difference_from(ssp):.1%}"
            rows[library_label(ssp.library)] = [ssp.log_age, ssp.metallicity, ssp.ebv, off]
        ssp_names = [library_label(ssp.library) for ssp in galaxy.ssps]
        table = pd.DataFrame.from_dict(
            rows, orient="index", columns=[*labels, "χ² a band" if mixed else "rms off"]
        )
        shown = parts.metric_table(
            table.astype(object),
            formats=dict.fromkeys(labels, "{:.2f}"),
            colours=library_dots(self._state.libraries),
            faint=[*list(said)[1:], *(ssp_names if mixed else ())],
        )
        shown.stylesheets = [*shown.stylesheets, css("table-close")]
        return shown

    def _with_errors(self) -> list[str]:
        line = self._answers.table.loc[self._row]
        pairs = ((line[name], line[f"{name}_err"]) for name in PARAMETERS)
        return [f"{v:.2f} ± {e:.2f}" if np.isfinite(v) else "–" for v, e in pairs]

    def _others(self) -> dict[str, np.ndarray]:
        """Prediction of the networks without error bars for the galaxy in sight."""
        flux = self._answers.catalogue.flux[[self._row]]
        names = [n for n in compared_networks(self._answers.network) if n != self._answers.model]
        found = {name: predict(cache.model(name), flux) for name in names}
        return {
            name: table.iloc[0, : len(PARAMETERS)].to_numpy(float) for name, table in found.items()
        }

    def _others_text(self) -> str:
        trained = trained_on(cache.model_card(self._answers.network))
        return others_text(self._answers.table.loc[self._row], self._others(), trained)

    def _heading(self, on_step: Callable[[int], None]) -> pn.Row:
        """Name of the galaxy, and the ways to its neighbours in the table."""

        def step(by: int, event: object) -> None:
            on_step(by)

        steps = [
            pn.widgets.Button(label=label, margin=0, width=92, on_click=partial(step, by))
            for label, by in (("← Before", -1), ("Next →", 1))
        ]
        row = {"styles": {"gap": "6px", "align-items": "center"}}
        return pn.Row(self._title, *steps, sizing_mode="stretch_width", margin=0, **row)

"""Widgets that change one SED: its library, age, metallicity and dust, and its redshift."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import panel as pn

from sspexplorer.app.explore.presets import MAX_EBV, SED, age_options, metallicity_options
from sspexplorer.app.kit.theme import css
from sspexplorer.app.state import SharedState
from sspexplorer.labels import library_options
from sspexplorer.libraries import library_names, load_library
from sspexplorer.photometry import FARTHEST_REDSHIFT


class SEDEditor:
    """One SED in widgets that offer what its library has.

    Parameters
    ----------
    state : SharedState
        Its libraries are offered.
    on_edit : callable
        Called with the SED when a visitor changed it.

    Attributes
    ----------
    library, age, metallicity, ebv, redshift : widget
    """

    def __init__(self, state: SharedState, on_edit: Callable[[SED], None]) -> None:
        self._state, self._on_edit = state, on_edit
        self._sed: SED | None = None
        # The explorer shows the bands that there are; other pages need all of them.
        self._partial = [n for n in library_names() if n not in state.library_choices]
        self._filling = False
        self.library = pn.widgets.Select(
            label="Library", options=library_options(state.library_choices)
        )
        # A discrete slider indents its parts; the other sliders do not.
        flush = {"options": [0.0], "stylesheets": [css("flush")]}
        self.age = pn.widgets.DiscreteSlider(label="Age", **flush)
        self.metallicity = pn.widgets.DiscreteSlider(label="[M/H] [dex]", **flush)
        self.ebv = pn.widgets.FloatSlider(label="E(B−V) [mag]", end=MAX_EBV, step=0.01)
        self.redshift = pn.widgets.FloatSlider(
            label="Redshift", end=FARTHEST_REDSHIFT, step=0.001, format="0.000"
        )
        for widget in (self.library, self.age, self.metallicity, self.ebv, self.redshift):
            widget.param.watch(self._edited, "value")

    def fill(self, sed: SED) -> None:
        """Show an SED, with the choices that its library has."""
        self._sed = sed
        library = load_library(sed.library)
        index = library.nearest(sed.log_age, sed.metallicity)
        age = library.ages[np.argmin(np.abs(library.ages - library.log_age[index]))]
        offered = {*self._state.libraries, *self._partial, sed.library}
        choices = dict.fromkeys((*self._state.library_choices, *self._partial, sed.library))
        self._filling = True
        self.library.param.update(
            options=library_options(name for name in choices if name in offered),
            value=sed.library,
        )
        self.age.param.update(options=age_options(library), value=float(age))
        self.metallicity.param.update(
            options=metallicity_options(library), value=float(library.metallicity[index])
        )
        self.ebv.value, self.redshift.value = sed.ebv, sed.redshift
        self._filling = False

    def _edited(self, *events: Any) -> None:
        if self._filling:
            return
        changed = replace(
            self._sed,
            library=self.library.value,
            log_age=self.age.value,
            metallicity=self.metallicity.value,
            ebv=self.ebv.value,
            redshift=self.redshift.value,
        )
        self._on_edit(changed)

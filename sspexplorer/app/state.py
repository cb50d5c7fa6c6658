"""What the pages of one session share: the model, the libraries, the magnitude and the theme."""

from typing import Any

import numpy as np
import param

from sspexplorer.analysis.zero_points import ZeroPoints
from sspexplorer.app.choices import CommaList, ModelName
from sspexplorer.catalogue import Catalogue
from sspexplorer.labels import field_name
from sspexplorer.libraries import LIBRARY_NAMES, whole_library_names
from sspexplorer.noise import DEFAULT_FIELD, NoiseModel, fields

MAGNITUDE_RANGE = (16.0, 22.0)

# What a link carries, and under which name. The page is left to the history of the browser.
QUERY = {
    "page": "page",
    "model": "model",
    "libraries": "libraries",
    "magnitude": "i",
    "depths": "depths",
}
# Not those of a field: what the visitor measured.
MEASURED = "measured"


class SharedState(param.Parameterized):
    """Choices shared by all pages of one session.

    There is one of it for all pages. A page that is out of sight costs nothing all the same: it
    looks at what changed when it comes back (see :meth:`sspexplorer.app.kit.page.Page.follow`).
    """

    page = param.String(default="", doc="Key of the page in sight; set it to go to another page.")
    model = ModelName(default="default", doc="Name of the network in use.")
    kept = param.List(default=[], item_type=str, doc="Names of the networks trained here and kept.")
    libraries = CommaList(
        default=list(LIBRARY_NAMES), objects=list(LIBRARY_NAMES), doc="Libraries in use."
    )
    magnitude = param.Number(
        default=20.0, bounds=MAGNITUDE_RANGE, step=0.1, doc="i magnitude (AB) of the noise."
    )
    dark = param.Boolean(
        default=False, doc="Whether the page is dark; plots are re-themed for you."
    )
    catalogue = param.ClassSelector(
        class_=Catalogue, default=None, doc="Catalogue that was opened last; None without one."
    )
    zero_points = param.ClassSelector(
        class_=ZeroPoints,
        default=None,
        doc="Zero points that predictions of the catalogue are corrected for; None for none.",
    )
    depths = param.Selector(
        default=DEFAULT_FIELD, objects=[*fields(), MEASURED], doc="Whose depths the noise has."
    )
    noise = param.ClassSelector(
        class_=NoiseModel,
        default=None,
        doc="Noise of the depths of a field, or measured by the visitor; None for the default.",
    )

    def __init__(self, libraries: list[str] | None = None, **params: Any) -> None:
        super().__init__(**params)
        self._handed: dict[str, dict[str, Any]] = {}
        # Those that were added since the server was started are choices, too. Pages compare what
        # they say band by band, so that a library that lacks some is none of them.
        self.param.libraries.objects = list(whole_library_names())
        if libraries is not None:
            self.libraries = libraries
        if self.noise is None:
            self._take_depths()
        else:
            self._take_noise()

    @property
    def library_choices(self) -> list[str]:
        """Names of the libraries that cover all bands, as of when the session began."""
        return list(self.param.libraries.objects)

    @property
    def noise_model(self) -> NoiseModel:
        """Noise in use."""
        return self.noise or NoiseModel.default()

    @property
    def noise_words(self) -> str:
        """Whose noise is in use, such as "the noise you measured"."""
        if self.noise is None:
            return "the default noise"
        if self.depths == MEASURED:
            return "the noise you measured"
        return f"the depths of {field_name(self.depths)}"

    @param.depends("depths", watch=True)
    def _take_depths(self) -> None:
        """Take the noise of a field; what was measured elsewhere is not to be had here."""
        if self.depths != self._whose():
            if self.depths == MEASURED:
                self.depths = DEFAULT_FIELD
            elif self.depths == DEFAULT_FIELD:
                self.noise = None
            else:
                self.noise = NoiseModel.of_field(self.depths)

    @param.depends("noise", watch=True)
    def _take_noise(self) -> None:
        self.depths = self._whose()

    def _whose(self) -> str:
        """Whose depths the noise in use has."""
        if self.noise is None:
            return DEFAULT_FIELD
        found = (name for name in fields() if NoiseModel.of_field(name) is self.noise)
        return next(found, MEASURED)

    @property
    def typical_snr(self) -> float:
        """Median signal-to-noise ratio of the narrow bands at this magnitude."""
        return float(self.noise_model.typical_snr(np.float64(self.magnitude)))

    def go(self, page: str, **choices: Any) -> None:
        """Go to another page, which takes choices that this one hands over.

        Parameters
        ----------
        page : str
            Its key.
        **choices
            Values of its parameters.
        """
        self._handed = {page: choices}
        self.page = page

    def take(self, page: str) -> dict[str, Any]:
        """Choices that were handed to a page; only once."""
        return self._handed.pop(page, {})

"""SEDs that a visitor asks for: one, several as a link writes them, and sets to begin with."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import param

from sspexplorer.labels import age_text
from sspexplorer.libraries import LIBRARY_NAMES, SSPLibrary, library_names
from sspexplorer.mocks import EBV_GRID
from sspexplorer.photometry import FARTHEST_REDSHIFT
from sspexplorer.plots.sed import SED_COLOURS

MAX_SEDS = len(SED_COLOURS)
MAX_EBV = EBV_GRID[-1]


@dataclass(frozen=True)
class SED:
    """What a visitor asked to see: an SSP behind dust at a redshift.

    Attributes
    ----------
    library : str
    log_age, metallicity, ebv, redshift : float
        log10 yr, dex, mag, dimensionless. The SSP nearest in age and metallicity is meant.

    Raises
    ------
    ValueError
        If there is no such library, or a number cannot be shown.
    """

    library: str
    log_age: float
    metallicity: float
    ebv: float = 0.0
    redshift: float = 0.0

    def __post_init__(self) -> None:
        """Check what a link may have brought."""
        numbers = (self.log_age, self.metallicity, self.ebv, self.redshift)
        inside = 0 <= self.ebv <= MAX_EBV and 0 <= self.redshift <= FARTHEST_REDSHIFT
        if self.library not in library_names() or not np.isfinite(numbers).all() or not inside:
            raise ValueError(f"There is no SED {self}.")

    def to_text(self) -> str:
        """Write for a link.

        >>> SED("emiles", 10.0, -0.4, 0.13).to_text()
        'emiles,10,-0.4,0.13,0'
        """
        numbers = (self.log_age, self.metallicity, self.ebv, self.redshift)
        return ",".join([self.library, *(f"{round(number, 4):g}" for number in numbers)])

    @classmethod
    def from_text(cls, text: str) -> "SED":
        """Read from a link; the last numbers may be left out."""
        library, *numbers = text.split(",")
        try:
            return cls(library.strip(), *map(float, numbers))
        except TypeError:
            raise ValueError(f"{text!r} is not an SED.") from None


class SEDList(param.Parameter):
    """Up to :data:`MAX_SEDS` SEDs, at least one; ``emiles,10,0,0,0;bc03,9,0`` in a link."""

    def _validate(self, val: Any) -> None:
        super()._validate(val)
        if not isinstance(val, tuple) or not 1 <= len(val) <= MAX_SEDS:
            raise ValueError(f"{self.name} needs 1 to {MAX_SEDS} SEDs.")
        if not all(isinstance(sed, SED) for sed in val):
            raise ValueError(f"{self.name} holds SEDs only.")

    @classmethod
    def serialize(cls, value: tuple[SED, ...]) -> str:
        """Write for a link."""
        return ";".join(sed.to_text() for sed in value)

    @classmethod
    def deserialize(cls, value: str) -> tuple[SED, ...]:
        """Read from a link."""
        return tuple(SED.from_text(text) for text in str(value).split(";") if text)


@dataclass(frozen=True)
class Preset:
    """SEDs that show something.

    Attributes
    ----------
    seds : tuple of SED
    notice : str
        What to look at, in a sentence or two.
    noisy : bool
        Whether to show them with noise.
    nebular : bool
        Whether to show them with the gas they ionise.
    """

    seds: tuple[SED, ...]
    notice: str
    noisy: bool = True
    nebular: bool = False


# Old, middle-aged and young: the first picture shows what age does.
FIRST_SEDS = (
    SED("emiles", 10.0, 0.0),
    SED("bc03", 9.0, 0.0),
    SED("popstar", 7.3, 0.0),
)

PRESETS: dict[str, Preset] = {
    "Old, middle, young": Preset(
        FIRST_SEDS,
        "Drag the magnitude to the right: noise drowns first the red bands, then age and "
        "metallicity.",
    ),
    # Of its curves the paper's words give the library and the two ages; metallicities and
    # reddenings are those of our grid that show the same: large differences and subtle ones.
    "Young and old, as in Fig. 2": Preset(
        (
            SED("emiles", 9.5, -0.4),
            SED("emiles", 9.5, 0.22),
            SED("emiles", 9.5, 0.22, 0.26),
            SED("emiles", 10.0, -0.4),
            SED("emiles", 10.0, 0.22, 0.26),
        ),
        "Without noise, as in Fig. 2 of the paper: some pairs differ plainly, others only in the "
        "depth of Mg (5170 Å) and Na (5890 Å).",
        noisy=False,
    ),
    "Age": Preset(
        tuple(SED("bc03", log_age, 0.0) for log_age in (7.0, 8.0, 9.0, 9.6, 10.1)),
        "BC03 of solar metallicity from 10 Myr to 13 Gyr: the blue fades and the break at 4000 Å "
        "grows; after a few Gyr little changes.",
    ),
    "Metallicity": Preset(
        tuple(SED("bc03", 10.0, m) for m in (-1.699, -0.699, -0.398, 0.0, 0.398)),
        "BC03 of 10 Gyr: metals redden the whole SED and deepen the absorption in the blue, as "
        "age does.",
    ),
    "Dust": Preset(
        tuple(SED("bc03", 9.0, 0.0, ebv) for ebv in (0.0, 0.13, 0.26, 0.4, 0.6)),
        "BC03 of 1 Gyr behind growing dust: the slope changes smoothly and the lines stay as "
        "deep, which is why dust is the easiest to tell.",
    ),
    "Age or metallicity?": Preset(
        (
            SED("emiles", 10.0, -0.4),
            SED("emiles", 9.6, 0.0),
            SED("emiles", 9.5, 0.22),
        ),
        "Three populations without dust that look alike: each younger one is richer in metals. "
        "Press New noise: the answers wander from one to another.",
    ),
    "Age or dust?": Preset(
        (
            SED("emiles", 10.0, 0.0),
            SED("emiles", 9.4, 0.22, 0.15),
            SED("emiles", 9.0, 0.0),
            SED("emiles", 8.6, 0.22, 0.25),
        ),
        "Two pairs that look alike, 1 with 2 and 3 with 4: the younger of each is as red, by dust "
        "and a little by metals.",
    ),
    "Young stars and their gas": Preset(
        tuple(SED("bc03", log_age, -0.398, 0.1) for log_age in (6.7, 6.8, 6.9, 7.0)),
        "BC03 of 5 to 10 Myr and the gas around it: the lines fade within a few Myr, [O III] "
        "first. Switch nebular emission off to see the stars alone, and what it does to the "
        "answers.",
        nebular=True,
    ),
    "One population, three libraries": Preset(
        tuple(SED(name, 9.0, 0.0) for name in LIBRARY_NAMES),
        "1 Gyr and solar metallicity in each library: what they disagree on is an error that no "
        "signal-to-noise ratio takes away.",
    ),
}


def age_options(library: SSPLibrary) -> dict[str, float]:
    """Ages of a library for a slider: words, and log10 yr."""
    return {age_text(age): float(age) for age in library.ages}


def metallicity_options(library: SSPLibrary) -> dict[str, float]:
    """Metallicities of a library for a slider: words, and dex."""
    return {f"{m:+.2f}".replace("-", "−"): float(m) for m in library.metallicities}


def preset_of(seds: tuple[SED, ...]) -> str:
    """Name of the preset with exactly these SEDs; "" if there is none."""
    texts = SEDList.serialize(seds)
    return next(
        (name for name, preset in PRESETS.items() if SEDList.serialize(preset.seds) == texts), ""
    )

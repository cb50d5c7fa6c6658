"""How the archive lays its tables out: names, arrays by filter, units.

Known from scripts that astronomers have published, since the archive's own pages need a browser:
tables ``MagABDualObj``, ``FLambdaDualObj``, ``FNuDualObj``, ``PhotoZLephare``, ``Filter`` and
``TileImage``, joined on ``tile_id`` and ``number``; a value of an array is
``mag_auto[jpas::iSDSS]``, and its place in the array is not that of the wavelengths.
"""

import re
from dataclasses import dataclass

from sspexplorer.errors import InputError

MAGNITUDES, REDSHIFTS, FILTER_TABLE = "MagABDualObj", "PhotoZLephare", "Filter"
KEY = ("tile_id", "number")
POSITION = ("alpha_j2000", "delta_j2000")
SCALARS = (*KEY, *POSITION, "class_star")
REDSHIFT_COLUMNS = ("photoz", "photoz_err", "odds")
FLAGS = ("flags", "mask_flags")
APERTURES = ("aper_cor_3_0", "auto", "psfcor", "aper_3_0", "aper_4_0", "aper_6_0", "aper_cor_6_0")


@dataclass(frozen=True)
class Kind:
    """One way the archive gives fluxes.

    Attributes
    ----------
    title : str
    table : str
    value, error : str
        What the names of its columns begin with.
    unit : str
        Unit of the values, where the service says none.
    relative : bool
        Whether errors are fractions of the values.
    """

    title: str
    table: str
    value: str
    error: str
    unit: str
    relative: bool


KINDS = {
    "flambda": Kind(
        "Fλ", "FLambdaDualObj", "flux", "flux_relerr", "1e-19 erg / (s cm2 Angstrom)", True
    ),
    "fnu": Kind("Fν", "FNuDualObj", "flux", "flux_relerr", "1e-30 erg / (s cm2 Hz)", True),
    "mag": Kind("AB magnitudes", MAGNITUDES, "mag", "mag_err", "mag(AB)", False),
}


@dataclass(frozen=True)
class Photometry:
    """Which fluxes are asked for.

    Attributes
    ----------
    aperture : str
        As the archive names it, such as "aper_cor_3_0" (the paper's) or "auto".
    kind : str
        "flambda", "fnu" or "mag".
    """

    aperture: str = APERTURES[0]
    kind: str = "flambda"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"Fluxes come as one of {', '.join(KINDS)}, not as {self.kind!r}.")
        if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+){0,5}", self.aperture):
            raise InputError(
                f"{self.aperture!r} is no photometry of the archive; it has "
                f"{', '.join(APERTURES)} and the like."
            )

    @property
    def layout(self) -> Kind:
        """Table, names and unit of this kind."""
        return KINDS[self.kind]

    @property
    def value(self) -> str:
        """Array column with the values."""
        return f"{self.layout.value}_{self.aperture}"

    @property
    def errors(self) -> tuple[str, ...]:
        """Array columns that may hold the errors, the likeliest first.

        An aperture correction changes no relative error, and some releases give none of its own.
        """
        own = f"{self.layout.error}_{self.aperture}"
        plain = f"{self.layout.error}_{self.aperture.replace('aper_cor_', 'aper_')}"
        return tuple(dict.fromkeys((own, plain)))


@dataclass(frozen=True)
class Column:
    """A column of the answer, as it is kept.

    Attributes
    ----------
    name : str
    unit : str
        Where the service says none.
    description : str
    """

    name: str
    unit: str = ""
    description: str = ""

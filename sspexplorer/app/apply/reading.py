"""How a catalogue is read: as it is found, or as its owner chooses."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sspexplorer.app.apply.intake import Upload
from sspexplorer.bands import N_BANDS
from sspexplorer.catalogue import Catalogue, ChoiceNeededError, read_catalogue
from sspexplorer.catalogue.galactic import FOUND, can_look_up
from sspexplorer.catalogue.masks import MaskRule
from sspexplorer.catalogue.names import names_a_band
from sspexplorer.catalogue.redshifts import RedshiftColumn, redshift_columns
from sspexplorer.catalogue.values import column_width
from sspexplorer.jobs.limits import Limits
from sspexplorer.jobs.reading import READER
from sspexplorer.progress import NO_PROGRESS, Progress

Place = tuple[str, int | None]
"""A column, and which value of it if it is an array."""

_LONGEST_ARRAY = 100  # values; what is longer is no photometry


@dataclass(frozen=True)
class Reading:
    """What is chosen instead of what would be found.

    Attributes
    ----------
    columns : mapping
        Map of columns, as :func:`~sspexplorer.catalogue.read_catalogue` takes it; empty where
        all is to be found.
    masks : MaskRule
        Which masks and flags make a flux missing.
    galactic : str or float
        Dust of the Milky Way, see :func:`~sspexplorer.catalogue.galactic.galactic_dust`.
    """

    columns: Mapping[str, Any] = field(default_factory=dict)
    masks: MaskRule = field(default_factory=MaskRule)
    galactic: str | float = FOUND

    def to_dict(self) -> dict[str, Any]:
        """Plain words and numbers, for JSON."""
        return asdict(replace(self, columns=dict(self.columns)))

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> "Reading":
        """What :meth:`to_dict` said."""
        return cls(said["columns"], MaskRule(**said["masks"]), said["galactic"])

    def with_option(self, option: str, value: str | None) -> "Reading":
        """Choose a ``unit`` or a ``photometry``; None takes what is found."""
        columns = {k: v for k, v in self.columns.items() if k != option}
        if value is not None:
            columns[option] = value
        if option == "photometry" and len(self._bands) == N_BANDS:
            # Where a map says all, a photometry would say nothing.
            columns = {k: v for k, v in columns.items() if k not in ("bands", *self._bands)}
        return replace(self, columns=columns)

    def with_redshifts(self, chosen: Sequence[RedshiftColumn] | None) -> "Reading":
        """Choose where redshifts come from, () for nowhere; None takes what is found."""
        columns = {k: v for k, v in self.columns.items() if k not in ("redshift", "redshift_err")}
        if chosen is not None:
            columns["redshift"] = [column.name for column in chosen] or None
        if chosen and any(column.error for column in chosen):
            columns["redshift_err"] = [column.errors for column in chosen]
        return replace(self, columns=columns)

    def with_bands(self, bands: Mapping[str, Mapping | None]) -> "Reading":
        """Choose the columns of some bands, in addition to those that are chosen."""
        columns = {k: v for k, v in self.columns.items() if k not in self._bands}
        return replace(self, columns=columns | {"bands": {**self._bands, **bands}})

    @property
    def redshifts(self) -> tuple[str, ...] | None:
        """Columns that were chosen; None where they are to be found."""
        if "redshift" not in self.columns:
            return None
        chosen = self.columns["redshift"] or ()
        return (chosen,) if isinstance(chosen, str) else tuple(chosen)

    @property
    def _bands(self) -> dict[str, Any]:
        """What the map says of bands, which may stand under ``bands`` or by themselves."""
        listed = self.columns.get("bands")
        listed = dict(listed) if isinstance(listed, Mapping) else {}
        other = ("bands", "photometry", "unit", "redshift", "redshift_err", "id")
        return {k: v for k, v in self.columns.items() if k not in other} | listed

    def read(
        self, upload: Upload, progress: Progress = NO_PROGRESS, *, apart: bool = False
    ) -> "Found | ChoiceNeededError":
        """Read a file so; takes seconds for a million rows.

        Parameters
        ----------
        upload : Upload
        progress : Progress, optional
        apart : bool
            Whether to read it in a process of its own, within the limits of the server.

        Returns
        -------
        Found or ChoiceNeededError
            The latter is a question to the file's owner.

        Raises
        ------
        InputError
            If the file cannot be used, or not so.
        Cancelled
            If ``progress`` said so.
        """
        try:
            catalogue = self._apart(upload, progress) if apart else self._here(upload, progress)
        except ChoiceNeededError as question:
            if not question.choices:
                raise
            return question
        # Counted here, in a thread, and not when it is shown.
        _ = catalogue.n_missing_by_band
        return Found(catalogue, self, *_offered(catalogue))

    def _here(self, upload: Upload, progress: Progress) -> Catalogue:
        return read_catalogue(
            upload.path,
            upload.name,
            columns=self.columns or None,
            masks=self.masks,
            galactic=self.galactic,
            progress=progress,
        )

    def _apart(self, upload: Upload, progress: Progress) -> Catalogue:
        return READER.read(
            upload.path,
            upload.name,
            self.columns,
            self.masks,
            self.galactic,
            Limits.from_environment(),
            progress,
        )


@dataclass(frozen=True, eq=False)
class Found:
    """A catalogue, and what else could have been taken from its file.

    Attributes
    ----------
    catalogue : Catalogue
    reading : Reading
        How it was read.
    places : dict of str to Place
        Every column, and every value of an array, by the name to show.
    plain : tuple of str
        Columns of one value a row that are about no band.
    redshifts : tuple of RedshiftColumn
        Columns that are named like redshifts.
    dust_map : bool
        Whether dust of the Milky Way can be looked up at the galaxies' positions.
    """

    catalogue: Catalogue
    reading: Reading
    places: dict[str, Place]
    plain: tuple[str, ...]
    redshifts: tuple[RedshiftColumn, ...]
    dust_map: bool


def _offered(
    catalogue: Catalogue,
) -> tuple[dict[str, Place], tuple[str, ...], tuple[RedshiftColumn, ...], bool]:
    places: dict[str, Place] = {}
    plain = []
    for name in catalogue.column_names:
        width = column_width(catalogue.table, name)
        if width == 1:
            places[name] = (name, None)
            if not names_a_band(name):
                plain.append(name)
        elif 1 < width <= _LONGEST_ARRAY:
            places |= {f"{name}, value {k + 1}": (name, k) for k in range(width)}
    redshifts = redshift_columns(catalogue.column_names)
    return places, tuple(plain), redshifts, can_look_up(catalogue.table)

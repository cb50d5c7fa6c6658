"""Zero points of a catalogue: measured from its galaxies, kept in a table, and corrected for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
from astropy.table import Table

from sspexplorer.bands import BAND_NAMES, load_bands
from sspexplorer.catalogue import Catalogue
from sspexplorer.catalogue.ecsv import read_ecsv
from sspexplorer.catalogue.source import Source
from sspexplorer.catalogue.values import column_width
from sspexplorer.errors import InputError
from sspexplorer.posterior.likeness import Likeness
from sspexplorer.posterior.zero_points import LEAST_ROWS, BandOffsets, measure_offsets
from sspexplorer.progress import NO_PROGRESS, Progress

ALL = ""  # the tile of galaxies whose catalogue has none
# An offset is the error of a calibration: what is larger is something else, such as a zero point.
MAX_OFFSET = 1.0  # mag
MAX_TILES = 1000

_TILE = re.compile(r"(?i)(^|_)(tile|pointing|field)(_?id)?s?($|_)")
_COLUMNS = ("band", "offset")
_MEANING = (
    "Zero-point offsets in mag, of the catalogue less the training SEDs: they are to be subtracted "
    "from its magnitudes. Their mean over the bands is 0. A factor that all bands share, and what "
    "is smooth in wavelength, cannot be told from the galaxies themselves."
)


@dataclass(frozen=True, eq=False)
class ZeroPoints:
    """Zero-point offsets of the bands of a catalogue, one set for each tile.

    Attributes
    ----------
    tiles : dict of str to BandOffsets
        By the name of a tile; :data:`ALL` where there are none.
    column : str
        Column of the catalogue that names the tiles, "" if there is none.
    too_few : dict of str to int
        Tiles that have too few galaxies to be measured, and how many.
    """

    tiles: Mapping[str, BandOffsets]
    column: str = ""
    too_few: Mapping[str, int] | None = None

    @classmethod
    def measure(
        cls,
        catalogue: Catalogue,
        likeness: Likeness,
        column: str = "",
        *,
        progress: Progress = NO_PROGRESS,
    ) -> "ZeroPoints":
        """Measure them, see :func:`~sspexplorer.posterior.zero_points.measure_offsets`.

        Parameters
        ----------
        catalogue : Catalogue
        likeness : Likeness
        column : str
            Column that names the tile of each galaxy; "" for one set of offsets.
        progress : Progress, optional

        Raises
        ------
        InputError
            If there is no such column, it names too many tiles, or all have too few galaxies.
        Cancelled
            If ``progress`` said so.
        """
        names = tile_names(catalogue, column)
        known = sorted(set(names) - {ALL}) if column else [ALL]
        if len(known) > MAX_TILES:
            raise InputError(
                f"The column {column!r} has {len(known)} values, too many for tiles (at most "
                f"{MAX_TILES}); choose the one that names the tile or the pointing."
            )
        tiles, too_few = {}, {}
        for k, tile in enumerate(known):
            rows = names == tile
            try:
                tiles[tile] = measure_offsets(
                    likeness,
                    catalogue.flux[rows],
                    catalogue.flux_err[rows],
                    progress=progress.part(k / len(known), 1 / len(known)),
                )
            except InputError:
                if len(known) == 1:
                    raise
                too_few[tile] = int(rows.sum())
        if not tiles:
            raise InputError(
                f"No tile of {column!r} has {LEAST_ROWS} galaxies with 20 bands or more: measure "
                "all tiles together."
            )
        return cls(tiles, column, too_few)

    @property
    def table(self) -> pd.DataFrame:
        """A row for each band of each tile: tile, band, wavelength, offset, offset_err, n."""
        frames = [
            pd.DataFrame(
                {
                    "tile": tile,
                    "band": BAND_NAMES,
                    "wavelength": load_bands().pivot,
                    "offset": found.offset,
                    "offset_err": found.error,
                    "n": found.n,
                }
            )
            for tile, found in self.tiles.items()
        ]
        return pd.concat(frames, ignore_index=True)

    def corrected(self, catalogue: Catalogue) -> tuple[Catalogue, tuple[str, ...]]:
        """The catalogue as it would be with true zero points; its table stays as it is.

        Returns
        -------
        catalogue : Catalogue
        said : tuple of str
            Sentences on what was corrected and what was not.

        Raises
        ------
        InputError
            If the catalogue lacks the column of the tiles, or has none of the tiles.
        """
        changed, done = self.applied(catalogue)
        there = np.isfinite(catalogue.flux).any(axis=0)
        return changed, self.said(int(done.sum()), len(catalogue), there)

    def applied(self, catalogue: Catalogue) -> tuple[Catalogue, np.ndarray]:
        """Some rows of a catalogue as they would be, and which of them were corrected.

        Raises
        ------
        InputError
            If the catalogue lacks the column of the tiles.
        """
        names = tile_names(catalogue, self.column)
        magnitudes = np.zeros(catalogue.flux.shape)
        done = np.zeros(len(catalogue), dtype=bool)
        for tile, found in self.tiles.items():
            rows = names == tile
            magnitudes[rows] = np.nan_to_num(found.offset)
            done |= rows
        factor = 10 ** (0.4 * magnitudes)
        changed = replace(
            catalogue, flux=catalogue.flux * factor, flux_err=catalogue.flux_err * factor
        )
        return changed, done

    def said(self, n_done: int, n: int, there: np.ndarray) -> tuple[str, ...]:
        """Sentences on what was corrected and what was not.

        Parameters
        ----------
        n_done, n : int
            Galaxies that were corrected, and all.
        there : ndarray of bool, shape (57,)
            Bands that were measured.

        Raises
        ------
        InputError
            If no galaxy was corrected.
        """
        if not n_done and n:
            raise InputError(
                f"No galaxy lies on a tile of the zero points: {self.column!r} holds other names."
            )
        said = [f"Zero points were corrected for {n_done:,} galaxies."]
        if n_done < n:
            said.append(
                f"{n - n_done:,} galaxies lie on tiles without zero points and are as they were."
            )
        bare = [
            band
            for k, band in enumerate(BAND_NAMES)
            if there[k] and not any(np.isfinite(found.offset[k]) for found in self.tiles.values())
        ]
        if bare:
            said.append(f"Bands without a zero point are as they were: {', '.join(bare)}.")
        return tuple(said)

    def save(self, target: Path | BinaryIO) -> None:
        """Write an ECSV table.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        table = Table.from_pandas(self.table if self.column else self.table.drop(columns="tile"))
        for name, unit in {"wavelength": "Angstrom", "offset": "mag", "offset_err": "mag"}.items():
            table[name].unit = unit
        table.meta = {"comments": [_MEANING], "tile_column": self.column}
        text = StringIO()
        table.write(text, format="ascii.ecsv")
        content = text.getvalue().encode()
        try:
            if isinstance(target, Path):
                target.write_bytes(content)
            else:
                target.write(content)
        except OSError as error:
            raise InputError(f"Cannot write {target}: {error.strerror}.") from None

    @classmethod
    def load(cls, path: Path) -> "ZeroPoints":
        """Read a table that :meth:`save` wrote, or one like it.

        It needs the columns ``band`` and ``offset`` (mag); ``offset_err`` and ``n`` are taken if
        they are there, and ``tile`` if the header names the catalogue's column of them
        (``tile_column``).

        Raises
        ------
        InputError
            If it cannot be used; the sentence says why.
        """
        if not path.is_file():
            raise InputError(f"There is no table of zero points at {path}.")
        table = read_ecsv(Source(path.name, path), lambda names: True).table
        missing = [name for name in _COLUMNS if name not in table.colnames]
        if missing:
            raise InputError(
                f"{path.name} is no table of zero points: it lacks the column "
                f"{' and '.join(missing)}."
            )
        column = str(table.meta.get("tile_column", "") or "")
        if column and "tile" not in table.colnames:
            raise InputError(f"{path.name} names the tiles of {column!r}, but has no column tile.")
        frame = table.to_pandas()
        frame["tile"] = frame["tile"].astype(str) if column else ALL
        _check(frame, path.name)
        return cls({str(t): _offsets(rows) for t, rows in frame.groupby("tile")}, column)


def tile_names(catalogue: Catalogue, column: str) -> np.ndarray:
    """Name of the tile of each galaxy, shape (n,), :data:`ALL` without a column.

    Raises
    ------
    InputError
        If there is no such column.
    """
    if not column:
        return np.full(len(catalogue), ALL, dtype=object)
    if column not in catalogue.column_names:
        raise InputError(f"{catalogue.name} has no column {column!r} that names tiles.")
    values = catalogue.frame([column])[column]
    return values.astype(str).where(values.notna(), ALL).to_numpy(object)


def tile_columns(catalogue: Catalogue) -> tuple[str, ...]:
    """The catalogue's columns that are named like the tiles, pointings or fields of a survey."""
    return tuple(
        name
        for name in catalogue.column_names
        if _TILE.search(name) and column_width(catalogue.table, name) == 1
    )


def _check(frame: pd.DataFrame, name: str) -> None:
    for band in frame["band"].astype(str):
        if band not in BAND_NAMES:
            raise InputError(f"{name} has a zero point of {band!r}, which is none of the 57 bands.")
    if frame.duplicated(["tile", "band"]).any():
        twice = frame[frame.duplicated(["tile", "band"])].iloc[0]
        raise InputError(f"{name} has two zero points of {twice['band']} for the same galaxies.")
    offset = pd.to_numeric(frame["offset"], errors="coerce")
    far = np.abs(offset) > MAX_OFFSET
    if far.any():
        raise InputError(
            f"{name} has an offset of {offset[far].iloc[0]:g} mag for "
            f"{frame['band'][far].iloc[0]}: offsets are errors of zero points, of {MAX_OFFSET:g} "
            "mag at most."
        )


def _offsets(rows: pd.DataFrame) -> BandOffsets:
    at = [BAND_NAMES.index(band) for band in rows["band"]]

    def column(name: str, default: float) -> np.ndarray:
        values = np.full(len(BAND_NAMES), default)
        if name in rows:
            values[at] = pd.to_numeric(rows[name], errors="coerce")
        return values

    return BandOffsets(
        column("offset", np.nan), column("offset_err", np.nan), column("n", 0.0).astype(int)
    )

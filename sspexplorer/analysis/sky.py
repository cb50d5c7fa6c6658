"""Maps of the sky in equal areas: where galaxies lie on them, and the lines of a grid."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sspexplorer.catalogue.positions import Positions

SKY = "sky"  # choice of a picture, beside the answers
# Degrees from the middle within which all galaxies lie that are drawn as a field.
MAX_FIELD = 30.0
_SMALLEST = 1 / 3600  # half the side of a field (deg)
_AIR = 1.12
_STEPS = (
    *(digit * 10.0**power for power in range(-5, 0) for digit in (1, 2, 5)),
    *(1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 45.0, 90.0),
)
_LINES = 4  # about as many along a side
_ALONG = 61  # points of a line
_TURN = 30.0  # right ascension in the middle of the whole sky is a multiple of it (deg)


@dataclass(frozen=True)
class Projection:
    """From the sky to a plane, north up and east to the left, equal areas staying equal.

    The whole sky is Hammer-Aitoff (Calabretta & Greisen 2002, A&A 395, 1077, section 5.3.3), a
    field zenithal equal-area (section 5.1.7) about its middle.

    Attributes
    ----------
    ra, dec : float
        The middle (deg). That of the whole sky is on the equator.
    whole : bool
        Whether it is of the whole sky.
    """

    ra: float
    dec: float
    whole: bool

    @classmethod
    def around(cls, ra: np.ndarray, dec: np.ndarray) -> "Projection":
        """The one that shows these best.

        Parameters
        ----------
        ra, dec : ndarray, shape (n,)
            Degrees; NaN is left out, and one at least is none.
        """
        there = np.isfinite(ra)
        directions = _direction(ra[there], dec[there])
        mean = directions.mean(axis=1)
        length = np.linalg.norm(mean)
        middle_ra = float(np.degrees(np.arctan2(mean[1], mean[0])) % 360)
        if length > 0:
            field = cls(middle_ra, float(np.degrees(np.arcsin(mean[2] / length))), False)
            if (mean / length @ directions).min() >= np.cos(np.radians(MAX_FIELD)):
                return field
        return cls(_TURN * round(middle_ra / _TURN) % 360, 0.0, True)

    def plane(self, ra: np.ndarray, dec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places on the plane.

        Parameters
        ----------
        ra, dec : ndarray of one shape
            Degrees.

        Returns
        -------
        x, y : ndarray of that shape
            Degrees, to the right (west) and up (north) of the middle.
        """
        if self.whole:
            half = np.radians((np.asarray(ra) - self.ra + 180) % 360 - 180) / 2
            return self._hammer(half, np.radians(dec))
        east, north, towards = np.tensordot(self._axes, _direction(ra, dec), axes=1)
        scale = np.degrees(np.sqrt(2 / np.clip(1 + towards, 1e-12, None)))
        return -scale * east, scale * north

    @staticmethod
    def _hammer(half: np.ndarray, dec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places of half a difference in right ascension, and a declination (rad)."""
        scale = np.degrees(np.sqrt(2 / (1 + np.cos(dec) * np.cos(half))))
        return -2 * scale * np.cos(dec) * np.sin(half), scale * np.sin(dec)

    def sky(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Right ascension and declination (deg) of places of a field, the inverse of `plane`."""
        x, y = np.radians(x), np.radians(y)
        towards = 1 - (x**2 + y**2) / 2
        scale = np.sqrt(2 / (1 + towards))
        local = np.stack([-x / scale, y / scale, towards])
        along_x, along_y, along_z = np.tensordot(self._axes.T, local, axes=1)
        return (
            np.degrees(np.arctan2(along_y, along_x)) % 360,
            np.degrees(np.arcsin(np.clip(along_z, -1, 1))),
        )

    @property
    def _axes(self) -> np.ndarray:
        """Directions (3, 3) of east and north, and of the middle, as rows."""
        ra, dec = np.radians(self.ra), np.radians(self.dec)
        east = (-np.sin(ra), np.cos(ra), 0.0)
        north = (-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec))
        return np.array([east, north, _direction(ra, dec, in_degrees=False)])


@dataclass(frozen=True)
class Line:
    """A line of one right ascension or declination.

    Attributes
    ----------
    x, y : ndarray, shape (m,)
        On the plane (deg).
    text : str
        What it is, in degrees.
    at : tuple of float
        Where to write that.
    is_meridian : bool
        Whether it is of one right ascension.
    """

    x: np.ndarray
    y: np.ndarray
    text: str
    at: tuple[float, float]
    is_meridian: bool


@dataclass(frozen=True, eq=False)
class Sky:
    """Galaxies on a map of the sky.

    Attributes
    ----------
    positions : Positions
    projection : Projection
    x, y : ndarray, shape (n,)
        On the plane (deg), NaN without a position.
    """

    positions: Positions
    projection: Projection
    x: np.ndarray
    y: np.ndarray

    @classmethod
    def of(cls, positions: Positions) -> "Sky":
        """Put galaxies on the map that shows them best."""
        projection = Projection.around(positions.ra, positions.dec)
        return cls(positions, projection, *projection.plane(positions.ra, positions.dec))

    @cached_property
    def view(self) -> tuple[float, float, float, float]:
        """Left, lower, right and upper end of what is to be seen (deg)."""
        if self.projection.whole:
            wide = _AIR * 2 * np.degrees(np.sqrt(2))
            return -wide, -wide / 2, wide, wide / 2
        ends = []
        for values in (self.x, self.y):
            low, high = np.nanmin(values), np.nanmax(values)
            half = max(_AIR * (high - low) / 2, _SMALLEST)
            ends.append(((low + high) / 2 - half, (low + high) / 2 + half))
        # A field that is much longer than wide keeps room for the lines beside it.
        half = max(high - low for low, high in ends) / 4
        (x0, x1), (y0, y1) = (
            (min(low, (low + high) / 2 - half), max(high, (low + high) / 2 + half))
            for low, high in ends
        )
        return float(x0), float(y0), float(x1), float(y1)

    def grid(self) -> list[Line]:
        """Lines of right ascension and declination over the view."""
        return self._whole_grid() if self.projection.whole else self._field_grid()

    def _whole_grid(self) -> list[Line]:
        middle, project = self.projection.ra, self.projection._hammer
        dec, half = np.linspace(-90, 90, _ALONG), np.radians(np.linspace(-90, 90, _ALONG))
        lines = []
        for offset in np.arange(-180, 181, 60):
            x, y = project(np.radians(np.full(_ALONG, -offset / 2.0)), np.radians(dec))
            # Both edges are the same meridian, which is written at the left one.
            ra = f"{(middle - offset) % 360:g}°" if offset < 180 else ""
            lines.append(Line(x, y, ra, (x[_ALONG // 2], y[_ALONG // 2]), True))
        for value in (-60, -30, 0, 30, 60):
            x, y = project(half, np.radians(np.full(_ALONG, float(value))))
            if value:
                lines.append(Line(x, y, degrees_text(value, sign=True), (x[-1], y[-1]), False))
            else:
                lines.append(Line(x, y, "", (x[-1], y[-1]), False))
        return lines

    def _field_grid(self) -> list[Line]:
        x0, y0, x1, y1 = self.view
        project, lines = self.projection, []
        edge = np.meshgrid(np.linspace(x0, x1, 41), np.linspace(y0, y1, 41))
        ra, dec = project.sky(*edge)
        away = (ra - project.ra + 180) % 360 - 180
        low, high = dec.min(), dec.max()
        step = _step((high - low) / _LINES)
        for value in _multiples(low, high, step):
            x, y = project.plane(project.ra + np.linspace(away.min(), away.max(), _ALONG), value)
            x, y = _within(x, y, self.view)
            text = degrees_text(value, step, sign=True)
            lines += _written(x, y, text, is_meridian=False)
        step = _step((away.max() - away.min()) / _LINES)
        for value in _multiples(project.ra + away.min(), project.ra + away.max(), step):
            x, y = project.plane(value, np.linspace(max(low, -90), min(high, 90), _ALONG))
            x, y = _within(x, y, self.view)
            lines += _written(x, y, degrees_text(value % 360, step), is_meridian=True)
        return lines


def degrees_text(value: float, step: float = 1.0, *, sign: bool = False) -> str:
    """A number of degrees with as many digits as a step of a grid needs.

    >>> degrees_text(-2.5, 0.5, sign=True)
    '−2.5°'
    """
    digits = next((d for d in range(5) if abs(round(step, d) - step) < 1e-3 * step), 5)
    return f"{value + 0.0:{'+' if sign else ''}.{digits}f}°".replace("-", "−")


def _direction(ra: np.ndarray, dec: np.ndarray, *, in_degrees: bool = True) -> np.ndarray:
    """Unit vectors (3, …)."""
    if in_degrees:
        ra, dec = np.radians(ra), np.radians(dec)
    ra, dec = np.broadcast_arrays(ra, dec)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])


def _step(about: float) -> float:
    return min(_STEPS, key=lambda step: abs(np.log(step / max(about, 1e-9))))


def _multiples(low: float, high: float, step: float) -> np.ndarray:
    return step * np.arange(np.ceil(low / step), np.floor(high / step) + 1)


def _within(
    x: np.ndarray, y: np.ndarray, view: tuple[float, float, float, float]
) -> tuple[np.ndarray, np.ndarray]:
    x0, y0, x1, y1 = view
    inside = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
    return np.where(inside, x, np.nan), np.where(inside, y, np.nan)


def _written(x: np.ndarray, y: np.ndarray, text: str, *, is_meridian: bool) -> list[Line]:
    """The line with its words at its lower or its left end; none if it is out of view."""
    if not np.isfinite(x).any():
        return []
    at = int(np.nanargmin(y if is_meridian else x))
    return [Line(x, y, text, (float(x[at]), float(y[at])), is_meridian)]

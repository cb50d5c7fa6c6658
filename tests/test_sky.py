"""Positions and maps of the sky, against astropy's."""

import astropy.units as u
import numpy as np
import pyarrow as pa
import pytest
from astropy.coordinates import Angle
from astropy.table import Table
from astropy.wcs import WCS

from sspexplorer.analysis.sky import Projection, Sky, degrees_text
from sspexplorer.catalogue.positions import Positions, positions

HOURS, SIGNED = ["10:00:28.6", "00 12 34.5"], ["+02:12:21", "-00 30 07.25"]


def wcs(code: str, ra: float, dec: float) -> WCS:
    made = WCS(naxis=2)
    made.wcs.ctype = [f"RA---{code}", f"DEC--{code}"]
    made.wcs.crval, made.wcs.crpix, made.wcs.cdelt = [ra, dec], [0, 0], [-1, 1]
    return made


@pytest.mark.parametrize(
    ("table", "ra", "dec"),
    [
        (pa.table({"RAJ2000": ["150.1", ""], "DEJ2000": ["2.2", "1"]}), [150.1, None], [2.2, None]),
        (Table({"ra": [-10.0, 400], "dec": [2.0, 3]}), [350, None], [2, None]),
        (
            Table({"ALPHA_J2000": [10.0] * u.hourangle, "DELTA_J2000": [0.5] * u.rad}),
            [150],
            [28.64789],
        ),
        (
            pa.table({"RA": HOURS, "Dec": SIGNED}),
            Angle(HOURS, "hourangle").deg.tolist(),
            Angle(SIGNED, "deg").deg.tolist(),
        ),
    ],
)
def test_positions_are_found_by_names_units_and_how_they_are_written(table, ra, dec):
    found = positions(table)
    for values, expected in ((found.ra, ra), (found.dec, dec)):
        assert values == pytest.approx(np.array(expected, float), nan_ok=True, abs=1e-6)


@pytest.mark.parametrize(
    "columns",
    [
        {"ra": [1.0]},
        {"RA": ["here"], "DEC": ["there"]},
        {"ra": [1.0], "dec": [100.0]},
        {"radius": [1.0]},
    ],
)
def test_no_positions_are_made_of_anything_else(columns):
    assert positions(pa.table(columns)) is None


@pytest.mark.parametrize(
    ("projection", "code"),
    [(Projection(150, 0, True), "AIT"), (Projection(359.5, -40, False), "ZEA")],
)
def test_a_map_is_astropys(projection, code, rng):
    near = 180 if projection.whole else 20
    ra = projection.ra + rng.uniform(-near, near, 50)
    dec = rng.uniform(-90, 90, 50) if projection.whole else rng.uniform(-60, -20, 50)
    x, y = projection.plane(ra, dec)
    expected = wcs(code, projection.ra, projection.dec).wcs_world2pix(ra, dec, 0)
    assert x == pytest.approx(expected[0] + 1, abs=1e-8)
    assert y == pytest.approx(expected[1] + 1, abs=1e-8)
    if not projection.whole:
        again = projection.sky(x, y)
        assert (again[0] - ra + 180) % 360 == pytest.approx(np.full(50, 180.0), abs=1e-9)
        assert again[1] == pytest.approx(dec, abs=1e-9)


def test_what_is_near_is_a_field_and_what_is_spread_the_whole_sky():
    field = Projection.around(np.array([359.0, 1.0, np.nan]), np.array([10.0, 10.0, np.nan]))
    assert (field.whole, field.ra % 360) == (False, pytest.approx(0, abs=1e-9))
    assert field.dec == pytest.approx(10, abs=0.01)
    # North is up, and east to the left.
    x, y = field.plane(np.array([1.0, 0.0]), np.array([10.0, 11.0]))
    assert x[0] < -0.9
    assert y[1] > 0.9
    whole = Projection.around(np.array([20.0, 100.0, 70.0]), np.zeros(3))
    assert whole == Projection(60.0, 0.0, True)
    # Opposite to each other, they have no middle.
    assert Projection.around(np.array([0.0, 180.0]), np.zeros(2)).whole


@pytest.mark.parametrize(
    ("ra", "dec", "texts"),
    [
        ([149.9, 150.3], [2.0, 2.4], {"150.0°", "150.2°", "+2.0°", "+2.2°"}),
        ([359.9, 0.1], [-0.1, 0.1], {"0.00°", "359.90°", "−0.10°", "+0.00°"}),
        ([0, 120, 240], [80, 80, 80], {"+80°", "0°", "270°"}),
        ([10, 130, 250], [0, 30, -30], {"+30°", "−60°"}),
    ],
)
def test_a_grid_is_written_in_degrees_within_the_view(ra, dec, texts):
    sky = Sky.of(Positions(np.array(ra, float), np.array(dec, float), ("ra", "dec")))
    lines = sky.grid()
    assert texts <= {line.text for line in lines}
    x0, y0, x1, y1 = sky.view
    for line in lines:
        assert x0 <= line.at[0] <= x1
        assert y0 <= line.at[1] <= y1
        there = np.isfinite(line.x)
        assert (line.x[there] >= x0).all()
        assert (line.x[there] <= x1).all()
    assert (sky.x > x0).all()
    assert (sky.y < y1).all()


def test_one_position_has_a_view():
    x0, y0, x1, y1 = Sky.of(Positions(np.array([10.0]), np.array([-89.9]), ("ra", "dec"))).view
    assert x1 > x0
    assert y1 > y0
    assert degrees_text(-2.5, 0.5, sign=True) == "−2.5°"

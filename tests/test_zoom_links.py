"""A link carries what is in view of a picture: what it begins with, and what is told of a zoom."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import holoviews as hv
import pytest
from bokeh.events import RangesUpdate
from bokeh.models import Plot
from pictures import Figure, drag, wait_for
from playwright.sync_api import Locator, Page, expect

from sspexplorer.app.apply.linked import Linked
from sspexplorer.app.choices import accept, read_query, write_query
from sspexplorer.plots.view import View, Zoom, hold_view, joined, parted

AGE, PLANE = "log age [yr]", "UMAP 1 [no unit]"


@pytest.fixture(scope="module", autouse=True)
def bokeh():
    hv.extension("bokeh")


def drawn(view: View) -> Plot:
    """Figure of a picture that holds a view."""
    points = hv.Points([(0.0, 0.0), (10.0, 1.0)])
    options = {"xlim": view.ranges[0], "ylim": view.ranges[1]}
    return hv.render(points.opts(hooks=[lambda plot, _: view.attach(plot), hold_view], **options))


def zoom_to(figure: Plot, x: tuple[float, float], y: tuple[float, float]) -> None:
    figure._trigger_event(RangesUpdate(figure, x0=x[0], x1=x[1], y0=y[0], y1=y[1]))


def link(zoom: Zoom) -> str | None:
    return write_query(Linked(zoom=zoom), {"zoom": "zoom"}).get("zoom")


def read(written: str) -> Zoom:
    target = Linked()
    accept(target, read_query(target, {"zoom": "zoom"}, f"?zoom={written}"))
    return target.zoom


def test_a_figure_begins_zoomed_and_a_double_click_brings_all_back():
    figure = drawn(View((0.0, 10.0), (-1.0, 2.0), ((2.0, 3.0), None)))
    x, y = figure.x_range, figure.y_range
    assert (x.start, x.end, y.start, y.end) == (2.0, 3.0, -1.0, 2.0)
    assert (x.reset_start, x.reset_end, x.bounds) == (0.0, 10.0, (0.0, 10.0))


def test_a_zoom_is_told_to_the_accuracy_of_a_pixel_and_a_reset_takes_it_back():
    told: list[Zoom] = []
    view = View((0.0, 10.0), (-1.0, 2.0), on_zoom=told.append)
    figure = drawn(view)
    zoom_to(figure, (8.123456, 9.999999), (-1.0, 2.0))
    assert told == [((8.123, 10.0), None)]
    zoom_to(figure, (8.12341, 9.99999), (-1.0, 2.0))
    assert len(told) == 1
    zoom_to(figure, (0.0, 10.0), (-1.0001, 2.0001))
    assert (told[1:], view.zoom) == ([None], None)


@pytest.mark.parametrize("width", [1e-5, 0.3, 0.7, 1.0, 3.0, 8.0])
def test_what_a_link_carries_is_what_is_in_view(width):
    told: list[Any] = []
    view = View((0.0, 10.0), (-1.0, 2.0), on_zoom=told.append)
    seen = (1.23456789, 1.23456789 + width)
    zoom_to(drawn(view), seen, (-1.0, 2.0))
    again = View((0.0, 10.0), (-1.0, 2.0), read(link(told[0])))
    assert again.zoom == view.zoom == told[0]
    assert again.ranges[0] == pytest.approx(seen, abs=width / 1000)
    assert len(link(told[0])) < 24


def test_what_is_in_view_of_several_pictures_is_in_one_link():
    zooms = [None, ((8.0, 9.5), (-1.0, 2.0)), (None, (0.25, 0.5))]
    assert link(joined(zooms)) == ",,8..9.5,-1..2,,0.25..0.5"
    assert parted(read(",,8..9.5,-1..2,,0.25..0.5"), 3) == zooms
    assert link(joined([None, None])) is None
    # Of other pictures, all is in view.
    assert parted(joined(zooms), 2) == [None, None]


@pytest.mark.parametrize(
    "written",
    ["9..8,", "8..8,", "nan..1,", "0..inf,", "8,9", "8..9..10,", "a..b,", "..", "1", "true"],
)
def test_a_range_that_is_none_is_left_alone(written):
    assert read(written) is None


def test_a_range_elsewhere_is_clipped_or_left_alone():
    homes = (0.0, 10.0), (-1.0, 2.0)
    assert View(*homes, ((-5.0, 4.0), (5.0, 6.0))).ranges == ((0.0, 4.0), (-1.0, 2.0))
    assert View(*homes, ((3.0, 3.0 + 1e-12), None)).zoom is None
    assert View(*homes, ((-1e300, 1e300), None)).zoom is None
    assert View(*homes, (None, None, (3.0, 4.0), None)).zoom is None


def labelled(seen: list[Figure], label: str) -> Figure:
    """Figure whose lower axis has a label."""
    return next(figure for figure in seen if figure.x_label == label)


def in_view(seen: list[Figure], label: str) -> list[list[float]]:
    """Both ranges of it."""
    figure = labelled(seen, label)
    return [figure.x_range, figure.y_range]


def zooms_of(page: Page) -> Zoom:
    """Zoom that the link in the address bar carries."""
    (written,) = parse_qs(urlsplit(page.url).query).get("zoom", [""])
    return read(written)


def address_says(page: Page, condition: Callable[[Zoom], bool]) -> Zoom:
    """Wait until the zoom of the address is as it should be."""
    for _ in range(600):
        if condition(zoom := zooms_of(page)):
            return zoom
        page.wait_for_timeout(100)
    raise AssertionError(page.url)


def whole(zoom: Zoom) -> bool:
    return zoom is None


def zoom_by_wheel(page: Page, figure: Locator) -> None:
    """Choose the wheel as a tool, and turn it over a figure."""
    figure.hover()
    figure.get_by_title("Wheel Zoom").click()
    figure.hover()
    page.mouse.wheel(0, -300)


def test_the_link_of_a_catalogue_says_what_is_in_view(page: Page, server: str):
    link = f"{server}?page=catalogue&by=network&file=simulated_galaxies.csv&zoom=8..9.5,-1..0.25"
    asked = [[8, 9.5], [-1, 0.25]]
    page.goto(link)
    wait_for(page, lambda seen: in_view(seen, AGE) == asked, "The zoom of the link")
    # Other colours are no other view.
    page.get_by_label("Colour", exact=True).filter(visible=True).first.select_option(label="Flag")
    expect(page).to_have_url(re.compile("colour=flag.*zoom=8"))
    wait_for(page, lambda seen: in_view(seen, AGE) == asked)
    figure = page.locator(".bk-Figure:visible").first
    figure.dblclick()
    address_says(page, whole)
    home = wait_for(page, lambda seen: (found := in_view(seen, AGE))[0][0] < 7 and found)

    zoom_by_wheel(page, figure)
    zoom = address_says(page, lambda zoom: zoom is not None)
    (low, high), _ = zoom
    assert home[0][0] < low < high < home[0][1]
    seen = wait_for(page, lambda seen: in_view(seen, AGE))
    assert seen[0] == pytest.approx((low, high), abs=(high - low) / 1000)
    page.reload()
    wait_for(page, lambda seen: in_view(seen, AGE) == [list(ends) for ends in zoom])
    page.get_by_label("Across", exact=True).filter(visible=True).first.select_option(
        label="E(B−V) [mag]"
    )
    expect(page).to_have_url(re.compile("across=ebv"))
    address_says(page, whole)


def test_the_link_of_the_map_says_what_is_in_view_whatever_its_colours(page: Page, server: str):
    page.goto(f"{server}?page=map&zoom=2..1,0..0.5")
    expect(page.get_by_text("Each of the 200 galaxies has a place")).to_be_visible()
    figure = page.locator(".bk-Figure:visible").first
    expect(figure.locator("canvas").first).to_be_visible()
    address_says(page, whole)
    zoom_by_wheel(page, figure)
    zoom = address_says(page, lambda zoom: zoom is not None)
    page.get_by_label("Colour by").select_option(label="log age")
    seen = [list(ends) for ends in zoom]
    wait_for(page, lambda figures: in_view(figures, PLANE) == seen, "The same, in other colours")
    expect(page).to_have_url(re.compile("colour=log_age"))
    page.reload()
    wait_for(page, lambda figures: in_view(figures, PLANE) == seen)
    shaded = wait_for(page, lambda figures: labelled(figures, PLANE).of_kind("Image")[0])
    assert shaded["x"][0] == pytest.approx(zoom[0][0])
    page.locator(".bk-Figure:visible").first.dblclick()
    address_says(page, whole)


def test_the_link_of_densities_says_what_is_in_view_of_each(page: Page, server: str):
    page.goto(f"{server}?page=density&zoom=,,-1..0,-0.5..0.5,,")
    wait_for(
        page,
        lambda seen: (
            [f.x_range for f in seen[:3]] == [[5.9, 10.6], [-1, 0], [-0.12, 0.95]]
            and seen[1].y_range == [-0.5, 0.5]
        ),
        "The zoom of the link",
    )
    figures = page.locator(".bk-events:visible")
    drag(page, figures.first, [(0.45, 0.45), (0.75, 0.7)])
    zoom = address_says(page, lambda zoom: zoom is not None and zoom[0] is not None)
    assert zoom[2:] == ((-1, 0), (-0.5, 0.5), None, None)
    # Of other panels, all is in view, and of these when they come back.
    page.get_by_role("button", name="Magnitudes").click()
    expect(figures).to_have_count(5)
    address_says(page, whole)
    drag(page, figures.first, [(0.45, 0.45), (0.75, 0.7)])
    one = address_says(page, lambda zoom: zoom is not None)
    assert len(one) == 2
    page.get_by_role("button", name="Parameters").click()
    address_says(page, whole)
    wait_for(page, lambda seen: [f.x_range[0] for f in seen[:2]] == [5.9, -2.7], "All")

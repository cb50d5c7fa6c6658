"""What the figures of a page hold: numbers, ranges and colours instead of pixels.

Bokeh keeps in the browser what it draws. The figures in sight are read from there as they are at
that moment, so a test can say what should be in a picture, and wait until it is.
"""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from playwright.sync_api import Locator, Page

PATIENCE = 180.0  # s; shared machines stall
_BETWEEN_LOOKS = 250  # ms

# Every view of a figure that takes up room on the screen, from top to bottom and left to right.
_READ = """
async (pause) => {
  await new Promise((go) => setTimeout(go, pause));
  const packed = (value) => {
    if (value == null) return null;
    if (ArrayBuffer.isView(value)) {
      const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
      let text = "";
      for (let i = 0; i < bytes.length; i += 32768)
        text += String.fromCharCode(...bytes.subarray(i, i + 32768));
      return { dtype: value.dtype ?? value.constructor.name.replace("Array", "").toLowerCase(),
               shape: value.shape ?? [value.length], bytes: btoa(text) };
    }
    if (Array.isArray(value)) return value.map(packed);
    return ["number", "string", "boolean"].includes(typeof value) ? value : null;
  };
  const columns = (source) => Object.fromEntries(
    [...(source.data instanceof Map ? source.data : Object.entries(source.data))]
      .map(([name, values]) => [name, packed(values)]));
  const plain = (glyph) => Object.fromEntries(
    Object.entries(glyph.attributes)
      .map(([name, v]) => [name, v?.field ?? v?.value ?? v])
      .filter(([, v]) => ["number", "string", "boolean"].includes(typeof v)));
  const range = (r) => r.factors ? [...r.factors] : [r.start, r.end];
  const label = (axis) => axis?.axis_label ?? "";
  const found = [];
  for (const root of Bokeh.index.roots) for (const view of figures(root)) {
    const box = view.el.getBoundingClientRect();
    if (!box.width || !box.height) continue;
    const figure = view.model;
    found.push({ top: Math.round(box.top), left: Math.round(box.left),
      title: figure.title?.text ?? "", background: figure.background_fill_color,
      x_label: label(figure.below[0]), y_label: label(figure.left[0]),
      x_range: range(figure.x_range), y_range: range(figure.y_range),
      layers: figure.renderers.filter((r) => r.data_source).map((r) => ({
        kind: r.glyph.type, visible: r.visible, glyph: plain(r.glyph),
        columns: columns(r.data_source) })) });
  }
  found.sort((a, b) => a.top - b.top || a.left - b.left);
  return found;

  function figures(view) {
    if (view.model?.renderers && view.model?.x_range) return [view];
    return [...view.children()].flatMap(figures);
  }
}
"""


@dataclass(frozen=True)
class Layer:
    """What one glyph draws: its kind ("Scatter", "Image"), fixed looks, and columns of data."""

    kind: str
    visible: bool
    glyph: dict[str, Any]
    columns: dict[str, Any]

    def __getitem__(self, name: str) -> np.ndarray:
        """Values that the glyph takes for its property ``name``, such as "x" or "image"."""
        return self.columns[self.glyph.get(name, name)]

    def painted(self) -> tuple[np.ndarray, np.ndarray]:
        """x and y of the centres of the cells of an image that are not empty."""
        image, x, y, width, height = (self[name][0] for name in ("image", "x", "y", "dw", "dh"))
        rows, columns = np.nonzero(np.isfinite(image) if image.dtype.kind == "f" else image)
        x = x + (columns + 0.5) * width / image.shape[1]
        return x, y + (rows + 0.5) * height / image.shape[0]


@dataclass(frozen=True)
class Figure:
    """A figure in sight."""

    title: str
    background: str | None
    x_label: str
    y_label: str
    x_range: list
    y_range: list
    layers: list[Layer]

    def of_kind(self, kind: str) -> list[Layer]:
        """Layers that are drawn, of one kind of glyph."""
        return [layer for layer in self.layers if layer.visible and layer.kind == kind]


def figures(page: Page, pause: float = 0) -> list[Figure]:
    """Read the figures in sight, from top to bottom and left to right."""
    read = page.evaluate(_READ, pause)
    for figure in read:
        del figure["top"], figure["left"]
        figure["layers"] = [
            Layer(**layer | {"columns": {k: _array(v) for k, v in layer["columns"].items()}})
            for layer in figure["layers"]
        ]
    return [Figure(**figure) for figure in read]


def wait_for(page: Page, condition: Callable[[list[Figure]], Any], what: str = "") -> Any:
    """Wait until something is true of the figures in sight; the answer is what it found.

    While a page is being filled there may be fewer figures than the condition asks for, or none.
    """
    end = time.monotonic() + PATIENCE
    pause = 0
    while True:
        seen = figures(page, pause)
        try:
            found = condition(seen)
        except (IndexError, KeyError, StopIteration, ValueError):
            found = None
        if found is not None and found is not False:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what or 'That'} is not in any picture: {_words(seen)}")
        pause = _BETWEEN_LOOKS


def again_until(act: Callable[[], object], check: Callable[[float], None]) -> None:
    """Act, and again if nothing came of it: a busy browser draws before it listens.

    ``check`` is an expectation of Playwright, given how many ms to wait.
    """
    last = 1000 * PATIENCE
    for patience in (5_000, 15_000, last):
        act()
        try:
            return check(patience)
        except AssertionError:
            if patience == last:
                raise


def drag(page: Page, picture: Locator, places: list[tuple[float, float]]) -> None:
    """Drag through places given as parts of a picture's width and height."""
    box = picture.bounding_box()
    across = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    page.mouse.move(*across[0])
    page.mouse.down()
    for place in across[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()


def _array(value: Any) -> Any:
    if isinstance(value, dict):
        kind = {"float64": "f8", "float32": "f4"}.get(value["dtype"], value["dtype"])
        return np.frombuffer(base64.b64decode(value["bytes"]), kind).reshape(value["shape"])
    if isinstance(value, list):
        parts = [_array(part) for part in value]
        nested = any(isinstance(part, np.ndarray) for part in parts)
        return parts if nested else np.array(parts)
    return value


def _words(seen: list[Figure]) -> str:
    return "; ".join(
        f"{figure.title or 'untitled'} ({figure.x_label}, {figure.y_label}): "
        + ", ".join(f"{layer.kind}{sorted(layer.columns)}" for layer in figure.layers)
        for figure in seen
    )

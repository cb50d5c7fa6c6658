"""No page fetches anything from another host: the build fails if one does."""

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

# What a browser fetches by itself; a link is followed by a reader.
_FETCHED = (
    re.compile(
        r"<(?:script|img|iframe|source|video|audio|embed)\b[^>]*?\bsrc=[\"']?(?:https?:)?//"
    ),
    re.compile(r"<link\b(?![^>]*\brel=[\"']?canonical)[^>]*?\bhref=[\"']?(?:https?:)?//"),
)
_IN_STYLES = re.compile(r"(?:url\(|@import\s+)[\"']?(?:https?:)?//")


def check(app: Sphinx, error: Exception | None) -> None:
    """Look through all pages and style sheets.

    Raises
    ------
    ExtensionError
        If one of them would fetch something from another host.
    """
    if error is not None or app.builder.format != "html":
        return
    found = []
    for path in sorted(Path(app.outdir).rglob("*")):
        patterns = {".html": _FETCHED, ".css": (_IN_STYLES,)}.get(path.suffix, ())
        text = path.read_text(encoding="utf-8") if patterns else ""
        found += [f"{path.name}: {hit[0]}" for one in patterns for hit in one.finditer(text)]
    if found:
        raise ExtensionError(f"Pages fetch from other hosts: {'; '.join(found)}")


def setup(app: Sphinx) -> dict:
    """Join the build, at its very end."""
    app.connect("build-finished", check, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

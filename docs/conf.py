"""How the site is built: `make docs`."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_extensions")]

import sspexplorer  # noqa: E402

project = "SSP Explorer"
author = "sspexplorer developers"
copyright = f"2026, {author}"
version = release = sspexplorer.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "myst_nb",
    "from_code",
    "mathml",
    "offline",
    "workshop",
]
exclude_patterns = ["_extensions", "_templates"]


# Markdown
myst_enable_extensions = ["deflist", "dollarmath", "colon_fence"]
myst_heading_anchors = 3

# Notebooks are run when their code, or the package, is another than last time.
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE.parent / ".cache" / "notebooks")
nb_execution_timeout = 900
nb_execution_raise_on_error = True
nb_output_stderr = "error"
# Scripts that a notebook puts into its outputs are in the site as files.
nb_mime_priority_overrides = [("html", "application/javascript", None)]
suppress_warnings = ["mystnb.mime_priority", "mystnb.unknown_mime_type"]

# Docstrings
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

# Pages
html_theme = "pydata_sphinx_theme"
html_context = {"default_mode": "auto"}
html_title = project
html_static_path = ["_static"]
templates_path = ["_templates"]
html_sidebars = {"**": ["all-pages.html"]}
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "navbar_center": [],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}

"""The application: one module per page, assembled by :mod:`sspexplorer.app.frame.shell`.

Each page can be had by the name of its class, for a cell of a notebook:

>>> from sspexplorer.app import SEDExplorer  # doctest: +SKIP
>>> SEDExplorer().servable()  # doctest: +SKIP
"""

from typing import Any


def __getattr__(name: str) -> Any:
    # Pages bring Panel with them, which whoever wants but one module should not wait for.
    if name[:1].isupper():
        from sspexplorer.app.notebook import is_ready, notebook
        from sspexplorer.app.pages import PAGES

        for page in PAGES:
            if page.view.__name__ == name:
                if not is_ready():
                    notebook()
                return page.view
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

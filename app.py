"""The application: ``panel serve app.py``, then http://localhost:5006/app."""

from sspexplorer.app.pages import PAGES
from sspexplorer.app.shell import Shell

Shell(PAGES).servable()

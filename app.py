"""The application: ``panel serve app.py``, then http://localhost:5006/app."""

from sspexplorer.app.frame.shell import Shell
from sspexplorer.app.pages import PAGES
from sspexplorer.app.serving import threads

threads.one_for_each()
Shell(PAGES).servable()

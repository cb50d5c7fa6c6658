"""The application: one module per page, assembled by :mod:`sspexplorer.app.shell`."""

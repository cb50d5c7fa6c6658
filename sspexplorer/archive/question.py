"""All that is asked of a service at once: what a page and the command line put together."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sspexplorer.archive.adql import build, by_ids, check_adql
from sspexplorer.archive.fetching import Fetched, fetch, fetch_adql
from sspexplorer.archive.layout import Photometry
from sspexplorer.archive.selection import Selection
from sspexplorer.archive.services import Service


@dataclass(frozen=True)
class Question:
    """A selection of galaxies and their fluxes, or a query of a person's own.

    Attributes
    ----------
    service : Service
    selection : Selection
    photometry : Photometry
    own : str
        Query that takes the place of both; "" for none.
    """

    service: Service
    selection: Selection
    photometry: Photometry
    own: str = ""

    def adql(self) -> str:
        """Query, as far as it is known without asking the service.

        Raises
        ------
        InputError
            If it is none, or the names of the tables are not known.
        """
        if self.own:
            return check_adql(self.own)
        query = build(self.service, self.selection, self.photometry)
        return (by_ids(query, self.selection.ids) if self.selection.ids else query).adql

    def fetch(self, out: Path, **options: Any) -> Fetched:
        """Ask it; options are those of :func:`sspexplorer.archive.fetching.fetch`."""
        if self.own:
            options.pop("rows_at_once", None)
            return fetch_adql(self.service, self.own, out, **options)
        return fetch(self.service, self.selection, out, self.photometry, **options)

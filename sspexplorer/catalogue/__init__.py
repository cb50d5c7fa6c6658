"""Galaxy catalogues: read from any common format, understood, and written back with more columns.

>>> catalogue = read_catalogue("galaxies.csv")  # doctest: +SKIP
>>> catalogue.notes  # doctest: +SKIP
('Text separated by commas.', '57 of the 57 bands found (AUTO photometry), all with errors.', …)
"""

from sspexplorer.catalogue.held import Catalogue
from sspexplorer.catalogue.map_files import dump_map, load_map
from sspexplorer.catalogue.names import BandColumn
from sspexplorer.catalogue.photometries import ChoiceNeededError
from sspexplorer.catalogue.reading import read_catalogue

__all__ = [
    "BandColumn",
    "Catalogue",
    "ChoiceNeededError",
    "dump_map",
    "load_map",
    "read_catalogue",
]

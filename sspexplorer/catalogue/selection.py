"""Which columns are read: those recognised, changed by the user's map of columns."""

from dataclasses import replace

from sspexplorer.bands import N_BANDS
from sspexplorer.catalogue.columns_map import ColumnsMap
from sspexplorer.catalogue.names import parse
from sspexplorer.catalogue.photometries import Photometry, Recognised
from sspexplorer.catalogue.ways import way
from sspexplorer.errors import InputError

MAPPED = "mapped"


def choose(found: Recognised, photometry: str | None, mapped: ColumnsMap) -> Photometry:
    """Photometry to read: a label's or the best, with the map's own columns in it.

    Raises
    ------
    InputError
        If nothing is left to read, two columns claim a band, or two photometries tie.
    """
    if len(mapped.bands) == N_BANDS:
        if photometry is not None:
            raise InputError(
                f"The map of columns says where each band is, so {way('photometry')} changes "
                "nothing: leave out one of the two."
            )
        chosen = Photometry(mapped.photometry or MAPPED, "", "", ())
    elif found.photometries:
        chosen = found.photometry(photometry or mapped.photometry)
    else:
        chosen = Photometry(MAPPED, "", "", ())
    clash = next((text for band, text in chosen.clashes if band not in mapped.bands), "")
    if clash:
        raise InputError(clash)
    if not mapped.bands:
        return chosen
    columns = mapped.applied_to(chosen.columns)
    if not columns:
        raise InputError("The map of columns leaves no band to read.")
    said = {read.quantity if (read := parse(column.flux)) else "" for column in columns}
    quantity = said.pop() if len(said) == 1 else ""
    return replace(chosen, columns=columns, quantity=quantity, clashes=())

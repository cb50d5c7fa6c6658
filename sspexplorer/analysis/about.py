"""What a file of predictions or fits says about itself."""

from collections.abc import Mapping

import sspexplorer
from sspexplorer.catalogue import Catalogue

About = dict[str, str | float | bool]


def about_file(catalogue: Catalogue, made: Mapping[str, str | float | bool]) -> About:
    """Put together what a catalogue with further columns says about itself.

    Parameters
    ----------
    catalogue : Catalogue
    made : mapping
        What the further columns were made with, such as
        :attr:`~sspexplorer.analysis.catalogue.PredictionRequest.about`.

    Returns
    -------
    dict
        Version, ``made``, and how the catalogue was read, by keywords of FITS; see
        :meth:`Catalogue.write`.
    """
    rule = catalogue.masked.rule
    return {
        "SSPVERS": f"sspexplorer {sspexplorer.__version__}",
        **made,
        "SSPPHOT": catalogue.photometry,
        "SSPUNIT": catalogue.unit,
        "SSPUNITR": catalogue.unit_reason,
        "SSPMASKS": rule.masks,
        "SSPFLAGS": -1 if rule.largest_flag is None else rule.largest_flag,
        "SSPZCOL": catalogue.redshift_column,
        "SSPEBVMW": catalogue.galactic,
    }

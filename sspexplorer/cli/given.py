"""Catalogues that commands are given, and the files that they write."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sspexplorer import __version__
from sspexplorer.cli.console import say
from sspexplorer.cli.parts import check_folder
from sspexplorer.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from sspexplorer.catalogue import Catalogue
    from sspexplorer.catalogue.bounds import Bounds
    from sspexplorer.catalogue.masks import MaskRule

STANDARD = Path("-")

CataloguesArgument = Annotated[
    list[Path],
    typer.Argument(
        metavar="CATALOGUE...",
        help="Text (.csv, .txt, .dat, .tbl, ...), ECSV, FITS, VOTable, Parquet, Feather or HDF5, "
        "by its ending, also packed (.gz). Several files or a folder are read one below the "
        "other; - is standard input.",
    ),
]
OutOption = Annotated[
    Path,
    typer.Option(help="File to write; format by its ending. - is standard output, as CSV."),
]
UnitOption = Annotated[
    str | None,
    typer.Option(help="'fnu', 'flambda', 'mag' or 'stmag', if it is not what is found."),
]
PhotometryOption = Annotated[
    str | None, typer.Option(help="Which photometry, if the catalogue has several.")
]

ColumnsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="MAP.yaml",
        help="Which column holds what, where names mislead; each run writes the one it used beside "
        "its result, as OUT.columns.yaml.",
    ),
]

GalacticOption = Annotated[
    str,
    typer.Option(
        metavar="COLUMN|NUMBER|sfd|none",
        help="E(B−V) of the Milky Way to correct the fluxes for; 'found' takes a column whose name "
        "says that it is.",
    ),
]


UseMaskedOption = Annotated[
    bool, typer.Option("--use-masked", help="Use fluxes that mask flags say are bad, too.")
]
LargestFlagOption = Annotated[
    int,
    typer.Option(
        help="Greatest value of SExtractor's FLAGS that leaves a band in use; -1 ignores them."
    ),
]


NoLimitsOption = Annotated[
    bool,
    typer.Option(
        "--no-limits",
        help="Read files of any size: by default at most 16 GiB of rows, also after unpacking.",
    ),
]


def bounds(no_limits: bool) -> "Bounds":
    """How large a table may be, as the option says."""
    from sspexplorer.catalogue.bounds import GENEROUS, UNBOUNDED

    return UNBOUNDED if no_limits else GENEROUS


def mask_rule(use_masked: bool, largest_flag: int) -> "MaskRule":
    """Which masks and flags make a flux missing, as the options say."""
    from sspexplorer.catalogue.masks import MaskRule

    return MaskRule(not use_masked, largest_flag if largest_flag >= 0 else None)


def check_out(out: Path, json_output: bool) -> None:
    """Check that the output can be written, before anything long is begun.

    Raises
    ------
    InputError
        If its ending says no format, there is no such folder, or it would mix with the JSON.
    """
    from sspexplorer.catalogue.files import ending

    if out != STANDARD:
        ending(out.name)
        check_folder(out)
    elif json_output:
        raise InputError("Standard output takes the table or the JSON: give --out a file.")


def write_with(
    found: "Catalogue", out: Path, table: "pd.DataFrame", about: dict[str, Any]
) -> tuple[str, ...]:
    """Write a catalogue with further columns and what the file says about itself.

    Returns
    -------
    tuple of str
        Sentences on what had to change.
    """
    about = {
        "SSPVERS": f"sspexplorer {__version__}",
        **about,
        "SSPPHOT": found.photometry,
        "SSPUNIT": found.unit,
        "SSPUNITR": found.unit_reason,
        "SSPMASKS": found.masked.rule.masks,
        "SSPFLAGS": -1
        if found.masked.rule.largest_flag is None
        else found.masked.rule.largest_flag,
        "SSPZCOL": found.redshift_column,
        "SSPEBVMW": found.galactic,
    }
    if out == STANDARD:
        return found.write(sys.stdout.buffer, "csv", table, about)
    return found.write(out, out.name, table, about)


def say_taken(found: "Catalogue") -> None:
    """Say what was taken from a catalogue."""
    from sspexplorer.catalogue.taken import sentences

    for sentence in (*found.notes, *sentences(found)):
        say(sentence)


def with_map(found: "Catalogue", out: Path, given: Path | None) -> dict[str, Any]:
    """Write the map of the columns that were read beside a result; the report's part on it."""
    from sspexplorer.catalogue.map_files import save_map

    columns = found.column_map()
    path, why_not = (None, "") if out == STANDARD else save_map(columns, out, given)
    if why_not:
        say(why_not)
    return {"columns": columns, "columns_path": str(path) if path else None}

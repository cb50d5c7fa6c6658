"""Options of commands that are given a catalogue."""

from pathlib import Path
from typing import Annotated

import typer

CataloguesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="CATALOGUE...",
        help="Text (.csv, .txt, .dat, .tbl, ...), ECSV, FITS, VOTable, Parquet, Feather or HDF5, "
        "by its ending, also packed (.gz), or the folder of a HATS catalogue. Several files or a "
        "folder are read one below the other; - is standard input, and an address (https://...) is "
        "downloaded first.",
    ),
]
OutOption = Annotated[
    Path,
    typer.Option(
        help="File to write; format by its ending. - is standard output, as CSV. Of a HATS "
        "catalogue a name without an ending is the folder of another, with the same partitions."
    ),
]
MayWriteOption = Annotated[
    Path | None, typer.Option(help="File to write, of the format that its ending says.")
]
UnitOption = Annotated[
    str | None,
    typer.Option(help="'fnu', 'flambda', 'mag' or 'stmag', if it is not what is found."),
]
PhotometryOption = Annotated[
    str | None, typer.Option(help="Which photometry, if the catalogue has several.")
]

ColumnsOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="MAP.yaml|NAME,NAME,...",
        help="Which column holds what, where names mislead: a file such as the OUT.columns.yaml "
        "that each run writes beside its result. Or names of columns, as pred_log_age,pred_flag: "
        "only these of the new ones are written. May be given twice, once for each.",
    ),
]
MapOption = Annotated[
    list[str] | None,
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

SpreadsheetsOption = Annotated[
    bool,
    typer.Option(
        "--for-spreadsheets",
        help="Write text in which cells that a spreadsheet would take for formulas begin with an "
        "apostrophe; otherwise they are written as they were read.",
    ),
]

ChunkOption = Annotated[
    int | None,
    typer.Option(
        metavar="ROWS",
        min=1,
        help="Read Parquet, FITS and text in pieces of so many rows, whatever their size; without "
        "it only large catalogues are, 20,000 rows at a time.",
    ),
]
ResumeOption = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on after the last piece that a run which was stopped has finished; it keeps them "
        "in the folder OUT.parts.",
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Work on the pieces in N processes of this machine."),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Work on the pieces on a Dask cluster, whose scheduler is at tcp://HOST:PORT; all "
        "machines must see the same files.",
    ),
]

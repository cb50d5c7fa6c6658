"""``sspexplorer zeropoints``: what is off in each band of a whole catalogue."""

from typing import Annotated

import typer

from sspexplorer.cli.console import print_json
from sspexplorer.cli.given import STANDARD, Given, takes_catalogue
from sspexplorer.cli.parts import progress_line
from sspexplorer.errors import InputError


@takes_catalogue(may_write=True)
def zeropoints(
    given: Given,
    tile: Annotated[
        str, typer.Option(metavar="COLUMN", help="Column that names the tile of each galaxy.")
    ] = "",
    model: Annotated[
        str, typer.Option(help="'galaxy' or 'ssp': whose training SEDs to compare with.")
    ] = "galaxy",
) -> None:
    """Measure the zero-point offset of each band, which all galaxies have in common."""
    from sspexplorer.analysis.zero_points import ZeroPoints
    from sspexplorer.models import load_model
    from sspexplorer.posterior.estimator import Estimator

    if given.out is not None and (given.out == STANDARD or given.out.suffix.lower() != ".ecsv"):
        raise InputError(f"Zero points are written as ECSV, but {given.out} does not end in .ecsv.")
    estimator = load_model(model)
    if not isinstance(estimator, Estimator):
        raise InputError(f"The model {model!r} has no SEDs to compare with; say 'galaxy' or 'ssp'.")
    found = given.read()
    likeness = estimator.compared_together(found.redshift, found.redshift_err)
    points = ZeroPoints.measure(found, likeness, tile, progress=progress_line("measured"))
    if given.out is not None:
        points.save(given.out)
    rows = points.table.astype(object).where(points.table.notna(), None)
    if given.json_output:
        print_json(
            {
                "path": None if given.out is None else str(given.out),
                "model": model,
                "tile_column": tile or None,
                "rms": {name: offsets.rms for name, offsets in points.tiles.items()},
                "too_few": dict(points.too_few or {}),
                "offsets": rows.to_dict("records"),
            }
        )
        return
    for name, offsets in points.tiles.items():
        title = f"{tile} {name}: " if tile else ""
        given.tell(f"{title}{int(offsets.n.max()):,} galaxies, rms {offsets.rms:.3f} mag")
    for name, n in (points.too_few or {}).items():
        given.tell(f"{tile} {name}: {n} galaxies, too few")
    if given.out is not None:
        given.tell(f"Written to {given.out}; 'predict --zero-points {given.out}' corrects for it.")
        return
    given.tell(f"{'band':8}{'offset':>9}{'±':>8}{'n':>8}   [mag]")
    for row in points.table.itertuples():
        given.tell(f"{row.band:8}{row.offset:+9.4f}{row.offset_err:8.4f}{row.n:8d}   {row.tile}")

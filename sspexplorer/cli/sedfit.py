"""``sspexplorer sedfit``: the Bayesian SED fit of every row of a catalogue."""

from typing import Annotated

import typer

from sspexplorer import flags
from sspexplorer.cli.console import print_json, say, tell
from sspexplorer.cli.given import (
    STANDARD,
    CataloguesArgument,
    ColumnsOption,
    GalacticOption,
    LargestFlagOption,
    NoLimitsOption,
    OutOption,
    PhotometryOption,
    UnitOption,
    UseMaskedOption,
    bounds,
    check_out,
    mask_rule,
    say_taken,
    with_map,
    write_with,
)
from sspexplorer.cli.parts import JsonOption, progress_line


def sedfit(
    catalogues: CataloguesArgument,
    out: OutOption,
    libraries: Annotated[
        str, typer.Option(help="Libraries to fit with, with commas between.")
    ] = "emiles,bc03,popstar",
    floor: Annotated[
        float, typer.Option(help="Relative error added in quadrature to those of the bands.", min=0)
    ] = 0.02,
    unit: UnitOption = None,
    photometry: PhotometryOption = None,
    columns: ColumnsOption = None,
    ebv_galactic: GalacticOption = "found",
    use_masked: UseMaskedOption = False,
    largest_flag: LargestFlagOption = 3,
    no_limits: NoLimitsOption = False,
    json_output: JsonOption = False,
) -> None:
    """Fit every row of a catalogue with every SSP × E(B−V): the Bayesian SED fit."""
    from sspexplorer.catalogue import load_map, read_catalogue
    from sspexplorer.catalogue.taken import taken
    from sspexplorer.libraries import load_library
    from sspexplorer.sedfit import fit_at_redshifts

    check_out(out, json_output)
    names = [name.strip() for name in libraries.split(",") if name.strip()]
    for name in names:
        load_library(name)
    mapped = None if columns is None else load_map(columns)
    found = read_catalogue(
        catalogues,
        unit=unit,
        photometry=photometry,
        columns=mapped,
        masks=mask_rule(use_masked, largest_flag),
        galactic=ebv_galactic,
        bounds=bounds(no_limits),
    )
    table = fit_at_redshifts(
        names,
        found.flux,
        found.flux_err,
        found.redshift,
        floor=floor,
        progress=progress_line("fitted"),
    )
    about = {"SSPFLOOR": floor, "SSPLIBS": ",".join(names)}
    changed = write_with(found, out, table, about)
    report = {
        "path": str(out),
        "libraries": names,
        "floor": floor,
        "n_rows": len(table),
        "n_fitted": int(table["fit_log_age"].notna().sum()),
        "median_chi2": float(table["fit_chi2"].median()),
        "flags": flags.count(table["fit_flag"]),
        **taken(found),
    }
    report["notes"] += changed
    report |= with_map(found, out, columns)
    if json_output:
        print_json(report)
        return
    say_taken(found)
    for note in changed:
        say(note)
    show = say if out == STANDARD else tell
    show(
        f"{report['n_fitted']} of {report['n_rows']} rows fitted (median reduced χ² "
        f"{report['median_chi2']:.2f}), written to {out}."
    )
    for line in flags.described(table["fit_flag"]):
        show(f"  {line}")

"""``sspexplorer sedfit``: the Bayesian SED fit of every row of a catalogue."""

from typing import Annotated

import typer

from sspexplorer import flags
from sspexplorer.cli.given import Given, takes_catalogue
from sspexplorer.cli.parts import progress_line


@takes_catalogue
def sedfit(
    given: Given,
    libraries: Annotated[
        str, typer.Option(help="Libraries to fit with, with commas between.")
    ] = "emiles,bc03,popstar",
    floor: Annotated[
        float, typer.Option(help="Relative error added in quadrature to those of the bands.", min=0)
    ] = 0.02,
) -> None:
    """Fit every row of a catalogue with every SSP × E(B−V): the Bayesian SED fit."""
    from sspexplorer.libraries import load_library
    from sspexplorer.sedfit import fit_at_redshifts

    names = [name.strip() for name in libraries.split(",") if name.strip()]
    for name in names:
        load_library(name)
    found = given.read()
    table = fit_at_redshifts(
        names,
        found.flux,
        found.flux_err,
        found.redshift,
        found.redshift_err,
        floor=floor,
        progress=progress_line("fitted"),
    )
    report = {
        "libraries": names,
        "floor": floor,
        "n_rows": len(table),
        "n_fitted": int(table["fit_log_age"].notna().sum()),
        "median_chi2": float(table["fit_chi2"].median()),
        "flags": flags.count(table["fit_flag"]),
    }
    if given.write(found, table, {"SSPFLOOR": floor, "SSPLIBS": ",".join(names)}, report):
        return
    given.tell(
        f"{report['n_fitted']} of {report['n_rows']} rows fitted (median reduced χ² "
        f"{report['median_chi2']:.2f}), written to {given.out}."
    )
    for line in flags.described(table["fit_flag"]):
        given.tell(f"  {line}")

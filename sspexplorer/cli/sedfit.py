"""``sspexplorer sedfit``: the Bayesian SED fit of every row of a catalogue."""

from typing import Annotated

import typer

from sspexplorer import flags
from sspexplorer.cli.answering import answered
from sspexplorer.cli.given import Given, takes_catalogue
from sspexplorer.cli.parts import names_of


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
    from sspexplorer.streams.answering import Fitting

    names = names_of(libraries)
    for name in names:
        load_library(name)
    with answered(given, Fitting(tuple(names), floor), "fitted") as found:
        counted = found.counted
        median = float(found.column("fit_chi2").median())
        changed = found.write(given, {"SSPFLOOR": floor, "SSPLIBS": ",".join(names)})
    report = {
        "libraries": names,
        "floor": floor,
        "n_rows": counted.rows,
        "n_fitted": counted.answered,
        "median_chi2": median,
        "flags": found.flags,
    }
    if given.report(found.found, report, (*found.said, *changed)):
        return
    given.tell(
        f"{counted.answered} of {counted.rows} rows fitted (median reduced χ² {median:.2f}), "
        f"written to {given.out}."
    )
    for line in flags.described(found.flags):
        given.tell(f"  {line}")

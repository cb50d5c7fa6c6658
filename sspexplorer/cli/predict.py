"""``sspexplorer predict``: parameters for every row of a catalogue."""

from pathlib import Path
from typing import Annotated

import typer

from sspexplorer import flags
from sspexplorer.cli.given import Given, takes_catalogue
from sspexplorer.cli.parts import ModelOption, progress_line


@takes_catalogue
def predict(
    given: Given,
    model: ModelOption = "galaxy",
    floor: Annotated[
        float, typer.Option(help="Relative error added in quadrature to those of the bands.")
    ] = 0.02,
    redshift: Annotated[
        str,
        typer.Option(help="Take redshifts as 'given', as 'unknown', or all colours as at 'rest'."),
    ] = "given",
    use_all: Annotated[
        bool, typer.Option("--use-all", help="Use bands that all others contradict, too.")
    ] = False,
    zero_points: Annotated[
        Path | None,
        typer.Option(
            metavar="T.ecsv",
            help="Correct for zero points: a table that 'sspexplorer zeropoints' wrote.",
        ),
    ] = None,
) -> None:
    """Predict age, metallicity and dust for every row of a catalogue."""
    from sspexplorer.analysis.catalogue import PredictionRequest
    from sspexplorer.analysis.zero_points import ZeroPoints
    from sspexplorer.catalogue.ways import for_command_line
    from sspexplorer.models import load_model
    from sspexplorer.posterior.taken import Choices

    points = None if zero_points is None else ZeroPoints.load(zero_points)
    asked = PredictionRequest(model, model, Choices(floor, redshift, use_all), points)
    answering = load_model(model)
    found = given.read()
    predictions = asked.predict(found, answering, progress_line("predicted"))
    suspected = asked.suspicions(found, answering)
    table = predictions.table
    remarks = (*predictions.remarks, *(one.sentence for one in suspected))
    report = {
        "model": model,
        "meaning": predictions.meaning,
        "floor": floor,
        "redshift_as": redshift,
        "n_rows": len(table),
        "n_predicted": int(table["pred_log_age"].notna().sum()),
        "flags": flags.count(table["pred_flag"]),
        "use_all": use_all,
        "zero_points": None if zero_points is None else str(zero_points),
        "suspicions": [
            {"kind": one.kind, "sentence": for_command_line(one.sentence)} for one in suspected
        ],
    }
    if given.write(found, table, asked.about, report, remarks):
        return
    given.tell(
        f"{report['n_predicted']} of {report['n_rows']} rows predicted, written to {given.out}."
    )
    given.tell(predictions.meaning)
    for line in flags.described(table["pred_flag"]):
        given.tell(f"  {line}")

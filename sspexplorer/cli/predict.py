"""``sspexplorer predict``: parameters for every row of a catalogue."""

from pathlib import Path
from typing import Annotated

import typer

from sspexplorer import flags
from sspexplorer.cli.answering import answered
from sspexplorer.cli.given import Given, takes_catalogue
from sspexplorer.cli.parts import ModelOption


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
    h0: Annotated[
        float, typer.Option(help="Hubble constant (km/s/Mpc), for masses; a flat universe.")
    ] = 67.66,
    omega_m: Annotated[float, typer.Option(help="Density of matter, for masses.")] = 0.3111,
    samples: Annotated[
        int, typer.Option(help="Draws of each joint posterior to write, as nested columns.")
    ] = 0,
) -> None:
    """Predict age, metallicity, dust, mass and star formation for every row of a catalogue."""
    from sspexplorer.analysis.request import PredictionRequest
    from sspexplorer.analysis.zero_points import ZeroPoints
    from sspexplorer.catalogue.ways import for_command_line
    from sspexplorer.masses import Cosmology
    from sspexplorer.models import meaning
    from sspexplorer.posterior.taken import Choices
    from sspexplorer.streams.answering import Predicting

    points = None if zero_points is None else ZeroPoints.load(zero_points)
    choices = Choices(floor, redshift, use_all, Cosmology(h0, omega_m), samples)
    asked = PredictionRequest(model, model, choices, points)
    predicting = Predicting(asked)
    with answered(given, predicting, "predicted") as found:
        suspected = asked.suspicions(found.some, predicting.model)
        counted = found.counted
        remarks = (
            *found.said,
            *predicting.remarks(counted, found.some.decision.absolute),
            *(one.sentence for one in suspected),
        )
        remarks += found.write(given, asked.about)
    report = {
        "model": model,
        "meaning": meaning(predicting.model),
        "floor": floor,
        "redshift_as": redshift,
        "n_rows": counted.rows,
        "n_predicted": counted.answered,
        "flags": found.flags,
        "use_all": use_all,
        "h0": h0,
        "omega_m": omega_m,
        "samples": samples,
        "zero_points": None if zero_points is None else str(zero_points),
        "suspicions": [
            {"kind": one.kind, "sentence": for_command_line(one.sentence)} for one in suspected
        ],
    }
    if given.report(found.found, report, remarks):
        return
    given.tell(f"{counted.answered} of {counted.rows} rows predicted, written to {given.out}.")
    given.tell(meaning(predicting.model))
    for line in flags.described(found.flags):
        given.tell(f"  {line}")

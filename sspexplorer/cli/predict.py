"""``sspexplorer predict``: parameters for every row of a catalogue."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sspexplorer import flags
from sspexplorer.cli.parts import (
    JsonOption,
    ModelOption,
    check_folder,
    print_json,
    progress_line,
    say,
)

if TYPE_CHECKING:
    from sspexplorer.catalogue import Catalogue
    from sspexplorer.models import Predictions


def predict(
    catalogue: Annotated[
        Path, typer.Argument(help="CSV, ECSV, FITS, VOTable or Parquet, by its ending.")
    ],
    out: Annotated[Path, typer.Option(help="File to write; format by its ending.")],
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
    unit: Annotated[
        str | None, typer.Option(help="'fnu', 'flambda' or 'mag', if it is not what is found.")
    ] = None,
    photometry: Annotated[
        str | None, typer.Option(help="Which photometry, if the catalogue has several.")
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Predict age, metallicity and dust for every row of a catalogue."""
    from sspexplorer.catalogue import read_catalogue
    from sspexplorer.models import load_model, predict_rows
    from sspexplorer.posterior.prediction import Choices

    check_folder(out)
    choices = Choices(floor, redshift, use_all)
    answering = load_model(model)
    found = read_catalogue(catalogue, unit=unit, photometry=photometry)
    predictions = predict_rows(
        answering,
        found.flux,
        found.flux_err,
        found.redshift,
        found.redshift_err,
        choices=choices,
        progress=progress_line("predicted"),
    )
    found.write(out, out.name, predictions.table)
    report = _report(out, model, found, predictions, choices)
    if json_output:
        print_json(report)
        return
    for note in (*found.notes, *predictions.remarks):
        say(note)
    typer.echo(f"{report['n_predicted']} of {report['n_rows']} rows predicted, written to {out}.")
    typer.echo(predictions.meaning)
    for line in flags.described(predictions.table["pred_flag"]):
        typer.echo(f"  {line}")


def _report(out: Path, model: str, found: "Catalogue", predictions: "Predictions", choices) -> dict:
    table = predictions.table
    return {
        "path": str(out),
        "model": model,
        "meaning": predictions.meaning,
        "floor": choices.floor,
        "redshift_as": choices.redshift_as,
        "n_rows": len(table),
        "n_predicted": int(table["pred_log_age"].notna().sum()),
        "flags": flags.count(table["pred_flag"]),
        "photometry": found.photometry,
        "unit": found.unit,
        "redshift_column": found.redshift_column,
        "notes": [*found.notes, *predictions.remarks],
    }

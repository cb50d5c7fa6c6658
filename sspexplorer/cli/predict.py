"""``sspexplorer predict``: parameters for every row of a catalogue."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from sspexplorer.cli.parts import JsonOption, ModelOption, progress_line

if TYPE_CHECKING:
    from sspexplorer.catalogue import Catalogue
    from sspexplorer.models import Predictions


def predict(
    catalogues: CataloguesArgument,
    out: OutOption,
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
    unit: UnitOption = None,
    photometry: PhotometryOption = None,
    columns: ColumnsOption = None,
    ebv_galactic: GalacticOption = "found",
    use_masked: UseMaskedOption = False,
    largest_flag: LargestFlagOption = 3,
    no_limits: NoLimitsOption = False,
    json_output: JsonOption = False,
) -> None:
    """Predict age, metallicity and dust for every row of a catalogue."""
    from sspexplorer.catalogue import load_map, read_catalogue
    from sspexplorer.models import load_model, predict_rows
    from sspexplorer.posterior.prediction import Choices

    check_out(out, json_output)
    choices = Choices(floor, redshift, use_all)
    answering = load_model(model)
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
    predictions = predict_rows(
        answering,
        found.flux,
        found.flux_err,
        found.redshift,
        found.redshift_err,
        choices=choices,
        progress=progress_line("predicted"),
    )
    about = {
        "SSPMODEL": model,
        "SSPFLOOR": floor,
        "SSPZAS": redshift,
        "SSPALL": use_all,
    }
    changed = write_with(found, out, predictions.table, about)
    report = _report(out, model, found, predictions, choices)
    report["notes"] += changed
    report |= with_map(found, out, columns)
    if json_output:
        print_json(report)
        return
    say_taken(found)
    for note in (*predictions.remarks, *changed):
        say(note)
    show = say if out == STANDARD else tell
    show(f"{report['n_predicted']} of {report['n_rows']} rows predicted, written to {out}.")
    show(predictions.meaning)
    for line in flags.described(predictions.table["pred_flag"]):
        show(f"  {line}")


def _report(out: Path, model: str, found: "Catalogue", predictions: "Predictions", choices) -> dict:
    from sspexplorer.catalogue.taken import taken

    table, said = predictions.table, taken(found)
    return {
        "path": str(out),
        "model": model,
        "meaning": predictions.meaning,
        "floor": choices.floor,
        "redshift_as": choices.redshift_as,
        "n_rows": len(table),
        "n_predicted": int(table["pred_log_age"].notna().sum()),
        "flags": flags.count(table["pred_flag"]),
        "use_all": choices.use_all,
        **said,
        "notes": [*said["notes"], *predictions.remarks],
    }

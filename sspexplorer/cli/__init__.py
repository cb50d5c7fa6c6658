"""The command line: ``sspexplorer --help``."""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from sspexplorer import __version__
from sspexplorer.cli.console import print_json, say, speak_plainly, tell
from sspexplorer.cli.fetch import fetch
from sspexplorer.cli.libraries import libraries_app
from sspexplorer.cli.parts import (
    JsonOption,
    ModelOption,
    SeedOption,
    check_folder,
    listed,
    make_folder,
    names_of,
    training_line,
)
from sspexplorer.cli.predict import predict
from sspexplorer.cli.sedfit import sedfit
from sspexplorer.cli.serve import serve
from sspexplorer.cli.zeropoints import zeropoints
from sspexplorer.errors import InputError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.add_typer(libraries_app, name="libraries")
app.command()(predict)
app.command()(fetch)
app.command()(sedfit)
app.command()(serve)
app.command()(zeropoints)


def _print_version(asked: bool) -> None:
    if asked:
        tell(f"sspexplorer {__version__}")
        raise typer.Exit


@app.callback()
def sspexplorer(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Stellar populations from the 57 colours of J-PAS: mocks, networks, predictions."""


@app.command()
def mocks(
    out: Annotated[Path, typer.Argument(help="Parquet file to write.")],
    libraries: Annotated[
        str, typer.Option(help="Libraries, with commas between.")
    ] = "emiles,bc03,popstar",
    seed: SeedOption = 0,
    split: Annotated[
        str, typer.Option(help="Hold out whole SSPs ('ssp') or mocks ('random', the paper's).")
    ] = "ssp",
    continuous_ebv: Annotated[
        bool, typer.Option("--continuous-ebv", help="Draw E(B−V) around each grid value.")
    ] = False,
    depths: Annotated[
        str | None,
        typer.Option(help="Field whose depths the noise has, such as JNEP; else a smooth curve."),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Make a mock sample: every SSP × E(B−V) × magnitude, with noise."""
    from sspexplorer.mocks import make_mocks
    from sspexplorer.noise import DEFAULT_FIELD, NoiseModel

    if out.suffix.lower() != ".parquet":
        raise InputError(
            f"A mock sample is written as Parquet, but {out} does not end in .parquet."
        )
    check_folder(out)
    names = names_of(libraries)
    noise = NoiseModel.of_field(depths or DEFAULT_FIELD)
    sample = make_mocks(names, seed=seed, split=split, continuous_ebv=continuous_ebv, noise=noise)
    sample.to_parquet(out)
    counts = {k: int(v) for k, v in sample.labels["split"].value_counts().items()}
    if json_output:
        print_json({"path": str(out), "n": len(sample), "split": counts, "meta": sample.meta})
    else:
        tell(f"{len(sample)} mocks written to {out} ({listed(counts)}).")


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="Model directory to write.")],
    sample: Annotated[
        Path | None,
        typer.Argument(
            metavar="[MOCKS.parquet]",
            help="A mock sample; without one, mocks are drawn as they are needed and not kept.",
            show_default=False,
        ),
    ] = None,
    recipe: Annotated[
        str,
        typer.Option(
            help="'default'; 'paper', as printed; or 'paper-fast', as good in a tenth of the time."
        ),
    ] = "default",
    network: Annotated[str | None, typer.Option(help="'base' or 'sed'.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Instead of the recipe's.")] = None,
    libraries: Annotated[
        str | None, typer.Option(help="Of the mocks that are drawn, with commas between.")
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="How they are split: 'ssp' or 'random', as by mocks.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="'cpu', 'cuda', 'mps'; by default a GPU where there is one.")
    ] = None,
    seed: SeedOption = 0,
    json_output: JsonOption = False,
) -> None:
    """Train networks on a mock sample; Ctrl-C stops early and keeps the best weights."""
    from sspexplorer.libraries import LIBRARY_NAMES
    from sspexplorer.metrics import with_metrics
    from sspexplorer.mocks import MockSample
    from sspexplorer.networks.device import training_device
    from sspexplorer.networks.recipes import get_recipe
    from sspexplorer.networks.training import train as run_training
    from sspexplorer.on_demand import mocks_on_demand

    chosen = get_recipe(recipe, network=network, epochs=epochs)
    training_device(device)
    if sample and (libraries or split):
        raise InputError(f"{sample} has its libraries and its split; leave the options away.")
    make_folder(out)
    mock_sample = MockSample.from_parquet(sample) if sample else None
    names = names_of(libraries) if libraries else LIBRARY_NAMES
    model = run_training(
        mock_sample or mocks_on_demand(names, seed=seed, split=split or "ssp"),
        chosen,
        seed=seed,
        watch=training_line(),
        device=device,
    )
    if model.card["training"]["stopped_early"]:
        say("Stopped early; the best weights so far are kept.")
    model = with_metrics(model, mocks=mock_sample)
    model.save(out)
    if json_output:
        print_json({"path": str(out), "card": model.card})
        return
    tell(f"Model written to {out}.")
    for split, metrics in model.card["metrics"].items():
        tell(f"On mocks held out of the training (split: {split}):")
        _print_metrics(metrics)


@app.command()
def evaluate(
    model: ModelOption = "default",
    mocks: Annotated[
        Path | None, typer.Option(help="Mock sample to test on; by default one is made.")
    ] = None,
    split: Annotated[
        str,
        typer.Option(help="'ssp': SSPs the model never saw; 'random': seen under other noise."),
    ] = "ssp",
    json_output: JsonOption = False,
) -> None:
    """Measure a model on mocks: bias, scatter, outliers, by parameter, magnitude, library."""
    from sspexplorer.metrics import evaluate as measure
    from sspexplorer.mocks import MockSample
    from sspexplorer.models import answers_to_mocks, load_model

    tested = answers_to_mocks(
        load_model(model), split, MockSample.from_parquet(mocks) if mocks else None
    )
    test = tested.mocks
    result = measure(tested.predicted, test.labels)
    result |= {
        "split": split,
        "model": model,
        "libraries": sorted(test.labels["library"].unique().tolist()),
        "noise": test.meta.get("noise", {}).get("description", ""),
        "noise_seen_in_training": tested.noise_seen,
    }
    if json_output:
        print_json(result)
    else:
        _print_metrics(result)


def _print_metrics(result: dict) -> None:
    units = {"log_age": "dex", "metallicity": "dex", "ebv": "mag"}
    groups = {"all": result["overall"]}
    groups |= {f"i = {key}": value for key, value in result["by_magnitude"].items()}
    groups |= result["by_library"]
    for name, unit in units.items():
        tell(f"\n{name} [{unit}]\n{'':10}    bias  σ_NMAD    f_o  Pearson    RMSE       n")
        for key, group in groups.items():
            m = group[name]
            tell(
                f"{key:10} {m['bias']:+7.3f} {m['sigma_nmad']:7.3f} {m['outlier_fraction']:6.1%} "
                f"{m['pearson']:8.3f} {m['rmse']:7.3f} {m['n']:7d}"
            )


def main() -> NoReturn:
    """Run the command line; exit with 2 and one line where the input cannot be used."""
    speak_plainly()
    try:
        app()
    except InputError as error:
        from sspexplorer.catalogue.ways import for_command_line

        say(f"sspexplorer: {for_command_line(str(error))}")
        sys.exit(2)
    sys.exit(0)

"""``sspexplorer libraries``: those there are, those one adds, those one removes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sspexplorer.cli.console import print_json, say, tell
from sspexplorer.cli.parts import JsonOption, progress_line

if TYPE_CHECKING:
    from sspexplorer.libraries import SSPLibrary

libraries_app = typer.Typer(rich_markup_mode=None)


@libraries_app.callback(invoke_without_command=True)
def libraries(context: typer.Context, json_output: JsonOption = False) -> None:
    """List the SSP libraries: what they hold, what was left out, what to cite."""
    if context.invoked_subcommand:
        return
    from sspexplorer.libraries import library_names

    found = [_described(name) for name in library_names()]
    if json_output:
        print_json({"libraries": found})
        return
    for item in found:
        _print(item)


@libraries_app.command()
def add(
    source: Annotated[str, typer.Argument(metavar="NAME", help="Which library, of those below.")],
    path: Annotated[
        Path | None,
        typer.Argument(help="Its file or folder; without one it is downloaded, if it can be."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call it; NAME unless given.")] = None,
    json_output: JsonOption = False,
) -> None:
    """Add a library, from files you have or from the network.

    NAME is one of: emiles-full, cb19, xsl (the paper's); ppxf-xsl, ppxf-emiles, ppxf-fsps,
    ppxf-galaxev (as packaged for pPXF); own (a file in the layout that the documentation
    describes).

    A download that is stopped goes on where it was when the command is given again. The library is
    kept in the folder that SSPEXPLORER_DATA names, and can then be chosen everywhere.
    """
    from sspexplorer.libraries.store import add_library

    try:
        library = add_library(source, path, name=name, progress=progress_line())
    except KeyboardInterrupt:
        say("Stopped; nothing was added. What was downloaded is kept for the next time.")
        raise typer.Exit(130) from None
    item = _described(library.name)
    if json_output:
        print_json(item)
        return
    _print(item)
    tell(
        f"Added. Use it as {library.name}, as in: sspexplorer mocks m.parquet --libraries "
        f"{library.name}"
    )


@libraries_app.command()
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A library that was added.")],
    json_output: JsonOption = False,
) -> None:
    """Forget a library that was added."""
    from sspexplorer.libraries.store import remove_library

    remove_library(name)
    if json_output:
        print_json({"removed": name})
    else:
        tell(f"{name} is removed.")


def _described(name: str) -> dict:
    """What a library holds, as ``--json`` prints it."""
    from sspexplorer.bands import BAND_NAMES
    from sspexplorer.libraries import SHIPPED_NAMES, load_library

    library, whole = load_library(name), load_library(name, None)
    return {
        "name": name,
        "title": library.title,
        "n_ssp": len(library),
        "n_ages": len(library.ages),
        "n_metallicities": len(library.metallicities),
        "log_age": [float(library.ages[0]), float(library.ages[-1])],
        "metallicity": [float(m) for m in library.metallicities],
        "wavelength": [float(library.wavelength[0]), float(library.wavelength[-1])],
        "imf": sorted(set(library.imf.tolist())),
        "isochrone": sorted(set(library.isochrone.tolist())),
        "left_out": [*library.left_out, *_out_of_range(whole, library)],
        "missing_bands": [
            band
            for band, there in zip(BAND_NAMES, library.covered_bands(), strict=True)
            if not there
        ],
        "continued_bands": list(library.continued_bands()),
        "citation": library.citation,
        "terms": library.terms,
        "provenance": library.provenance,
        "added": name not in SHIPPED_NAMES,
    }


def _out_of_range(whole: "SSPLibrary", library: "SSPLibrary") -> list[str]:
    from sspexplorer.libraries import DEFAULT_AGE_RANGE
    from sspexplorer.libraries.readers.resampling import counted

    low, high = DEFAULT_AGE_RANGE
    n_outside = len(whole) - len(library)
    if not n_outside:
        return []
    return [
        f"{counted(n_outside, 'SSP')} not between {low / 1e6:g} Myr and {high / 1e9:g} Gyr: kept "
        "in the file, not used by default."
    ]


def _print(item: dict) -> None:
    tell(
        f"{item['name']:8} {item['title']}: {item['n_ssp']} SSPs, {item['n_ages']} ages × "
        f"{item['n_metallicities']} metallicities, log age {item['log_age'][0]:.2f} to "
        f"{item['log_age'][1]:.2f} yr, [M/H] {item['metallicity'][0]:+.2f} to "
        f"{item['metallicity'][-1]:+.2f}, IMF {', '.join(item['imf'])}"
    )
    for sentence in item["left_out"]:
        tell(f"         left out: {sentence}")
    if item["missing_bands"]:
        tell(f"         does not cover {', '.join(item['missing_bands'])}.")
    if item["citation"]:
        tell(f"         {item['citation']}")

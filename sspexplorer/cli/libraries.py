"""``sspexplorer libraries``."""

import typer

from sspexplorer.cli.parts import JsonOption, print_json

libraries_app = typer.Typer(rich_markup_mode=None)


@libraries_app.callback(invoke_without_command=True)
def libraries(context: typer.Context, json_output: JsonOption = False) -> None:
    """List the SSP libraries: what they hold, what was left out, what to cite."""
    if context.invoked_subcommand:
        return
    from sspexplorer.libraries import DEFAULT_AGE_RANGE, LIBRARY_NAMES, load_library

    found = []
    for name in LIBRARY_NAMES:
        library, whole = load_library(name), load_library(name, None)
        left_out = list(library.left_out)
        if len(whole) > len(library):
            low, high = DEFAULT_AGE_RANGE
            left_out.append(
                f"{len(whole) - len(library)} SSPs not between {low / 1e6:g} Myr and "
                f"{high / 1e9:g} Gyr: kept in the file, not used by default."
            )
        found.append(
            {
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
                "left_out": left_out,
                "citation": library.citation,
                "terms": library.terms,
                "provenance": library.provenance,
            }
        )
    if json_output:
        print_json({"libraries": found})
        return
    for item in found:
        typer.echo(
            f"{item['name']:8} {item['title']}: {item['n_ssp']} SSPs, {item['n_ages']} ages × "
            f"{item['n_metallicities']} metallicities, log age {item['log_age'][0]:.2f} to "
            f"{item['log_age'][1]:.2f} yr, [M/H] {item['metallicity'][0]:+.2f} to "
            f"{item['metallicity'][-1]:+.2f}, IMF {', '.join(item['imf'])}"
        )
        for sentence in item["left_out"]:
            typer.echo(f"         left out: {sentence}")
        typer.echo(f"         {item['citation']}")

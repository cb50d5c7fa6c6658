"""``sspexplorer fetch``: galaxies from the archive, or a file from the web."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sspexplorer.cli.console import print_json, say, tell
from sspexplorer.cli.parts import JsonOption, progress_line
from sspexplorer.errors import Cancelled, InputError

if TYPE_CHECKING:
    from sspexplorer.archive.connection import Login
    from sspexplorer.archive.question import Question
    from sspexplorer.archive.selection import Selection
    from sspexplorer.archive.services import Service


def fetch(
    address: Annotated[
        str | None,
        typer.Argument(metavar="[URL]", help="A file on the web, instead of the archive."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write: Parquet, or for a URL whatever it is.")
    ] = None,
    service: Annotated[
        str | None,
        typer.Option(
            help="minijpas, jpas-idr, jpas-edr, jnep, or the address of a TAP service; else what "
            "SSPEXPLORER_TAP says, else minijpas."
        ),
    ] = None,
    cone: Annotated[
        tuple[str, str, str] | None,
        typer.Option(
            metavar="RA DEC RADIUS",
            help="A circle on the sky: degrees, 14:17:00, 52d30m, 5arcmin.",
        ),
    ] = None,
    ids: Annotated[
        str | None,
        typer.Option(help="Objects by TILE-NUMBER with commas between, or a file of them."),
    ] = None,
    where: Annotated[
        str | None, typer.Option(help="Conditions in words, such as '18 < i < 20 and z < 0.1'.")
    ] = None,
    brighter: Annotated[
        float | None, typer.Option(help="AUTO magnitude less than this, in --band.")
    ] = None,
    redshift_max: Annotated[
        float | None, typer.Option(help="Photometric redshift less than this.")
    ] = None,
    flags: Annotated[
        str, typer.Option(help="'any', or 'clean': flags up to 3 and no mask in --band.")
    ] = "any",
    band: Annotated[str, typer.Option(help="Filter of --brighter and --flags.")] = "iSDSS",
    photometry: Annotated[
        str, typer.Option(help="As the archive names it: aper_cor_3_0, auto, psfcor and the like.")
    ] = "aper_cor_3_0",
    kind: Annotated[
        str, typer.Option("--as", help="'flambda', 'fnu' or 'mag': which of the archive's tables.")
    ] = "flambda",
    adql: Annotated[
        str | None, typer.Option(help="A query of your own, or a file with one, sent as it is.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the query; ask nobody.")
    ] = False,
    user: Annotated[
        str | None,
        typer.Option(help="User; the password is SSPEXPLORER_TAP_PASSWORD, or is asked for."),
    ] = None,
    schema: Annotated[
        str | None, typer.Option(help="Schema of a service given by its address.")
    ] = None,
    filters: Annotated[
        str, typer.Option(help="What comes before :: where arrays are addressed by filter.")
    ] = "jpas",
    timeout: Annotated[float, typer.Option(help="Seconds that a job may take.", min=1)] = 3600.0,
    rows_at_once: Annotated[
        int, typer.Option(help="Most rows of a job; more are asked for by tile.", min=1)
    ] = 100_000,
    max_size: Annotated[
        float, typer.Option(help="Megabytes that a file from a URL may have.", min=0)
    ] = 20_000.0,
    json_output: JsonOption = False,
) -> None:
    """Fetch galaxies from the archive of J-PAS, or a file from the web.

    The result can be given to `predict` as it is. A job that is stopped is aborted and deleted on
    the service; a download that is stopped goes on where it was when the command is given again.
    """
    from sspexplorer.archive.connection import Patience
    from sspexplorer.archive.layout import Photometry
    from sspexplorer.archive.question import Question

    asked = [cone, ids, where, brighter, redshift_max, adql]
    try:
        if address is not None:
            if any(item is not None for item in asked):
                raise InputError("Give a URL, or say which galaxies of the archive, not both.")
            _fetch_file(address, out, max_size, json_output)
            return
        selection = _selection(cone, ids, where, brighter, redshift_max, flags, band)
        if adql is not None and not selection.is_everything:
            raise InputError("A query of your own says it all; give --adql without a cut.")
        question = Question(
            _service(service, schema, filters),
            selection,
            Photometry(photometry, kind),
            _text(adql) if adql is not None else "",
        )
        if dry_run:
            _dry_run(question, json_output)
            return
        options = {
            "login": _login(question.service, user),
            "patience": Patience(job=timeout),
            "rows_at_once": rows_at_once,
            "progress": progress_line(),
        }
        _fetch_rows(question, _needed(out), options, json_output)
    except (KeyboardInterrupt, Cancelled):
        say("Stopped; nothing was written, and nothing runs on at the service.")
        raise typer.Exit(130) from None


def _needed(out: Path | None) -> Path:
    if out is None:
        raise InputError("Say where to write: --out FILE.")
    return out


def _service(name: str | None, schema: str | None, filters: str) -> "Service":
    import re
    from dataclasses import replace

    from sspexplorer.archive.services import default_service, find_service

    for word in (schema, filters):
        if word is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z_0-9]{0,60}", word):
            raise InputError(f"{word!r} is no name of a schema or of a survey.")
    found = default_service() if name is None else find_service(name)
    return replace(found, schema=schema or found.schema, filters=filters)


def _selection(
    cone: tuple[str, str, str] | None,
    ids: str | None,
    where: str | None,
    brighter: float | None,
    redshift_max: float | None,
    flags: str,
    band: str,
) -> "Selection":
    from sspexplorer.archive.selection import (
        Selection,
        find_filter,
        read_conditions,
        read_cone,
        read_ids,
    )

    if flags not in ("any", "clean"):
        raise InputError(f"--flags is 'any' or 'clean', not {flags!r}.")
    return Selection(
        read_cone(*cone) if cone is not None else None,
        read_ids(ids) if ids is not None else (),
        brighter,
        redshift_max,
        flags == "clean",
        find_filter(band),
        read_conditions(where) if where is not None else (),
    )


def _text(adql: str) -> str:
    """Query itself, or what is in the file of this name."""
    try:
        is_file = Path(adql).is_file()
    except (OSError, ValueError):
        is_file = False
    if not is_file:
        return adql
    try:
        return Path(adql).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{adql} cannot be read as a text file with a query.") from None


def _login(service: "Service", user: str | None) -> "Login | None":
    """User and password; the password never comes from the command line."""
    from sspexplorer.archive.connection import PASSWORD, Login

    if user is None:
        if service.login:
            raise InputError(f"{service.name} asks for a user and a password; give --user.")
        return None
    password = os.environ.get(PASSWORD)
    if password is None:
        if not sys.stdin.isatty():
            raise InputError(f"Nobody can be asked for the password here; set {PASSWORD}.")
        password = typer.prompt(f"Password of {user}", hide_input=True, err=True)
    return Login(user, password)


def _dry_run(question: "Question", json_output: bool) -> None:
    text, url = question.adql(), question.service.url
    if not question.own:
        say(f"Nobody was asked: {url} is taken to have all 57 bands and the documented tables.")
    if json_output:
        print_json({"service": url, "adql": text})
    else:
        tell(text)


def _fetch_rows(
    question: "Question", out: Path, options: dict[str, Any], json_output: bool
) -> None:
    found = question.fetch(out, **options)
    if json_output:
        print_json(
            {
                "path": str(out),
                "service": question.service.url,
                "adql": found.adql,
                "n_rows": found.n_rows,
                "complete": found.complete,
                "n_jobs": found.n_jobs,
                "seconds": round(found.seconds, 1),
                "notes": list(found.notes),
            }
        )
        return
    for note in found.notes:
        say(note)
    rows = "1 row" if found.n_rows == 1 else f"{found.n_rows:,} rows"
    tell(f"{rows} from {question.service.host} written to {out}.")
    if not question.own:
        tell(f"Next: sspexplorer predict {out} --out predictions.parquet")


def _fetch_file(address: str, out: Path | None, max_size: float, json_output: bool) -> None:
    from sspexplorer.archive.files import fetch_file
    from sspexplorer.libraries.downloads import filename

    if out is None:
        name = filename(address)
        raise InputError(f"Say where to write: --out {name or 'FILE'}.")
    n_bytes = fetch_file(address, out, largest_mb=max_size, progress=progress_line())
    if json_output:
        print_json({"path": str(out), "url": address, "n_bytes": n_bytes})
    else:
        tell(f"{n_bytes / 1e6:.1f} MB written to {out}.")

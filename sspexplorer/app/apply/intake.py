"""What was understood of a catalogue, in words and cells, before anything is predicted."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, ClassVar

import panel as pn
import param

from sspexplorer.app import cache
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.model_words import redshift_words
from sspexplorer.app.kit.theme import css
from sspexplorer.bands import BAND_NAMES, load_bands
from sspexplorer.catalogue import Catalogue
from sspexplorer.catalogue.files import ending
from sspexplorer.errors import InputError
from sspexplorer.jobs.limits import Limits
from sspexplorer.plots.style import band_colours
from sspexplorer.shipped import DEFAULT_MODEL, network_names

# How the name of a session that was saved ends.
SESSION = ".session.json"
_PIECE = 4_000_000  # bytes of an upload in one message: less than any server's limit
_HELP = {
    "Bands": "`J0378` … `J1007`, `uJAVA`, `iSDSS`, in any letter case; with an aperture, as "
    "`AUTO_J0378`, `FLUX_AUTO_J0378`, `MAG_AUTO_J0378` or `APER_COR_3_0_J0378`; by their central "
    "wavelength in Å, as `JPAS3785`; or all in one array column of 57 or 60 values, as "
    "`FLUX_APER_COR_3_0`.",
    "Errors": "`J0378_err`, `error_JPAS3785`, `MAG_ERR_AUTO_J0378`; a fraction of the flux in "
    "`FLUX_RELERR_AUTO_J0378`.",
    "Units": "F_ν, F_λ, AB or ST magnitudes: by a column’s own unit (such as Jy, µJy, nanomaggy or "
    "erg/s/cm²/Å), else by its name, else by the size of the numbers, else by which fits galaxies "
    "better. The scale does not matter, as long as it is the same for all bands of a row.",
    "Missing": "An empty cell, NaN, 0, −99, −999, −9999, magnitudes such as 99, numbers such as "
    "9999 or 1e20 that stand for none, upper limits (a negative error, `<21.3`), and bands that "
    "`MASK_FLAGS_J0378` marks or whose `FLAGS_J0378` is above 3.",
    "Redshift": "`z_spec`, `redshift`, `z`, `z_phot`, `photoz` and the like.",
    "All else": "Kept as it is: the file you download has every row and column of yours.",
}


def _code(text: str) -> str:
    """HTML of a text in which `…` is code."""
    pieces = [escape(piece) for piece in text.split("`")]
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(pieces))


def column_help(*more: parts.Part) -> pn.Card:
    """Say which columns are recognised, and what else there is to do, folded away."""
    texts = _HELP | {"Redshift": f"{_HELP['Redshift']} {_redshift_use()}"}
    rows = "".join(f"<dt>{escape(k)}</dt><dd>{_code(v)}</dd>" for k, v in texts.items())
    content = parts.stack(parts.html(f"<dl>{rows}</dl>", "intake"), *more)
    return parts.folded("What columns do you read?", content)


def _redshift_use() -> str:
    """What models do with redshifts, by what they were trained on."""
    posterior, network = (
        redshift_words(cache.model_card(name)) for name in (DEFAULT_MODEL, network_names()[0])
    )
    return (
        f"Models with error bars, trained {posterior}, take it, or find it from the colours; "
        f"those without, trained {network}, only flag it."
    )


def max_upload() -> str:
    """Size of the largest file that the server takes, such as "1000 MB"."""
    return f"{Limits.from_environment().upload // 10**6} MB"


class Dropper(pn.widgets.FileDropper):
    """Drop zone that puts what arrives on disk, piece by piece, and takes no more than it may.

    The browser checks the size, too, but a server cannot rely on it.

    Parameters
    ----------
    on_trouble : callable
        Called with an InputError when a file is refused.
    """

    # Of no concern to the browser.
    _rename: ClassVar[dict[str, str | None]] = {"value": None, "arrived": None}

    arrived = param.Parameter(default=None, doc="Upload that is there, as a whole.")

    def __init__(self, on_trouble: Callable[[InputError], Any], **params: Any) -> None:
        super().__init__(**params)
        self._on_trouble = on_trouble
        self._limit = Limits.from_environment().upload
        self._forget()

    def _forget(self) -> None:
        self._upload: Upload | None = None
        self._next, self._size = 1, 0

    def _process_event(self, event: Any) -> None:
        if event.event_name != "upload_event":
            return
        try:
            self._take(event.data)
        except InputError as error:
            self._forget()
            self._on_trouble(error)
        except OSError as error:
            self._forget()
            reason = error.strerror or type(error).__name__
            self._on_trouble(InputError(f"The server cannot keep the file: {reason}."))

    def _take(self, piece: dict[str, Any]) -> None:
        """Append a piece of the one file that is on its way."""
        name, number = str(piece["name"]), piece["chunk"]
        if number == 1 and self._upload is None:
            if not name.endswith(SESSION):
                ending(name)
            self._upload = empty_upload(name)
        if self._upload is None or number != self._next or self._upload.name != name:
            # Of a file that was refused, or of a second one beside the first.
            return
        data = bytes(piece["data"])
        self._next, self._size = number + 1, self._size + len(data)
        if self._size > self._limit:
            raise InputError(f"{name} is larger than {max_upload()}, the most that is taken here.")
        with self._upload.path.open("ab") as file:
            file.write(data)
        if number == piece["total_chunks"]:
            arrived = self._upload
            self._forget()
            self.arrived = arrived


def drop_zone(
    on_drop: Callable[[Any], Any], on_trouble: Callable[[InputError], Any]
) -> pn.widgets.FileDropper:
    """Take a file that is dropped or chosen."""
    drop = Dropper(
        on_trouble,
        multiple=False,
        # An empty list would not reach the browser, which then embeds PDF files.
        previews=["image"],
        chunk_size=_PIECE,
        max_file_size=max_upload().replace(" ", ""),
        sizing_mode="stretch_width",
        height=180,
        stylesheets=[css("drop")],
    )
    drop.param.watch(on_drop, "arrived")
    return drop


def title(catalogue: Catalogue) -> pn.pane.HTML:
    """Name of the file and its number of rows."""
    rows = "1 row" if len(catalogue) == 1 else f"{len(catalogue):,} rows"
    return parts.html(f"<h2>{escape(catalogue.name)}, {rows}</h2>", "intake")


def band_strip(catalogue: Catalogue) -> pn.pane.HTML:
    """One cell for each band, filled as high as the fraction of rows that have it."""
    missing, n = catalogue.n_missing_by_band, len(catalogue)
    cells = "".join(
        f'<i style="--light:{colour};--part:{1 - missing[band] / n:.3%}" '
        f'title="{band}, {pivot:.0f} Å: {_share(n - missing[band], n)}"></i>'
        for band, pivot, colour in zip(BAND_NAMES, load_bands().pivot, band_colours(), strict=True)
    )
    ends = "".join(f"<span>{text}</span>" for text in ("uJAVA", "J1007, iSDSS"))
    return parts.html(
        f'<div class="strip">{cells}</div><div class="names">{ends}</div>', "band-strip"
    )


def _share(have: int, n: int) -> str:
    if have in (0, n):
        return "in every row" if have else "missing"
    return f"in {have:,} of {n:,} rows"


@dataclass(frozen=True)
class Upload:
    """A file as it came: where it is now, and what its owner calls it."""

    path: Path
    name: str
    folder: tempfile.TemporaryDirectory | None = None


def kept(source: Path | bytes | str | Upload, name: str) -> Upload:
    """Put an upload on disk, unless it is there: it takes no memory and can be read again.

    Raises
    ------
    InputError
        If its ending is unknown.
    """
    ending(name)
    if isinstance(source, Upload):
        return source
    if isinstance(source, Path):
        return Upload(source, name)
    upload = empty_upload(name)
    upload.path.write_bytes(source.encode() if isinstance(source, str) else source)
    return upload


def empty_upload(name: str) -> Upload:
    """Place for a file, in a folder that goes when nobody refers to it."""
    folder = tempfile.TemporaryDirectory(prefix="sspexplorer-", ignore_cleanup_errors=True)
    return Upload(Path(folder.name) / "catalogue", name, folder)

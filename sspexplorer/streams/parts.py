"""The folder beside a result in which a run keeps what is finished, so that it can go on."""

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc

from sspexplorer.errors import InputError
from sspexplorer.streams.counted import Counted

_RUN = "run.json"
_COUNTED = b"sspexplorer"


class Parts:
    """Answers to a catalogue, a file for each of the tables that it is read in.

    A file is at its place when all of it is there. Which run they are of stands beside them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def beside(cls, out: Path) -> "Parts":
        """Folder of a result."""
        return cls(out.with_name(f"{out.name}.parts"))

    def begin(self, run: Mapping[str, Any], resume: bool) -> str:
        """Make the folder, or go on with what is there.

        Parameters
        ----------
        run : dict
            All that decides what the parts hold.
        resume : bool
            Whether to go on; else what is there is removed.

        Returns
        -------
        str
            A sentence on what was there and is removed; "" if there is nothing to say.

        Raises
        ------
        InputError
            If what is there is of another run, or the folder cannot be made.
        """
        run = json.loads(json.dumps(run))
        there = self._run()
        if self.folder.exists() and there is None:
            raise InputError(
                f"{self.folder} is not a folder of parts that this program made; move it away."
            )
        if resume and there is not None:
            if other := [key for key in run if there.get(key) != run[key]]:
                raise InputError(
                    f"{self.folder} is of a run with another {other[0]}, so it cannot be gone on "
                    "with; run without --resume to begin anew."
                )
            return ""
        said = ""
        if there is not None:
            said = f"{self.folder}, of a run that was not finished, was begun anew."
            shutil.rmtree(self.folder)
        with self._one_sentence():
            self.folder.mkdir()
            self._write(_RUN, json.dumps(run, indent=1).encode())
        return said

    def has(self, start: int, rows: int) -> bool:
        """Whether the answers to the rows from ``start`` on are there."""
        counted = self.counted(start)
        return counted is not None and counted.rows == rows

    def counted(self, start: int) -> Counted | None:
        """What was counted of a table; None if it is not there."""
        with contextlib.suppress(OSError, pa.ArrowInvalid, KeyError, ValueError, TypeError):
            with pa.OSFile(str(self._path(start))) as file:
                schema = pa.ipc.open_file(file).schema
            return Counted.read(schema.metadata[_COUNTED])
        return None

    def save(self, start: int, table: pa.Table, counted: Counted) -> None:
        """Keep the answers to a table.

        Raises
        ------
        InputError
            If they cannot be written.
        """
        table = table.replace_schema_metadata({_COUNTED: counted.text()})
        content = pa.BufferOutputStream()
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.ipc.new_file(content, table.schema, options=options) as writer:
            writer.write_table(table)
        with self._one_sentence():
            self._write(self._path(start).name, content.getvalue())

    def load(self, start: int) -> pa.Table:
        """Answers to a table.

        Raises
        ------
        InputError
            If they are not there.
        """
        path = self._path(start)
        try:
            with pa.memory_map(str(path)) as file:
                return pa.ipc.open_file(file).read_all().replace_schema_metadata()
        except (OSError, pa.ArrowInvalid) as error:
            raise InputError(f"{path} cannot be read: {error}.") from None

    def remove_if_empty(self) -> None:
        """Remove the folder if nothing was finished."""
        if not any(self.folder.glob("[0-9]*.arrow")):
            self.remove()

    def remove(self) -> None:
        """Remove the folder, which is of no more use."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, start: int) -> Path:
        return self.folder / f"{start:012d}.arrow"

    def _run(self) -> dict | None:
        try:
            found = json.loads((self.folder / _RUN).read_bytes())
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def _write(self, name: str, content: bytes | pa.Buffer) -> None:
        # Of this process alone: two workers may be at the same table.
        part = self.folder / f".{name}.{os.getpid()}"
        try:
            with part.open("wb") as file:
                file.write(content)
            os.replace(part, self.folder / name)
        finally:
            with contextlib.suppress(OSError):
                part.unlink()

    @contextlib.contextmanager
    def _one_sentence(self) -> Any:
        try:
            yield
        except OSError as error:
            raise InputError(f"{self.folder} cannot be written: {error.strerror}.") from None

"""The part of the catalogue page where a file comes in: dropped, linked, shared, of a session."""

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

import panel as pn
import param

from sspexplorer.app.apply import intake
from sspexplorer.app.apply.kept import KeptSelections
from sspexplorer.app.apply.linked import EXAMPLES, Linked, served_files
from sspexplorer.app.apply.method import Method
from sspexplorer.app.apply.offered import offered_files
from sspexplorer.app.apply.question import question_view
from sspexplorer.app.apply.reading import Found, Reading
from sspexplorer.app.apply.session import Session, digest_of
from sspexplorer.app.apply.sharing import Sharing
from sspexplorer.app.apply.taken import MapInput, WhatWasTaken
from sspexplorer.app.choices import accept, read_query, write_query
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.page import Page
from sspexplorer.app.kit.work import READING, Worker, served_document
from sspexplorer.app.serving import shares
from sspexplorer.app.state import SharedState
from sspexplorer.catalogue import Catalogue, ChoiceNeededError
from sspexplorer.errors import InputError
from sspexplorer.jobs.reading import READER
from sspexplorer.progress import Progress
from sspexplorer.resources import data_path

Source = Path | bytes | str | intake.Upload
"""A file, or its content."""

# What a link says of where a catalogue comes from, besides how it was predicted.
_WHERE = ("file", "shared")


class Opening(Method, Linked, Page):
    """A page that a catalogue comes into, is read again another way, and is forgotten.

    Parameters
    ----------
    state : SharedState, optional
        Model and libraries; a fresh one unless given.
    """

    QUERY: ClassVar[dict[str, str]] = Method.QUERY | Linked.QUERY
    LETS_GO = False  # an upload that is on its way would break off

    handed = param.ClassSelector(
        class_=intake.Upload, default=None, doc="File that another page hands over, to be opened."
    )

    def __init__(self, state: SharedState | None = None, **params: Any) -> None:
        super().__init__(state, **params)
        self.param.watch(self._take_handed, "handed")
        self.param.watch(self._follow_link, list(_WHERE))

    def make(self) -> None:
        """Make what files come into; there is none yet."""
        self._opened = ""
        self._upload: intake.Upload | None = None
        self._found: Found | None = None
        self._map: Mapping = {}
        self._next: Session | None = None
        self._selections: KeptSelections | None = None
        self.worker = Worker()
        self.taken = WhatWasTaken(self._read_so, self.worker.tell)
        self.sharing = Sharing(self._share, self.worker.tell)
        self._map_input = MapInput(self._take_map, self.worker.tell)
        self._next_note = parts.note("")
        self._question = parts.stack()
        self._drop_area = pn.Column(sizing_mode="stretch_width", margin=0)
        examples = [pn.widgets.Button(label=title, width=220) for title in EXAMPLES]
        for button in examples:
            button.on_click(self._open_example)
        self._empty = parts.stack(
            self._drop_area,
            self._next_note,
            parts.caption(
                "A table with a row for each galaxy and a column for each band (F_ν, F_λ, AB or ST "
                "magnitudes; at least 5 of the 57 bands, better 20), as text, ECSV, FITS, VOTable, "
                f"Parquet, Feather or HDF5, up to {intake.max_upload()}. The server forgets it "
                "when you close this page, unless you share it by a link. A session that you saved "
                "here can be dropped as well."
            ),
            pn.Row(*examples, margin=0, styles={"gap": "10px", "flex-wrap": "wrap"}),
            intake.column_help(self._map_input),
            gap=18,
        )
        self._new_drop_zone()

    @property
    def catalogue(self) -> Catalogue | None:
        """Catalogue as it was understood, or None before there is one."""
        return None if self._found is None else self._found.catalogue

    async def predict(self) -> None:
        """Predict every row of the catalogue that was read, and show the result."""
        raise NotImplementedError

    async def _take(self, upload: intake.Upload, found: Found) -> None:
        """Show what was understood, and predict again what had been predicted."""
        raise NotImplementedError

    def _settle(self) -> None:
        """Offer to predict, if the predictions in sight are of an earlier reading."""
        raise NotImplementedError

    def _note(self, *events: Any) -> None:
        """Have the link carry what is in sight."""
        raise NotImplementedError

    async def open(self, source: Source, name: str) -> None:
        """Read a catalogue and show what was understood.

        Parameters
        ----------
        source : Path, bytes, str or Upload
            A file, or its content.
        name : str
            File name, whose ending says the format.
        """
        mapping, self._map = self._map, {}
        session, self._next = self._next, None
        self._tell_of_next()
        self._opened = name
        if self.file != name:
            self.unlink()
        self.file = name if source == served_files().get(name) else ""
        if session is None:
            await self._read(source, name, Reading(columns=mapping))
        else:
            await self._resume(session, source, name)

    async def _resume(self, session: Session, source: Source, name: str) -> None:
        """Open a file as a session had it, if it is the session's."""
        upload = await asyncio.to_thread(intake.kept, source, name)
        if await asyncio.to_thread(digest_of, upload.path) != session.digest:
            await self._read(upload, name, Reading())
            words = f"{name} is not the file of the session, which was {session.name}, or it has "
            self.worker.tell(InputError(f"{words}changed: it was opened without the session."))
            return
        names = {key: value for key, value in self.QUERY.items() if key not in _WHERE}
        accept(self, read_query(self, names, f"?{urlencode(session.link)}"))
        await self._read(upload, name, session.reading)
        if self._upload is not upload:
            return
        try:
            kept = session.kept(len(self.catalogue))
        except InputError as error:
            self.worker.tell(error)
            return
        self._selections = KeptSelections.holding(kept)
        await self.predict()

    async def open_session(self, data: bytes, name: str) -> None:
        """Open what a session was of, or ask for its file.

        Parameters
        ----------
        data : bytes
        name : str
            Of the session's file.
        """
        try:
            session = Session.read(data, name)
        except InputError as error:
            self._new_drop_zone()
            self.worker.tell(error)
            return
        self.worker.clear()
        self._next = session
        token, served = session.link.get("shared", ""), session.link.get("file", "")
        if served in served_files():
            await self.open(served_files()[served], served)
            return
        try:
            share = shares.find(token)
        except InputError:
            # It was not shared, or is not any more: its owner has it.
            self._new_drop_zone()
            self._tell_of_next()
            return
        await self.open(share.path, share.name)
        self._share(token)

    @property
    def session(self) -> Session:
        """What is in sight, to be opened again."""
        link = write_query(self, self.QUERY)
        upload, found = self._upload, self._found
        return Session.of(upload.path, upload.name, link, found.reading, self._selections.kept)

    async def _read(
        self, source: Path | bytes | str | intake.Upload, name: str, reading: Reading
    ) -> None:
        served = served_document() is not None

        def read(progress: Progress) -> tuple[intake.Upload, Found | ChoiceNeededError]:
            upload = intake.kept(source, name)
            ships = upload.path.is_relative_to(data_path("examples"))
            apart = served and READER.can_read and not ships
            return upload, reading.read(upload, progress, apart=apart)

        self._question[:] = []
        outcome = await self.worker.run(f"Reading {name}", read, READING)
        if outcome.done and isinstance(outcome.value[1], Found):
            await self._take(*outcome.value)
            return
        if outcome.done:
            self._ask(outcome.value[0], reading, outcome.value[1])
        if not outcome.overtaken and self._found is not None:
            # What is in sight was read as before.
            self.taken.show(self._found)
            self._settle()

    def _ask(self, upload: intake.Upload, reading: Reading, question: ChoiceNeededError) -> None:
        """Show a question that the file leaves open."""

        def answered(choice: str) -> None:
            chosen = reading.with_option(question.option, choice)
            pn.state.execute(partial(self._read, upload, upload.name, chosen))

        def left() -> None:
            self._question[:] = []
            self._empty.visible = self._found is None
            if self._found is None:
                self._new_drop_zone()

        leave = "Another file" if self._found is None else "Leave it as it was"
        self._empty.visible = False
        self._question[:] = [question_view(question, answered, leave, left)]

    async def _take_handed(self, event: Any) -> None:
        if event.new is not None:
            self.handed = None
            await self.open(event.new, event.new.name)

    def _follow_link(self, event: Any) -> None:
        if event.new and event.new != self._opened:
            follow = self.open_shared if event.name == "shared" else self.open_linked
            pn.state.execute(partial(follow, event.new))

    def _share(self, token: str) -> None:
        """Have the link carry a catalogue that was left with the server, or none."""
        self._opened = token or self._opened
        self.shared = token
        self._note()

    async def open_linked(self, name: str) -> None:
        """Open the catalogue that a link names, and predict it as was done where it was made."""
        await self.open(served_files()[name], name)
        await self.predict()

    async def open_shared(self, token: str) -> None:
        """Open the catalogue that a visitor left with the server, as it was read there."""
        try:
            share = shares.find(token)
        except InputError as error:
            self.unlink()
            self.worker.tell(error)
            return
        self._map, self._next = {}, None
        self._tell_of_next()
        self._opened, self.file = token, ""
        await self._read(share.path, share.name, Reading.from_dict(share.reading))
        await self.predict()

    def _new_drop_zone(self) -> None:
        """Exchange the drop zone, since it shows its last file for as long as it lives."""
        self._drop_area[:] = [
            intake.drop_zone(self._dropped, self.worker.tell),
            *offered_files(self.open, self.worker.tell),
        ]

    async def _dropped(self, event: Any) -> None:
        upload = event.new
        if upload is None:
            return
        if upload.name.endswith(intake.SESSION):
            await self.open_session(await asyncio.to_thread(upload.path.read_bytes), upload.name)
        else:
            await self.open(upload, upload.name)

    async def _open_example(self, event: Any) -> None:
        name = EXAMPLES[event.obj.label]
        await self.open(data_path("examples", name), name)

    def _read_so(self, reading: Reading) -> None:
        """Read the file again, in another way."""
        if self._upload is not None:
            pn.state.execute(partial(self._read, self._upload, self._upload.name, reading))

    def _take_map(self, mapping: Mapping) -> None:
        """Keep a map of columns for the file that comes next."""
        self.worker.clear()
        self._map = mapping
        self._tell_of_next()

    def _tell_of_next(self) -> None:
        """Say what becomes of the file that comes next."""
        text = "The next file is read with your map of columns." if self._map else ""
        if self._next is not None:
            text = f"Now drop {self._next.name}, which the session is of: it opens as it was."
        self._next_note.object = parts.note(text).object

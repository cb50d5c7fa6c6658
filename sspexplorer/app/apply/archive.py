"""From the archive: a form becomes a query, the query a job, and its answer a catalogue."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import panel as pn

from sspexplorer.app.apply.intake import Upload
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.download import Download
from sspexplorer.app.kit.page import Page
from sspexplorer.app.kit.work import Worker, sentence_of
from sspexplorer.app.state import SharedState
from sspexplorer.archive.connection import Login
from sspexplorer.archive.fetching import Fetched
from sspexplorer.archive.layout import APERTURES, KINDS, Photometry
from sspexplorer.archive.question import Question
from sspexplorer.archive.selection import Selection, read_conditions, read_cone, read_ids
from sspexplorer.archive.services import SERVICES, Service, default_service
from sspexplorer.catalogue.ways import WAYS
from sspexplorer.errors import InputError
from sspexplorer.progress import Progress

CONE, LIST, CUT = "Cone", "List", "Cut"

_QUERY_CSS = """
textarea { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 12px;
           line-height: 1.5; }
"""


@dataclass(frozen=True)
class Kept:
    """What was fetched, in a folder that lasts as long as this."""

    fetched: Fetched
    folder: tempfile.TemporaryDirectory

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.fetched.path.name


class FromTheArchive(Page):
    """Galaxies of the J-PAS archive, asked for in a form or in its query language.

    Only services that the server knows are offered: a visitor sends it nowhere else.

    Parameters
    ----------
    state : SharedState, optional
        What is fetched is handed to it, for the page "Your catalogue"; a fresh one unless given.
    """

    def __init__(self, state: SharedState | None = None, **params: Any) -> None:
        super().__init__(state, **params)
        if pn.state.curdoc and pn.state.curdoc.session_context:
            pn.state.on_session_destroyed(lambda context: self._forget())

    def make(self) -> None:
        """Make the form, and the query that it opens with."""
        self.kept: Kept | None = None
        self.worker = Worker(self._show_whether_busy)
        self._formed, self._wrong, self._filling = "", "", False
        self._ways = parts.stack(gap=10)
        self._said = parts.note("")
        self._result = parts.stack(gap=10)
        self._download = Download(self._write, "")
        self._make_widgets()
        self._form_changed()

    def _make_widgets(self) -> None:
        known = {service.url: service for service in (default_service(), *SERVICES)}
        self.services = {s.title or s.url: s for s in known.values()}
        self.service = pn.widgets.Select(label="Service", options=list(self.services))
        self.by = pn.widgets.RadioButtonGroup(options=[CONE, LIST, CUT], value=CUT)
        self.ra = pn.widgets.TextInput(label="Right ascension", placeholder="14:17:00 or 214.25")
        self.dec = pn.widgets.TextInput(label="Declination", placeholder="+52:30:00 or 52.5")
        self.radius = pn.widgets.TextInput(label="Radius", value="5 arcmin")
        self.ids = pn.widgets.TextAreaInput(
            label="Objects", placeholder="2241-1234, 2241-1300", rows=5
        )
        self.where = pn.widgets.TextInput(label="Conditions", value="i < 20 and z < 0.1")
        self.clean = pn.widgets.Checkbox(label="Without flags or masks in iSDSS", value=True)
        self.aperture = pn.widgets.Select(
            label="Photometry", options={name.upper(): name for name in APERTURES}
        )
        self.kind = pn.widgets.Select(
            label="Fluxes as", options={kind.title: name for name, kind in KINDS.items()}
        )
        self.user = pn.widgets.TextInput(label=WAYS["login"].control)
        self.password = pn.widgets.PasswordInput(label="Password")
        self.query = pn.widgets.TextAreaInput(
            label="Query (ADQL)",
            rows=22,
            max_length=1_000_000,
            sizing_mode="stretch_width",
            stylesheets=[_QUERY_CSS],
        )
        self.start = pn.widgets.Button(label="Fetch", color="primary")
        self.back = pn.widgets.Button(label="Back to the form’s query", visible=False)
        self.hand_over = pn.widgets.Button(label="Open in Your catalogue", color="primary")
        form = (self.service, self.by, self.ra, self.dec, self.radius, self.ids, self.where)
        for widget in (*form, self.clean, self.aperture, self.kind):
            widget.param.watch(self._form_changed, "value")
        self.query.param.watch(self._query_changed, "value")
        self.start.on_click(self._start_clicked)
        self.back.on_click(self._form_changed)
        self.hand_over.on_click(self._hand_over)

    def controls(self) -> list[parts.Part]:
        """What is asked of which service."""
        return [self.service, self.by, self._ways, self.aperture, self.start]

    def more(self) -> list[parts.Part]:
        """What is seldom asked, and who asks."""
        return [self.clean, self.kind, self.user, self.password]

    def picture(self) -> parts.Part:
        """What came, over the query."""
        caption = parts.caption(
            "Values of arrays are addressed by filter. You can change the query: it is then sent "
            "as it is, in one job."
        )
        return parts.stack(self._result, self._said, self.query, self.back, caption)

    def lay_out(self) -> pn.Column:
        """Put progress over the page."""
        return pn.Column(self.worker, super().lay_out(), sizing_mode="stretch_width", margin=0)

    # From the form to the query.

    @property
    def chosen_service(self) -> Service:
        """Service that is asked."""
        return self.services[self.service.value]

    @property
    def is_own(self) -> bool:
        """Whether the query was changed by hand."""
        return self.query.value.strip() != self._formed.strip()

    def asked(self) -> Question:
        """What the form, or the query changed by hand, asks for.

        Raises
        ------
        InputError
            If something in the form cannot be understood.
        """
        photometry = Photometry(self.aperture.value, self.kind.value)
        if self.is_own:
            return Question(self.chosen_service, Selection(), photometry, self.query.value)
        return Question(self.chosen_service, self._selection(), photometry)

    def _selection(self) -> Selection:
        if self.by.value == CONE:
            cone = read_cone(self.ra.value, self.dec.value, self.radius.value)
            return Selection(cone=cone, clean=self.clean.value)
        if self.by.value == LIST:
            return Selection(ids=read_ids(self.ids.value.strip() or " "))
        return Selection(conditions=read_conditions(self.where.value), clean=self.clean.value)

    def _form_changed(self, *events: Any) -> None:
        ways: dict[str, Sequence[Any]] = {
            CONE: (self.ra, self.dec, self.radius),
            LIST: (self.ids,),
            CUT: (self.where,),
        }
        for widget in ways[self.by.value]:
            widget.sizing_mode = "stretch_width"
        self._ways[:] = list(ways[self.by.value])
        photometry = Photometry(self.aperture.value, self.kind.value)
        formed, self._wrong = "", ""
        try:
            selection = self._selection()
            # The names of the tables of other services are known when they have been asked.
            if self.chosen_service.schema:
                formed = Question(self.chosen_service, selection, photometry).adql()
        except InputError as error:
            self._wrong = sentence_of(error)
        self._fill(formed)

    def _fill(self, formed: str) -> None:
        """Show the query that the form stands for."""
        self._formed = formed
        self._filling = True
        self.query.value = formed
        self._filling = False
        self._say()

    def _query_changed(self, event: Any) -> None:
        if not self._filling:
            self._say()

    def _say(self) -> None:
        own = self.is_own
        words = "This query is yours: the form has no say in it." if own else self._wrong
        if not words and not self._formed:
            words = "The query is written when the service has been asked what it has."
        elif not words and self.chosen_service.login:
            words = "This service asks for a user and a password; they are under More."
        self._said.object = parts.note(words).object
        self.back.visible = own
        self.start.disabled = self.worker.busy or (bool(self._wrong) and not own)

    # From the query to the answer.

    async def fetch(self) -> None:
        """Ask the service, and show what came."""
        try:
            question = self.asked()
        except InputError as error:
            self.worker.tell(error)
            return
        user = self.user.value.strip()
        login = Login(user, self.password.value) if user else None

        def work(progress: Progress) -> Kept:
            folder = tempfile.TemporaryDirectory(prefix="sspexplorer-")
            name = question.service.name if "://" not in question.service.name else "archive"
            out = Path(folder.name) / f"{name}.parquet"
            return Kept(question.fetch(out, login=login, progress=progress), folder)

        outcome = await self.worker.run(f"Asking {question.service.host}", work)
        if outcome.done:
            self.kept = outcome.value
            if not question.own:
                self._fill(self.kept.fetched.adql)
            self._show_result(question)

    async def _start_clicked(self, event: Any) -> None:
        await self.fetch()

    def _show_whether_busy(self, busy: bool) -> None:
        self.start.disabled = busy or (bool(self._wrong) and not self.is_own)

    def _show_result(self, question: Question) -> None:
        kept = self.kept
        rows = "1 row" if kept.fetched.n_rows == 1 else f"{kept.fetched.n_rows:,} rows"
        seconds = f"{kept.fetched.seconds:.0f} s"
        self._download.filename = kept.name
        self._result[:] = [
            parts.label(f"{rows} from {question.service.host}, in {seconds}"),
            *(parts.note(text) for text in kept.fetched.notes),
            pn.Row(self.hand_over, self._download, margin=0, styles={"gap": "10px"}),
        ]

    def _hand_over(self, event: Any) -> None:
        kept = self.kept
        self.state.go("catalogue", handed=Upload(kept.fetched.path, kept.name, kept.folder))

    def _write(self, file: BinaryIO) -> None:
        with self.kept.fetched.path.open("rb") as kept:
            shutil.copyfileobj(kept, file)

    def _forget(self) -> None:
        self.worker.cancel()
        self.kept = None

"""What all pages are: controls beside a picture that answers a question, and what is said of it."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

import panel as pn
import param

from sspexplorer.app.kit import parts
from sspexplorer.app.kit.work import Worker, sentence_of
from sspexplorer.app.state import SharedState
from sspexplorer.errors import InputError
from sspexplorer.progress import Progress

Act = Callable[[], Any]


class Page(pn.viewable.Viewer):
    """A page of the app, or of a notebook.

    A page names the choices its question is made of (:attr:`ASKS`, :attr:`FOLLOWS`), puts them
    together (:meth:`question`), has the answer worked out in a thread (:meth:`answer`) and shows
    it (:meth:`show`). When a choice changes it asks again; what was asked meanwhile is overtaken.

    Out of sight it does nothing. It notes what it missed, and does that when it comes back.

    Parameters
    ----------
    state : SharedState, optional
        What the pages of a session share; a fresh one unless given.

    Examples
    --------
    >>> class Sum(Page):
    ...     ASKS = ("a", "b")
    ...     a, b = param.Integer(default=1), param.Integer(default=2)
    ...
    ...     def make(self):
    ...         self.total = parts.caption("")
    ...
    ...     def picture(self):
    ...         return self.total
    ...
    ...     def question(self):
    ...         return self.a, self.b
    ...
    ...     def answer(self, question, progress):
    ...         return sum(question)
    ...
    ...     def show(self, question, answer):
    ...         self.total.object = parts.caption(f"{answer}").object
    >>> page = Sum(a=40)
    >>> page.total.object
    '<div class="caption">42</div>'
    """

    QUERY: ClassVar[dict[str, str]] = {}
    """Choices that a link carries, and their names in it."""
    ASKS: ClassVar[tuple[str, ...]] = ()
    """Choices of the page that its question is made of."""
    FOLLOWS: ClassVar[tuple[str, ...]] = ()
    """Choices of the session that its question is made of."""
    SIDEBAR: ClassVar[tuple[str, ...]] = ()
    """Choices of the sidebar that act on the page."""
    BUSY: ClassVar[str] = ""
    """What is said while an answer takes its time."""
    LETS_GO: ClassVar[bool] = True
    """Whether all of it can be drawn anew from what the server knows."""

    in_sight = param.Boolean(default=True, doc="Whether a visitor sees the page.")

    def __init__(self, state: SharedState | None = None, **params: Any) -> None:
        super().__init__(**params)
        self.state = state or SharedState()
        self._missed: dict[Act, None] = {}
        self.busy = parts.note("")
        self.worker = Worker(self.show_busy, self.fail)
        self._trouble = pn.Column(sizing_mode="stretch_width", margin=0, visible=False)
        self.param.watch(self._catch_up, "in_sight")
        self.make()
        # A grid cannot be hidden: its style has the last word on how it is displayed.
        self._picture = parts.stack(self.picture())
        self._below = parts.stack(*self.below(), gap=12)
        self._layout = self.lay_out()
        self.follow(self.update, *self.FOLLOWS)
        if self.ASKS:
            self.param.watch(self.update, list(self.ASKS))
        self.update()

    def __panel__(self) -> pn.viewable.Viewable:
        """Controls beside the picture, the rest below."""
        return self._layout

    @staticmethod
    def warm() -> None:
        """Make what the page opens with; once per server, in a thread."""

    # What a page is made of.

    def make(self) -> None:
        """Make what the parts of the page share, before any of them."""

    def controls(self) -> Sequence[parts.Part]:
        """Controls beside the picture, at most six."""
        return []

    def more(self) -> Sequence[parts.Part]:
        """Controls that are seldom needed."""
        return []

    def picture(self) -> parts.Part:
        """What the page is about."""
        return parts.stack()

    def below(self) -> Sequence[parts.Part]:
        """What follows the picture: captions, tables."""
        return []

    def lay_out(self) -> pn.viewable.Viewable:
        """Put the parts together."""
        return parts.page_layout(
            self.controls(),
            parts.stack(self._trouble, self._picture),
            more=self.more(),
            below=[self._below],
        )

    # Question and answer.

    def question(self) -> Any:
        """Put all choices together, and write beside the controls what they mean.

        Returns
        -------
        object
            Comparable with ``==``; None if there is nothing to ask.

        Raises
        ------
        InputError
            If the choices have no answer.
        """
        return None

    def answer(self, question: Any, progress: Progress) -> Any:
        """Work the answer out, in a thread: it must not touch the page."""
        raise NotImplementedError

    def show(self, question: Any, answer: Any) -> None:
        """Show the answer; all that changes reaches the browser in one message."""

    def update(self, *events: Any) -> None:
        """Ask anew, if the choices ask for something else now."""
        try:
            question = self.question()
        except InputError as error:
            self.worker.cancel()
            self.fail(error)
            return
        if question is not None:
            self.worker.ask(
                question,
                partial(self.answer, question),
                partial(self._answered, question),
                self.BUSY,
            )

    def _answered(self, question: Any, answer: Any) -> None:
        self.untell()
        self.show(question, answer)

    # What is said meanwhile, and of trouble.

    def show_busy(self, busy: bool) -> None:
        """Say that an answer takes its time, or no longer."""
        self.busy.object = parts.note(self.BUSY if busy else "").object

    def fail(self, error: Exception) -> None:
        """Say in place of the picture why there is none."""
        told = parts.empty_state if isinstance(error, InputError) else parts.problem
        self.worker.cancel()
        self.tell_instead(told(sentence_of(error)))

    def tell_instead(self, message: pn.viewable.Viewable) -> None:
        """Show a message in place of the picture, and of what follows it."""
        self.tell(message)
        self._picture.visible = self._below.visible = False

    def tell(self, message: pn.viewable.Viewable) -> None:
        """Show a message over the picture."""
        self._trouble[:] = [message]
        self._trouble.visible = True

    def untell(self) -> None:
        """Take back what was said of trouble."""
        self._trouble.visible = False
        self._picture.visible = self._below.visible = True

    # What the session does.

    def follow(self, act: Act, *names: str) -> None:
        """Call something when choices of the session have changed and the page is in sight.

        It is called without arguments: what the choices were before does not matter.
        """

        def heard(*events: Any) -> None:
            if self.in_sight:
                _call(act)
            else:
                self._missed[act] = None

        if names:
            self.state.param.watch(heard, list(names))

    def _catch_up(self, event: param.parameterized.Event) -> None:
        if event.new:
            missed, self._missed = self._missed, {}
            for act in missed:
                _call(act)


def _call(act: Act) -> None:
    if asyncio.iscoroutinefunction(act):
        pn.state.execute(act)
    else:
        act()

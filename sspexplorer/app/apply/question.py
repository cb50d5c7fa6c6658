"""A question that a catalogue leaves open, with its possible answers as buttons."""

from collections.abc import Callable
from html import escape

import panel as pn

from sspexplorer.app.kit import parts
from sspexplorer.catalogue import ChoiceNeededError
from sspexplorer.catalogue.units import UNITS
from sspexplorer.catalogue.ways import for_page

_ASKED = {
    "unit": "What are the numbers of the bands?",
    "photometry": "Which photometry should be read?",
}


def question_view(
    question: ChoiceNeededError, on_answer: Callable[[str], None], leave: str, on_leave: Callable
) -> pn.Column:
    """Ask which of several readings is meant.

    Parameters
    ----------
    question : ChoiceNeededError
    on_answer : callable
        Called with one of its choices.
    leave : str
        What the button says that answers nothing.
    on_leave : callable
        Called without arguments when it is pressed.
    """
    buttons = []
    for choice in question.choices:
        label = UNITS.get(choice, choice) if question.option == "unit" else choice
        button = pn.widgets.Button(label=label, width=170, margin=0)
        button.on_click(lambda event, choice=choice: on_answer(choice))
        buttons.append(button)
    away = pn.widgets.Button(label=leave, width=170, margin=0)
    away.on_click(lambda event: on_leave())
    asked = _ASKED.get(question.option, "How should this be read?")
    return parts.stack(
        parts.html(f"<h2>{escape(asked)}</h2><p>{escape(for_page(str(question)))}</p>", "intake"),
        pn.Row(*buttons, away, margin=0, styles={"gap": "10px", "flex-wrap": "wrap"}),
        gap=12,
    )

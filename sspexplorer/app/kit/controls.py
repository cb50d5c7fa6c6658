"""Controls that several pages have, bound to a parameter."""

from typing import Any

import panel as pn
import param

from sspexplorer.app.kit import parts

# Which mocks, by the magnitude of the sidebar.
MAGNITUDE_CHOICES = {"All": "all", "Brighter than": "brighter", "At": "at"}

_WIDE = {"sizing_mode": "stretch_width", "margin": 0}


def select(label: str, parameter: param.Parameter, **params: Any) -> pn.widgets.Select:
    """One of several, folded away."""
    made = pn.widgets.Select.from_param(parameter, label=label, **_WIDE, **params)
    # The label says it all.
    made.description = None
    return made


def buttons(
    label: str, parameter: param.Parameter, *notes: pn.viewable.Viewable, **params: Any
) -> pn.Column:
    """One of a few, side by side under a label, with what the choice means."""
    made = pn.widgets.RadioButtonGroup.from_param(parameter, **_WIDE, **params)
    return parts.stack(parts.label(label), made, *notes, gap=4)


def tick(label: str, parameter: param.Parameter) -> pn.widgets.CheckBoxGroup:
    """Whether or not; unlike a single check box it answers to a click on its words, too."""
    owner, name = parameter.owner, parameter.name
    made = pn.widgets.CheckBoxGroup(
        value=[label] if getattr(owner, name) else [], options=[label], **_WIDE
    )
    made.param.watch(lambda event: owner.param.update(**{name: bool(event.new)}), "value")
    return made


def spinner(text: str) -> pn.Row:
    """Say that something is being worked out; out of sight until it is made visible."""
    wheel = pn.indicators.LoadingSpinner(value=True, size=18, margin=0)
    words = parts.caption(text)
    return pn.Row(wheel, words, margin=0, styles={"gap": "10px"}, visible=False)

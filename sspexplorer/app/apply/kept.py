"""Selections that a visitor names: kept for the catalogue, shown again, compared, removed."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import panel as pn
import param

from sspexplorer import flags
from sspexplorer.analysis.catalogue import ALL, FLAGGED, SELECTED, WELL, WITHOUT
from sspexplorer.analysis.selections import Compared, Kept
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.theme import css
from sspexplorer.errors import InputError

_MARK = "kept:"  # no code of a flag has a colon
_HINT = (
    "Draw around galaxies in the picture, choose a group above, or search: what is then listed can "
    "be named here, kept, and compared with the rest."
)
_GROUP_TITLES = {
    ALL: "All",
    WELL: "Predicted without remark",
    FLAGGED: "Predicted with a flag",
    WITHOUT: "Without prediction",
    SELECTED: "Selected in the picture",
}
_NOTHING, _REST = {"nothing": ""}, {"the rest": ""}


def key_of(name: str) -> str:
    """Name, among groups of rows, of a selection that is kept."""
    return _MARK + name


def name_of(group: str) -> str:
    """Name that a visitor gave a group of rows; "" of the others."""
    return group.removeprefix(_MARK) if group.startswith(_MARK) else ""


def title_of(group: str) -> str:
    """What a group of rows is called, flags by their labels."""
    name = name_of(group)
    return f"“{name}”" if name else _GROUP_TITLES.get(group) or flags.label(group)


class KeptSelections(pn.viewable.Viewer):
    """The bar under the groups of a catalogue: names for what is listed, and two to compare.

    Parameters
    ----------
    n_rows : int
        Of the catalogue.
    on_show : callable
        Called with the group to list, after what is kept has changed.
    on_compare : callable
        Called when something else is compared.
    like : KeptSelections, optional
        Of the answers before, for the same rows: what is kept and compared there stays.

    Attributes
    ----------
    name_it : TextInput
    keep, rename, remove, undo : Button
    first, second : Select
        Groups that are compared: none if the first is empty, with the rest if the second is.
    """

    kept = param.ClassSelector(class_=Kept, doc="Selections under their names.")

    def __init__(
        self,
        n_rows: int,
        on_show: Callable[[str], None],
        on_compare: Callable[[], None],
        like: "KeptSelections | None" = None,
    ) -> None:
        stays = like is not None and like.kept.n_rows == n_rows
        super().__init__(kept=like.kept if stays else Kept(n_rows))
        self._wanted = like._wanted if stays else ("", "")
        self._on_show, self._on_compare = on_show, on_compare
        self._group, self._chosen = ALL, np.ones(n_rows, bool)
        self._groups: Mapping[str, np.ndarray] = {}
        self._titles: Mapping[str, str] = {}
        self._removed: tuple[str, Kept] | None = None
        self._make_widgets()

    @classmethod
    def holding(cls, kept: Kept) -> "KeptSelections":
        """What answers can begin with, see ``like``."""
        found = cls(kept.n_rows, lambda group: None, lambda: None)
        found.kept = kept
        return found

    def _make_widgets(self) -> None:
        small = {"margin": 0}
        beside = small | {"stylesheets": [css("label-beside")]}
        self.name_it = pn.widgets.TextInput(label="Name", width=220, **beside)
        self.name_it.param.watch(self._entered, "enter_pressed")
        acts = {"Keep": self._keep, "Rename": self._rename, "Remove": self._remove}
        self.keep, self.rename, self.remove = (
            pn.widgets.Button(label=label, on_click=act, **small) for label, act in acts.items()
        )
        self.undo = pn.widgets.Button(label="Undo", on_click=self._undo, margin=0)
        self.first, self.second = (
            pn.widgets.Select(label=label, options=options, width=width, **beside)
            for label, options, width in (("Compare", _NOTHING, 240), ("with", _REST, 210))
        )
        for choice in (self.first, self.second):
            choice.param.watch(self._compare_changed, "value")
        self._hint, self._trouble = parts.note(_HINT), parts.stack()
        self._removed_text = parts.html("", sizing_mode=None)
        self._undoing = pn.Row(
            self._removed_text, self.undo, visible=False, stylesheets=[css("kept")], margin=0
        )
        acts = (self.name_it, self.keep, self.rename, self.remove)
        self._naming = pn.Row(*acts, stylesheets=[css("kept")], margin=0)
        self._comparing = pn.Row(self.first, self.second, stylesheets=[css("kept")], margin=0)

    def __panel__(self) -> pn.Column:
        """What can be done with what is listed, in one line, and what came of it."""
        bar = pn.Row(
            self._naming,
            self._comparing,
            self._undoing,
            sizing_mode="stretch_width",
            stylesheets=[css("kept")],
            margin=0,
        )
        return parts.stack(self._hint, bar, self._trouble, gap=6)

    @property
    def groups(self) -> dict[str, np.ndarray]:
        """Rows of each that is kept, as a mask, under its name among groups."""
        return {key_of(name): rows for name, rows in self.kept.rows.items()}

    @property
    def compared(self) -> Compared | None:
        """What is beside what; None if nothing is compared."""
        if not self._wanted[0]:
            return None
        first, *second = (
            (name_of(group) or self._titles[group], self._groups[group])
            for group in self._wanted
            if group
        )
        return Compared.of(first, *second)

    def follow(
        self,
        group: str,
        chosen: np.ndarray,
        groups: Mapping[str, np.ndarray],
        titles: Mapping[str, str],
    ) -> None:
        """Be told what is listed.

        Parameters
        ----------
        group : str
            Group in sight.
        chosen : ndarray of bool, shape (n_rows,)
            Rows that are listed of it.
        groups, titles : mapping
            Rows and title of each group there is, those that are kept among them.
        """
        self._group, self._chosen = group, chosen
        self._groups, self._titles = groups, titles
        name, n = name_of(group), int(chosen.sum())
        is_kept = bool(name) and n == int(groups[group].sum())
        is_all = n == len(chosen)
        self._hint.visible = is_all and not self.kept.rows
        self._naming.visible = n > 0 and not is_all
        self.keep.param.update(visible=not is_kept, label=f"Keep these {n:,}")
        self.rename.visible = self.remove.visible = is_kept
        shown = name if is_kept else ""
        self.name_it.param.update(value=shown, value_input=shown)
        self._trouble[:] = []
        self._offer()

    def _offer(self) -> None:
        """Offer to compare each group that leaves a rest, those with names before the others."""
        there = sorted((g for g, rows in self._groups.items() if not rows.all()), key=_rank)
        first, second = self._wanted
        first = first if first in there else ""
        others = [group for group in there if group != first]
        second = second if first and second in others else ""
        self._wanted = first, second
        self.first.param.update(options=_NOTHING | {self._titles[g]: g for g in there}, value=first)
        self.second.param.update(
            options=_REST | {self._titles[g]: g for g in others}, value=second, visible=bool(first)
        )
        self._comparing.visible = bool(self.kept.rows)

    def _compare_changed(self, event: Any) -> None:
        wanted = self.first.value, self.second.value if self.first.value else ""
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self._offer()
        self._on_compare()

    def _take(self, kept: Kept, group: str) -> None:
        """Hold this from now on, and list a group."""
        self.kept = kept
        self._undoing.visible = False
        self._on_show(group)

    def _entered(self, event: Any) -> None:
        if self.keep.visible:
            self._keep()
        else:
            self._rename()

    def _refuse(self, error: InputError) -> None:
        self._trouble[:] = [parts.problem(str(error))]

    def _keep(self, event: Any = None) -> None:
        try:
            kept = self.kept.including(self.name_it.value_input, self._chosen)
        except InputError as error:
            self._refuse(error)
            return
        self._take(kept, key_of(list(kept.rows)[-1]))

    def _rename(self, event: Any = None) -> None:
        name = name_of(self._group)
        try:
            kept = self.kept.renamed(name, self.name_it.value_input)
        except InputError as error:
            self._refuse(error)
            return
        new = key_of(list(kept.rows)[list(self.kept.rows).index(name)])
        self._wanted = tuple(new if group == key_of(name) else group for group in self._wanted)
        self._take(kept, new)

    def _remove(self, event: Any) -> None:
        name = name_of(self._group)
        self._removed = name, self.kept
        self._take(self.kept.without(name), ALL)
        self._removed_text.object = parts.note(f"“{name}” is removed.").object
        self._undoing.visible = True

    def _undo(self, event: Any) -> None:
        name, kept = self._removed
        self._take(kept, key_of(name))


def _rank(group: str) -> bool:
    return not name_of(group)

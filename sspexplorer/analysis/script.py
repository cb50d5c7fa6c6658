"""What was done with a catalogue, as a script that does it again."""

from dataclasses import fields
from pathlib import PurePosixPath
from pprint import pformat

from sspexplorer import __version__
from sspexplorer.analysis.catalogue import Answers
from sspexplorer.analysis.request import PredictionRequest
from sspexplorer.catalogue.files import ending
from sspexplorer.catalogue.galactic import FOUND
from sspexplorer.catalogue.masks import MaskRule
from sspexplorer.posterior.taken import Choices
from sspexplorer.shipped import shipped_names

_WIDTH = 92


def script_of(answers: Answers, masks: MaskRule, galactic: str | float, row: int) -> str:
    """Write Python that reads a catalogue and predicts it as was done.

    Parameters
    ----------
    answers : Answers
        With the request that they came of.
    masks, galactic
        How the catalogue was read, see :func:`sspexplorer.read_catalogue`.
    row : int
        Galaxy to print, counted from 0.
    """
    asked = answers.asked
    assert asked is not None
    name = PurePosixPath(answers.catalogue.name.replace("\\", "/")).name
    stem, suffix = name[: -len(ending(name))], ending(name)
    imports = ["import sspexplorer as ssp"]
    reading = [f"    {name!r},", f"    columns={_literal(answers.catalogue.column_map())},"]
    if masks != MaskRule():
        imports.append("from sspexplorer.catalogue.masks import MaskRule")
        reading.append(f"    masks={masks!r},")
    if galactic != FOUND:
        reading.append(f"    galactic={galactic!r},")
    return "\n".join(
        [
            f'"""Predictions of SSP Explorer {__version__}; run it beside the catalogue."""',
            "",
            *imports,
            "",
            *_notes(asked),
            "# Which columns were read, and as what: nothing is guessed.",
            "catalogue = ssp.read_catalogue(",
            *reading,
            ")",
            f"model = ssp.load_model({asked.model!r})",
            f"answers = ssp.predict_catalogue(model, catalogue, {_choices(asked.choices)})",
            f"catalogue.write({f'{stem}_predictions{suffix}'!r}, extra=answers.table)",
            "",
            "print(answers.meaning, *answers.remarks)",
            f"print(answers.table.iloc[{row}].to_string())",
            "",
        ]
    )


def _literal(value: object) -> str:
    """A value as it stands in a program, indented as an argument."""
    return pformat(value, width=_WIDTH, sort_dicts=False).replace("\n", "\n    ")


def _choices(choices: Choices) -> str:
    """Choices that are not the usual ones."""
    usual = Choices()
    said = [
        f"{field.name}={getattr(choices, field.name)!r}"
        for field in fields(choices)
        if field.name != "cosmology" and getattr(choices, field.name) != getattr(usual, field.name)
    ]
    return f"ssp.Choices({', '.join(said)})"


def _notes(asked: PredictionRequest) -> list[str]:
    """Comments on what a script cannot have."""
    notes = []
    if asked.zero_points is not None:
        notes += [
            "# Zero points had been corrected, which is not done here. The commands",
            "# `sspexplorer zeropoints` and `predict --zero-points` measure and correct them.",
        ]
    if asked.model not in shipped_names():
        notes.append("# The model was trained on the page: download it, and name its folder below.")
    return notes

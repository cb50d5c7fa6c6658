"""Flags: one word for each reason, the same everywhere."""

import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from source import PACKAGE, ROOT

from sspexplorer import flags, gaps, sedfit
from sspexplorer.galaxies import GalaxyPrior
from sspexplorer.networks import prediction as networks
from sspexplorer.photometry import MAX_REDSHIFT
from sspexplorer.populations import SSPPrior
from sspexplorer.posterior import prediction as posterior
from sspexplorer.posterior import taken
from sspexplorer.posterior.likeness import UNLIKE


def test_a_code_is_one_word_and_has_a_sentence():
    for code in flags.CODES:
        assert re.fullmatch("[a-z]+(-[a-z]+)*", code)
        assert flags.sentence(code).endswith(".")


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("few-bands", gaps.MIN_BANDS),
        ("too-few-bands", gaps.MIN_BANDS),
        ("too-few-bands", gaps.LEAST_BANDS),
        ("redshift-outside", MAX_REDSHIFT),
        ("redshift-not-modelled", networks.MAX_UNMODELLED_REDSHIFT),
        ("many-bands-missing", 100 * networks.MAX_MISSING_FRACTION),
        ("errors-unknown", 100 * taken.ASSUMED_ERROR),
        ("errors-unknown", 100 * sedfit.ASSUMED_ERROR),
        ("unlike-training", UNLIKE),
        ("metallicity-from-prior", 100 * posterior.LEAST_SHRINKAGE),
        ("redshift-uncertain", sedfit.REDSHIFT_STEP),
        ("no-model-fits", sedfit.POOR_FIT),
    ],
)
def test_sentences_have_the_numbers_that_are_used(code, number):
    found = {float(text) for text in re.findall(r"[\d.]*\d", flags.sentence(code))}
    assert number in found


@given(st.lists(st.sets(st.sampled_from(flags.CODES)), max_size=8))
def test_a_column_holds_what_was_added(rows):
    column = flags.column(len(rows))
    for code in flags.CODES:
        flags.add(column, np.array([code in row for row in rows], dtype=bool), code)
    assert [set(flags.codes(value)) for value in column] == rows
    assert sum(flags.count(column).values()) == sum(map(len, rows))
    assert [value == "" for value in column] == [not row for row in rows]


def test_an_unknown_code_is_no_flag():
    with pytest.raises(KeyError):
        flags.add(flags.column(1), np.array([True]), "strange")


def test_nothing_takes_sentences_apart():
    """What a flag means is never read off punctuation."""
    wrong = [
        path.relative_to(ROOT)
        for path in PACKAGE.rglob("*.py")
        if re.search(r"""split\((["'])[;,] \1""", path.read_text())
    ]
    assert not wrong


def test_codes_survive_a_table():
    frame = pd.DataFrame({"pred_flag": ["", "few-bands errors-unknown"]})
    again = pd.read_csv(pd.io.common.StringIO(frame.to_csv(index=False)), keep_default_na=False)
    assert flags.count(again["pred_flag"]) == {"few-bands": 1, "errors-unknown": 1}
    assert flags.described(again["pred_flag"])[0].startswith("1 few-bands: Fewer than 20 bands")


def test_cards_of_priors_say_the_same_without_docstrings():
    code = (
        "import json\n"
        "from sspexplorer.populations import SSPPrior\n"
        "from sspexplorer.galaxies import GalaxyPrior\n"
        "print(json.dumps([prior().to_dict()['words'] for prior in (SSPPrior, GalaxyPrior)]))"
    )
    bare = subprocess.run(
        [sys.executable, "-OO", "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    said = [prior().to_dict()["words"] for prior in (SSPPrior, GalaxyPrior)]
    assert json.loads(bare.stdout) == said
    assert "as likely as any other" in said[0]
    assert "composite histories" in said[1]

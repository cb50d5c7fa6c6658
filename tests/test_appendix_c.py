"""The paper's composite populations, where networks of single populations fail."""

import numpy as np
import pytest

from sspexplorer.histories import PAPER_FAMILIES


@pytest.fixture
def appendix_c(repository, monkeypatch):
    monkeypatch.syspath_prepend(repository / "benchmarks")
    import appendix_c

    return appendix_c


@pytest.mark.parametrize("family", PAPER_FAMILIES)
@pytest.mark.parametrize("library", ["bc03", "popstar"])
def test_galaxy_finds_the_age_of_the_light_and_the_dust(appendix_c, library, family):
    age, _, ebv = np.median(np.abs(appendix_c.offsets("galaxy", library, family)), axis=0)
    assert age < 0.2
    # Of a galaxy without dust the median is above 0 by half of what is not known, and that is
    # more since its law of attenuation is not taken for granted.
    assert ebv < 0.063


def test_a_network_of_single_populations_does_not_for_a_constant_rate(appendix_c):
    age = np.median(np.abs(appendix_c.offsets("paper", "bc03", "constant")), axis=0)[0]
    assert age > 0.5

"""A full p(z): read from quantiles in columns, and what posteriors make of it."""

import numpy as np
import pytest
from catalogues import read_csv
from scipy.stats import norm, skewnorm

from sspexplorer.catalogue.redshift_quantiles import N_NODES, nodes
from sspexplorer.catalogue.redshifts import redshift_columns
from sspexplorer.models import load_model
from sspexplorer.posterior.redshift_pdf import posterior_over

LEVELS = (0.025, 0.16, 0.5, 0.84, 0.975)


@pytest.mark.parametrize(
    "names",
    [
        ["photoz", "photoz_p025", "photoz_p16", "photoz_p50", "photoz_p84", "photoz_p975"],
        ["z_phot", "z_phot_q025", "z_phot_q160", "z_phot_q500", "z_phot_q840", "z_phot_q975"],
    ],
)
def test_quantiles_of_a_redshift_are_its_own(names):
    (column,) = redshift_columns(names)
    assert column.name == names[0]
    assert column.quantiles == tuple(zip(LEVELS, names[1:], strict=True))


@pytest.mark.parametrize("names", [["photoz", "photoz_p16", "photoz_p84"], ["zspec", "z_p16"]])
def test_two_bounds_are_no_pdf(names):
    assert redshift_columns(names)[0].quantiles == ()


def test_nodes_are_exact_for_normal_and_close_for_skew_distributions():
    wanted = (np.arange(N_NODES) + 0.5) / N_NODES
    even, skew = norm(0.4, 0.03), skewnorm(6, 0.3, 0.1)
    found = nodes(LEVELS, np.stack([even.ppf(LEVELS), skew.ppf(LEVELS), [0.1, 0.3, 0.2, 0.4, 0.5]]))
    assert found[0] == pytest.approx(even.ppf(wanted))
    assert found[1] == pytest.approx(skew.ppf(wanted), abs=0.01)
    assert np.isnan(found[2]).all()


def test_a_table_with_quantiles_says_so_and_keeps_rows_without_them():
    columns = {f"photoz_p{name}": [] for name in ("05", "50", "95")}
    for column, value in zip(columns.values(), (0.2, 0.3, 0.5), strict=True):
        column += [value, np.nan]
    catalogue = read_csv({"J0378": [1.0, 1.0], "photoz": [0.3, 0.4]} | columns)
    assert "p(z) of photoz from its quantiles at 0.05, 0.5, 0.95." in catalogue.notes
    assert np.isfinite(catalogue.redshift_pdf).all(axis=1).tolist() == [True, False]
    assert catalogue.redshift_err[0] == pytest.approx(catalogue.redshift_pdf[0].std())
    assert np.isnan(catalogue.redshift_err[1])


def test_a_posterior_is_the_mean_over_its_pdf():
    model = load_model("galaxy").model
    flux = np.linspace(0.5, 1.5, 57)[None].repeat(2, axis=0)
    # As likely here as there, with one node for each half.
    two = np.array([[0.02, 0.08]] * 2)
    found = posterior_over(model, flux, 0.05 * flux, two)
    each = [model.posterior(flux, 0.05 * flux, two[:, k], np.full(2, 0.01))[0] for k in (0, 1)]
    middle, spread = found[0].moments()
    means = [one.moments()[0] for one in each]
    assert middle == pytest.approx(np.mean(means, axis=0), abs=1e-4)
    within = np.mean([np.diagonal(one.moments()[1], axis1=1, axis2=2) for one in each], axis=0)
    between = np.var(means, axis=0)
    assert np.diagonal(spread, axis1=1, axis2=2) == pytest.approx(within + between, rel=1e-3)
    # What lies beyond the model's reach is left out.
    beyond = posterior_over(model, flux, 0.05 * flux, np.array([[0.02, 9.0]] * 2))
    near = model.posterior(flux, 0.05 * flux, np.full(2, 0.02), np.full(2, 0.01))[0]
    assert beyond[0].moments()[0] == pytest.approx(near.moments()[0], abs=1e-4)

"""Other people's columns: what they are taken for, and what becomes of their numbers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue import read_catalogue
from sspexplorer.catalogue.comparison import (
    A_V,
    CONVERSIONS,
    Z_FRACTION,
    Z_FRACTION_PARSEC,
    convert,
    guess,
    guesses,
    other_columns,
)
from sspexplorer.errors import InputError
from sspexplorer.mocks import make_mocks


@given(log_age=st.floats(6, 10.3))
def test_an_age_is_the_same_in_every_unit(log_age):
    years = 10**log_age
    forms = {
        "log10 age [yr]": log_age,
        "log10 age [Gyr]": log_age - 9,
        "age [yr]": years,
        "age [Myr]": years / 1e6,
        "age [Gyr]": years / 1e9,
    }
    assert forms.keys() == CONVERSIONS["log_age"].keys()
    for conversion, value in forms.items():
        found = convert(np.array([value]), "log_age", conversion)
        assert found == pytest.approx([log_age], abs=1e-9)


def test_metals_and_dust_are_converted_as_stated():
    assert convert(np.array([0.02]), "metallicity", Z_FRACTION) == pytest.approx([0.0])
    assert convert(np.array([0.0152]), "metallicity", Z_FRACTION_PARSEC) == pytest.approx([0.0])
    assert convert(np.array([0.1]), "metallicity", "Z/Z☉") == pytest.approx([-1.0])
    assert convert(np.array([0.31]), "ebv", A_V) == pytest.approx([0.1])


def test_what_cannot_be_converted_is_left_out_and_not_made_up():
    found = convert(np.array([0.0, -1.0, np.nan, 1.0]), "log_age", "age [Gyr]")
    assert np.isnan(found[:3]).all()
    assert found[3] == 9
    with pytest.raises(InputError, match="not from 'age'"):
        convert(np.array([1.0]), "log_age", "age")


@pytest.mark.parametrize(
    ("name", "values", "unit", "expected"),
    [
        ("age", [1.2, 9.5, 13.0], "", ("log_age", "age [Gyr]")),
        ("AGE_MUFFIT", [6.5, 9.9, 10.1], "", ("log_age", "log10 age [yr]")),
        ("age", [1.2, 9.5], "Myr", ("log_age", "age [Myr]")),
        ("ageM_Gyr", [1.2, 9.5], "", ("log_age", "age [Gyr]")),
        ("t_star", [1e8, 9e9], "", ("log_age", "age [yr]")),
        ("age", [120.0, 9500.0], "", ("log_age", "age [Myr]")),
        ("log_age_lw", [-1.0, 0.9], "", ("log_age", "log10 age [Gyr]")),
        ("logAge", [8.0, 9.9], "dex(yr)", ("log_age", "log10 age [yr]")),
        ("[M/H]", [-1.0, 0.2], "", ("metallicity", "[M/H] [dex]")),
        ("FeH", [-1.0, 0.2], "", ("metallicity", "[M/H] [dex]")),
        ("Z_star", [0.004, 0.02], "", ("metallicity", Z_FRACTION)),
        ("metallicity", [0.2, 1.5], "", ("metallicity", "Z/Z☉")),
        ("E(B-V)", [0.0, 0.3], "", ("ebv", "E(B−V) [mag]")),
        ("Av", [0.0, 1.3], "mag", ("ebv", A_V)),
        ("age_err", [0.1, 0.3], "", None),
        ("z", [0.01, 0.03], "", None),
        ("stellar_mass", [9.0, 11.0], "", None),
        ("image", [1.0, 2.0], "", None),
    ],
)
def test_a_column_is_recognised_by_name_unit_and_values(name, values, unit, expected):
    found = guess(name, np.array(values), unit)
    assert (found and (found.parameter, found.conversion)) == expected


def test_the_labels_of_a_mock_sample_are_found(tmp_path):
    mocks = make_mocks(["emiles"], magnitudes=[18.0], ebv_grid=[0.0, 0.4])
    mocks.to_parquet(tmp_path / "mocks.parquet")
    catalogue = read_catalogue(tmp_path / "mocks.parquet")
    columns = other_columns(catalogue)
    assert set(columns) == {"log_age", "metallicity", "ebv"}
    found = guesses(catalogue, columns)
    for k, name in enumerate(("log_age", "metallicity", "ebv")):
        best = found[name][0]
        assert best.column == name
        again = convert(columns[name], name, best.conversion)
        assert again == pytest.approx(mocks.parameters[:, k])


def test_text_bands_and_missing_values_are_no_numbers_to_compare_with():
    flux = make_mocks(["emiles"], magnitudes=[18.0], ebv_grid=[0.0]).flux[:4]
    table = pd.DataFrame(flux, columns=list(BAND_NAMES))
    table["name"] = ["a", "b", "c", "d"]
    table["age_Gyr"] = [1.0, -999.0, np.nan, 3.0]
    table["light_age_Gyr"] = [1.0, 2.0, 4.0, 3.0]
    table["survey"] = 7
    catalogue = read_catalogue(table.to_csv(index=False).encode(), "mine.csv")
    columns = other_columns(catalogue)
    assert list(columns) == ["age_Gyr", "light_age_Gyr"]
    assert np.isnan(columns["age_Gyr"]).tolist() == [False, True, True, False]
    found = guesses(catalogue, columns)["log_age"]
    assert [reading.column for reading in found] == ["light_age_Gyr", "age_Gyr"]

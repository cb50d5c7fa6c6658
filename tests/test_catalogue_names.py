"""What column names say: bands, errors, masks, rivals, arrays, joins."""

from functools import partial

import numpy as np
import pytest
from astropy.table import Table
from catalogues import ARCHIVE_60
from catalogues import read_csv as read_any_csv
from catalogues import read_table as read_any_table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sspexplorer.bands import BAND_NAMES, load_bands
from sspexplorer.catalogue import ChoiceNeededError
from sspexplorer.catalogue.names import read_name
from sspexplorer.catalogue.photometries import recognise
from sspexplorer.errors import InputError

# The numbers here say nothing of their unit, which is not the subject.
read_csv = partial(read_any_csv, unit="fnu")
read_table = partial(read_any_table, unit="fnu")


def short(prefix):
    """Names such as NB378 for the narrow bands."""
    return lambda band: prefix + band[1:].lstrip("0") if band[0] == "J" else band


def broad(u, i, narrow="J"):
    """Other names for the two bands at the ends."""
    names = {"uJAVA": u, "iSDSS": i}
    return lambda band: names.get(band, narrow + band[1:])


BANDS = {
    "J0378": str,
    "NB378": short("NB"),
    "F378": short("F"),
    "F0378": broad("uJAVA", "iSDSS", "F"),
    "J378": short("J"),
    "J_378": short("J_"),
    "u_J, i": broad("u_J", "i"),
    "u_java, i_sdss": broad("u_java", "i_sdss"),
    "jpas_0378": broad("jpas_JAVA", "jpas_i", "jpas_"),
    "[jpas::J0378]": lambda band: f"[jpas::{band}]",
    "jpas.J0378": lambda band: f"jpas.{band}",
}
ERRORS = {
    "absolute": [
        *("{}_err", "{}err", "{}.err", "{} err", "{}_error", "err({})", "e_{}", "d{}", "{}_e"),
        *("{}_std", "{}_rms", "{}_unc", "{}_sig", "{}_sigma", "sigma_{}"),
    ],
    "relative": ["{}_relerr", "rel_err_{}"],
    "percent": ["{}_err_percent", "{}_pct_err"],
    "ivar": ["{}_ivar", "INVVAR_{}", "ivar_{}"],
}
# How fluxes are called, and errors before their own word is added, and what then follows both.
PHOTOMETRIES = {
    "plain": ("{}", "{}", ""),
    "{}_auto": ("{}_auto", "{}_auto", ""),
    "flux_": ("flux_{}", "flux_{}", ""),
    "FLUX_PETRO": ("FLUX_PETRO_{}", "FLUX_PETRO_{}", ""),
    "f_ and e_": ("f_{}", "{}", ""),
    "in brackets": ("{}", "{}", " (uJy)"),
    "after a join": ("{}", "{}", "_1"),
}
OF_ONE_STYLE = [
    ("psfFlux_{}", "psfFluxErr_{}"),
    ("MAG_AUTO_{}", "MAGERR_AUTO_{}"),
    ("m_{}", "MERR_{}"),
    ("MAG_{}", "EMAG_{}"),
    ("{}mag", "e_{}mag"),
    ("f_{}", "e_{}"),
    ("FLUX_{}_uJy", "FLUXERR_{}_uJy"),
    ("mag_aper_cor_6_0[jpas::{}]", "mag_err_aper_cor_6_0[jpas::{}]"),
]


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(list(BANDS)),
    st.sampled_from(list(PHOTOMETRIES)),
    st.sampled_from([(kind, form) for kind, forms in ERRORS.items() for form in forms]),
    st.sampled_from([str, str.upper, str.lower]),
    st.randoms(use_true_random=False),
)
def test_any_style_of_names_in_any_order_gives_the_same_bands(band, photometry, error, case, rng):
    kind, form = error
    flux_form, error_form, end = PHOTOMETRIES[photometry]
    names = {b: case(flux_form.format(BANDS[band](b)) + end) for b in BAND_NAMES}
    errors = {b: case(form.format(error_form.format(BANDS[band](b))) + end) for b in BAND_NAMES}
    order = [*names.values(), *errors.values()]
    rng.shuffle(order)
    best = recognise(order, lambda column: 1).photometries[0]
    found = {c.band: (c.flux, c.error, c.error_kind) for c in best.columns}
    assert found == {b: (names[b], errors[b], kind) for b in BAND_NAMES}


@pytest.mark.parametrize("forms", OF_ONE_STYLE)
def test_names_of_fluxes_and_errors_that_go_together(forms):
    names, errors = ([form.format(band) for band in BAND_NAMES] for form in forms)
    catalogue = read_csv({name: [20.0, 21.0] for name in (*errors, *names)})
    assert [c.flux for c in catalogue.columns] == names
    assert [c.error for c in catalogue.columns] == errors


@pytest.mark.parametrize(
    ("name", "band"),
    [
        ("u_JPAS", None),
        ("uJPAS", None),
        ("J0395", None),
        ("F861", None),
        ("JPAS5150", None),
        ("ALPHA_J2000", None),
        ("jpas_0378", "J0378"),
        ("FLUX_3785", None),
    ],
)
def test_a_band_that_is_not_ours_is_never_taken_for_the_nearest(name, band):
    read = read_name(name)
    assert (read.band if read and read.known and read.band else None) == band


RIVALS = [
    *("MAGLIM_{}", "LIM_MAG_{}", "DEPTH_{}", "NOBS_{}", "N_OBS_{}", "EXPTIME_{}", "{}_mjd"),
    *("AX_{}", "A_{}", "MW_TRANSMISSION_{}", "ZP_{}", "APCOR_{}", "KCORR_{}", "SNR_{}"),
    *("bestfit_{}", "model_{}", "{}_fit", "best.jpas.{}", "flux_model_{}", "{}_chi2"),
    *("FWHM_{}", "KRON_RADIUS_{}", "foo_{}"),
]


@pytest.mark.parametrize("rival", RIVALS)
@pytest.mark.parametrize("first", [True, False])
def test_other_columns_with_a_bands_name_are_no_photometry(rival, first):
    flux = {f"FLUX_AUTO_{b}": [1.0, 2.0] for b in BAND_NAMES}
    flux |= {f"FLUXERR_AUTO_{b}": [0.1, 0.1] for b in BAND_NAMES}
    others = {rival.format(b): [22.5, 22.5] for b in BAND_NAMES}
    catalogue = read_csv(others | flux if first else flux | others)
    assert catalogue.available_photometries == ("FLUX_AUTO",)
    assert any("Not photometry, ignored" in note for note in catalogue.notes)


def sets(*labels, error=True):
    columns = {}
    for label in labels:
        columns |= {f"{label}_{b}": [1.0] for b in BAND_NAMES}
        if error:
            columns |= {f"{label}_{b}_err": [0.1] for b in BAND_NAMES}
    return columns


def test_photometries_that_tie_are_a_question():
    assert read_csv(sets("AUTO", "PETRO", "APER_COR_3_0")).photometry == "APER_COR_3_0"
    assert read_csv(sets("PETRO", "AUTO")).photometry == "AUTO"
    with pytest.raises(
        ChoiceNeededError, match=r"PETRO and KRON are equally good .* say photometry='PETRO'"
    ):
        read_csv(sets("PETRO", "KRON"))
    with pytest.raises(ChoiceNeededError) as caught:
        read_csv(sets("PETRO", "KRON"))
    assert (caught.value.option, caught.value.choices) == ("photometry", ("PETRO", "KRON"))
    assert read_csv(sets("PETRO", "KRON"), photometry="KRON").photometry == "KRON"
    # With errors it is worth more.
    assert read_csv(sets("PETRO", error=False) | sets("KRON")).photometry == "KRON"


def test_f_is_a_flux_unless_it_is_a_flag_beside_one():
    columns = {"J0378": [1.0], "e_J0378": [0.1], "f_J0378": [0.0]}
    catalogue = read_csv(columns)
    assert catalogue.columns[0].flux == "J0378"
    assert any("look like flags" in note and "f_J0378" in note for note in catalogue.notes)


def test_both_tables_of_a_join():
    first, second = ({f"J0378_{n}": [n], f"J0378_err_{n}": [0.1]} for n in (1, 2))
    alone = {"J0390": [1.0], "J0390_err": [0.1]}
    catalogue = read_csv(second | first | alone)
    assert catalogue.available_photometries == ("plain_1", "plain_2")
    assert [c.flux for c in catalogue.columns] == ["J0378_1", "J0390"]
    # The first has no errors.
    del first["J0378_err_1"]
    assert read_csv(first | second).columns[0].flux == "J0378_2"


def test_masks_and_flags_of_bands():
    columns = {"FLUX_AUTO_J0378": [1.0], "FLUX_AUTO_J0390": [1.0], "MASK_FLAGS_J0378": [0]}
    columns |= {"FLAGS_J0378": [0], "J0390_flag": [0], "FLAGS": [0], "quality_J0390": [0]}
    catalogue = read_csv(columns)
    j0378, j0390 = catalogue.columns
    masks = (("MASK_FLAGS_J0378", None, "mask"), ("FLAGS_J0378", None, "sextractor"))
    assert j0378.masks == masks
    assert j0390.masks == (("J0390_flag", None, "sextractor"),)
    note = next(note for note in catalogue.notes if "look like flags" in note)
    assert note.endswith("FLAGS, quality_J0390.")


# Arrays


def arrays(order, **more):
    n = len(order)
    flux = np.arange(2 * n, dtype=float).reshape(2, n) + 1
    return Table(
        {"FLUX_AUTO": flux, "FLUXERR_AUTO": 0.1 * flux, "MASK_FLAGS": np.zeros((2, n), int)} | more
    )


@pytest.mark.parametrize(
    ("width", "order"),
    [(54, BAND_NAMES[1:55]), (56, BAND_NAMES[:56]), (57, BAND_NAMES), (60, ARCHIVE_60)],
)
def test_arrays_in_published_orders(width, order):
    catalogue = read_table(arrays(order))
    found = {c.band: c.flux_element for c in catalogue.columns}
    assert found == {b: i for i, b in enumerate(order) if b in BAND_NAMES}
    assert all(c.mask_element == c.error_element == c.flux_element for c in catalogue.columns)
    assert any(f"{width} values a row" in note and "published" in note for note in catalogue.notes)


SHUFFLED = [*np.random.default_rng(3).permutation(BAND_NAMES[:40]), "uJPAS", "gSDSS"]


@pytest.mark.parametrize("ending", ["fits", "ecsv"])
@pytest.mark.parametrize("where", ["names", "one text", "header", "wavelengths", "nm"])
def test_arrays_in_the_order_of_a_list_beside_them(where, ending):
    table = arrays(SHUFFLED)
    pivot = dict(zip(BAND_NAMES, load_bands().pivot, strict=True)) | {"uJPAS": 3650, "gSDSS": 4750}
    wavelengths = np.array([[pivot[band] for band in SHUFFLED]] * 2)
    if where == "header":
        table.meta["FILTERS"] = list(map(str, SHUFFLED))
    elif where == "names":
        table["FILTERS"] = np.array([SHUFFLED] * 2)
    elif where == "one text":
        table["filter_names"] = [" ".join(SHUFFLED)] * 2
    else:
        table["WAVE"] = wavelengths / (10 if where == "nm" else 1)
    catalogue = read_table(table, ending)
    found = {c.band: c.flux_element for c in catalogue.columns}
    assert found == {b: i for i, b in enumerate(SHUFFLED) if b in BAND_NAMES}


def test_arrays_whose_order_cannot_be_known_are_refused():
    with pytest.raises(InputError, match=r"FLUX_AUTO has 42 values a row, not 54, 56, 57 or 60"):
        read_table(arrays(SHUFFLED))
    same = np.linspace(4000, 7000, 57)
    table = arrays(BAND_NAMES, WAVE=np.array([same, same + 100]))
    with pytest.raises(InputError, match="wavelengths in column WAVE differ from row to row"):
        read_table(table)
    table = arrays(BAND_NAMES, FILTERS=np.array([["J0378"] * 57] * 2))
    with pytest.raises(InputError, match="filters in column FILTERS have J0378 twice"):
        read_table(table)


def test_the_bands_of_j_plus_are_said_to_be_others():
    names = ["uJAVA", "J0378", "J0395", "J0410", "J0430", "gSDSS", "J0515", "J0861", "iSDSS"]
    catalogue = read_csv({name: [1.0] for name in names})
    assert catalogue.bands == ("uJAVA", "J0378", "J0410", "J0430", "iSDSS")
    assert any("J-PLUS or S-PLUS" in note for note in catalogue.notes)

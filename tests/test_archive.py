"""Queries to the archive, and what becomes of its answers, against a local TAP service."""

import json
import math
import threading

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.table import Table
from hypothesis import given
from hypothesis import strategies as st
from tap_server import FILTERS, N_OBJECTS, TAPServer, galaxies, serve_tap

from sspexplorer.archive import adql, selection
from sspexplorer.archive.connection import Connection, Login, Patience
from sspexplorer.archive.fetching import fetch, fetch_adql
from sspexplorer.archive.keeping import provenance_of
from sspexplorer.archive.layout import Photometry
from sspexplorer.archive.selection import Condition, Selection, read_conditions, read_cone, read_ids
from sspexplorer.archive.services import SERVICES, Service, find_service
from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue import read_catalogue
from sspexplorer.errors import Cancelled, InputError
from sspexplorer.progress import Progress

QUICK = Patience(connect=5, read=5, job=30, dropped=5, poll=(0.01, 0.02))
MINIJPAS = find_service("minijpas")


@pytest.fixture(scope="module")
def started():
    with serve_tap() as server:
        yield server


@pytest.fixture
def tap(started: TAPServer):
    """The service, in its best manners."""
    started.reset()
    return started


@pytest.fixture(scope="module")
def started_small():
    """A release with fewer bands, which is quicker to ask again and again."""
    with serve_tap(filters=(*FILTERS[:3], FILTERS[-1])) as server:
        yield server


@pytest.fixture
def small(started_small: TAPServer):
    started_small.reset()
    started_small.binary = False
    return started_small


@pytest.fixture
def service(tap) -> Service:
    return find_service(tap.url)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "galaxies.parquet"


@pytest.fixture(scope="module")
def truth() -> dict[str, np.ndarray]:
    return galaxies()


def get(service, chosen, out, *, photometry=None, **options):
    return fetch(service, chosen, out, photometry, patience=QUICK, **options)


# What is asked


def test_arrays_are_addressed_by_filter_and_only_so():
    text = adql.build(MINIJPAS, Selection(brighter=20), Photometry()).adql
    for band in BAND_NAMES:
        assert f"f.flux_aper_cor_3_0[jpas::{band}] AS FLUX_APER_COR_3_0_{band}" in text
        assert f"m.mask_flags[jpas::{band}] AS MASK_FLAGS_{band}" in text
    assert text.endswith("WHERE m.mag_auto[jpas::iSDSS] < 20")


@pytest.mark.parametrize(
    ("words", "conditions"),
    [
        (
            "i < 20 and z < 0.1",
            [("m", "mag_auto", "iSDSS", "<", 20), ("z", "photoz", "", "<", 0.1)],
        ),
        (
            "18<i<=20.5",
            [("m", "mag_auto", "iSDSS", ">", 18), ("m", "mag_auto", "iSDSS", "<=", 20.5)],
        ),
        (
            "0.8 ≥ ODDS, J0660 > 1e1",
            [("z", "odds", "", "<=", 0.8), ("m", "mag_auto", "J0660", ">", 10)],
        ),
        (
            "dec > −3 AND tile_id = 2241",
            [("m", "delta_j2000", "", ">", -3), ("m", "tile_id", "", "=", 2241)],
        ),
    ],
)
def test_conditions_in_words_are_understood(words, conditions):
    assert read_conditions(words) == tuple(Condition(*c) for c in conditions)


@pytest.mark.parametrize(
    "words",
    [
        "i < 20; drop table x",
        "i < 20 or z < 1",
        "i < z",
        "J9999 < 3",
        "i = 'a'",
        "i < 20 --",
        "i <",
        "18 < i < 20 < 22",
        "i < 1e999",
        "",
    ],
)
def test_anything_else_is_no_condition(words):
    with pytest.raises(InputError):
        read_conditions(words)


@given(st.text(max_size=30))
def test_nothing_a_person_writes_as_a_condition_goes_into_the_query(words):
    try:
        conditions = read_conditions(words)
    except InputError:
        return
    text = adql.build(MINIJPAS, Selection(conditions=conditions), Photometry("auto", "mag")).adql
    assert set("'\";").isdisjoint(text)
    assert "--" not in text


@given(st.text(max_size=30))
def test_an_id_is_two_whole_numbers_or_refused(words):
    try:
        ids = read_ids(words)
    except InputError:
        return
    assert all(type(n) is int and n >= 0 for pair in ids for n in pair)


@pytest.mark.parametrize(
    ("cone", "ra", "dec", "radius"),
    [
        (("14:17:00", "+52:30:00", "5arcmin"), 214.25, 52.5, 5 / 60),
        (("214.25", "52.5", "0.1"), 214.25, 52.5, 0.1),
        (("14h17m", "52d30m", "30'"), 214.25, 52.5, 0.5),
        ((-145.75, "−52.5", '36"'), 214.25, -52.5, 0.01),
    ],
)
def test_a_cone_is_read_as_people_write_it(cone, ra, dec, radius):
    found = read_cone(*cone)
    assert (found.ra, found.dec, found.radius) == pytest.approx((ra, dec, radius), abs=1e-12)


@pytest.mark.parametrize(
    "cone",
    [
        ("400", "0", "1"),
        ("0", "91", "1"),
        ("0", "0", "0"),
        ("0", "0", "1 mile"),
        ("x", 0, 1),
        ("nan", 0, 1),
        ("0", "0", "inf"),
    ],
)
def test_a_cone_that_cannot_be_is_refused(cone):
    with pytest.raises(InputError):
        read_cone(*cone)


def test_ids_come_from_a_file_of_lines_or_a_table(tmp_path):
    lines, table = tmp_path / "ids.txt", tmp_path / "ids.csv"
    lines.write_text("# mine\nid\n2241-3\n2243-1, 2241-3\n")
    table.write_text("TILE_ID,RA,NUMBER\n2241,1.5,3\n2243,2,1\n")
    assert read_ids(str(lines)) == read_ids(str(table)) == ((2241, 3), (2243, 1))
    with pytest.raises(InputError, match="There is no file"):
        read_ids(str(tmp_path / "none.txt"))


@pytest.mark.parametrize(
    "address",
    [
        "ftp://a/b",
        "https://u:p@host/tap",
        "https://",
        "https://a b/c",
        "nowhere",
        "https://h/t?x=1",
    ],
)
def test_an_address_is_checked_and_no_password_is_repeated(address):
    with pytest.raises(InputError) as refused:
        find_service(address)
    assert "u:p" not in str(refused.value)


def test_services_have_names_and_their_addresses_are_found_again():
    assert len({known.url for known in SERVICES}) == len(SERVICES)
    assert all(find_service(known.url) is find_service(known.name) is known for known in SERVICES)
    assert find_service("https://tap.example.org/tap/sync").url == "https://tap.example.org/tap"


# What comes back


def test_a_cut_becomes_a_catalogue_that_is_read_with_the_right_unit(service, tap, out, truth):
    fetched = get(service, Selection(brighter=20, redshift_max=0.2), out)
    wanted = (truth["mag"][:, -1] < 20) & (truth["photoz"] < 0.2)
    wanted[7] = False  # has no redshift
    assert fetched.n_rows == wanted.sum()
    catalogue = read_catalogue(out)
    assert (catalogue.unit, catalogue.photometry) == ("flambda", "FLUX_APER_COR_3_0")
    assert catalogue.redshift_column == "PHOTOZ"
    found = catalogue.frame(["TILE_ID", "NUMBER", "PHOTOZ", "FLUX_APER_COR_3_0_J0660"])
    found = found.sort_values(["TILE_ID", "NUMBER"])
    order = np.lexsort((truth["number"][wanted], truth["tile_id"][wanted]))
    j0660 = FILTERS.index("J0660")
    assert found["NUMBER"].tolist() == truth["number"][wanted][order].tolist()
    assert found["PHOTOZ"].to_numpy() == pytest.approx(truth["photoz"][wanted][order])
    assert found["FLUX_APER_COR_3_0_J0660"].to_numpy() == pytest.approx(
        truth["flux"][wanted, j0660][order]
    )
    # F_ν of the catalogue over F_λ as it came is λ²/c: the unit was taken as it is.
    assert np.nanmedian(catalogue.flux_err / catalogue.flux) == pytest.approx(0.05, rel=1e-4)
    assert (tap.jobs, len(tap.deleted)) == ({}, 2)


def test_errors_are_absolute_where_a_flux_is_negative(service, out, truth):
    fetch_all = Selection(conditions=read_conditions("i > 10"))
    fetched = get(service, fetch_all, out)
    table = Table.read(out)
    last = np.argmax(table["ALPHA_J2000"])
    band = FILTERS[3]
    flux = table[f"FLUX_APER_COR_3_0_{band}"][last]
    error = table[f"FLUX_ERR_APER_COR_3_0_{band}"][last]
    assert flux < 0
    assert error == pytest.approx(0.9 * abs(flux), rel=1e-6)
    assert np.isnan(table[f"FLUX_ERR_APER_COR_3_0_{FILTERS[4]}"]).sum() == 1
    assert "1 relative errors are negative beside a positive flux: no errors." in fetched.notes
    assert len(table) == N_OBJECTS


def test_the_file_says_units_and_where_it_comes_from(service, out):
    fetched = get(service, Selection(brighter=18), out)
    table, arrow = Table.read(out), pq.read_schema(out)
    name = "FLUX_APER_COR_3_0_J0378"
    assert table[name].unit.to_string() == "1e-19 erg / (Angstrom s cm2)"
    assert table["ALPHA_J2000"].unit == "deg"
    assert arrow.field(name).metadata[b"unit"] == b"1e-19 erg / (Angstrom s cm2)"
    said = provenance_of(out)
    assert (said["service"], said["rows"], said["complete"]) == (service.url, len(table), True)
    assert said["adql"] == fetched.adql
    assert json.dumps(said["notes"])


def test_without_units_those_documented_are_taken_and_said(service, tap, out):
    tap.units = False
    fetched = get(service, Selection(brighter=18), out)
    assert any("The service states no units" in note for note in fetched.notes)
    assert read_catalogue(out).unit == "flambda"


def test_magnitudes_of_another_aperture(service, out, truth):
    get(service, Selection(brighter=18), out, photometry=Photometry("auto", "mag"))
    catalogue = read_catalogue(out)
    assert (catalogue.unit, catalogue.photometry) == ("mag", "MAG_AUTO")
    bright = truth["mag"][:, -1] < 18
    assert catalogue.frame(["MAG_AUTO_iSDSS"]).to_numpy().ravel() == pytest.approx(
        truth["mag"][bright, -1]
    )


def test_a_cone_and_clean_flags(service, out, truth):
    cone = read_cone(214.1, 52.5, "3arcmin")
    get(service, Selection(cone=cone), out)
    near = Table.read(out)
    east = (near["ALPHA_J2000"] - 214.1) * np.cos(np.radians(52.5))
    assert np.hypot(east, near["DELTA_J2000"] - 52.5).max() <= 0.05 * 1.001
    get(service, Selection(brighter=18, clean=True), out)
    clean = Table.read(out)
    bright = truth["mag"][:, -1] < 18
    assert len(clean) == bright.sum() - 2
    assert clean["FLAGS_iSDSS"].max() <= 3
    assert clean["MASK_FLAGS_iSDSS"].max() == 0


def test_a_list_of_ids_is_asked_in_pieces_and_the_absent_are_counted(small, out):
    ids = (*((2241, n) for n in range(1, 31)), (2406, 5), (9999, 1))
    fetched = get(find_service(small.url), Selection(ids=ids), out, rows_at_once=12)
    assert fetched.n_rows == 31
    assert fetched.n_jobs == 3
    assert "1 of the 32 ids gave no object." in fetched.notes
    table = Table.read(out)
    assert set(zip(table["TILE_ID"], table["NUMBER"], strict=True)) == set(ids[:-1])


@pytest.mark.parametrize(("at_once", "limit"), [(50, None), (17, None), (500, 23)])
def test_what_is_too_much_for_a_job_is_asked_by_tile(small, out, at_once, limit):
    small.limit = limit
    everything = Selection(conditions=read_conditions("i < 40"))
    fetched = get(find_service(small.url), everything, out, rows_at_once=at_once)
    table = Table.read(out)
    assert fetched.n_rows == len(table) == N_OBJECTS
    assert len(set(zip(table["TILE_ID"], table["NUMBER"], strict=True))) == N_OBJECTS
    assert fetched.complete
    assert fetched.n_jobs > 3
    assert all("m.tile_id" in query for query in small.queries[2:])


def test_an_answer_cut_by_an_unknown_limit_is_asked_in_halves(small, out, monkeypatch):
    small.limit = 50
    monkeypatch.setattr(Connection, "row_limit", lambda self: None)
    fetched = get(find_service(small.url), Selection(conditions=read_conditions("i < 40")), out)
    table = Table.read(out)
    assert len(set(zip(table["TILE_ID"], table["NUMBER"], strict=True))) == N_OBJECTS
    assert any("asked in halves" in note for note in fetched.notes)


def test_bands_that_a_release_lacks_are_not_asked_for(out):
    some = tuple(f for f in FILTERS if f not in ("uJAVA", "J1007"))
    with serve_tap(schema="jpas", filters=some) as other:
        fetched = get(find_service(other.url), Selection(brighter=18), out)
    assert "The service has 55 of the 57 bands." in fetched.notes
    assert read_catalogue(out).absent_bands == ("uJAVA", "J1007")


def test_a_query_of_ones_own_is_kept_as_it_comes(service, tap, out):
    text = "SELECT TOP 5 tile_id, number, mag_auto[jpas::J0660] FROM minijpas.MagABDualObj"
    fetched = fetch_adql(service, f"{text};", out, patience=QUICK)
    assert fetched.complete
    assert Table.read(out).colnames[:2] == ["tile_id", "number"]
    tap.limit = 3
    fetched = fetch_adql(service, text, out, patience=QUICK)
    assert not fetched.complete
    assert fetched.notes[0].startswith("Not all: the service had more than the 3 rows")


def test_whole_arrays_stay_arrays(service, out, truth):
    text = "SELECT number, mag_auto FROM minijpas.MagABDualObj WHERE tile_id = 2241"
    fetch_adql(service, text, out, patience=QUICK)
    table = Table.read(out)
    assert table["mag_auto"].shape == (N_OBJECTS // 3, len(FILTERS))
    assert np.asarray(table["mag_auto"]) == pytest.approx(truth["mag"][truth["tile_id"] == 2241])


@pytest.mark.parametrize(
    "text", ["DROP TABLE x", "", "SELECT flags[3] FROM minijpas.MagABDualObj", "DELETE FROM x"]
)
def test_what_is_no_query_is_not_sent(service, tap, out, text):
    with pytest.raises(InputError):
        fetch_adql(service, text, out, patience=QUICK)
    assert tap.asked == []


# What goes wrong


def refused(service, out, chosen=None, **options) -> str:
    """Sentence with which a fetch ends; nothing may be left of it."""
    with pytest.raises(InputError) as error:
        get(service, chosen or Selection(brighter=19), out, **options)
    text = str(error.value)
    assert text.endswith(".")
    assert "\n" not in text
    assert list(out.parent.iterdir()) == []
    return text


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "asks for a user and a password; give them with the argument login (401)"),
        (403, "does not let you see this"),
        (404, "has nothing at this address"),
        (500, "is in trouble itself (500); try again later"),
    ],
)
@pytest.mark.parametrize("only", ["/tables", "/async"])
def test_answers_of_the_server_are_put_into_words(service, tap, out, status, said, only):
    tap.status, tap.only = status, only
    assert said in refused(service, out)


def test_an_error_of_the_service_is_repeated_in_one_line(service, tap, out):
    tap.failing = "Time out:\n  the query <b>took</b> too long."
    assert refused(service, out) == (
        "127.0.0.1 refuses the query: Time out: the query took too long."
    )
    tap.failing = ""
    assert "The story behind the error" in refused(service, out)
    tap.failing = None
    with pytest.raises(InputError, match="refuses the query: Incorrect ADQL query: no such"):
        fetch_adql(service, "SELECT petals FROM minijpas.MagABDualObj", out, patience=QUICK)
    assert tap.jobs == {}


@pytest.mark.parametrize(
    ("manner", "said"),
    [
        ("html", "a web page"),
        ("broken", "sent a broken table"),
        ("not xml", "sent a broken table"),
        ("link", "links are not followed"),
    ],
)
def test_an_answer_that_is_no_table_is_refused(service, tap, out, manner, said):
    tap.manner = manner
    assert said in refused(service, out)
    assert tap.jobs == {}


def test_a_portal_that_answers_everything_with_a_page(tap, out):
    tap.manner = "portal"
    said = refused(Service("here", tap.url, "minijpas"), out)
    assert "not of this protocol (while starting the job)" in said


def test_a_connection_that_drops_is_taken_up_again(service, tap, out):
    tap.dropped, tap.manner = 3, "cut"
    assert get(service, Selection(brighter=18), out).n_rows == len(Table.read(out)) > 0
    assert {job.sent for job in tap.deleted} == {2}


def test_a_job_that_stays_out_of_reach_is_given_up(service, tap, out):
    patience = Patience(connect=5, read=5, dropped=0, poll=(0.01, 0.02), retries=0)
    tap.slow = math.inf

    def drop(fraction: float | None, words: str | None) -> None:
        if words and "running" in words:
            tap.dropped = 10**6

    with pytest.raises(InputError, match="has been out of reach for"):
        fetch(service, Selection(brighter=19), out, patience=patience, progress=Progress(drop))
    assert list(out.parent.iterdir()) == []


def test_a_job_that_takes_too_long_is_cancelled_at_the_service(service, tap, out):
    tap.slow = math.inf
    patience = Patience(connect=5, read=5, job=0, poll=(0.01, 0.02))
    with pytest.raises(InputError, match="was cancelled"):
        fetch(service, Selection(brighter=19), out, patience=patience)
    assert tap.jobs == {}
    assert tap.deleted[0].history[-1] == "ABORT"


def test_cancelling_aborts_and_deletes_the_job(service, tap, out):
    tap.slow, stop, said = math.inf, threading.Event(), []

    def watch(fraction: float | None, words: str | None) -> None:
        said.append(words)
        if "running" in (words or ""):
            stop.set()

    with pytest.raises(Cancelled):
        get(service, Selection(brighter=19), out, progress=Progress(watch, stop.is_set))
    assert tap.jobs == {}
    assert tap.deleted[0].history[-1] == "ABORT"
    assert any("in the queue" in words for words in said)
    assert list(out.parent.iterdir()) == []


def test_a_file_that_is_there_survives_a_failure(service, tap, out):
    out.write_bytes(b"mine")
    tap.failing = "no"
    with pytest.raises(InputError):
        get(service, Selection(brighter=19), out)
    assert out.read_bytes() == b"mine"
    assert list(out.parent.iterdir()) == [out]


def test_tables_are_asked_for_another_way_or_taken_as_documented(service, tap, out):
    tap.no_tables = True
    assert "say schema='jpas'" in refused(service, out)
    known = Service("here", tap.url, "minijpas")
    fetched = get(known, Selection(brighter=18), out)
    assert "The service does not say which tables it has; the documented are used." in fetched.notes


def test_what_the_service_has_not_is_said_before_a_job_is_begun(service, tap, out):
    said = refused(service, out, photometry=Photometry("petro"))
    assert "has no column flux_petro; it has flux_aper_cor_3_0, flux_auto" in said
    assert "no table minijpas.FNuDualObj" in refused(
        service, out, photometry=Photometry(kind="fnu")
    )
    assert tap.deleted == []


def test_nothing_found_and_nothing_asked_are_said(service, out):
    assert "No object in the archive is as you ask" in refused(service, out, Selection(brighter=2))
    assert "Say which galaxies" in refused(service, out, Selection(clean=False, band="J0378"))


@pytest.mark.parametrize("name", ["a.csv", "nowhere/a.parquet"])
def test_where_it_is_kept_is_checked_first(service, tap, tmp_path, name):
    with pytest.raises(InputError):
        get(service, Selection(brighter=19), tmp_path / name)
    assert tap.asked == []


def test_a_machine_that_does_not_answer(tmp_path):
    with serve_tap() as gone:
        url = gone.url
    closed = Patience(connect=2, read=2, retries=0)
    with pytest.raises(InputError, match="cannot be reached"):
        fetch(find_service(url), Selection(brighter=1), tmp_path / "a.parquet", patience=closed)
    nowhere = find_service("https://no-such-machine.invalid/tap")
    with pytest.raises(InputError, match=r"no machine called no-such-machine\.invalid"):
        fetch(nowhere, Selection(brighter=1), tmp_path / "a.parquet", patience=closed)


def test_a_machine_without_a_certificate(tap, tmp_path):
    secure = find_service(tap.url.replace("http:", "https:"))
    patience = Patience(connect=2, read=2, retries=0)
    with pytest.raises(InputError, match="certificate is not accepted"):
        fetch(secure, Selection(brighter=1), tmp_path / "a.parquet", patience=patience)


# Who asks


def test_a_user_is_logged_in_and_the_password_is_told_to_nobody(service, tap, out):
    tap.user = ("maria", "s3cret")
    assert "give them with the argument login" in refused(service, out)
    login = Login("maria", "s3cret")
    fetched = get(service, Selection(brighter=18), out, login=login)
    assert tap.logins == [{"login": "maria", "password": "s3cret", "submit": "Sign+In"}]
    written = out.read_bytes() + repr((login, fetched)).encode()
    assert b"s3cret" not in written
    out.unlink()
    said = refused(service, out, login=Login("maria", "wr0ng"))
    assert said.startswith("127.0.0.1 refuses the user 'maria' or the password (401)")
    assert "wr0ng" not in said


def test_a_password_goes_to_its_own_server_alone(tap, service, out):
    """A service may keep its results elsewhere; elsewhere is not told who asks."""
    tap.user = ("maria", "s3cret")
    with Connection(service, Login("maria", "s3cret"), QUICK) as connection:
        here, there = f"{tap.url}/tables", tap.url.replace("127.0.0.1", "localhost") + "/tables"
        assert connection.session.get(here).status_code == 200
        assert connection.session.get(there).status_code == 401


def test_a_password_is_not_sent_where_it_could_be_overheard(out):
    plain = find_service("http://tap.example.org/catalogues/vo/tap/x")
    assert "is not encrypted" in refused(plain, out, login=Login("maria", "s3cret"))


def test_every_column_of_a_selection_is_known_to_the_schema():
    """Names of quantities and of filters do not collide: each means one thing."""
    assert not set(selection.FILTERS) & {"z", "odds", "ra", "dec"}

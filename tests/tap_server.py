"""A TAP service on this machine, with the tables and the habits of the archive's.

It runs queries: its dialect of ADQL is checked word by word and brought to SQLite, so a wrong
query is refused as the archive would refuse it. Its habits are those that people met in public:
names of columns that begin with their table, a phase RUN, single values as arrays of one, and
arrays that must be addressed by filter.
"""

import io
import json
import math
import re
import sqlite3
import threading
import warnings
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from astropy.io import votable
from astropy.table import Table

from sspexplorer.bands import BAND_NAMES, load_bands

FILTERS = (*BAND_NAMES[:56], "uJPAS", "gSDSS", "rSDSS", "iSDSS")
TILES = (2241, 2243, 2406)
N_OBJECTS = 120
_LIGHT = 2.99792458e18  # Å/s

_TOKEN = re.compile(
    r"\s+|--[^\n]*|'(?:[^']|'')*'|\"[^\"]+\"|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+"
    r"|[A-Za-z_][A-Za-z_0-9]*(?:\.[A-Za-z_][A-Za-z_0-9]*)*(?:\[[^\]]*\])?"
    r"|<=|>=|<>|!=|\|\||[-+*/(),<>=]"
)
_NOT_ADQL = {"limit", "pragma", "attach", "insert", "update", "delete", "drop", "glob", "ilike"}


class ADQLError(Exception):
    """What the service says of a query it cannot run."""


def galaxies(n: int = N_OBJECTS) -> dict[str, np.ndarray]:
    """Objects of the catalogue: power laws in F_ν with noise of 5 %, some masked, some faint."""
    rng = np.random.default_rng(20191231)
    pivot = load_bands().pivot
    by_band = dict(zip(BAND_NAMES, pivot, strict=True))
    waves = np.array([by_band.get(name, 4800.0) for name in FILTERS])
    magnitude = np.linspace(17.0, 22.5, n)
    slope = rng.uniform(0.2, 2.2, n)
    fnu = 3.63e-20 * 10 ** (-0.4 * magnitude[:, None]) * (waves / 7600.0) ** slope[:, None]
    flambda = fnu * _LIGHT / waves**2 / 1e-19 * rng.normal(1, 0.02, (n, len(FILTERS)))
    flambda = flambda.astype(np.float32)
    relerr = np.full((n, len(FILTERS)), 0.05, np.float32)
    # A faint object that came out negative, and an error that stands for none.
    flambda[-1, 3], relerr[-1, 3] = -abs(flambda[-1, 3]), -0.9
    relerr[-2, 4] = -1
    mag = (-2.5 * np.log10(np.abs(fnu)) - 48.6).astype(np.float32)
    flags = np.zeros((n, len(FILTERS)), np.int32)
    flags[1, -1], flags[2, 5] = 4, 2
    mask = np.zeros_like(flags)
    mask[3, -1] = 1
    tile = np.array(TILES)[np.arange(n) % len(TILES)]
    return {
        "tile_id": tile,
        "number": np.arange(n) // len(TILES) + 1,
        "alpha_j2000": 214.0 + 0.5 * np.linspace(0, 1, n),
        "delta_j2000": 52.5 + 0.1 * np.sin(np.arange(n)),
        "class_star": rng.uniform(0, 1, n).astype(np.float32),
        "flux": flambda,
        "relerr": relerr,
        "mag": mag,
        "flags": flags,
        "mask_flags": mask,
        "photoz": np.round(np.linspace(0.01, 0.6, n), 4).astype(np.float32),
        "odds": rng.uniform(0, 1, n).astype(np.float32),
    }


# Table → (plain columns, arrays by filter): what /tables says, and what SQLite holds.
def tables(data: dict[str, np.ndarray]) -> dict[str, tuple[dict, dict]]:
    key = {name: data[name] for name in ("tile_id", "number")}
    place = {name: data[name] for name in ("alpha_j2000", "delta_j2000", "class_star")}
    seen = np.arange(len(data["tile_id"])) != 7  # one object has no photometric redshift
    redshift = {"photoz": data["photoz"], "photoz_err": 0.01 * data["photoz"]}
    error = np.abs(data["relerr"])
    return {
        "MagABDualObj": (
            key | place,
            {
                "mag_auto": data["mag"],
                "mag_err_auto": error,
                "mag_aper_cor_3_0": data["mag"] + 0.2,
                "mag_err_aper_cor_3_0": error,
                "flags": data["flags"],
                "mask_flags": data["mask_flags"],
            },
        ),
        "FLambdaDualObj": (
            key,
            {
                "flux_aper_cor_3_0": data["flux"],
                "flux_relerr_aper_cor_3_0": data["relerr"],
                "flux_auto": 1.2 * data["flux"],
                "flux_relerr_auto": data["relerr"],
            },
        ),
        "PhotoZLephare": (
            {k: v[seen] for k, v in (key | redshift | {"odds": data["odds"]}).items()},
            {},
        ),
        "Filter": ({"filter_id": np.arange(1, 61), "name": np.array(FILTERS)}, {}),
    }


class Database:
    """The catalogue in SQLite, asked in ADQL."""

    def __init__(self, schema: str, filters: tuple[str, ...]) -> None:
        self.schema, self.filters = schema, filters
        self.lock = threading.Lock()
        self.base = sqlite3.connect(":memory:", check_same_thread=False)
        self.base.execute(f"ATTACH ':memory:' AS {schema}")
        self.layout = tables(galaxies())
        for name, (plain, arrays) in self.layout.items():
            columns = dict(plain)
            for array, values in arrays.items():
                columns[array] = np.array([json.dumps(row.tolist()) for row in values])
                for i, band in enumerate(FILTERS):
                    columns[f"{array}__{band}"] = values[:, i]
            if name == "Filter":
                columns = {k: v[np.isin(columns["name"], filters)] for k, v in columns.items()}
            self._fill(name, columns)
        make = self.base.create_function
        make("point", 3, lambda frame, ra, dec: f"{frame} {ra} {dec}")
        make("circle", 4, lambda frame, ra, dec, r: f"{frame} {ra} {dec} {r}")
        make("contains", 2, _contains)
        make("mod", 2, lambda a, b: a % b)

    def _fill(self, name: str, columns: dict[str, np.ndarray]) -> None:
        listed = ", ".join(f'"{column}"' for column in columns)
        self.base.execute(f"CREATE TABLE {self.schema}.{name} ({listed})")
        rows = zip(*(values.tolist() for values in columns.values()), strict=True)
        marks = ", ".join("?" * len(columns))
        self.base.executemany(f"INSERT INTO {self.schema}.{name} VALUES ({marks})", rows)

    def run(self, adql: str) -> tuple[list[str], list[tuple]]:
        """Names and rows of the answer."""
        sql = self.translate(adql)
        with self.lock:
            try:
                answer = self.base.execute(sql)
                rows = answer.fetchall()
            except sqlite3.Error as error:
                raise ADQLError(f"Incorrect ADQL query: {error}") from None
        return [column[0] for column in answer.description], rows

    def translate(self, adql: str) -> str:
        """Bring ADQL to SQL; what is no ADQL is refused."""
        words, at = [], 0
        while at < len(adql):
            match = _TOKEN.match(adql, at)
            if match is None:
                raise ADQLError(f'Encountered "{adql[at]}" at position {at}.')
            words.append(self._word(match[0]))
            at = match.end()
        sql = "".join(words).strip()
        if not sql.upper().startswith("SELECT"):
            raise ADQLError('Encountered something else than "SELECT".')
        top = re.match(r"SELECT\s+TOP\s+(\d+)\s", sql, re.IGNORECASE)
        return f"SELECT {sql[top.end() :]} LIMIT {top[1]}" if top else sql

    def _word(self, word: str) -> str:
        if word.lower() in _NOT_ADQL:
            raise ADQLError(f'Encountered "{word}": it is no ADQL.')
        if not word.endswith("]"):
            return word
        array, _, index = word[:-1].partition("[")
        survey, _, band = index.partition("::")
        if survey != "jpas" or band not in self.filters:
            raise ADQLError(f"Unknown filter {index!r} in {word}.")
        alias, _, name = array.rpartition(".")
        return f'{alias}."{name.lower()}__{band}"' if alias else f'"{name.lower()}__{band}"'


def _contains(point: str, circle: str) -> int:
    frame, ra, dec = point.split()
    other, centre_ra, centre_dec, radius = circle.split()
    if frame != other or frame != "ICRS":
        raise ValueError("only ICRS")
    one, two = (math.radians(float(x)) for x in (dec, centre_dec))
    between = math.radians(float(ra) - float(centre_ra))
    cosine = math.sin(one) * math.sin(two) + math.cos(one) * math.cos(two) * math.cos(between)
    return int(math.degrees(math.acos(max(-1.0, min(1.0, cosine)))) <= float(radius))


@dataclass
class Job:
    number: int
    query: str
    maxrec: int | None
    phase: str = "PENDING"
    polls: int = 0
    result: bytes = b""
    error: str = ""
    sent: int = 0
    history: list[str] = field(default_factory=list)


class TAPServer(ThreadingHTTPServer):
    """A TAP service.

    What can be set: ``slow`` is the number of looks for which a job runs (math.inf for ever),
    ``limit`` the most rows it gives, ``user`` who may ask, ``units`` whether columns have units,
    ``binary`` whether rows come as BINARY2 or as text,
    ``status`` an HTTP status for everything (or for the paths in ``only``), ``manner`` one of
    ``"html"``, ``"broken"``, ``"cut"``, ``"not xml"``, ``"link"`` for results, ``"portal"`` for
    a web page whatever is asked, ``dropped`` the number of requests about jobs whose connection
    breaks, ``no_tables`` whether /tables is broken, and
    ``failing`` what every job fails with.
    """

    daemon_threads = True

    def __init__(self, schema: str = "minijpas", filters: tuple[str, ...] = FILTERS) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.database = Database(schema, filters)
        self.jobs: dict[int, Job] = {}
        self.deleted: list[Job] = []
        self.queries: list[str] = []
        self.asked: list[str] = []
        self.logins: list[dict[str, str]] = []
        self.reset()

    def reset(self) -> None:
        self.slow: float = 1
        self.limit: int | None = None
        self.user: tuple[str, str] | None = None
        self.units = self.binary = True
        self.status, self.only = 0, ""
        self.manner = ""
        self.dropped = 0
        self.no_tables = False
        self.failing: str | None = None
        for kept in (self.jobs, self.deleted, self.queries, self.asked, self.logins):
            kept.clear()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/catalogues/vo/tap/minijpas-local"

    def handle_error(self, *args: object) -> None:
        """A client that leaves is no news."""

    def answer(self, adql: str, maxrec: int | None) -> bytes:
        """VOTable with the answer, or with the error."""
        self.queries.append(adql)
        try:
            names, rows = self.database.run(adql)
        except ADQLError as error:
            return error_document(str(error))
        most = min((n for n in (maxrec, self.limit) if n is not None), default=None)
        cut = most is not None and len(rows) > most
        return self.document(names, rows[:most], cut)

    def document(self, names: list[str], rows: list[tuple], cut: bool) -> bytes:
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
        table = Table()
        for name, values in zip(names, columns, strict=True):
            missing = [value is None for value in values]
            if values and str(values[0]).startswith("["):
                plain = np.array([json.loads(value) for value in values])
                missing = [False]
            elif any(isinstance(value, str) for value in values):
                plain = np.array([value or "" for value in values])
            else:
                whole = all(isinstance(v, int) for v in values if v is not None)
                kind = np.int64 if whole and values else np.float64
                plain = np.array([0 if v is None else v for v in values], kind)
            # What has no name of its own gets one that begins with its table, as in the archive.
            written = f"{self.database.schema}.{name}" if name.islower() else name
            table[written] = np.ma.array(plain, mask=missing) if any(missing) else plain
            if self.units:
                table[written].unit = _unit(name)
        output = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = votable.from_table(table)
            tree.resources[0].type = "results"
            tree.get_first_table().format = "binary2" if self.binary else "tabledata"
            tree.to_xml(output)
        # The archive writes None where there is no number.
        text = re.sub("<TD>(NaN)?</TD>|<TD/>", "<TD>None</TD>", output.getvalue().decode())
        text = text.replace("<TABLE", '<INFO name="QUERY_STATUS" value="OK"/>\n<TABLE', 1)
        # Single integers are arrays of one, as in the archive.
        text = text.replace('datatype="long"', 'datatype="long" arraysize="1"')
        text = text.replace('arraysize="1" arraysize="1"', 'arraysize="1"')
        if cut:
            text = text.replace("</TABLE>", '</TABLE><INFO name="QUERY_STATUS" value="OVERFLOW"/>')
        return text.encode()

    def look_at(self, job: Job) -> None:
        """Let a job get on by one look."""
        if job.phase in ("RUN", "QUEUED", "EXECUTING"):
            job.polls += 1
            job.phase = "QUEUED" if job.polls == 1 and self.slow > 2 else "EXECUTING"
            if job.polls > self.slow:
                self._end(job)
        job.history.append(job.phase)

    def _end(self, job: Job) -> None:
        job.result = self.answer(job.query, job.maxrec)
        said = re.search(rb'value="ERROR">([^<]*)<', job.result)
        if self.failing is not None or said:
            job.error = self.failing if self.failing is not None else said[1].decode()
            job.phase = "ERROR"
            return
        job.phase = "COMPLETED"
        if self.manner == "html":
            job.result = b"<!DOCTYPE html><html><title>Log in</title></html>"
        elif self.manner == "not xml":
            job.result = b"tile_id,number\n1,2\n"
        elif self.manner == "broken":
            job.result = job.result[: 2 * len(job.result) // 3]
        elif self.manner == "link":
            job.result = re.sub(
                rb"<STREAM[^>]*>.*</STREAM>",
                b'<STREAM href="http://127.0.0.1:1/rows"/>',
                job.result,
                flags=re.DOTALL,
            )


def _unit(name: str) -> str | None:
    low = name.lower()
    if low in ("alpha_j2000", "delta_j2000"):
        return "deg"
    if low.startswith("flux_") and "relerr" not in low:
        return "10-19erg.s-1.cm-2.Angstrom-1"
    return "mag" if low.startswith("mag_") else None


def error_document(message: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<VOTABLE version="1.3" '
        'xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE type="results">'
        f'<INFO name="QUERY_STATUS" value="ERROR">{escape(message)}</INFO></RESOURCE></VOTABLE>'
    ).encode()


class _Handler(BaseHTTPRequestHandler):
    server: TAPServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._handle({})

    def do_DELETE(self) -> None:
        self._handle({})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if self.headers.get("Content-Type", "").startswith("multipart"):
            return self._send(b"no uploads", status=400)
        self._handle({k.upper(): v[0] for k, v in parse_qs(body.decode()).items()})

    def _handle(self, form: dict[str, str]) -> None:
        server = self.server
        path = self.path.split("?")[0]
        server.asked.append(f"{self.command} {path}")
        if path == "/catalogues/login":
            server.logins.append({k.lower(): v for k, v in form.items()})
            return self._send(b"<html>Welcome, or not.</html>", "text/html")
        ours = path.removeprefix("/catalogues/vo/tap/minijpas-local")
        if ours == path:
            return self._send(b"<html>Not here</html>", "text/html", 404)
        if server.status and server.only in ours:
            return self._send(b"<html><h1>Trouble</h1></html>", "text/html", server.status)
        if server.manner == "portal":
            return self._send(b"<!DOCTYPE html><html><br>Please log in", "text/html")
        if server.user and self.headers.get("Authorization") != _basic(server.user):
            return self._send(b"<html>Who are you?</html>", "text/html", 401)
        if ours.startswith("/async"):
            if server.dropped and ours != "/async" and self.command == "GET":
                server.dropped -= 1
                self.close_connection = True
                self.connection.close()
                return None
            return self._jobs(ours, form)
        if ours == "/sync":
            maxrec = form.get("MAXREC")
            return self._send(server.answer(form["QUERY"], int(maxrec) if maxrec else None))
        if ours == "/tables":
            return self._send(b"<broken" if server.no_tables else self._tables())
        if ours == "/capabilities":
            return self._send(self._capabilities())
        return self._send(b"<html>Nothing</html>", "text/html", 404)

    def _jobs(self, path: str, form: dict[str, str]) -> None:
        server = self.server
        if path == "/async":
            job = Job(len(server.jobs) + len(server.deleted) + 1, form["QUERY"], None)
            job.maxrec = int(form["MAXREC"]) if "MAXREC" in form else None
            server.jobs[job.number] = job
            self.send_response(303)
            self.send_header("Location", f"{server.url}/async/{job.number}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        number, _, rest = path.removeprefix("/async/").partition("/")
        job = server.jobs.get(int(number))
        if job is None:
            return self._send(b"No such job", "text/plain", 404)
        if self.command == "DELETE":
            server.deleted.append(server.jobs.pop(job.number))
            return self._send(b"")
        if rest == "phase" and self.command == "POST":
            job.phase = {"RUN": "RUN", "ABORT": "ABORTED"}[form["PHASE"]]
            job.history.append(form["PHASE"])
            return self._send(self._description(job))
        if rest == "results/result":
            return self._result(job)
        if rest == "error":
            return self._send(error_document(job.error or "The story behind the error"))
        server.look_at(job)
        return self._send(self._description(job))

    def _result(self, job: Job) -> None:
        asked = self.headers.get("Range")
        start = int(asked[6:-1]) if asked else 0
        content = job.result[start:]
        self.send_response(206 if start else 200)
        if start:
            size = len(job.result)
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        kind = "text/html" if self.server.manner == "html" else "application/x-votable+xml"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        job.sent += 1
        if self.server.manner == "cut" and job.sent == 1:
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
            self.connection.close()
            return
        self.wfile.write(content)

    def _description(self, job: Job) -> bytes:
        results = (
            f'<uws:result id="result" xlink:href="{self.server.url}/async/{job.number}'
            '/results/result"/>'
            if job.phase == "COMPLETED"
            else ""
        )
        error = (
            '<uws:errorSummary type="fatal" hasDetail="true"><uws:message>'
            f"{escape(job.error)}</uws:message></uws:errorSummary>"
            if job.phase == "ERROR"
            else ""
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?><uws:job version="1.1" '
            'xmlns:uws="http://www.ivoa.net/xml/UWS/v1.0" '
            'xmlns:xlink="http://www.w3.org/1999/xlink" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
            f'<uws:jobId>{job.number}</uws:jobId><uws:ownerId xsi:nil="true"/>'
            f'<uws:phase>{job.phase}</uws:phase><uws:quote xsi:nil="true"/>'
            '<uws:startTime xsi:nil="true"/><uws:endTime xsi:nil="true"/>'
            '<uws:executionDuration>0</uws:executionDuration><uws:destruction xsi:nil="true"/>'
            f"<uws:results>{results}</uws:results>{error}</uws:job>"
        ).encode()

    def _tables(self) -> bytes:
        database = self.server.database
        found = []
        for name, (plain, arrays) in database.layout.items():
            columns = "".join(
                f"<column><name>{column}</name><dataType xsi:type='vs:VOTableType'"
                f" arraysize={quoteattr('*' if column in arrays else '1')}>double</dataType>"
                "</column>"
                for column in (*plain, *arrays)
            )
            found.append(f"<table><name>{database.schema}.{name}</name>{columns}</table>")
        return (
            '<?xml version="1.0" encoding="UTF-8"?><vosi:tableset '
            'xmlns:vosi="http://www.ivoa.net/xml/VOSITables/v1.0" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            'xmlns:vs="http://www.ivoa.net/xml/VODataService/v1.1">'
            f"<schema><name>{database.schema}</name>{''.join(found)}</schema></vosi:tableset>"
        ).encode()

    def _capabilities(self) -> bytes:
        limit = self.server.limit
        output = f'<outputLimit><hard unit="row">{limit}</hard></outputLimit>' if limit else ""
        return (
            '<?xml version="1.0" encoding="UTF-8"?><vosi:capabilities '
            'xmlns:vosi="http://www.ivoa.net/xml/VOSICapabilities/v1.0" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            'xmlns:tr="http://www.ivoa.net/xml/TAPRegExt/v1.0" '
            'xmlns:vs="http://www.ivoa.net/xml/VODataService/v1.1">'
            '<capability standardID="ivo://ivoa.net/std/TAP" xsi:type="tr:TableAccess">'
            f'<interface xsi:type="vs:ParamHTTP" role="std"><accessURL use="base">'
            f"{self.server.url}</accessURL></interface><language><name>ADQL</name>"
            '<version ivo-id="ivo://ivoa.net/std/ADQL#v2.0">2.0</version></language>'
            '<outputFormat ivo-id="ivo://ivoa.net/std/TAPRegExt#output-votable-binary2"><mime>'
            f"application/x-votable+xml</mime></outputFormat>{output}</capability>"
            "</vosi:capabilities>"
        ).encode()

    def _send(self, content: bytes, kind: str = "application/xml", status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="archive"')
        self.end_headers()
        self.wfile.write(content)


def _basic(user: tuple[str, str]) -> str:
    return "Basic " + b64encode(":".join(user).encode()).decode()


@contextmanager
def serve_tap(**options) -> Iterator[TAPServer]:
    with TAPServer(**options) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()

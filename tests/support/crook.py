"""The operator with the database's password: changes rows past every trigger and foreign key."""

import contextlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from ledger.store.sql.engine import Database, open_engine, sqlite_driver
from tests.support.postgres import OWNER, Postgres, url_as


def tamper(database: Database, sql: str, parameters: Sequence[Any] = ()) -> int:
    """Run one statement with no check in its way; ``?`` marks a parameter. The number of rows changed."""
    if database.is_sqlite:
        with contextlib.closing(
            sqlite_driver().connect(database.url.database, isolation_level=None)
        ) as connection:
            connection.execute("PRAGMA foreign_keys=OFF")
            connection.execute("PRAGMA busy_timeout=10000")
            triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for (name,) in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            return int(connection.execute(sql, parameters).rowcount)
    with psycopg.connect(url_as(database, OWNER), autocommit=True) as postgres:
        postgres.execute("SET session_replication_role = replica")
        return postgres.execute(sql.replace("?", "%s"), parameters).rowcount


def flipped(data: bytes, at: int) -> bytes:
    """The bytes with one bit of one byte changed."""
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


def backup(database: Database, folder: Path, server: "Postgres | None") -> Database:
    """A copy of the database as it is now: yesterday's backup. `server` is needed on PostgreSQL."""
    database.dispose()
    if database.is_sqlite:
        assert database.url.database is not None
        path = folder / f"backup-{len(list(folder.iterdir()))}.db"
        shutil.copy(database.url.database, path)
        return open_engine(f"sqlite:///{path}")
    assert server is not None
    assert make_url(server.url()).port == database.url.port
    return open_engine(server.create(database.url.database))

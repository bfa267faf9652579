"""Bring the database's schema up or down, by Alembic and nothing else.

One transaction holds the whole upgrade on both databases: a schema is whole or unchanged. Two nodes that start at once
wait for one another, on SQLite by its write lock, on PostgreSQL by an advisory lock::

    upgrade(database)            # to the newest revision
    current(database)            # "0002", or None on an empty database
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from app.errors import AppError
from ledger.store.sql.engine import Database

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).resolve().parent.parent / "migrations"
_PG_LOCK = 0x5061636B  # "Pack"


def upgrade(database: Database, revision: str = "head") -> None:
    """Upgrade `database` to `revision`; nothing happens if it is there already."""
    with database.writing() as connection:
        _lock(connection)
        from alembic import command  # slow to import, and only a migration needs it

        command.upgrade(_config(connection), revision)


def downgrade(database: Database, revision: str = "base") -> None:
    """Downgrade `database` to `revision`. What only the newer schema could hold is lost."""
    with database.writing() as connection:
        _lock(connection)
        from alembic import command

        command.downgrade(_config(connection), revision)


def current(database: Database) -> str | None:
    """The revision `database` stands at, or None where no schema is."""
    with database.reading() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


@cache
def newest() -> str | None:
    """The revision this code needs: the last one, since revisions are numbered in their order."""
    return max((path.name[:4] for path in FOLDER.glob("versions/[0-9]*_*.py")), default=None)


def require_current(database: Database) -> None:
    """Raise `AppError` unless the schema is the one this code needs."""
    found, needed = current(database), newest()
    if found != needed:
        raise AppError(
            "database.schema",
            503,
            "The database's schema does not fit",
            f"it stands at {found or 'nothing'}, this version needs {needed}",
            "run: packproof db upgrade",
        )


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _PG_LOCK})

"""The node's database, opened as its settings say.

Thin on purpose: what makes it safe is `ledger.store.sql.engine`, so that the kernel's tools open it the same way.
"""

from app.config import Settings
from ledger.store.sql.engine import Database, open_engine


def open_database(settings: Settings) -> Database:
    """The database of `settings`, not connected yet. Raises `ledger.store.sql.engine.DatabaseRefused`."""
    return open_engine(settings.database_url, busy_timeout_ms=settings.busy_timeout_ms)

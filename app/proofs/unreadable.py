"""What reading rows raises that this program cannot have written: a number where bytes belong, text that is no JSON.

An audit names the row or the part that it could not read, and goes on with the next: one changed row must not hide
others.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from ledger.errors import LedgerError
from ledger.store.findings import FsckFinding, FsckReport

UNREADABLE = (LedgerError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError)


def told(error: Exception) -> str:
    """The first line of what the error says."""
    text = getattr(error, "message", None) or str(getattr(error, "orig", None) or error)
    return (text.splitlines() or [type(error).__name__])[0]


@contextmanager
def named(connection: Connection, report: FsckReport, part: str) -> Iterator[None]:
    """Name the `part` of an audit that cannot be brought to its end, and let the parts after it be."""
    try:
        # After an error PostgreSQL answers nothing more until it is taken back.
        with connection.begin_nested():
            yield
    except (*UNREADABLE, SQLAlchemyError) as error:
        rests = "what they hold, and what this part of the audit had not looked at yet"
        report.add(FsckFinding("I9", "database", part, "-", "rows that can be read", told(error), rests))

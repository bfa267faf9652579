"""What a database's failure means for what was being written: whether to try again, to stop, to refuse, or to admit
that nobody knows.

| Fault | Is | Then |
|---|---|---|
| PASSING | locked, deadlock, serialization, session ended, server restarting, head moved | tried again |
| FULL | no room before the commit: rolled back | 507, goes on by itself |
| BROKEN | input/output error, failed fsync, damaged or read-only file | this process stops |
| UNKNOWN | the connection was lost while the COMMIT was under way | tried again; at last 503 `capture.unknown` |
| OTHER | anything else, the data's or the program's | raised |

Sources: SQLite result codes (sqlite.org/rescode.html), PostgreSQL appendix A (SQLSTATE).
"""

from collections.abc import Iterator
from enum import Enum, auto

from sqlalchemy.exc import DBAPIError, InvalidRequestError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.errors import AppError, CaptureStopped
from ledger.store.port import HeadMoved


class Fault(Enum):
    """What kept a transaction from taking place."""

    PASSING = auto()
    FULL = auto()
    BROKEN = auto()
    UNKNOWN = auto()
    OTHER = auto()


# In the drivers' words: what SQLite says has no class of its own in Python, and PostgreSQL says it as the system does.
_FULL_WORDS = ("disk is full", "no space left", "disk full", "file too large")
_BROKEN_WORDS = (
    "i/o error",
    "malformed",
    "readonly",
    "read-only",
    "could not fsync",
    "input/output error",
    "not a database",
)
_PASSING_WORDS = ("database is locked", "database table is locked", "database schema has changed")
_FULL_STATES = ("53100",)
_BROKEN_STATES = ("58030", "XX001", "XX002")
# serialization, deadlock, lock not available; too many connections; operator's and crash shutdown, cannot connect now
_PASSING_STATES = ("40001", "40P01", "55P03", "53300", "57P01", "57P02", "57P03", "57P05", "25P03")


class OutcomeUnknown(AppError):
    """The connection was lost while a commit was under way, and the database cannot be asked whether it took place."""

    def __init__(self) -> None:
        super().__init__(
            "capture.unknown",
            503,
            "Nobody can say yet whether this was recorded",
            "the connection to the database was lost while it was being committed",
            "Send the same again: if it stands, you get the receipt it has; nothing is counted twice.",
            headers={"Retry-After": "10"},
        )


class Busy(AppError):
    """The database could not be had in time; nothing was recorded."""

    def __init__(self) -> None:
        super().__init__(
            "capture.busy",
            503,
            "The database cannot be had now",
            "it is locked, restarting or out of reach; nothing of this was recorded",
            "Send it again in a moment.",
            headers={"Retry-After": "5"},
        )


class KeyChanged(AppError):
    """The node's intake key was followed by another while this was being prepared; nothing was recorded."""

    def __init__(self) -> None:
        super().__init__(
            "capture.busy",
            503,
            "The node's own key was just changed",
            "what was signed by the key before does not count any more; nothing of this was recorded",
            "Send it again in a moment.",
            headers={"Retry-After": "1"},
        )


def fault_of(error: BaseException, *, committing: bool = False) -> Fault:
    """What `error` means. `committing`: it came after everything had been written, from the COMMIT itself."""
    if isinstance(error, HeadMoved | PoolTimeout | InvalidRequestError) and not committing:
        # The last is what SQLAlchemy says of a transaction whose connection is gone.
        return Fault.PASSING
    failures = list(_failures(error))
    for words, states, fault in (
        (_BROKEN_WORDS, _BROKEN_STATES, Fault.BROKEN),
        (_FULL_WORDS, _FULL_STATES, Fault.FULL),
    ):
        if any(_says(each, words) or _state(each) in states for each in failures):
            return fault
    for each in failures:
        state = _state(each)
        # With its SQLSTATE the server itself has answered that it did not commit; that of a shutdown may come after.
        lost = each.connection_invalidated or state.startswith("08") or (state == "" and _of_postgresql(each))
        if committing and (lost or state.startswith("57")):
            return Fault.UNKNOWN
        if lost or state in _PASSING_STATES or _says(each, _PASSING_WORDS):
            return Fault.PASSING
    return Fault.OTHER


def told(error: Exception) -> Exception:
    """What the caller is told of a failure after which nothing of the batch stands."""
    fault = fault_of(error)
    if fault is Fault.FULL:
        return CaptureStopped("the disk is full", "Make room; it goes on by itself then.", 507)
    return Busy() if fault is Fault.PASSING else error


def _failures(error: BaseException) -> Iterator[DBAPIError]:
    """`error` and what it followed on: when a transaction is gone, rolling back to its savepoint fails too and hides
    what happened first."""
    seen: BaseException | None = error
    for _ in range(10):
        if seen is None:
            return
        if isinstance(seen, DBAPIError):
            yield seen
        seen = seen.__cause__ or seen.__context__


def _says(error: DBAPIError, words: tuple[str, ...]) -> bool:
    text = str(error.orig).lower()
    return any(word in text for word in words)


def _state(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _of_postgresql(error: DBAPIError) -> bool:
    """Whether a driver's error without a SQLSTATE is one of a connection: psycopg has no other."""
    return type(error.orig).__module__.startswith("psycopg") and type(error.orig).__name__ in (
        "OperationalError",
        "InterfaceError",
    )

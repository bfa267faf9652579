"""Column types that mean the same on SQLite and PostgreSQL.

`UtcMicros` keeps an instant as integer microseconds since 1970-01-01T00:00:00Z. SQLite has no time type,
and PostgreSQL's loses nothing but reads differently: an integer sorts, compares and hashes alike on both,
and there is no time zone to lose. Only aware datetimes go in, only aware UTC datetimes come out.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Dialect, Integer
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# SQLite gives a row its own dense number only to a column declared INTEGER PRIMARY KEY; both are 64 bits
# wide.
BigId = BigInteger().with_variant(Integer(), "sqlite")


def to_micros(instant: datetime) -> int:
    """Microseconds since the epoch of an aware `instant`; `ValueError` on a naive one."""
    if instant.tzinfo is None:
        raise ValueError(f"a time without a zone names no instant: {instant.isoformat()}")
    return (instant - EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC datetime at `micros` microseconds since the epoch."""
    return EPOCH + micros * _MICROSECOND


class UtcMicros(TypeDecorator[datetime]):
    """An aware UTC datetime, stored as a 64-bit integer of microseconds since the epoch."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_micros(value)

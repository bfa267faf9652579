"""Table of the time stamps that somebody else's clock put on this ledger's heads."""

from sqlalchemy import BigInteger, Column, LargeBinary, Table

from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import BigId, UtcMicros

# `note` is the checkpoint exactly as it was stamped, `response` the authority's answer (RFC 3161, 2.4.2) in DER.
time_stamp = Table(
    "time_stamp",
    metadata,
    Column("stamp_id", BigId, primary_key=True, autoincrement=True),
    Column("at", UtcMicros, nullable=False),  # by the authority's clock
    Column("size", BigInteger, nullable=False),
    Column("note", LargeBinary, nullable=False),
    Column("response", LargeBinary, nullable=False),
    Column("certificates", LargeBinary, nullable=False),  # PEM: what the answer was verified against
)

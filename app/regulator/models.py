"""Tables of what was handed to authorities: the answers as they went out, each under an entry of the ledger."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import UtcMicros

# Append-only. `record` is what the entry at `idx` committed to (docs/formats/statement.md, audit record).
disclosure = Table(
    "disclosure",
    metadata,
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column(
        "request", Text, nullable=False
    ),  # the case that asked, or take_... where an inspector took it himself
    Column("record", LargeBinary, nullable=False),
    Column("manifest", LargeBinary, nullable=False),  # JSON: the files and their digests
    Column("answer", LargeBinary, nullable=False),  # zip: the manifest and the files
    Column("at", UtcMicros, nullable=False),
    Column("by_id", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Index("ix_disclosure_request", "request"),
)

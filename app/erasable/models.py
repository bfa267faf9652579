"""Tables of what can be erased and of what was. Wrapped keys are in the ledger's own table `wrap`."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import UtcMicros

# A row for each part (app/erasable/parts.py). Once erased, path and leaf stay, so that the commitment can be computed.
erasable = Table(
    "erasable",
    metadata,
    Column("idx", BigInteger, primary_key=True, autoincrement=False),  # the entry
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("path", Text, nullable=False),
    Column("ev_no", Integer),  # NULL: a member of the document's header, or the whole document
    Column("event_id", Text),
    Column("leaf", LargeBinary(32)),
    Column("data", LargeBinary),  # ciphertext; NULL: erased
    Column("erased_idx", BigInteger),  # the redaction's entry
    Index("ix_erasable_event_id", "event_id"),
)

# A row for each redaction's entry: the record that it committed to.
redaction = Table(
    "redaction",
    metadata,
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("about", BigInteger, nullable=False),  # the entry of which something was erased
    Column("fields", Text, nullable=False),  # JSON: paths
    Column("basis", Text, nullable=False),
    Column("by_account", Text, nullable=False),
    Column("remaining", LargeBinary(32), nullable=False),  # SHA-256 of the raw document as it is stored since
    Column("at", UtcMicros, nullable=False),
    Index("ix_redaction_about", "about"),
)

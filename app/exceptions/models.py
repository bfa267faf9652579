"""Tables of the exceptions desk: what does not fit, whose work it is, by when, and what was said and done about it."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import BigId, UtcMicros

# One case for each discrepancy: a finding of one event about one item.
exception_case = Table(
    "exception_case",
    metadata,
    Column("case_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),  # the event that revealed it
    Column("item_id", BigInteger, nullable=False),
    Column("container_id", BigInteger),
    Column("party_id", Integer, ForeignKey("party.party_id"), nullable=False),  # whose work it is
    Column("partner_id", Integer, ForeignKey("party.party_id")),  # who can put the data right
    Column("opened_at", UtcMicros, nullable=False),
    Column("due_at", UtcMicros, nullable=False),
    Column("closed_at", UtcMicros),
    Column("closed_by", Text),
    UniqueConstraint("kind", "seq", "item_id"),
    Index("ix_exception_case_party_id_closed_at", "party_id", "closed_at"),
)

exception_note = Table(
    "exception_note",
    metadata,
    Column("note_id", BigId, primary_key=True, autoincrement=True),
    Column("case_id", Text, ForeignKey("exception_case.case_id"), nullable=False),
    Column("at", UtcMicros, nullable=False),
    Column("who", Text, nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_exception_note_case_id", "case_id"),
)

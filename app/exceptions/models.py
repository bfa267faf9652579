"""Tables of the exceptions desk: what its cases stand on. Owner, clock and thread are a desk's case (app/cases)."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import BigId, UtcMicros

# What links a finding to its case: the findings of one kind in one document are one case, however many items.
exception_case = Table(
    "exception_case",
    metadata,
    Column("kind", Text, primary_key=True),  # ledger.custody.findings.FindingCode
    Column("seq", BigInteger, primary_key=True, autoincrement=False),  # the event that revealed it
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),  # 0: the event as a whole
    Column("idx", BigInteger, nullable=False),  # that event's entry
    Column("container_id", BigInteger),
    Column("party_id", Integer, ForeignKey("party.party_id"), nullable=False),  # whose work it is
    Column("case_id", Text, ForeignKey("desk_case.case_id"), nullable=False),
    Column("standing", Boolean, nullable=False),  # whether its finding is there now
    Index("ix_exception_case_seq", "seq"),
    Index("ix_exception_case_idx", "idx"),
    Index("ix_exception_case_case_id", "case_id"),
)

# PDG report and response documents, out and in, as they were sent. `uuid` is the sender's
# message_uuid: his own, so that nobody else's message can take it first.
exception_message = Table(
    "exception_message",
    metadata,
    Column("message_no", BigId, primary_key=True, autoincrement=True),
    Column("party_id", Integer, ForeignKey("party.party_id"), nullable=False),
    Column("direction", Text, nullable=False),  # in, out
    Column("kind", Text, nullable=False),  # report, response
    Column("partner_id", Integer, ForeignKey("party.party_id")),  # who sent it to us, or to whom it went
    Column("uuid", Text, nullable=False),
    Column("case_uuid", Text, nullable=False),
    Column("case_id", Text, ForeignKey("desk_case.case_id"), nullable=False),
    Column("at", UtcMicros, nullable=False),
    Column("body", Text, nullable=False),  # JSON
    UniqueConstraint("party_id", "direction", "partner_id", "uuid"),
    Index("ix_exception_message_party_id_case_uuid", "party_id", "case_uuid"),
    Index("ix_exception_message_case_id", "case_id"),
)

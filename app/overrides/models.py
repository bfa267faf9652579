"""Professional overrides: each once, with both people, what the scan had said, and what was done with it."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import UtcMicros

professional_override = Table(
    "professional_override",
    metadata,
    Column("override_id", Text, primary_key=True),
    Column("case_id", Text, ForeignKey("desk_case.case_id"), nullable=False),  # the follow-up
    Column("party_id", Integer, ForeignKey("party.party_id"), nullable=False),
    Column("at", UtcMicros, nullable=False),
    Column("check_id", Text, nullable=False),  # the scan that was overridden
    Column("subject", Text, nullable=False),
    Column("word", Text, nullable=False),
    Column("verdict_reason", Text, nullable=False),
    Column("reason", Text, nullable=False),  # app.overrides.rules.Reason
    Column("explanation", Text, nullable=False),
    Column("first_id", Text, nullable=False),
    Column("first_name", Text, nullable=False),
    Column("second_id", Text, nullable=False),
    Column("second_name", Text, nullable=False),
    Column("idx", BigInteger),  # the entry of the ledger that it led to
    Index("ix_professional_override_party_id_at", "party_id", "at"),
    Index("ix_professional_override_case_id", "case_id"),
)

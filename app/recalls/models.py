"""Whom a recall reached: one row for each party, with what it answered."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text

from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import UtcMicros

recall_consignee = Table(
    "recall_consignee",
    metadata,
    Column("case_id", Text, ForeignKey("desk_case.case_id"), primary_key=True),  # the recall
    Column("party_id", Integer, ForeignKey("party.party_id"), primary_key=True),
    Column("notice_id", Text, ForeignKey("desk_case.case_id"), nullable=False),  # the case at its own desk
    # The recalling party shipped to it itself, and so may read its name.
    Column("direct", Boolean, nullable=False),
    Column("packages", Integer, nullable=False),  # what it had, or was shipped, when it was told
    Column("notified_at", UtcMicros, nullable=False),
    Column("acknowledged_at", UtcMicros),
    Column("answered_at", UtcMicros),
    # What it says it did, in packages. An answer of noughts is a search that found nothing, and is kept as such.
    Column("quarantined", Integer, nullable=False),
    Column("returned", Integer, nullable=False),
    Column("destroyed", Integer, nullable=False),
    Column("gone", Integer, nullable=False),  # dispensed or passed on before it was told
    Index("ix_recall_consignee_notice_id", "notice_id"),
)

"""Tables of investigations beside their cases: the forms as they were made, and whom a determination was told to."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import BigId, UtcMicros

# Append-only by use: what was handed to the FDA is kept as it was, six years from the end of disposition
# (FD&C Act 582(b)(4)(B)(v), (c)(4)(B)(v), (d)(4)(B)(v)).
form_3911 = Table(
    "form_3911",
    metadata,
    Column("form_id", Text, primary_key=True),
    Column("case_id", Text, ForeignKey("desk_case.case_id"), nullable=False),
    Column("kind", Text, nullable=False),  # app.investigations.form3911.FormKind
    Column("content", Text, nullable=False),  # JSON by the items' names
    Column("made_at", UtcMicros, nullable=False),
    Column("made_by", Text, nullable=False),
    Index("ix_form_3911_case_id", "case_id"),
)

# An immediate partner who may have received it: the case that tells it so stands at its own desk.
investigation_notice = Table(
    "investigation_notice",
    metadata,
    Column("notice_no", BigId, primary_key=True, autoincrement=True),
    Column("case_id", Text, ForeignKey("desk_case.case_id"), nullable=False),
    Column("party_id", Integer, ForeignKey("party.party_id"), nullable=False),
    Column("notice_id", Text, ForeignKey("desk_case.case_id"), nullable=False),
    Column("told_at", UtcMicros, nullable=False),
    Column("ended_at", UtcMicros),  # told that the notification is terminated
    UniqueConstraint("case_id", "party_id"),
    Index("ix_investigation_notice_notice_id", "notice_id"),
)

"""The units of a return: what was scanned, what it was matched to, what its maker said, what became of it."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Table, Text, UniqueConstraint

from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import BigId, UtcMicros

return_unit = Table(
    "return_unit",
    metadata,
    Column("unit_no", BigId, primary_key=True, autoincrement=True),
    Column("case_id", Text, ForeignKey("desk_case.case_id"), nullable=False),
    Column("subject", Text, nullable=False),  # canonical EPC
    Column("scanned_at", UtcMicros, nullable=False),
    Column("scanned_by", Text, nullable=False),
    Column("check_id", Text, nullable=False),  # the scan
    Column("matched_seq", BigInteger),  # our own event that shipped it to this customer; NULL: there is none
    Column("verified", Text, nullable=False),  # app.returns.rules.Verified
    Column("saleable", Boolean, nullable=False),
    Column("reason", Text, nullable=False),  # app.returns.rules.Reason
    Column("booked_at", UtcMicros),  # when its event was recorded
    UniqueConstraint("case_id", "subject"),
)

"""Tables of retention: legal holds, which stop purging until they are lifted."""

from sqlalchemy import Column, Table, Text

from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import UtcMicros

legal_hold = Table(
    "legal_hold",
    metadata,
    Column("hold_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # everything, party, gtin, lot, package (app.retention.rules.About)
    Column("about", Text, nullable=False),  # the GLN, the GTIN, the canonical EPC; empty for everything
    Column("reason", Text, nullable=False),
    Column("set_at", UtcMicros, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("lifted_at", UtcMicros),
    Column("lifted_by", Text),
    Column("lifted_why", Text),
)

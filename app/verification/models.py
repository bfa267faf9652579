"""The table of checks: every scan that was answered, kept as a sign about the product and as proof of what was said."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import UtcMicros

scan_check = Table(
    "scan_check",
    metadata,
    Column("check_id", Text, primary_key=True),
    Column("at", UtcMicros, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("party_gln", Text),
    Column("raw", LargeBinary, nullable=False),  # what the scanner read, byte for byte
    Column("symbology", Text),
    Column("item_id", BigInteger),
    Column("word", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("latency_us", Integer, nullable=False),
    Index("ix_scan_check_item_id_at", "item_id", "at"),
    Index("ix_scan_check_party_gln_at", "party_gln", "at"),
)

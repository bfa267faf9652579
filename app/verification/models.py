"""The table of checks: every scan that was answered, kept as a sign about the product and as proof of what was said.
And the packs that were set aside because they could not be confirmed yet: they are judged again as data arrives."""

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
    Column("subject", Text),  # the canonical EPC of what was scanned, known or not; NULL before it was kept
    Column("item_id", BigInteger),
    Column("word", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("latency_us", Integer, nullable=False),
    Index("ix_scan_check_item_id_at", "item_id", "at"),
    Index("ix_scan_check_party_gln_at", "party_gln", "at"),
    Index("ix_scan_check_subject_at", "subject", "at"),
)

# One row for each pack that a party has set aside, from its first such scan until somebody puts it away.
set_aside = Table(
    "set_aside",
    metadata,
    Column("check_id", Text, primary_key=True),  # the scan that set it aside
    Column("party_gln", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("symbology", Text),
    Column("set_at", UtcMicros, nullable=False),
    Column("chase", Text, nullable=False),  # who can bring the data
    Column("due_at", UtcMicros, nullable=False),
    Column("judged_at", UtcMicros, nullable=False),
    Column("judged_size", BigInteger, nullable=False),  # the ledger's size when it was judged last
    Column("word", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("cleared_at", UtcMicros),  # when it was found to be OK
    Column("closed_at", UtcMicros),
    Index("ix_set_aside_party_gln_closed_at", "party_gln", "closed_at"),
)

"""Tables of parties: who trades here, where their sites are, what licenses them to."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text

from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import UtcMicros

# A party has a small number of its own, because millions of rows name it.
party = Table(
    "party",
    metadata,
    Column("party_id", Integer, primary_key=True, autoincrement=True),
    Column("gln", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),  # maker, wholesaler, dispenser, 3pl, repackager, unknown
    # False for a partner that only a document has named so far: nobody has vouched for it.
    Column("verified", Boolean, nullable=False),
    Column("address", Text, nullable=False),  # street, city, state, postal code, country, one a line
    Column("added_at", UtcMicros, nullable=False),
)

# A GLN that is not the party's own: a warehouse, a plant, a shop.
site = Table(
    "site",
    metadata,
    Column("gln", Text, primary_key=True),
    Column("party_id", Integer, ForeignKey("party.party_id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Index("ix_site_party_id", "party_id"),
)

# Judged as of event time, so a licence is never changed, only followed by another.
licence = Table(
    "licence",
    metadata,
    Column("licence_id", Integer, primary_key=True, autoincrement=True),
    Column("party_id", Integer, ForeignKey("party.party_id"), nullable=False),
    Column("authority", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("valid_from", UtcMicros, nullable=False),
    Column("valid_until", UtcMicros),
    Column("evidence", Text, nullable=False),
    Index("ix_licence_party_id", "party_id"),
)

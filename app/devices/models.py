"""The table of keys: a projection of the ledger's `key` entries, so that checking a signature reads one row."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from ledger.store.sql.metadata import metadata

party_key = Table(
    "party_key",
    metadata,
    Column("thumbprint", LargeBinary(32), primary_key=True),
    Column("party_id", Integer, ForeignKey("party.party_id")),  # NULL: the node's own
    Column("role", Text, nullable=False),  # root, device, person, intake, checkpoint
    Column("label", Text, nullable=False),
    Column("spki", LargeBinary, nullable=False),
    Column("registered_idx", BigInteger, nullable=False),
    Column("revoked_idx", BigInteger),
    Index("ix_party_key_party_id", "party_id"),
)

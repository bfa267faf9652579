"""Tables of keys and of what they sign beside the events: a projection of the ledger's own entries.

`party_key` has one row for each `key` entry, so that a key may be suspended and registered again; what holds at which
index is for `ledger.signing.keyring` to say, here as at any verifier. `chain_link` has one row for each number of a
device's own chain, `parked` what a key signed after its end.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import UtcMicros

party_key = Table(
    "party_key",
    metadata,
    Column("idx", BigInteger, primary_key=True, autoincrement=False),  # the entry
    Column("action", Text, nullable=False),  # register, suspend, revoke
    Column("thumbprint", LargeBinary(32), nullable=False),
    Column("party_id", Integer, ForeignKey("party.party_id")),  # NULL: the node's own
    Column("role", Text, nullable=False),  # root, device, person, intake, checkpoint
    Column("label", Text, nullable=False),
    Column("spki", LargeBinary, nullable=False),
    Column("suspect_since", BigInteger),
    Index("ix_party_key_thumbprint", "thumbprint"),
    Index("ix_party_key_party_id", "party_id"),
)

# A number may stand twice, under two statements: that is a finding, never a refusal.
chain_link = Table(
    "chain_link",
    metadata,
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("stream", LargeBinary(16), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("thumbprint", LargeBinary(32), nullable=False),  # the statement's author
    Column("statement", LargeBinary(32), nullable=False),  # SHA-256 of it
    Column("prev", LargeBinary(32), nullable=False),
    # The record of a void-seq, as it was committed to; NULL for a capture, whose document is kept elsewhere.
    Column("void", LargeBinary),
    Column("adopts", BigInteger),  # the parked act that this capture refers to and takes over
    Index("ix_chain_link_stream_seq", "stream", "seq"),
    Index("ix_chain_link_adopts", "adopts"),
)

parked = Table(
    "parked",
    metadata,
    Column("idx", BigInteger, primary_key=True, autoincrement=False),  # the audit entry that says so
    Column("statement", LargeBinary(32), nullable=False, unique=True),  # SHA-256 of what was parked
    Column("thumbprint", LargeBinary(32), nullable=False),
    Column("party_id", Integer, ForeignKey("party.party_id"), nullable=False),
    Column("stream", LargeBinary(16), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("record", LargeBinary, nullable=False),  # what the audit entry committed to
    Column("envelope", LargeBinary, nullable=False),
    Column("seed", LargeBinary, nullable=False),
    Column("document", LargeBinary, nullable=False),  # packed
    Column("content_type", Text, nullable=False),
    Column("parked_at", UtcMicros, nullable=False),
    Index("ix_parked_party_id", "party_id"),
    Index("ix_parked_stream_seq", "stream", "seq"),
)

# Challenges that were answered by who enrolled (SHA-256 of each), until they would have ended: none is answered twice.
challenge_used = Table(
    "challenge_used",
    metadata,
    Column("challenge", LargeBinary(32), primary_key=True),
    Column("ends_at", UtcMicros, nullable=False),
    Index("ix_challenge_used_ends_at", "ends_at"),
)

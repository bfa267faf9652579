"""Tables of what is true now: a projection of the events, made anew by `packproof rebuild` at any time.

Custody is kept on the outermost object (ledger.custody.state), so receiving a pallet touches one row. Items have dense
numbers, given in the order in which they were first seen: the packs of a case stay together on disk.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import BigId

_OUTERMOST = text("parent_id IS NULL")

# ns: `01/<GTIN-14>` for packages and cases, `00` for SSCCs, `10/<GTIN-14>` for lots, `x` for other EPCs;
# serial: what is unique below it. bucket: a fixed hash of ns modulo 1024, the shard key.
item = Table(
    "item",
    metadata,
    Column("item_id", BigId, primary_key=True, autoincrement=True),
    Column("bucket", SmallInteger, nullable=False),
    Column("ns", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("maker_id", Integer, ForeignKey("party.party_id")),
    Column("lot_id", BigInteger),  # the item that is its lot
    Column("expiry", Integer),  # proleptic ordinal of the date
    Column("holder_id", Integer, ForeignKey("party.party_id")),
    Column("owner_id", Integer, ForeignKey("party.party_id")),
    Column("in_transit", Boolean, nullable=False),
    Column("bound_for_id", Integer, ForeignKey("party.party_id")),
    Column("offered_to_id", Integer, ForeignKey("party.party_id")),
    Column("sender_id", Integer, ForeignKey("party.party_id")),
    Column("custody_since", BigInteger, nullable=False),
    Column("parent_id", BigInteger),
    Column("inside_since", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("ended_by_id", Integer, ForeignKey("party.party_id")),
    Column("ended_at", BigInteger),
    Column("held", Text),
    Column("recalled", Boolean, nullable=False),
    Column("missing", Boolean, nullable=False),
    Column("claimed_by_id", Integer, ForeignKey("party.party_id")),
    Column("disputed", Boolean, nullable=False),
    Column("past_owners", Text),  # GLNs, oldest first, a blank between; NULL: none
    Column("seen_at", BigInteger),  # the position of the last event at a known place; NULL: none
    Column("seen_place", Text),  # latitude,longitude (ledger.custody.travel)
    Column("travelled", Boolean, nullable=False),
    Column("also_to", Text),  # what its sender says besides (ledger.custody.promised); NULL: nothing
    UniqueConstraint("bucket", "ns", "serial"),
    Index("ix_item_parent_id", "parent_id"),
    Index("ix_item_lot_id", "lot_id"),
    # Custody is kept on what is outermost: inside, a row still says who packed it, and nobody asks for that.
    Index("ix_item_outermost_holder_id", "holder_id", sqlite_where=_OUTERMOST, postgresql_where=_OUTERMOST),
    Index("ix_item_bound_for_id", "bound_for_id"),
)

FOREVER = 2**63 - 1

# Who was inside what from position f to below position t; t is FOREVER while it still is.
contained = Table(
    "contained",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("child", BigInteger, primary_key=True, autoincrement=False),
    Column("f", BigInteger, primary_key=True, autoincrement=False),
    Column("t", BigInteger, nullable=False),
    Column("parent", BigInteger, nullable=False),
    Index("ix_contained_parent_t", "parent", "t"),
    sqlite_with_rowid=False,
)

# Which packages went into which, by repackaging: all that one party named on either side of one reference.
lineage = Table(
    "lineage",
    metadata,
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, ForeignKey("event.seq"), primary_key=True, autoincrement=False),
    Column("side", SmallInteger, primary_key=True, autoincrement=False),  # ledger.custody.lineage.Side
    Column("reference", Text, primary_key=True),
    Index("ix_lineage_reference", "reference"),
    Index("ix_lineage_seq", "seq"),
    sqlite_with_rowid=False,
)

_LASTING = text("lasting")
_LASTING_1 = text(
    "lasting = 1"
)  # as SQLAlchemy asks it of SQLite, which takes a partial index by its very words

finding = Table(
    "finding",
    metadata,
    Column("finding_id", BigId, primary_key=True, autoincrement=True),
    Column("seq", BigInteger, ForeignKey("event.seq"), nullable=False),
    Column("code", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("item_id", BigInteger),
    Column("container_id", BigInteger),
    # True: capture itself found it, and no projection can take it back.
    Column("lasting", Boolean, nullable=False),
    Index("ix_finding_seq", "seq"),
    # Of what capture itself found there is little: what was told before its time is found among it.
    Index("ix_finding_lasting", "code", "seq", sqlite_where=_LASTING_1, postgresql_where=_LASTING),
    Index("ix_finding_item_id", "item_id"),
)

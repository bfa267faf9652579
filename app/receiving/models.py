"""Tables of the receiving desk: a delivery being received, what should be in it, and what was done at the dock.

What stands in the record is the one document that finishing captures. These rows are the work until then: several
clerks share them, they outlive a reload, and how far it is follows from the acts that were not undone (`rules.tally`).
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import BigId, UtcMicros

receiving = Table(
    "receiving",
    metadata,
    Column("receiving_id", Text, primary_key=True),
    Column("party_id", Integer, ForeignKey("party.party_id"), nullable=False),
    Column("seller_id", Integer, ForeignKey("party.party_id")),
    Column("reference", Text, nullable=False),  # the despatch advice's number, '' where it has none
    Column("purchase_order", Text, nullable=False),
    Column("state", Text, nullable=False),  # open, finishing, finished, given_up
    Column("opened_at", UtcMicros, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("finished_at", UtcMicros),
    Column("finished_by", Text),
    Column("idx", BigInteger),  # the entry that says what was received; NULL where nothing was
    Column("document", LargeBinary),  # what is captured, kept before it is sent so that twice is once
    Column(
        "data", Text, nullable=False
    ),  # JSON: the events, the seller's standing, the statement, what differs
    Index("ix_receiving_party_id_state", "party_id", "state"),
)

# What the partner's document says should come, as it was when receiving began.
receiving_line = Table(
    "receiving_line",
    metadata,
    Column("receiving_id", Text, ForeignKey("receiving.receiving_id"), primary_key=True),
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    Column(
        "parent_id", BigInteger
    ),  # the container it is directly in, NULL where it lies on the dock by itself
    Column("epc", Text, nullable=False),
    Column("package", Boolean, nullable=False),
    Column("lot", Text),
    Column("expiry", Text),
)

# Append-only but for being undone: every scan, opening and damage, by whom, in order.
receiving_act = Table(
    "receiving_act",
    metadata,
    Column("act_no", BigId, primary_key=True, autoincrement=True),
    Column("receiving_id", Text, ForeignKey("receiving.receiving_id"), nullable=False),
    Column("at", UtcMicros, nullable=False),
    Column("who_id", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("kind", Text, nullable=False),  # app.receiving.rules.ActKind
    Column("epc", Text, nullable=False),  # what it is about, '' where nothing could be read
    Column("raw", LargeBinary, nullable=False),  # what the scanner read, byte for byte
    Column("outcome", Text, nullable=False),  # app.receiving.rules.Outcome
    Column("note", Text, nullable=False),
    Column("lot", Text),  # as on the label
    Column("expiry", Text),
    Column("check_id", Text, nullable=False),  # the verdict that was given, '' where none was asked for
    Column("undone_by", Text),
    Index("ix_receiving_act_receiving_id", "receiving_id"),
)

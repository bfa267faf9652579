"""Tables of what was captured: documents as they came, their events; and long documents that wait to be applied."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import BigId, UtcMicros

# One row for each capture, which is one entry of the ledger with events. Raw bytes are kept as they came, packed.
document = Table(
    "document",
    metadata,
    Column("doc_id", BigId, primary_key=True, autoincrement=True),
    Column("idx", BigInteger, nullable=False, unique=True),  # its entry in the ledger
    Column("sha256", LargeBinary(32), nullable=False),
    Column("by_id", Integer, ForeignKey("party.party_id"), nullable=False),  # who vouches for it
    Column("signer", LargeBinary(32)),  # thumbprint of the author's key; NULL: received, not signed
    Column("channel", Text, nullable=False),  # signed, rest, file, page, exchange
    Column("form", Text, nullable=False),  # json20, xml12, xml20
    Column("intake", Text, nullable=False),  # JSON of the committed intake fields
    Column("statement_affirmed", Boolean),  # DSCSA transaction statement; NULL: came without one
    Column("received_at", UtcMicros, nullable=False),
    Column("raw", LargeBinary, nullable=False),  # zlib
    Column("notes", Text, nullable=False),  # JSON: what reading tolerated
    Index("ix_document_by_id_sha256", "by_id", "sha256"),
)

_HAS_BUYER = text("buyer_id IS NOT NULL")

# The parties are stored as they were resolved at capture: projecting again gives the same, whatever is learned later.
event = Table(
    "event",
    metadata,
    Column("seq", BigId, primary_key=True, autoincrement=True),
    Column("doc_id", BigInteger, ForeignKey("document.doc_id"), nullable=False),
    Column("ev_no", Integer, nullable=False),
    Column("idx", BigInteger, nullable=False),
    Column("by_id", Integer, ForeignKey("party.party_id"), nullable=False),
    Column("event_id", Text, nullable=False),
    Column(
        "declared_at", BigInteger, nullable=False
    ),  # declarationTime in microseconds; 0: no error declaration
    Column("digest", LargeBinary(32), nullable=False),
    Column("pos", BigInteger, nullable=False),  # custody's order
    Column("event_time", UtcMicros, nullable=False),
    Column("record_time", UtcMicros, nullable=False),
    Column("type", Text, nullable=False),
    Column("action", Text),
    Column("biz_step", Text),
    Column("disposition", Text),
    Column("read_point", Text),
    Column("biz_location", Text),
    Column("sender_id", Integer, ForeignKey("party.party_id")),
    Column("recipient_id", Integer, ForeignKey("party.party_id")),
    Column("seller_id", Integer, ForeignKey("party.party_id")),
    Column("buyer_id", Integer, ForeignKey("party.party_id")),
    Column("statement", Boolean),
    Column("place", Text),  # where its read point lay, latitude,longitude (ledger.custody.travel)
    # Which SSCCs of it have another company's prefix, canonical, a blank between; NULL: none that is known.
    Column("foreign_sscc", Text),
    # False: recorded with a finding, and without effect on custody: capture found what keeps it out, or custody has the
    # same content under another id (app/custody/counting.py).
    Column("effective", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),  # ledger.custody.stored
    UniqueConstraint("by_id", "event_id", "declared_at"),
    Index("ix_event_by_id_digest", "by_id", "digest"),
    Index("ix_event_doc_id_ev_no", "doc_id", "ev_no"),
    Index("ix_event_idx", "idx"),
    Index("ix_event_event_id", "event_id"),
    # Sales by each of their parties (app.transactions): only they have a buyer, so nothing else is in these.
    *(
        Index(f"ix_event_sale_{name}", name, "seq", sqlite_where=_HAS_BUYER, postgresql_where=_HAS_BUYER)
        for name in ("by_id", "seller_id", "buyer_id", "recipient_id")
    ),
)

# Which objects an event names, and as what. Clustered by object: a package's history is one range.
event_epc = Table(
    "event_epc",
    metadata,
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("role", SmallInteger, primary_key=True, autoincrement=False),
    Index("ix_event_epc_seq", "seq"),
    sqlite_with_rowid=False,
)

# A later signature over an event that was first received unsigned: the event's number, and the entry that signs it.
endorsement = Table(
    "endorsement",
    metadata,
    Column("seq", BigInteger, ForeignKey("event.seq"), primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("ev_no", Integer, nullable=False),
)

# Long documents outside the ledger, in the order in which they came. `state`: waiting, applying (its entry stands, its
# events are applied up to `mark`), done, failed. `lease_by` is the process that works on it, until `lease_until`.
inbox = Table(
    "inbox",
    metadata,
    Column("job_no", BigId, primary_key=True, autoincrement=True),
    Column("job_id", Text, nullable=False),
    Column("by_id", Integer, ForeignKey("party.party_id"), nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("signer", LargeBinary(32)),  # thumbprint of the author's key; NULL: received, not signed
    Column("channel", Text, nullable=False),
    # What came, until the document has it or it was refused.
    Column("intake", Text, nullable=False),  # JSON of the intake fields to commit to; {} afterwards
    Column("envelope", LargeBinary),  # DSSE, where it is signed
    Column("seed", LargeBinary),
    Column("content_type", Text),
    Column("raw", LargeBinary, nullable=False),  # zlib; empty afterwards
    Column("created_at", UtcMicros, nullable=False),
    Column("finished_at", UtcMicros),
    Column("state", Text, nullable=False),
    Column("problem", Text),  # JSON: what it failed on
    Column("idx", BigInteger),  # its entry, or the one that had the same content first
    Column("doc_id", BigInteger),
    Column("known", Boolean, nullable=False),
    Column("events", Integer),  # how many it has
    Column("mark", Integer, nullable=False),  # how many of them are applied
    Column("lease_by", Text),
    Column("lease_until", UtcMicros),
    UniqueConstraint("job_id"),
    Index("ix_inbox_state", "state"),
    Index("ix_inbox_by_id_sha256", "by_id", "sha256"),
)

# Its events, validated and packed, until they are in `event`.
inbox_event = Table(
    "inbox_event",
    metadata,
    Column("job_no", BigInteger, primary_key=True, autoincrement=False),
    Column("ev_no", Integer, primary_key=True, autoincrement=False),
    Column("by_id", Integer, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("declared_at", BigInteger, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("parties", Text, nullable=False),  # JSON: what was resolved, app.events.resolved
    Column("found", Text, nullable=False),  # JSON: what keeps it from having an effect
    Column("body", LargeBinary, nullable=False),  # ledger.custody.stored
    Index("ix_inbox_event_by_id_event_id", "by_id", "event_id"),
    sqlite_with_rowid=False,
)

# What it names, as the first 8 bytes of a SHA-256: whether a package is in a document that is still being taken in.
inbox_name = Table(
    "inbox_name",
    metadata,
    Column("name", BigInteger, primary_key=True, autoincrement=False),
    Column("job_no", BigInteger, primary_key=True, autoincrement=False),
    Index("ix_inbox_name_job_no", "job_no"),
    sqlite_with_rowid=False,
)

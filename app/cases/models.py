"""Tables that all desks share: a case, what it is about, and its thread."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import BigId, UtcMicros

# People's work, not the record: it may change, and its thread says how it did.
desk_case = Table(
    "desk_case",
    metadata,
    Column("case_id", Text, primary_key=True),
    Column("desk", Text, nullable=False),  # app.cases.rules.Desk
    Column("kind", Text, nullable=False),  # a word of that desk
    Column("party_id", Integer, ForeignKey("party.party_id"), nullable=False),  # whose work it is
    Column("partner_id", Integer, ForeignKey("party.party_id")),  # whom it is with
    Column("subject", Text, nullable=False),  # canonical EPC, lot, document: what it is about, in one word
    Column("title", Text, nullable=False),
    Column("state", Text, nullable=False),  # a word of that desk
    Column("owner_id", Text),  # account that has taken it
    Column("owner_name", Text),
    Column("opened_at", UtcMicros, nullable=False),
    Column("due_at", UtcMicros),
    Column("closed_at", UtcMicros),
    Column("closed_by", Text),
    Column("root_cause", Text),
    Column("data", Text, nullable=False),  # JSON: what that desk keeps of it besides
    Index("ix_desk_case_party_id_desk_closed_at", "party_id", "desk", "closed_at"),
    Index("ix_desk_case_subject", "subject"),
)

# The packages, containers and lots of a case beyond its one subject: by item number, found by package and by case.
desk_case_item = Table(
    "desk_case_item",
    metadata,
    Column("case_id", Text, ForeignKey("desk_case.case_id"), primary_key=True),
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),  # a word of that desk; '' where it keeps none
    Index("ix_desk_case_item_item_id", "item_id"),
)

# Append-only by use: everything that happened to a case, by whom, in order.
desk_note = Table(
    "desk_note",
    metadata,
    Column("note_id", BigId, primary_key=True, autoincrement=True),
    Column("case_id", Text, ForeignKey("desk_case.case_id"), nullable=False),
    Column("at", UtcMicros, nullable=False),
    Column("who", Text, nullable=False),
    Column("kind", Text, nullable=False),  # app.cases.rules.NoteKind
    Column("text", Text, nullable=False),
    Index("ix_desk_note_case_id", "case_id"),
)

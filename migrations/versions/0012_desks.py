"""The exceptions desk works on desks' cases; PDG's messages; and the receiving desk.

What stood in the desk's own tables goes on as desks' cases, with clock and thread; findings of kinds that make a case
since this version get theirs, with all the time that a new one has. Down again, a case of
several items becomes one for each of them; cases of kinds that there were none of, messages and deliveries are lost.
"""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from alembic import op

from ledger.store.sql.types import BigId, UtcMicros

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_SYSTEM = "Packproof"
_PAGE = 500


# Title, days, and whether it is the recipient's work, of each kind of finding that makes a case.
_KINDS = {
    "not_holder": ("Shipped or handled by somebody who does not hold it", 2, True),
    "not_owner": ("Sold by somebody who does not own it", 2, True),
    "not_offered": ("Ownership accepted that was not offered", 2, False),
    "wrong_receiver": ("Received, but shipped to somebody else", 2, False),
    "never_commissioned": ("Its maker's data has not arrived", 2, False),
    "not_maker": ("Made or recalled by another than its maker", 2, False),
    "over": ("More found than was packed", 3, False),
    "received_without_shipping": ("Received without shipping data", 2, False),
    "no_statement": ("Shipped without an affirmed transaction statement", 2, True),
    "no_recipient": ("A shipment that does not say to whom", 2, False),
    "two_parents": ("Packed twice without being unpacked", 3, False),
    "moved_alone": ("Moved alone while still packed", 3, False),
    "containment_cycle": ("A container that would be inside itself", 3, False),
    "mixed_owners": ("Packed with what belongs to somebody else", 3, False),
    "void_after_receipt": ("Voided after it was received", 2, False),
    "declared_by_other": ("Declared wrong by another than its reporter", 2, False),
}
_FINDINGS = (
    "SELECT DISTINCT f.code, f.seq, f.item_id, f.container_id, e.idx, e.by_id, e.sender_id, e.recipient_id "
    "FROM finding AS f JOIN event AS e ON e.seq = f.seq "
    "WHERE f.severity = 'exception' ORDER BY e.idx, f.code, f.seq, f.item_id"
)


def upgrade() -> None:
    connection = op.get_bind()
    cases = connection.execute(sa.text(_OLD_CASES)).all()
    notes = connection.execute(sa.text("SELECT * FROM exception_note ORDER BY note_id")).all()
    op.drop_index("ix_exception_note_case_id", table_name="exception_note")
    op.drop_table("exception_note")
    op.drop_index("ix_exception_case_party_id_closed_at", table_name="exception_case")
    op.drop_table("exception_case")
    _create_exceptions()
    _create_receiving()
    keys = _keys(connection, {row.item_id for row in cases})
    for start in range(0, len(cases), _PAGE):
        for row in cases[start : start + _PAGE]:
            connection.execute(_INSERT_CASE, _as_desk_case(row, keys.get(row.item_id, "")))
            connection.execute(_INSERT_ITEM, {"case_id": row.case_id, "item_id": row.item_id})
            connection.execute(_INSERT_LINK, {**row._mapping, "standing": row.closed_at is None})
    for row in notes:
        kind = "state" if row.who == _SYSTEM else "note"
        connection.execute(_INSERT_NOTE, {**row._mapping, "kind": kind})
    there = {(row.kind, row.seq, row.item_id) for row in cases}
    _open_for_findings(connection, there, {row.case_id for row in cases})


def _open_for_findings(connection: sa.Connection, there: set[tuple[str, int, int]], opened: set[str]) -> None:
    """Findings of kinds that make a case now, and made none before: one for each kind, document and container."""
    now = int(datetime.now(UTC).timestamp() * 1_000_000)
    found = connection.execute(sa.text(_FINDINGS)).all()
    for row in found:
        if row.code not in _KINDS or (row.code, row.seq, row.item_id or 0) in there:
            continue
        title, days, to_recipient = _KINDS[row.code]
        case_id = f"exc_{row.code}_{row.idx}_{row.container_id or 0}"
        party = row.recipient_id if to_recipient and row.recipient_id is not None else row.by_id
        partner = row.by_id if party != row.by_id else row.sender_id
        about = row.container_id or row.item_id
        if case_id not in opened:
            opened.add(case_id)
            values = {
                "case_id": case_id,
                "kind": row.code,
                "party_id": party,
                "partner_id": partner if partner != party else None,
                "subject": _keys(connection, {about}).get(about, "") if about else f"entry {row.idx}",
                "state": "open",
                "opened_at": now,
                "due_at": now + days * 86_400_000_000,
                "closed_at": None,
                "closed_by": None,
            }
            connection.execute(_INSERT_CASE, values | {"title": title})
            said = {
                "case_id": case_id,
                "at": now,
                "who": _SYSTEM,
                "text": f"Opened: {title}.",
                "kind": "state",
            }
            connection.execute(_INSERT_NOTE, said)
        link = {"case_id": case_id, "party_id": party, "standing": True, "item_id": row.item_id or 0}
        connection.execute(_INSERT_LINK, {**row._mapping, "kind": row.code, **link})
        if row.item_id is not None:
            connection.execute(_INSERT_ITEM, {"case_id": case_id, "item_id": row.item_id})


def _create_exceptions() -> None:
    op.create_table(
        "exception_case",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("item_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        sa.Column("container_id", sa.BigInteger(), nullable=True),
        sa.Column("party_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("standing", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.party_id"], name=op.f("fk_exception_case_party_id")),
        sa.ForeignKeyConstraint(["case_id"], ["desk_case.case_id"], name=op.f("fk_exception_case_case_id")),
        sa.PrimaryKeyConstraint("kind", "seq", "item_id", name=op.f("pk_exception_case")),
    )
    op.create_index("ix_exception_case_seq", "exception_case", ["seq"])
    op.create_index("ix_exception_case_idx", "exception_case", ["idx"])
    op.create_index("ix_exception_case_case_id", "exception_case", ["case_id"])
    op.create_table(
        "exception_message",
        sa.Column("message_no", BigId, autoincrement=True, nullable=False),
        sa.Column("party_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("direction", "kind", "uuid", "case_uuid")),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("at", UtcMicros(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.party_id"], name=op.f("fk_exception_message_party_id")),
        sa.ForeignKeyConstraint(
            ["case_id"], ["desk_case.case_id"], name=op.f("fk_exception_message_case_id")
        ),
        sa.PrimaryKeyConstraint("message_no", name=op.f("pk_exception_message")),
        sa.UniqueConstraint(
            "party_id", "direction", "uuid", name=op.f("uq_exception_message_party_id_direction_uuid")
        ),
    )
    op.create_index("ix_exception_message_party_id_case_uuid", "exception_message", ["party_id", "case_uuid"])
    op.create_index("ix_exception_message_case_id", "exception_message", ["case_id"])


def _create_receiving() -> None:
    op.create_table(
        "receiving",
        sa.Column("receiving_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Integer(), nullable=False),
        sa.Column("seller_id", sa.Integer(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("reference", "purchase_order", "state")),
        sa.Column("opened_at", UtcMicros(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("finished_at", UtcMicros(), nullable=True),
        sa.Column("finished_by", sa.Text(), nullable=True),
        sa.Column("idx", sa.BigInteger(), nullable=True),
        sa.Column("document", sa.LargeBinary(), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.party_id"], name=op.f("fk_receiving_party_id")),
        sa.ForeignKeyConstraint(["seller_id"], ["party.party_id"], name=op.f("fk_receiving_seller_id")),
        sa.PrimaryKeyConstraint("receiving_id", name=op.f("pk_receiving")),
    )
    op.create_index("ix_receiving_party_id_state", "receiving", ["party_id", "state"])
    op.create_table(
        "receiving_line",
        sa.Column("receiving_id", sa.Text(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("epc", sa.Text(), nullable=False),
        sa.Column("package", sa.Boolean(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=True),
        sa.Column("expiry", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["receiving_id"], ["receiving.receiving_id"], name=op.f("fk_receiving_line_receiving_id")
        ),
        sa.PrimaryKeyConstraint("receiving_id", "item_id", name=op.f("pk_receiving_line")),
    )
    op.create_table(
        "receiving_act",
        sa.Column("act_no", BigId, autoincrement=True, nullable=False),
        sa.Column("receiving_id", sa.Text(), nullable=False),
        sa.Column("at", UtcMicros(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("who_id", "who", "kind", "epc")),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("outcome", "note")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("lot", "expiry")),
        sa.Column("check_id", sa.Text(), nullable=False),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["receiving_id"], ["receiving.receiving_id"], name=op.f("fk_receiving_act_receiving_id")
        ),
        sa.PrimaryKeyConstraint("act_no", name=op.f("pk_receiving_act")),
    )
    op.create_index("ix_receiving_act_receiving_id", "receiving_act", ["receiving_id"])


def downgrade() -> None:
    for table in ("receiving_act", "receiving_line", "receiving", "exception_message"):
        op.drop_table(table)
    connection = op.get_bind()
    query = (
        "SELECT e.kind, e.seq, e.item_id, e.container_id, e.party_id, e.case_id, d.partner_id, d.opened_at, "
    )
    query += "d.due_at, d.closed_at, d.closed_by FROM exception_case AS e JOIN desk_case AS d ON d.case_id = e.case_id "
    links = connection.execute(
        sa.text(query + "WHERE e.kind = 'short' ORDER BY e.case_id, e.seq, e.item_id")
    ).all()
    said = "SELECT n.note_id, n.case_id, n.at, n.who, n.text FROM desk_note AS n JOIN desk_case AS d "
    said += "ON d.case_id = n.case_id WHERE d.desk = 'exceptions' ORDER BY n.note_id"
    notes = connection.execute(sa.text(said)).all()
    op.drop_table("exception_case")
    ours = "(SELECT case_id FROM desk_case WHERE desk = 'exceptions')"
    for table in ("desk_note", "desk_case_item", "desk_case"):
        connection.execute(sa.text(f"DELETE FROM {table} WHERE case_id IN {ours}"))  # noqa: S608
    _create_old()
    kept: set[str] = set()
    for row in links:
        # A case had one item: the first keeps the number, and with it the thread.
        case_id = row.case_id if row.case_id not in kept else f"{row.case_id}-{row.seq}-{row.item_id}"
        kept.add(row.case_id)
        values = {**row._mapping, "case_id": case_id, "due_at": row.due_at or row.opened_at}
        connection.execute(_INSERT_OLD_CASE, values)
    for row in notes:
        if row.case_id in kept:
            connection.execute(_INSERT_OLD_NOTE, dict(row._mapping))


def _create_old() -> None:
    op.create_table(
        "exception_case",
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("container_id", sa.BigInteger(), nullable=True),
        sa.Column("party_id", sa.Integer(), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=True),
        sa.Column("opened_at", UtcMicros(), nullable=False),
        sa.Column("due_at", UtcMicros(), nullable=False),
        sa.Column("closed_at", UtcMicros(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["party.party_id"], name=op.f("fk_exception_case_partner_id")
        ),
        sa.ForeignKeyConstraint(["party_id"], ["party.party_id"], name=op.f("fk_exception_case_party_id")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_exception_case")),
        sa.UniqueConstraint("kind", "seq", "item_id", name=op.f("uq_exception_case_kind_seq_item_id")),
    )
    op.create_index("ix_exception_case_party_id_closed_at", "exception_case", ["party_id", "closed_at"])
    op.create_table(
        "exception_note",
        sa.Column("note_id", BigId, nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("at", UtcMicros(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["exception_case.case_id"], name=op.f("fk_exception_note_case_id")
        ),
        sa.PrimaryKeyConstraint("note_id", name=op.f("pk_exception_note")),
    )
    op.create_index("ix_exception_note_case_id", "exception_note", ["case_id"])


def _as_desk_case(row: Any, subject: str) -> dict[str, Any]:
    # Of the only kind that there was.
    title = "Shortage found on opening"
    return {
        **row._mapping,
        "subject": subject,
        "title": title,
        "state": "open" if row.closed_at is None else "closed",
    }


def _keys(connection: sa.Connection, numbers: set[int]) -> dict[int, str]:
    """The canonical EPCs of items, as they were named when this was written (app/custody/items.py)."""
    found: dict[int, str] = {}
    query = sa.text("SELECT item_id, ns, serial FROM item WHERE item_id = :number")
    for number in sorted(numbers):
        row = connection.execute(query, {"number": number}).one_or_none()
        if row is None:
            continue
        base = "https://id.gs1.org/"
        if row.ns.startswith("01/"):
            found[number] = f"{base}{row.ns}/21/{quote(row.serial, safe='')}"
        else:
            found[number] = f"{base}00/{row.serial}" if row.ns == "00" else row.serial
    return found


_OLD_CASES = "SELECT c.*, e.idx FROM exception_case AS c JOIN event AS e ON e.seq = c.seq ORDER BY c.case_id"
_INSERT_CASE = sa.text(
    "INSERT INTO desk_case (case_id, desk, kind, party_id, partner_id, subject, title, state, opened_at, due_at, "
    "closed_at, closed_by, data) VALUES (:case_id, 'exceptions', :kind, :party_id, :partner_id, :subject, "
    ":title, :state, :opened_at, :due_at, :closed_at, :closed_by, '{}')"
)
_INSERT_ITEM = sa.text("INSERT INTO desk_case_item (case_id, item_id, state) VALUES (:case_id, :item_id, '')")
_INSERT_LINK = sa.text(
    "INSERT INTO exception_case (kind, seq, item_id, idx, container_id, party_id, case_id, standing) "
    "VALUES (:kind, :seq, :item_id, :idx, :container_id, :party_id, :case_id, :standing)"
)
_INSERT_NOTE = sa.text(
    "INSERT INTO desk_note (case_id, at, who, kind, text) VALUES (:case_id, :at, :who, :kind, :text)"
)
_INSERT_OLD_CASE = sa.text(
    "INSERT INTO exception_case (case_id, kind, seq, item_id, container_id, party_id, partner_id, opened_at, due_at, "
    "closed_at, closed_by) VALUES (:case_id, :kind, :seq, :item_id, :container_id, :party_id, :partner_id, "
    ":opened_at, :due_at, :closed_at, :closed_by)"
)
_INSERT_OLD_NOTE = sa.text(
    "INSERT INTO exception_note (case_id, at, who, text) VALUES (:case_id, :at, :who, :text)"
)

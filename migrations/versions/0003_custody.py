"""Parties, products, keys, documents, events, custody, exceptions and checks."""

import sqlalchemy as sa
from alembic import op

from ledger.store.sql.types import BigId, UtcMicros

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contained",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("child", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("f", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("t", sa.BigInteger(), nullable=False),
        sa.Column("parent", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("child", "f", name=op.f("pk_contained")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_contained_parent_t", "contained", ["parent", "t"], unique=False)
    op.create_table(
        "event_epc",
        sa.Column("item_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("role", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("item_id", "seq", "role", name=op.f("pk_event_epc")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_event_epc_seq", "event_epc", ["seq"], unique=False)
    op.create_table(
        "party",
        sa.Column("party_id", sa.Integer(), nullable=False),
        sa.Column("gln", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("added_at", UtcMicros(), nullable=False),
        sa.PrimaryKeyConstraint("party_id", name=op.f("pk_party")),
        sa.UniqueConstraint("gln", name=op.f("uq_party_gln")),
    )
    op.create_table(
        "scan_check",
        sa.Column("check_id", sa.Text(), nullable=False),
        sa.Column("at", UtcMicros(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("party_gln", sa.Text(), nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("symbology", sa.Text(), nullable=True),
        sa.Column("item_id", sa.BigInteger(), nullable=True),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("latency_us", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("check_id", name=op.f("pk_scan_check")),
    )
    op.create_index("ix_scan_check_item_id_at", "scan_check", ["item_id", "at"], unique=False)
    op.create_index("ix_scan_check_party_gln_at", "scan_check", ["party_gln", "at"], unique=False)
    op.create_table(
        "document",
        sa.Column("doc_id", BigId, nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("signer", sa.LargeBinary(length=32), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("intake", sa.Text(), nullable=False),
        sa.Column("statement_affirmed", sa.Boolean(), nullable=True),
        sa.Column("received_at", UtcMicros(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["party.party_id"], name=op.f("fk_document_by_id")),
        sa.PrimaryKeyConstraint("doc_id", name=op.f("pk_document")),
        sa.UniqueConstraint("idx", name=op.f("uq_document_idx")),
    )
    op.create_index("ix_document_by_id_sha256", "document", ["by_id", "sha256"], unique=False)
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
    op.create_index(
        "ix_exception_case_party_id_closed_at", "exception_case", ["party_id", "closed_at"], unique=False
    )
    op.create_table(
        "item",
        sa.Column("item_id", BigId, nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("ns", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("maker_id", sa.Integer(), nullable=True),
        sa.Column("lot_id", sa.BigInteger(), nullable=True),
        sa.Column("expiry", sa.Integer(), nullable=True),
        sa.Column("holder_id", sa.Integer(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("in_transit", sa.Boolean(), nullable=False),
        sa.Column("bound_for_id", sa.Integer(), nullable=True),
        sa.Column("offered_to_id", sa.Integer(), nullable=True),
        sa.Column("sender_id", sa.Integer(), nullable=True),
        sa.Column("custody_since", sa.BigInteger(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("inside_since", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("ended_by_id", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("held", sa.Text(), nullable=True),
        sa.Column("recalled", sa.Boolean(), nullable=False),
        sa.Column("missing", sa.Boolean(), nullable=False),
        sa.Column("claimed_by_id", sa.Integer(), nullable=True),
        sa.Column("disputed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["bound_for_id"], ["party.party_id"], name=op.f("fk_item_bound_for_id")),
        sa.ForeignKeyConstraint(["claimed_by_id"], ["party.party_id"], name=op.f("fk_item_claimed_by_id")),
        sa.ForeignKeyConstraint(["ended_by_id"], ["party.party_id"], name=op.f("fk_item_ended_by_id")),
        sa.ForeignKeyConstraint(["holder_id"], ["party.party_id"], name=op.f("fk_item_holder_id")),
        sa.ForeignKeyConstraint(["maker_id"], ["party.party_id"], name=op.f("fk_item_maker_id")),
        sa.ForeignKeyConstraint(["offered_to_id"], ["party.party_id"], name=op.f("fk_item_offered_to_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["party.party_id"], name=op.f("fk_item_owner_id")),
        sa.ForeignKeyConstraint(["sender_id"], ["party.party_id"], name=op.f("fk_item_sender_id")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_item")),
        sa.UniqueConstraint("bucket", "ns", "serial", name=op.f("uq_item_bucket_ns_serial")),
    )
    op.create_index("ix_item_bound_for_id", "item", ["bound_for_id"], unique=False)
    op.create_index("ix_item_holder_id", "item", ["holder_id"], unique=False)
    op.create_index("ix_item_lot_id", "item", ["lot_id"], unique=False)
    op.create_index("ix_item_parent_id", "item", ["parent_id"], unique=False)
    op.create_table(
        "licence",
        sa.Column("licence_id", sa.Integer(), nullable=False),
        sa.Column("party_id", sa.Integer(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("valid_from", UtcMicros(), nullable=False),
        sa.Column("valid_until", UtcMicros(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.party_id"], name=op.f("fk_licence_party_id")),
        sa.PrimaryKeyConstraint("licence_id", name=op.f("pk_licence")),
    )
    op.create_index("ix_licence_party_id", "licence", ["party_id"], unique=False)
    op.create_table(
        "party_key",
        sa.Column("thumbprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("party_id", sa.Integer(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("spki", sa.LargeBinary(), nullable=False),
        sa.Column("registered_idx", sa.BigInteger(), nullable=False),
        sa.Column("revoked_idx", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["party_id"], ["party.party_id"], name=op.f("fk_party_key_party_id")),
        sa.PrimaryKeyConstraint("thumbprint", name=op.f("pk_party_key")),
    )
    op.create_index("ix_party_key_party_id", "party_key", ["party_id"], unique=False)
    op.create_table(
        "product",
        sa.Column("gtin", sa.Text(), nullable=False),
        sa.Column("maker_id", sa.Integer(), nullable=True),
        sa.Column("ndc", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("manufacturer", sa.Text(), nullable=False),
        sa.Column("dosage_form", sa.Text(), nullable=False),
        sa.Column("strength", sa.Text(), nullable=False),
        sa.Column("net_content", sa.Text(), nullable=False),
        sa.Column("updated_at", UtcMicros(), nullable=False),
        sa.ForeignKeyConstraint(["maker_id"], ["party.party_id"], name=op.f("fk_product_maker_id")),
        sa.PrimaryKeyConstraint("gtin", name=op.f("pk_product")),
    )
    op.create_table(
        "site",
        sa.Column("gln", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.party_id"], name=op.f("fk_site_party_id")),
        sa.PrimaryKeyConstraint("gln", name=op.f("pk_site")),
    )
    op.create_index("ix_site_party_id", "site", ["party_id"], unique=False)
    op.create_table(
        "event",
        sa.Column("seq", BigId, nullable=False),
        sa.Column("doc_id", sa.BigInteger(), nullable=False),
        sa.Column("ev_no", sa.Integer(), nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("declared_at", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("pos", sa.BigInteger(), nullable=False),
        sa.Column("event_time", UtcMicros(), nullable=False),
        sa.Column("record_time", UtcMicros(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("biz_step", sa.Text(), nullable=True),
        sa.Column("disposition", sa.Text(), nullable=True),
        sa.Column("read_point", sa.Text(), nullable=True),
        sa.Column("biz_location", sa.Text(), nullable=True),
        sa.Column("sender_id", sa.Integer(), nullable=True),
        sa.Column("recipient_id", sa.Integer(), nullable=True),
        sa.Column("seller_id", sa.Integer(), nullable=True),
        sa.Column("buyer_id", sa.Integer(), nullable=True),
        sa.Column("statement", sa.Boolean(), nullable=True),
        sa.Column("effective", sa.Boolean(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["buyer_id"], ["party.party_id"], name=op.f("fk_event_buyer_id")),
        sa.ForeignKeyConstraint(["by_id"], ["party.party_id"], name=op.f("fk_event_by_id")),
        sa.ForeignKeyConstraint(["doc_id"], ["document.doc_id"], name=op.f("fk_event_doc_id")),
        sa.ForeignKeyConstraint(["recipient_id"], ["party.party_id"], name=op.f("fk_event_recipient_id")),
        sa.ForeignKeyConstraint(["seller_id"], ["party.party_id"], name=op.f("fk_event_seller_id")),
        sa.ForeignKeyConstraint(["sender_id"], ["party.party_id"], name=op.f("fk_event_sender_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_event")),
        sa.UniqueConstraint(
            "by_id", "event_id", "declared_at", name=op.f("uq_event_by_id_event_id_declared_at")
        ),
    )
    op.create_index("ix_event_by_id_digest", "event", ["by_id", "digest"], unique=False)
    op.create_index("ix_event_doc_id_ev_no", "event", ["doc_id", "ev_no"], unique=False)
    op.create_index("ix_event_event_id", "event", ["event_id"], unique=False)
    op.create_index("ix_event_idx", "event", ["idx"], unique=False)
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
    op.create_index("ix_exception_note_case_id", "exception_note", ["case_id"], unique=False)
    op.create_table(
        "endorsement",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ev_no", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["event.seq"], name=op.f("fk_endorsement_seq")),
        sa.PrimaryKeyConstraint("seq", "idx", name=op.f("pk_endorsement")),
    )
    op.create_table(
        "finding",
        sa.Column("finding_id", BigId, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=True),
        sa.Column("container_id", sa.BigInteger(), nullable=True),
        sa.Column("lasting", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["event.seq"], name=op.f("fk_finding_seq")),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_finding")),
    )
    op.create_index("ix_finding_item_id", "finding", ["item_id"], unique=False)
    op.create_index("ix_finding_seq", "finding", ["seq"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_finding_seq", table_name="finding")
    op.drop_index("ix_finding_item_id", table_name="finding")
    op.drop_table("finding")
    op.drop_table("endorsement")
    op.drop_index("ix_exception_note_case_id", table_name="exception_note")
    op.drop_table("exception_note")
    op.drop_index("ix_event_idx", table_name="event")
    op.drop_index("ix_event_event_id", table_name="event")
    op.drop_index("ix_event_doc_id_ev_no", table_name="event")
    op.drop_index("ix_event_by_id_digest", table_name="event")
    op.drop_table("event")
    op.drop_index("ix_site_party_id", table_name="site")
    op.drop_table("site")
    op.drop_table("product")
    op.drop_index("ix_party_key_party_id", table_name="party_key")
    op.drop_table("party_key")
    op.drop_index("ix_licence_party_id", table_name="licence")
    op.drop_table("licence")
    op.drop_index("ix_item_parent_id", table_name="item")
    op.drop_index("ix_item_lot_id", table_name="item")
    op.drop_index("ix_item_holder_id", table_name="item")
    op.drop_index("ix_item_bound_for_id", table_name="item")
    op.drop_table("item")
    op.drop_index("ix_exception_case_party_id_closed_at", table_name="exception_case")
    op.drop_table("exception_case")
    op.drop_index("ix_document_by_id_sha256", table_name="document")
    op.drop_table("document")
    op.drop_index("ix_scan_check_party_gln_at", table_name="scan_check")
    op.drop_index("ix_scan_check_item_id_at", table_name="scan_check")
    op.drop_table("scan_check")
    op.drop_table("party")
    op.drop_index("ix_event_epc_seq", table_name="event_epc")
    op.drop_table("event_epc")
    op.drop_index("ix_contained_parent_t", table_name="contained")
    op.drop_table("contained")

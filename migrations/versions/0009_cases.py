"""The cases that all desks share, and their threads."""

import sqlalchemy as sa
from alembic import op

from ledger.store.sql.types import BigId, UtcMicros

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "desk_case",
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Integer(), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=True),
        sa.Column("owner_name", sa.Text(), nullable=True),
        sa.Column("opened_at", UtcMicros(), nullable=False),
        sa.Column("due_at", UtcMicros(), nullable=True),
        sa.Column("closed_at", UtcMicros(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("root_cause", sa.Text(), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.party_id"], name=op.f("fk_desk_case_party_id")),
        sa.ForeignKeyConstraint(["partner_id"], ["party.party_id"], name=op.f("fk_desk_case_partner_id")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_desk_case")),
    )
    op.create_index("ix_desk_case_party_id_desk_closed_at", "desk_case", ["party_id", "desk", "closed_at"])
    op.create_index("ix_desk_case_subject", "desk_case", ["subject"])
    op.create_table(
        "desk_case_item",
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["desk_case.case_id"], name=op.f("fk_desk_case_item_case_id")),
        sa.PrimaryKeyConstraint("case_id", "item_id", name=op.f("pk_desk_case_item")),
    )
    op.create_index("ix_desk_case_item_item_id", "desk_case_item", ["item_id"])
    op.create_table(
        "desk_note",
        sa.Column("note_id", BigId, autoincrement=True, nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("at", UtcMicros(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["desk_case.case_id"], name=op.f("fk_desk_note_case_id")),
        sa.PrimaryKeyConstraint("note_id", name=op.f("pk_desk_note")),
    )
    op.create_index("ix_desk_note_case_id", "desk_note", ["case_id"])


def downgrade() -> None:
    op.drop_table("desk_note")
    op.drop_table("desk_case_item")
    op.drop_table("desk_case")

"""Investigations with their forms and notices, whom recalls reached, returned units, professional overrides.

Down again, what was worked on at these desks is lost with its tables; the events that it led to stand in the ledger.
"""

import sqlalchemy as sa
from alembic import op

from ledger.store.sql.types import BigId, UtcMicros

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "form_3911",
        sa.Column("form_id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "content")),
        sa.Column("made_at", UtcMicros(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["desk_case.case_id"], name=op.f("fk_form_3911_case_id")),
        sa.PrimaryKeyConstraint("form_id", name=op.f("pk_form_3911")),
    )
    op.create_index("ix_form_3911_case_id", "form_3911", ["case_id"])
    op.create_table(
        "investigation_notice",
        sa.Column("notice_no", BigId, autoincrement=True, nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("told_at", UtcMicros(), nullable=False),
        sa.Column("ended_at", UtcMicros(), nullable=True),
        *_references("investigation_notice", case_id="desk_case", party_id="party", notice_id="desk_case"),
        sa.PrimaryKeyConstraint("notice_no", name=op.f("pk_investigation_notice")),
        sa.UniqueConstraint("case_id", "party_id", name=op.f("uq_investigation_notice_case_id_party_id")),
    )
    op.create_index("ix_investigation_notice_notice_id", "investigation_notice", ["notice_id"])
    op.create_table(
        "recall_consignee",
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("direct", sa.Boolean(), nullable=False),
        sa.Column("packages", sa.Integer(), nullable=False),
        sa.Column("notified_at", UtcMicros(), nullable=False),
        *(sa.Column(name, UtcMicros(), nullable=True) for name in ("acknowledged_at", "answered_at")),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("quarantined", "returned", "destroyed", "gone")
        ),
        *_references("recall_consignee", case_id="desk_case", party_id="party", notice_id="desk_case"),
        sa.PrimaryKeyConstraint("case_id", "party_id", name=op.f("pk_recall_consignee")),
    )
    op.create_index("ix_recall_consignee_notice_id", "recall_consignee", ["notice_id"])
    op.create_table(
        "return_unit",
        sa.Column("unit_no", BigId, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("case_id", "subject")),
        sa.Column("scanned_at", UtcMicros(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("scanned_by", "check_id")),
        sa.Column("matched_seq", sa.BigInteger(), nullable=True),
        sa.Column("verified", sa.Text(), nullable=False),
        sa.Column("saleable", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("booked_at", UtcMicros(), nullable=True),
        *_references("return_unit", case_id="desk_case"),
        sa.PrimaryKeyConstraint("unit_no", name=op.f("pk_return_unit")),
        sa.UniqueConstraint("case_id", "subject", name=op.f("uq_return_unit_case_id_subject")),
    )
    op.create_table(
        "professional_override",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("override_id", "case_id")),
        sa.Column("party_id", sa.Integer(), nullable=False),
        sa.Column("at", UtcMicros(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("check_id", "subject", "word", "verdict_reason", "reason", "explanation")
        ),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("first_id", "first_name", "second_id", "second_name")
        ),
        sa.Column("idx", sa.BigInteger(), nullable=True),
        *_references("professional_override", case_id="desk_case", party_id="party"),
        sa.PrimaryKeyConstraint("override_id", name=op.f("pk_professional_override")),
    )
    op.create_index("ix_professional_override_party_id_at", "professional_override", ["party_id", "at"])
    op.create_index("ix_professional_override_case_id", "professional_override", ["case_id"])


def _references(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    keys = {"desk_case": "desk_case.case_id", "party": "party.party_id"}
    return [
        sa.ForeignKeyConstraint([column], [keys[other]], name=op.f(f"fk_{table}_{column}"))
        for column, other in columns.items()
    ]


def downgrade() -> None:
    for table in (
        "professional_override",
        "return_unit",
        "recall_consignee",
        "investigation_notice",
        "form_3911",
    ):
        op.drop_table(table)

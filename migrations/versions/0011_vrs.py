"""Product verification between companies, what was noticed at it, and packs that wait to be confirmed.

Down again, what was asked and answered is lost with its tables.
"""

import sqlalchemy as sa
from alembic import op

from ledger.store.sql.types import BigId, UtcMicros

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "vrs_request",
        sa.Column("request_no", BigId, autoincrement=True, nullable=False),
        sa.Column("at", UtcMicros(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("direction", "requester", "responder")),
        sa.Column("actor_id", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("gtin", "lot", "serial", "expiry")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("context", "corr_uuid")),
        sa.Column("attested", sa.Boolean(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("outcome", "info")),
        sa.Column("latency_us", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("request_no", name=op.f("pk_vrs_request")),
    )
    op.create_index("ix_vrs_request_requester_at", "vrs_request", ["requester", "at"])
    op.create_index("ix_vrs_request_responder_at", "vrs_request", ["responder", "at"])
    op.create_index("ix_vrs_request_gtin_serial_at", "vrs_request", ["gtin", "serial", "at"])
    op.create_table(
        "vrs_directory",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("responder", sa.Text(), nullable=False),
        sa.Column("added_at", UtcMicros(), nullable=False),
        sa.PrimaryKeyConstraint("product", name=op.f("pk_vrs_directory")),
    )
    op.create_table(
        "vrs_mark",
        sa.Column("mark_no", BigId, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("gtin", "lot", "serial", "mark", "note")),
        sa.Column("since", UtcMicros(), nullable=False),
        sa.Column("ended_at", UtcMicros(), nullable=True),
        sa.PrimaryKeyConstraint("mark_no", name=op.f("pk_vrs_mark")),
    )
    op.create_index("ix_vrs_mark_gtin_serial", "vrs_mark", ["gtin", "serial"])
    op.create_table(
        "signal",
        sa.Column("signal_no", BigId, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "severity", "about", "party")),
        sa.Column("requester", sa.Text(), nullable=False),
        sa.Column("at", UtcMicros(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("explanation", "innocent", "occasion")),
        sa.PrimaryKeyConstraint("signal_no", name=op.f("pk_signal")),
        sa.UniqueConstraint("occasion", name=op.f("uq_signal_occasion")),
    )
    op.create_index("ix_signal_party_at", "signal", ["party", "at"])
    op.create_index("ix_signal_about", "signal", ["about"])
    op.add_column("scan_check", sa.Column("subject", sa.Text(), nullable=True))
    op.create_index("ix_scan_check_subject_at", "scan_check", ["subject", "at"])
    op.create_table(
        "set_aside",
        sa.Column("check_id", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("party_gln", "subject")),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("symbology", sa.Text(), nullable=True),
        sa.Column("set_at", UtcMicros(), nullable=False),
        sa.Column("chase", sa.Text(), nullable=False),
        sa.Column("due_at", UtcMicros(), nullable=False),
        sa.Column("judged_at", UtcMicros(), nullable=False),
        sa.Column("judged_size", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("word", "reason")),
        *(sa.Column(name, UtcMicros(), nullable=True) for name in ("cleared_at", "closed_at")),
        sa.PrimaryKeyConstraint("check_id", name=op.f("pk_set_aside")),
    )
    op.create_index("ix_set_aside_party_gln_closed_at", "set_aside", ["party_gln", "closed_at"])


def downgrade() -> None:
    op.drop_table("set_aside")
    op.drop_index("ix_scan_check_subject_at", table_name="scan_check")
    op.drop_column("scan_check", "subject")
    for table in ("signal", "vrs_mark", "vrs_directory", "vrs_request"):
        op.drop_table(table)

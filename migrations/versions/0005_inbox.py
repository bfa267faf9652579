"""Documents that wait to be applied, and how far they are."""

import sqlalchemy as sa
from alembic import op

from ledger.store.sql.types import BigId, UtcMicros

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "inbox",
        sa.Column("job_no", BigId, nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signer", sa.LargeBinary(length=32), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("intake", sa.Text(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=True),
        sa.Column("seed", sa.LargeBinary(), nullable=True),
        sa.Column("content_type", sa.Text(), nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcMicros(), nullable=False),
        sa.Column("finished_at", UtcMicros(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("idx", sa.BigInteger(), nullable=True),
        sa.Column("doc_id", sa.BigInteger(), nullable=True),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=True),
        sa.Column("mark", sa.Integer(), nullable=False),
        sa.Column("lease_by", sa.Text(), nullable=True),
        sa.Column("lease_until", UtcMicros(), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["party.party_id"], name=op.f("fk_inbox_by_id")),
        sa.PrimaryKeyConstraint("job_no", name=op.f("pk_inbox")),
        sa.UniqueConstraint("job_id", name=op.f("uq_inbox_job_id")),
    )
    op.create_index("ix_inbox_state", "inbox", ["state"], unique=False)
    op.create_index("ix_inbox_by_id_sha256", "inbox", ["by_id", "sha256"], unique=False)
    op.create_table(
        "inbox_event",
        sa.Column("job_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ev_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("declared_at", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("parties", sa.Text(), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("job_no", "ev_no", name=op.f("pk_inbox_event")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_inbox_event_by_id_event_id", "inbox_event", ["by_id", "event_id"], unique=False)
    op.create_table(
        "inbox_name",
        sa.Column("name", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("job_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("name", "job_no", name=op.f("pk_inbox_name")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_inbox_name_job_no", "inbox_name", ["job_no"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_inbox_name_job_no", table_name="inbox_name")
    op.drop_table("inbox_name")
    op.drop_index("ix_inbox_event_by_id_event_id", table_name="inbox_event")
    op.drop_table("inbox_event")
    op.drop_index("ix_inbox_by_id_sha256", table_name="inbox")
    op.drop_index("ix_inbox_state", table_name="inbox")
    op.drop_table("inbox")

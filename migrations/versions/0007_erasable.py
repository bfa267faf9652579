"""Fields that can be erased, encrypted.

Down again, what was encrypted is lost with its tables: placeholders stay in its place.
"""

import sqlalchemy as sa
from alembic import op

from ledger.store.sql.types import UtcMicros

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erasable",
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("ev_no", sa.Integer(), nullable=True),
        sa.Column("event_id", sa.Text(), nullable=True),
        sa.Column("leaf", sa.LargeBinary(length=32), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("erased_idx", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("idx", "part", name=op.f("pk_erasable")),
    )
    op.create_index("ix_erasable_event_id", "erasable", ["event_id"], unique=False)
    op.create_table(
        "redaction",
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("about", sa.BigInteger(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("by_account", sa.Text(), nullable=False),
        sa.Column("remaining", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", UtcMicros(), nullable=False),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_redaction")),
    )
    op.create_index("ix_redaction_about", "redaction", ["about"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_redaction_about", table_name="redaction")
    op.drop_table("redaction")
    op.drop_index("ix_erasable_event_id", table_name="erasable")
    op.drop_table("erasable")

"""Challenges that were answered by who enrolled."""

import sqlalchemy as sa
from alembic import op

from ledger.store.sql.types import UtcMicros

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "challenge_used",
        sa.Column("challenge", sa.LargeBinary(length=32), nullable=False),
        sa.Column("ends_at", UtcMicros(), nullable=False),
        sa.PrimaryKeyConstraint("challenge", name=op.f("pk_challenge_used")),
    )
    op.create_index("ix_challenge_used_ends_at", "challenge_used", ["ends_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_challenge_used_ends_at", table_name="challenge_used")
    op.drop_table("challenge_used")

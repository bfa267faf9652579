"""What was handed to authorities."""

import sqlalchemy as sa
from alembic import op

from ledger.store.sql.types import UtcMicros

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "disclosure",
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("at", UtcMicros(), nullable=False),
        sa.Column("by_id", sa.Text(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_disclosure")),
    )
    op.create_index("ix_disclosure_request", "disclosure", ["request"])


def downgrade() -> None:
    op.drop_table("disclosure")

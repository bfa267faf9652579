"""What is kept beside a signed head: time stamps."""

import sqlalchemy as sa
from alembic import op

from ledger.store.sql.types import BigId, UtcMicros

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "time_stamp",
        sa.Column("stamp_id", BigId, nullable=False),
        sa.Column("at", UtcMicros(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=False),
        sa.Column("certificates", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("stamp_id", name=op.f("pk_time_stamp")),
    )


def downgrade() -> None:
    op.drop_table("time_stamp")

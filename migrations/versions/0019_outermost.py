"""The index of who has what, of what is in nothing else alone: inside a container the row says who packed it."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_OUTERMOST = sa.text("parent_id IS NULL")


def upgrade() -> None:
    op.create_index(
        "ix_item_outermost_holder_id",
        "item",
        ["holder_id"],
        sqlite_where=_OUTERMOST,
        postgresql_where=_OUTERMOST,
    )
    op.drop_index("ix_item_holder_id", table_name="item")


def downgrade() -> None:
    op.create_index("ix_item_holder_id", "item", ["holder_id"])
    op.drop_index("ix_item_outermost_holder_id", table_name="item")

"""Indexes for what is asked often and is true of few rows: what capture itself found, products not for everybody."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_LASTING, _LASTING_1 = (
    sa.text("lasting"),
    sa.text("lasting = 1"),
)  # SQLite takes a partial index by its very words
_LIMITED = sa.text("market <> ''")


def upgrade() -> None:
    op.create_index(
        "ix_finding_lasting", "finding", ["code", "seq"], sqlite_where=_LASTING_1, postgresql_where=_LASTING
    )
    op.create_index(
        "ix_product_market", "product", ["market"], sqlite_where=_LIMITED, postgresql_where=_LIMITED
    )


def downgrade() -> None:
    op.drop_index("ix_product_market", table_name="product")
    op.drop_index("ix_finding_lasting", table_name="finding")

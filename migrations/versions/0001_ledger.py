"""The ledger: head, entries, tiles, checkpoints, and triggers that refuse to change them."""

import sqlalchemy as sa
from alembic import op

from ledger.store.sql.triggers import append_only, changeable

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

IMMUTABLE = ("entry", "tile", "checkpoint")


def _ledger() -> sa.Column:
    return sa.Column("ledger", sa.SmallInteger, primary_key=True, autoincrement=False)


def _index() -> sa.Column:
    return sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False)


def upgrade() -> None:
    op.create_table(
        "ledger_origin",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.UniqueConstraint("origin"),
    )
    op.create_table(
        "head",
        sa.Column(
            "ledger",
            sa.SmallInteger,
            sa.ForeignKey("ledger_origin.id"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("last_leaf", sa.LargeBinary, nullable=False),
        sa.Column("peaks", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "entry",
        _ledger(),
        _index(),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("recv_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_entry_leaf", "entry", ["leaf"], postgresql_using="hash")
    op.create_table(
        "statement_index",
        sa.Column("hash16", sa.LargeBinary, primary_key=True),
        _ledger(),
        _index(),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tile",
        _ledger(),
        sa.Column("level", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("n", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "checkpoint",
        _ledger(),
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("note", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "cosig",
        _ledger(),
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("witness", sa.Text, primary_key=True),
        sa.Column("line", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["ledger", "size"], ["checkpoint.ledger", "checkpoint.size"]),
    )
    op.create_table("seed", _ledger(), _index(), sa.Column("seed", sa.LargeBinary, nullable=False))
    op.create_table("wrap", _ledger(), _index(), sa.Column("key", sa.LargeBinary, nullable=False))
    for table in IMMUTABLE:
        for statement in append_only(op.get_bind().dialect.name, table):
            op.execute(statement)


def downgrade() -> None:
    for table in IMMUTABLE:
        for statement in changeable(op.get_bind().dialect.name, table):
            op.execute(statement)
    for name in ("wrap", "seed", "cosig", "checkpoint", "tile", "statement_index"):
        op.drop_table(name)
    op.drop_index("ix_entry_leaf", "entry")
    for name in ("entry", "head", "ledger_origin"):
        op.drop_table(name)

"""SQLite keeps entries and seeds by their index alone: what is appended lies in one tree instead of two.

A key of two columns is a tree of its own beside the rows', so each append wrote a page more for each of the two tables,
and each row that an audit reads was looked up. A node has one ledger; its number stays in its column. On PostgreSQL,
where the key costs little, nothing changes.
"""

from alembic import op

from ledger.store.sql.triggers import append_only, changeable

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_COPIES = (
    (
        "CREATE TABLE entry_new (ledger SMALLINT NOT NULL, idx {idx} NOT NULL, leaf BLOB NOT NULL, body BLOB NOT NULL, "
        "recv_ms BIGINT NOT NULL, CONSTRAINT pk_entry PRIMARY KEY ({key}))",
        "INSERT INTO entry_new (ledger, idx, leaf, body, recv_ms) "
        "SELECT ledger, idx, leaf, body, recv_ms FROM entry ORDER BY idx",
        "DROP TABLE entry",
        "ALTER TABLE entry_new RENAME TO entry",
    ),
    (
        "CREATE TABLE seed_new (ledger SMALLINT NOT NULL, idx {idx} NOT NULL, seed BLOB NOT NULL, "
        "CONSTRAINT pk_seed PRIMARY KEY ({key}))",
        "INSERT INTO seed_new (ledger, idx, seed) SELECT ledger, idx, seed FROM seed ORDER BY idx",
        "DROP TABLE seed",
        "ALTER TABLE seed_new RENAME TO seed",
    ),
)


def upgrade() -> None:
    _rewrite("INTEGER", "idx")


def downgrade() -> None:
    _rewrite("BIGINT", "ledger, idx")


def _rewrite(idx: str, key: str) -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for statement in changeable("sqlite", "entry"):
        op.execute(statement)
    op.drop_index("ix_entry_leaf", "entry")
    for copy in _COPIES:
        for statement in copy:
            op.execute(statement.format(idx=idx, key=key))
    op.create_index("ix_entry_leaf", "entry", ["leaf"])
    for statement in append_only("sqlite", "entry"):
        op.execute(statement)

"""Keys: a row for each record, chains of acts, parked acts.

Down again, of a key that came back after a suspension only its last registration is kept.
"""

from hashlib import sha256

import sqlalchemy as sa
from alembic import op

from ledger.log.entry import Entry
from ledger.signing.statement import Statement
from ledger.store.sql.types import UtcMicros

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    bind = op.get_bind()
    before = bind.execute(sa.text("SELECT * FROM party_key ORDER BY registered_idx")).mappings().all()
    op.drop_index("ix_party_key_party_id", table_name="party_key")
    op.drop_table("party_key")
    keys = op.create_table(
        "party_key",
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("thumbprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("party_id", sa.Integer(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("spki", sa.LargeBinary(), nullable=False),
        sa.Column("suspect_since", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["party_id"], ["party.party_id"], name=op.f("fk_party_key_party_id")),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_party_key")),
    )
    op.create_index("ix_party_key_thumbprint", "party_key", ["thumbprint"], unique=False)
    op.create_index("ix_party_key_party_id", "party_key", ["party_id"], unique=False)
    rows = [
        {
            "idx": row["registered_idx"],
            "action": "register",
            "suspect_since": None,
            **{name: row[name] for name in ("thumbprint", "party_id", "role", "label", "spki")},
        }
        for row in before
    ]
    if rows:
        op.bulk_insert(keys, rows)
    links = op.create_table(
        "chain_link",
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stream", sa.LargeBinary(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("thumbprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("statement", sa.LargeBinary(length=32), nullable=False),
        sa.Column("prev", sa.LargeBinary(length=32), nullable=False),
        sa.Column("void", sa.LargeBinary(), nullable=True),
        sa.Column("adopts", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_chain_link")),
    )
    op.create_index("ix_chain_link_stream_seq", "chain_link", ["stream", "seq"], unique=False)
    op.create_index("ix_chain_link_adopts", "chain_link", ["adopts"], unique=False)
    _link_what_stands(bind, links)
    op.create_table(
        "parked",
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("statement", sa.LargeBinary(length=32), nullable=False),
        sa.Column("thumbprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("party_id", sa.Integer(), nullable=False),
        sa.Column("stream", sa.LargeBinary(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("parked_at", UtcMicros(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.party_id"], name=op.f("fk_parked_party_id")),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_parked")),
        sa.UniqueConstraint("statement", name=op.f("uq_parked_statement")),
    )
    op.create_index("ix_parked_party_id", "parked", ["party_id"], unique=False)
    op.create_index("ix_parked_stream_seq", "parked", ["stream", "seq"], unique=False)


def _link_what_stands(bind: sa.Connection, links: sa.Table) -> None:
    """The chains of what was captured before there was a table of them, a page of entries at a time."""
    last = -1
    query = sa.text("SELECT idx, body FROM entry WHERE idx > :last ORDER BY idx LIMIT 1000")
    while page := bind.execute(query, {"last": last}).all():
        last = page[-1].idx
        rows = []
        for index, body in page:
            entry = Entry.decode(bytes(body))
            chain = Statement.parse(entry.statement).chain
            if chain is not None:
                rows.append(
                    {
                        "idx": index,
                        "stream": chain.stream,
                        "seq": chain.seq,
                        "thumbprint": entry.signatures[0].key,
                        "statement": sha256(entry.statement).digest(),
                        "prev": chain.prev,
                        "void": None,
                        "adopts": None,
                    }
                )
        if rows:
            op.bulk_insert(links, rows)


def downgrade() -> None:
    bind = op.get_bind()
    op.drop_index("ix_parked_stream_seq", table_name="parked")
    op.drop_index("ix_parked_party_id", table_name="parked")
    op.drop_table("parked")
    op.drop_index("ix_chain_link_adopts", table_name="chain_link")
    op.drop_index("ix_chain_link_stream_seq", table_name="chain_link")
    op.drop_table("chain_link")
    records = bind.execute(sa.text("SELECT * FROM party_key ORDER BY idx")).mappings().all()
    op.drop_index("ix_party_key_thumbprint", table_name="party_key")
    op.drop_index("ix_party_key_party_id", table_name="party_key")
    op.drop_table("party_key")
    keys = op.create_table(
        "party_key",
        sa.Column("thumbprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("party_id", sa.Integer(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("spki", sa.LargeBinary(), nullable=False),
        sa.Column("registered_idx", sa.BigInteger(), nullable=False),
        sa.Column("revoked_idx", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["party_id"], ["party.party_id"], name=op.f("fk_party_key_party_id")),
        sa.PrimaryKeyConstraint("thumbprint", name=op.f("pk_party_key")),
    )
    op.create_index("ix_party_key_party_id", "party_key", ["party_id"], unique=False)
    kept: dict[bytes, dict[str, object]] = {}
    for row in records:
        if row["action"] == "register":
            kept[bytes(row["thumbprint"])] = {
                "registered_idx": row["idx"],
                "revoked_idx": None,
                **{name: row[name] for name in ("thumbprint", "party_id", "role", "label", "spki")},
            }
        else:
            kept[bytes(row["thumbprint"])]["revoked_idx"] = row["idx"]
    if kept:
        op.bulk_insert(keys, list(kept.values()))

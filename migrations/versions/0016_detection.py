"""What custody's rules remember for detection, repackaging's links, company prefixes.

Rows that stand get no values: past owners and links of what was captured before are known after `packproof rebuild`.

Whoever brings more for detection (rules D10, D16 to D18, D20) adds it to this revision as long as no release has it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("event", sa.Column("place", sa.Text(), nullable=True))
    op.add_column("event", sa.Column("foreign_sscc", sa.Text(), nullable=True))
    op.add_column("item", sa.Column("past_owners", sa.Text(), nullable=True))
    op.add_column("item", sa.Column("seen_at", sa.BigInteger(), nullable=True))
    op.add_column("item", sa.Column("seen_place", sa.Text(), nullable=True))
    op.add_column("item", sa.Column("travelled", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "lineage",
        sa.Column("item_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("side", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["event.seq"], name=op.f("fk_lineage_seq_event")),
        sa.PrimaryKeyConstraint("item_id", "seq", "side", "reference", name=op.f("pk_lineage")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_lineage_reference", "lineage", ["reference"], unique=False)
    op.create_index("ix_lineage_seq", "lineage", ["seq"], unique=False)
    op.create_table(
        "company_prefix",
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["party_id"], ["party.party_id"], name=op.f("fk_company_prefix_party_id_party")
        ),
        sa.PrimaryKeyConstraint("prefix", name=op.f("pk_company_prefix")),
    )


def downgrade() -> None:
    op.drop_table("company_prefix")
    op.drop_index("ix_lineage_seq", table_name="lineage")
    op.drop_index("ix_lineage_reference", table_name="lineage")
    op.drop_table("lineage")
    for column in ("travelled", "seen_place", "seen_at", "past_owners"):
        op.drop_column("item", column)
    op.drop_column("event", "foreign_sscc")
    op.drop_column("event", "place")

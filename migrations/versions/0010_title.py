"""Title: addresses, places on earth, licences by kind, exemptions, checks, markets, legal holds; sales by their
parties.

A licence of an earlier version becomes what its party's kind needs: a maker's or repackager's is a registration.
"""

import sqlalchemy as sa
from alembic import op

from ledger.store.sql.types import BigId, UtcMicros

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ADDRESS = ("city", "state", "postal_code", "country")
_PARTIES = ("by_id", "seller_id", "buyer_id", "recipient_id")


def upgrade() -> None:
    for table, names in (("party", (*_ADDRESS, "contact")), ("site", _ADDRESS), ("product", ("market",))):
        for name in names:
            op.add_column(table, sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.add_column("site", sa.Column("latitude_udeg", sa.Integer(), nullable=True))
    op.add_column("site", sa.Column("longitude_udeg", sa.Integer(), nullable=True))
    op.add_column("licence", sa.Column("kind", sa.Text(), server_default="state_licence", nullable=False))
    op.add_column("licence", sa.Column("source", sa.Text(), server_default="", nullable=False))
    op.add_column("licence", sa.Column("looked_up_at", UtcMicros(), nullable=True))
    op.add_column("licence", sa.Column("ended_at", UtcMicros(), nullable=True))
    op.add_column("licence", sa.Column("ended_why", sa.Text(), server_default="", nullable=False))
    op.execute(
        "UPDATE licence SET kind = 'establishment_registration' WHERE party_id IN "
        "(SELECT party_id FROM party WHERE kind IN ('maker', 'repackager'))"
    )
    for name in _PARTIES:
        op.create_index(
            f"ix_event_sale_{name}",
            "event",
            [name, "seq"],
            unique=False,
            sqlite_where=sa.text("buyer_id IS NOT NULL"),
            postgresql_where=sa.text("buyer_id IS NOT NULL"),
        )
    op.create_table(
        "exemption",
        sa.Column("exemption_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("party_id", sa.Integer(), nullable=False),
        sa.Column("covers", sa.Text(), nullable=False),
        sa.Column("valid_from", UtcMicros(), nullable=False),
        sa.Column("exempt_until", UtcMicros(), nullable=True),
        sa.Column("exempt_reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.party_id"], name=op.f("fk_exemption_party_id")),
        sa.PrimaryKeyConstraint("exemption_id", name=op.f("pk_exemption")),
    )
    op.create_index("ix_exemption_party_id", "exemption", ["party_id"], unique=False)
    op.create_table(
        "authorization_check",
        sa.Column("check_id", BigId, autoincrement=True, nullable=False),
        sa.Column("party_id", sa.Integer(), nullable=False),
        sa.Column("as_of", UtcMicros(), nullable=False),
        sa.Column("checked_at", UtcMicros(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("authorized", sa.Boolean(), nullable=False),
        sa.Column("licence_id", sa.Integer(), nullable=True),
        sa.Column("exemption_id", sa.Integer(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["party_id"], ["party.party_id"], name=op.f("fk_authorization_check_party_id")
        ),
        sa.PrimaryKeyConstraint("check_id", name=op.f("pk_authorization_check")),
    )
    op.create_index(
        "ix_authorization_check_party_id_as_of", "authorization_check", ["party_id", "as_of"], unique=False
    )
    op.create_index("ix_authorization_check_seq", "authorization_check", ["seq"], unique=False)
    op.create_table(
        "product_partner",
        sa.Column("gtin", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["gtin"], ["product.gtin"], name=op.f("fk_product_partner_gtin")),
        sa.ForeignKeyConstraint(["party_id"], ["party.party_id"], name=op.f("fk_product_partner_party_id")),
        sa.PrimaryKeyConstraint("gtin", "party_id", name=op.f("pk_product_partner")),
    )
    op.create_table(
        "legal_hold",
        sa.Column("hold_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_at", UtcMicros(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("lifted_at", UtcMicros(), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.Column("lifted_why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_legal_hold")),
    )


def downgrade() -> None:
    op.drop_table("legal_hold")
    op.drop_table("product_partner")
    op.drop_index("ix_authorization_check_seq", table_name="authorization_check")
    op.drop_index("ix_authorization_check_party_id_as_of", table_name="authorization_check")
    op.drop_table("authorization_check")
    op.drop_index("ix_exemption_party_id", table_name="exemption")
    op.drop_table("exemption")
    for name in reversed(_PARTIES):
        op.drop_index(f"ix_event_sale_{name}", table_name="event")
    for name in ("ended_why", "ended_at", "looked_up_at", "source", "kind"):
        op.drop_column("licence", name)
    op.drop_column("site", "longitude_udeg")
    op.drop_column("site", "latitude_udeg")
    for table, names in (("product", ("market",)), ("site", _ADDRESS), ("party", (*_ADDRESS, "contact"))):
        for name in reversed(names):
            op.drop_column(table, name)

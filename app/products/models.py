"""Tables of products: what a GTIN is, and who answers for it."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, text

from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import UtcMicros

IS_LIMITED = text("market <> ''")

product = Table(
    "product",
    metadata,
    Column("gtin", Text, primary_key=True),
    # The party on this node that makes it, and so can say that it never made a serial. NULL: its maker is not here.
    Column("maker_id", Integer, ForeignKey("party.party_id")),
    Column("ndc", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("manufacturer", Text, nullable=False),
    Column("dosage_form", Text, nullable=False),
    Column("strength", Text, nullable=False),
    Column("net_content", Text, nullable=False),
    # The countries that it is for, ISO 3166-1 alpha-2 with spaces between; empty: anywhere.
    Column("market", Text, nullable=False, server_default=""),
    Column("updated_at", UtcMicros, nullable=False),
    # Few are not for everybody: whether there is one at all is asked at every sale.
    Index("ix_product_market", "market", sqlite_where=IS_LIMITED, postgresql_where=IS_LIMITED),
)

# Who may own packages of it at all. No row: anybody who is authorized to trade.
product_partner = Table(
    "product_partner",
    metadata,
    Column("gtin", Text, ForeignKey("product.gtin"), primary_key=True),
    Column("party_id", Integer, ForeignKey("party.party_id"), primary_key=True, autoincrement=False),
)

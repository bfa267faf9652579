"""The table of GS1 Company Prefixes: which company a prefix is licensed to."""

from sqlalchemy import Column, ForeignKey, Integer, Table, Text

from ledger.store.sql.metadata import metadata

company_prefix = Table(
    "company_prefix",
    metadata,
    Column("prefix", Text, primary_key=True),  # 6 to 12 digits
    Column("party_id", Integer, ForeignKey("party.party_id"), nullable=False),
)

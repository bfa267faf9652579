"""Tables of product verification: what was asked and answered, whom to ask about which GTIN, and what was noticed.

They are desk tables: what people and programs asked, kept as a sign about the product. Nothing is projected from them.
"""

from sqlalchemy import Boolean, Column, Index, Integer, SmallInteger, Table, Text, UniqueConstraint

from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import BigId, UtcMicros

# One row for each request, as it was claimed: nothing of it is taken for true.
vrs_request = Table(
    "vrs_request",
    metadata,
    Column("request_no", BigId, primary_key=True, autoincrement=True),
    Column("at", UtcMicros, nullable=False),
    Column("direction", Text, nullable=False),  # in: a maker here was asked; check: for connectivity; out
    Column("requester", Text, nullable=False),  # GLN
    Column("responder", Text, nullable=False),  # GLN of the maker that answers; "" where none is known
    Column("actor_id", Text, nullable=False),
    Column("gtin", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("expiry", Text, nullable=False),  # YYMMDD
    Column("context", Text, nullable=False),
    Column("corr_uuid", Text, nullable=False),
    Column("attested", Boolean, nullable=False),  # ctrlPossessAtt: the requester says that it has the pack
    Column("contact", Text, nullable=False),  # e-mail and telephone that the requester gave
    Column("status", SmallInteger, nullable=False),  # of HTTP; 0: no answer came
    Column(
        "outcome", Text, nullable=False
    ),  # verified, a verificationFailureReason, or why there is no answer
    Column("info", Text, nullable=False),  # additionalInfo
    Column("latency_us", Integer, nullable=False),
    Index("ix_vrs_request_requester_at", "requester", "at"),
    Index("ix_vrs_request_responder_at", "responder", "at"),
    Index("ix_vrs_request_gtin_serial_at", "gtin", "serial", "at"),
)

# Whom to ask: `product` is a GTIN-14, or the company prefix of its maker. Credentials lie in files, never here.
vrs_directory = Table(
    "vrs_directory",
    metadata,
    Column("product", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("responder", Text, nullable=False),  # the GLN that must answer; "" where any may
    Column("added_at", UtcMicros, nullable=False),
)

# What a maker itself says of a serial, or of a lot (serial ""), until it takes it back.
vrs_mark = Table(
    "vrs_mark",
    metadata,
    Column("mark_no", BigId, primary_key=True, autoincrement=True),
    Column("gtin", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("mark", Text, nullable=False),  # suspect, illegitimate, policy, extended
    Column("note", Text, nullable=False),
    Column("since", UtcMicros, nullable=False),
    Column("ended_at", UtcMicros),
    Index("ix_vrs_mark_gtin_serial", "gtin", "serial"),
)

# What was noticed at verification: no case, only a sign that other desks may take up. `about` is a canonical EPC or a
# GTIN, `party` the GLN of whoever it concerns, `occasion` what keeps the same sign from being noted twice.
signal = Table(
    "signal",
    metadata,
    Column("signal_no", BigId, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("party", Text, nullable=False),
    Column("requester", Text, nullable=False),
    Column("at", UtcMicros, nullable=False),
    Column("explanation", Text, nullable=False),
    Column("innocent", Text, nullable=False),
    Column("occasion", Text, nullable=False),
    UniqueConstraint("occasion"),
    Index("ix_signal_party_at", "party", "at"),
    Index("ix_signal_about", "about"),
)

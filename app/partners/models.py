"""Tables of parties: who trades here, where their sites are, what licenses them, and how we looked that up."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text

from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import BigId, UtcMicros


def _address() -> tuple[Column, ...]:  # type: ignore[type-arg]
    """Where something is. `address` is the street, or all of it where nobody has taken it apart."""
    rest = ("city", "state", "postal_code", "country")  # country: ISO 3166-1 alpha-2
    return (
        Column("address", Text, nullable=False),
        *(Column(name, Text, nullable=False, server_default="") for name in rest),
    )


# A party has a small number of its own, because millions of rows name it.
party = Table(
    "party",
    metadata,
    Column("party_id", Integer, primary_key=True, autoincrement=True),
    Column("gln", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),  # maker, wholesaler, dispenser, 3pl, repackager, unknown
    # False for a partner that only a document has named so far: nobody has vouched for it.
    Column("verified", Boolean, nullable=False),
    *_address(),
    # How to reach it about a delivery: telephone or e-mail. Goes into the TI of a drop shipment (582(f)).
    Column("contact", Text, nullable=False, server_default=""),
    Column("added_at", UtcMicros, nullable=False),
)

# A GLN that is not the party's own: a warehouse, a plant, a shop. Or the party's own, to say where on earth that is.
site = Table(
    "site",
    metadata,
    Column("gln", Text, primary_key=True),
    Column("party_id", Integer, ForeignKey("party.party_id"), nullable=False),
    Column("name", Text, nullable=False),
    *_address(),
    # Millionths of a degree, WGS 84; NULL: nobody has said. Whole numbers, so that both databases keep the same.
    Column("latitude_udeg", Integer),
    Column("longitude_udeg", Integer),
    Index("ix_site_party_id", "party_id"),
)

# Judged as of event time, so a licence is never changed, only followed by another; or ended before its day, once.
licence = Table(
    "licence",
    metadata,
    Column("licence_id", Integer, primary_key=True, autoincrement=True),
    Column("party_id", Integer, ForeignKey("party.party_id"), nullable=False),
    Column("kind", Text, nullable=False, server_default="state_licence"),  # app.partners.rules.LicenceKind
    Column("authority", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("valid_from", UtcMicros, nullable=False),
    Column("valid_until", UtcMicros),
    Column("evidence", Text, nullable=False),  # a link or a file's name
    Column("source", Text, nullable=False, server_default=""),  # where somebody looked it up
    Column("looked_up_at", UtcMicros),
    Column("ended_at", UtcMicros),  # revoked or suspended from then on
    Column("ended_why", Text, nullable=False, server_default=""),
    Index("ix_licence_party_id", "party_id"),
)

# A waiver or an exemption by law (582(a)(3), 582(a)(5), FDA's letters): which duty, until when, why.
exemption = Table(
    "exemption",
    metadata,
    Column("exemption_id", Integer, primary_key=True, autoincrement=True),
    Column("party_id", Integer, ForeignKey("party.party_id"), nullable=False),
    Column("covers", Text, nullable=False),  # app.partners.rules.Duty
    Column("valid_from", UtcMicros, nullable=False),
    Column("exempt_until", UtcMicros),
    Column("exempt_reason", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Index("ix_exemption_party_id", "party_id"),
)

# That a partner's authorization was looked at, and what was found then: written once, whatever is learned later.
authorization_check = Table(
    "authorization_check",
    metadata,
    Column("check_id", BigId, primary_key=True, autoincrement=True),
    Column("party_id", Integer, ForeignKey("party.party_id"), nullable=False),
    Column("as_of", UtcMicros, nullable=False),  # the time that was asked about
    Column("checked_at", UtcMicros, nullable=False),
    Column("seq", BigInteger),  # the event; NULL for a command that was refused
    Column("authorized", Boolean, nullable=False),
    Column("licence_id", Integer),
    Column("exemption_id", Integer),
    Column("why", Text, nullable=False),
    Index("ix_authorization_check_party_id_as_of", "party_id", "as_of"),
    Index("ix_authorization_check_seq", "seq"),
)

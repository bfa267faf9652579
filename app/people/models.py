"""Tables of people, sessions, failed attempts and tokens. Secrets are kept as hashes only."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import UtcMicros

user_account = Table(
    "user_account",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),  # what they sign in with, in canonical form
    Column("display_name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),  # argon2id, with its parameters
    Column("role", Text, nullable=False),
    Column("party_gln", Text),  # NULL for an operator and an inspector
    Column("created_at", UtcMicros, nullable=False),
    Column("password_at", UtcMicros, nullable=False),
    Column("expires_at", UtcMicros),
    Column("disabled_at", UtcMicros),
    CheckConstraint(
        "(role IN ('operator', 'inspector')) = (party_gln IS NULL)",
        name="party_by_role",
    ),
    CheckConstraint("role <> 'inspector' OR expires_at IS NOT NULL", name="inspector_expires"),
)

web_session = Table(
    "web_session",
    metadata,
    Column("session_id", Text, primary_key=True),  # its name in the audit trail; opens nothing
    Column("secret_hash", LargeBinary(32), nullable=False, unique=True),
    Column("user_id", Text, ForeignKey("user_account.user_id"), nullable=False),
    Column("created_at", UtcMicros, nullable=False),
    Column("seen_at", UtcMicros, nullable=False),
    Column("expires_at", UtcMicros, nullable=False),
    Column("ended_at", UtcMicros),
    Column("address", Text, nullable=False),
    Index("ix_web_session_user_id", "user_id"),
)

# Keyed by the name that was tried, known or not: an unknown one must back off alike; and by who tried with it.
sign_in_failure = Table(
    "sign_in_failure",
    metadata,
    Column("name_hash", LargeBinary(32), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", UtcMicros, nullable=False, index=True),
    Column("blocked_until", UtcMicros),
)

api_token = Table(
    "api_token",
    metadata,
    Column("token_id", Text, primary_key=True),
    Column("secret_hash", LargeBinary(32), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),  # partner_system, device or inspector
    Column("party_gln", Text),  # NULL for an inspector
    Column("subject", Text),  # what it stands for beyond the party: a device's key thumbprint
    Column("scopes", Text, nullable=False),  # separated by spaces, sorted
    Column("created_at", UtcMicros, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", UtcMicros),
    Column("revoked_at", UtcMicros),
    Index("ix_api_token_party_gln", "party_gln"),
    CheckConstraint("(kind = 'inspector') = (party_gln IS NULL)", name="party_by_kind"),
    CheckConstraint("kind <> 'inspector' OR expires_at IS NOT NULL", name="inspector_expires"),
)

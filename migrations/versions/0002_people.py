"""People, their sessions, tokens, and the audit trail."""

import sqlalchemy as sa
from alembic import op

from ledger.store.sql.triggers import append_only, changeable

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

big_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "user_account",
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("party_gln", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("password_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("disabled_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("name", name=op.f("uq_user_account_name")),
        sa.CheckConstraint(
            "(role IN ('operator', 'inspector')) = (party_gln IS NULL)",
            name=op.f("ck_user_account_party_by_role"),
        ),
        sa.CheckConstraint(
            "role <> 'inspector' OR expires_at IS NOT NULL", name=op.f("ck_user_account_inspector_expires")
        ),
    )
    op.create_table(
        "web_session",
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("address", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_web_session")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_web_session_secret_hash")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.user_id"], name=op.f("fk_web_session_user_id")),
    )
    op.create_index("ix_web_session_user_id", "web_session", ["user_id"])
    op.create_table(
        "sign_in_failure",
        sa.Column("name_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.Column("blocked_until", sa.BigInteger),
        sa.PrimaryKeyConstraint("name_hash", name=op.f("pk_sign_in_failure")),
    )
    op.create_index("ix_sign_in_failure_last_at", "sign_in_failure", ["last_at"])
    op.create_table(
        "api_token",
        sa.Column("token_id", sa.Text, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("party_gln", sa.Text),
        sa.Column("subject", sa.Text),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_api_token_secret_hash")),
        sa.CheckConstraint(
            "(kind = 'inspector') = (party_gln IS NULL)", name=op.f("ck_api_token_party_by_kind")
        ),
        sa.CheckConstraint(
            "kind <> 'inspector' OR expires_at IS NOT NULL", name=op.f("ck_api_token_inspector_expires")
        ),
    )
    op.create_index("ix_api_token_party_gln", "api_token", ["party_gln"])
    _create_audit_trail()


def _create_audit_trail() -> None:
    op.create_table(
        "audit_trail",
        sa.Column("audit_id", big_id, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor_kind", sa.Text, nullable=False),
        sa.Column("actor_id", sa.Text, nullable=False),
        sa.Column("actor_name", sa.Text, nullable=False),
        sa.Column("actor_role", sa.Text, nullable=False),
        sa.Column("actor_party", sa.Text),
        sa.Column("session_id", sa.Text),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("whose", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit_trail")),
    )
    op.create_index("ix_audit_trail_at", "audit_trail", ["at"])
    op.create_index("ix_audit_trail_actor_id_at", "audit_trail", ["actor_id", "at"])
    op.create_index("ix_audit_trail_subject_at", "audit_trail", ["subject", "at"])
    for statement in append_only(op.get_bind().dialect.name, "audit_trail"):
        op.execute(statement)


def downgrade() -> None:
    for statement in changeable(op.get_bind().dialect.name, "audit_trail"):
        op.execute(statement)
    for table in ("audit_trail", "api_token", "sign_in_failure", "web_session", "user_account"):
        op.drop_table(table)

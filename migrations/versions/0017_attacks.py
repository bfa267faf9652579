"""To whom else a sender has told of shipping something; whose message an exception message is.

A message_uuid is its sender's own: two partners that choose the same one say different things. Going back, of messages
that share one the first stays.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_TABLE = "exception_message"
_BEFORE = "uq_exception_message_party_id_direction_uuid"
_AFTER = "uq_exception_message_party_id_direction_partner_id_uuid"
_WITH = (
    "UPDATE exception_message SET partner_id = (SELECT d.partner_id FROM desk_case AS d WHERE d.case_id = "
)
_LATER = (
    "DELETE FROM exception_message WHERE message_no NOT IN "
    "(SELECT min(m.message_no) FROM exception_message AS m GROUP BY m.party_id, m.direction, m.uuid)"
)


def upgrade() -> None:
    op.add_column("item", sa.Column("also_to", sa.Text(), nullable=True))
    with op.batch_alter_table(_TABLE) as table:
        table.add_column(sa.Column("partner_id", sa.Integer(), nullable=True))
        table.create_foreign_key(
            op.f("fk_exception_message_partner_id"), "party", ["partner_id"], ["party_id"]
        )
        table.drop_constraint(_BEFORE, type_="unique")
        table.create_unique_constraint(op.f(_AFTER), ["party_id", "direction", "partner_id", "uuid"])
    op.execute(sa.text(_WITH + "exception_message.case_id)"))


def downgrade() -> None:
    op.execute(sa.text(_LATER))
    with op.batch_alter_table(_TABLE) as table:
        table.drop_constraint(_AFTER, type_="unique")
        table.drop_constraint("fk_exception_message_partner_id", type_="foreignkey")
        table.drop_column("partner_id")
        table.create_unique_constraint(op.f(_BEFORE), ["party_id", "direction", "uuid"])
    op.drop_column("item", "also_to")

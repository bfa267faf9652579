"""A database from before the chains and the key records: brought up, it says what it said, and the audit agrees."""

from sqlalchemy import select

from app import migrate, roles
from app.devices import service as devices
from app.devices.models import chain_link
from app.proofs.fsck import fsck
from tests.support.postgres import NODE


def test_keys_and_chains_come_up_again_as_they_were(trade, database):
    services = trade.node.services
    for number in (1, 2, 3):
        assert trade.post_signed(trade.document(trade.begun(number))).status_code == 201

    def stored():
        with services.database.reading() as connection:
            rows = connection.execute(select(chain_link).order_by(chain_link.c.idx)).all()
            return devices.all_keys(connection), [tuple(row) for row in rows]

    before = stored()
    assert len(before[1]) == 3
    migrate.downgrade(database, "0005")
    migrate.upgrade(database)
    with database.writing() as connection:
        if roles.standing(connection):  # a table that is made anew belongs to its owner alone
            roles.grant(connection, NODE)
    assert stored() == before
    services.node.checkpoint()
    assert fsck(services.database, services.node).ok

"""A database of the first release, with what was traded in it, is brought to the present schema and goes on.

The old rows come from a story that is told now, on the present schema; what the schema of revision 0003 had columns for
is copied into a database that stands there. Of keys it had one row each.
"""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, Table, func, insert, select, text

from app.devices.models import chain_link, parked, party_key
from app.migrate import current, downgrade, newest, upgrade
from app.proofs.fsck import fsck
from app.shared.actor import Role
from ledger.custody.vocabulary import EventType
from ledger.evidence.verify import verify
from ledger.signing.client import KeyFolder
from ledger.store.sql.engine import Database, open_engine
from tests.support.app import Node, make_node
from tests.support.trade import WHEN, Trade
from tests.support.world import MAKER, PALLET, WHOLESALER, package

OLD = "0003"
Tables = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def empty(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> Callable[[], Database]:
    """Makes a database without a schema, of the kind that `database` is."""

    def make() -> Database:
        if database.is_sqlite:
            return open_engine(f"sqlite:///{tmp_path / 'old.db'}")
        return open_engine(request.getfixturevalue("postgres_url"))

    return make


def tell(trade: Trade) -> None:
    """Received, signed, signed later, packed, shipped and received; nothing that the first release did not have."""
    dock = trade.node.bearer(Role.PARTNER_SYSTEM, party_gln=WHOLESALER)
    made = trade.begun(1, 2)
    assert trade.post_epcis(trade.document(made)).status_code == 202
    assert trade.post_signed(trade.document(made)).status_code == 201
    assert trade.post_signed(trade.document(trade.begun(3), trade.begun(4))).status_code == 201
    packing = replace(
        trade.begun(), type=EventType.AGGREGATION, biz_step="packing", parent=PALLET, ilmd=(),
        children=(package(1), package(2)), event_time=WHEN + timedelta(minutes=10),
    )  # fmt: skip
    shipping = replace(trade.shipped(1), epcs=(PALLET,))
    assert trade.post_signed(trade.document(packing, shipping)).status_code == 201
    receiving = replace(
        trade.shipped(1), epcs=(PALLET,), biz_step="receiving", disposition="in_progress",
        event_time=WHEN + timedelta(hours=2),
    )  # fmt: skip
    assert trade.post_epcis(trade.document(receiving), headers=dock).status_code == 202
    trade.node.services.node.checkpoint()


def reflected(connection: Connection) -> list[Table]:
    """The tables that there are, those first that others refer to."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def dump(database: Database) -> Tables:
    """All rows of all tables."""
    with database.reading() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in reflected(connection)
        }


def copy_back(new: Database, old: Database) -> None:
    """Write into `old` what it has columns for."""
    with new.reading() as there, old.writing() as here:
        sources = {table.name: table for table in reflected(there)}
        for table in reflected(here):
            if table.name == "party_key":
                rows = [dict(row) for row in there.execute(select(sources[table.name])).mappings()]
                assert {row["action"] for row in rows} == {"register"}
                for row in rows:
                    row["registered_idx"] = row.pop("idx")
                    del row["action"], row["suspect_since"]
            elif table.name in ("exception_case", "exception_note"):
                rows = []  # they were other tables: tests/migrations/test_desks.py brings them up
            else:
                columns = [sources[table.name].c[column.name] for column in table.columns]
                rows = [dict(row) for row in there.execute(select(*columns)).mappings()]
            if rows:
                here.execute(insert(table), rows)
            _count_on(here, table)


def _count_on(connection: Connection, table: Table) -> None:
    """PostgreSQL's own numbers go on behind those that were copied."""
    if connection.dialect.name != "postgresql":
        return
    for column in table.primary_key.columns:
        sequence = connection.execute(
            select(func.pg_get_serial_sequence(table.name, column.name))
        ).scalar_one()
        if sequence is not None:
            most = connection.execute(select(func.max(column))).scalar()
            connection.execute(select(func.setval(sequence, most or 1, most is not None)))


def going_on(trade: Trade, node: Node) -> Trade:
    """The same parties with the same keys, at the node over the upgraded database."""
    again = object.__new__(Trade)
    again.node, again.folder, again.root = node, trade.folder, trade.root
    again.device = KeyFolder.open(trade.folder / "device")
    again.client = node.visitor().client
    again.bearer = node.bearer(Role.PARTNER_SYSTEM, party_gln=MAKER)
    return again


def test_a_database_of_the_first_release_goes_on(
    trade: Trade, empty: Callable[[], Database], tmp_path: Path
) -> None:
    tell(trade)
    new = trade.node.services.database
    before = trade.node.services.evidence.of_package(package(1), reader=None)
    old = empty()
    upgrade(old, OLD)
    copy_back(new, old)
    first = dump(old)
    assert {"time_stamp", "inbox", "chain_link", "erasable"}.isdisjoint(first)

    upgrade(old)
    assert current(old) == newest()
    for table in (party_key, chain_link, parked):
        assert dump(old)[table.name] == dump(new)[table.name], "as if it had been captured now"
    assert dump(old)["chain_link"], "the chains of what stood were put down"
    downgrade(old, OLD)
    assert dump(old) == first
    upgrade(old)

    shutil.copytree(trade.node.services.settings.data_dir, tmp_path / "moved")
    node = make_node(old, sign_in_per_minute=1000, data_dir=tmp_path / "moved")
    services = node.services
    report = fsck(services.database, services.node)
    assert report.ok, [found.message for found in report.findings]
    assert report.counts["events"] == 6
    assert services.evidence.of_package(package(1), reader=None) == before

    again = going_on(trade, node)
    answer = again.post_signed(again.document(again.begun(5)))
    assert answer.status_code == 201, answer.text
    assert answer.get_json()["findings"] == [], "the device's chain goes on where it stood"
    assert again.post_epcis(again.document(again.begun(6))).status_code == 202
    services.node.checkpoint()
    assert verify(services.evidence.of_package(package(5), reader=None)).events
    assert verify(services.evidence.of_package(package(1), reader=None)).events
    report = fsck(services.database, services.node)
    assert report.ok, [found.message for found in report.findings]
    assert report.counts["events"] == 8
    services.database.dispose()
    old.dispose()


def test_going_down_ends_keys_and_forgets_what_is_newer(trade: Trade, database: Database) -> None:
    """A revocation made since stays one: the first release refuses the key's signatures as well."""
    tell(trade)
    with database.writing() as connection:
        row = connection.execute(select(party_key).where(party_key.c.role == "device")).mappings().one()
        ended = {**row, "idx": 99, "action": "revoke"}
        connection.execute(insert(party_key), [ended])
    downgrade(database, OLD)
    with database.reading() as connection:
        query = text("SELECT role, registered_idx, revoked_idx FROM party_key ORDER BY registered_idx")
        keys = [tuple(row) for row in connection.execute(query)]
    assert [revoked for role, _, revoked in keys if role == "device"] == [99]
    assert {revoked for role, _, revoked in keys if role != "device"} == {None}

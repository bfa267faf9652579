"""Repackaging's links as rows: kept in step whatever comes when, found from both sides, and audited."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from app.custody import loading, rebuild
from app.custody import service as custody
from app.history.service import story
from app.partners import service as partners
from app.shared.actor import command_line
from ledger.custody.act import Act
from ledger.epcis.document import Document, Form
from ledger.epcis.jsonwriter import write
from tests.support.app import Node
from tests.support.crook import tamper
from tests.support.world import (
    MAKER,
    START,
    WHOLESALER,
    commission,
    declare_wrong,
    package,
    repackage,
)

OLD, NEW, FORGED = package("old"), package("new"), package("forged")


@pytest.fixture
def ready(node: Node) -> Iterator[Node]:
    services = node.services
    services.node.initialise()
    with services.database.writing() as connection:
        for gln in (MAKER, WHOLESALER):
            partners.register(connection, services.clock, gln, f"the party {gln}", "repackager")
    yield node


def _send(node: Node, *acts: Act) -> None:
    for each in acts:
        event = each.event
        if event.event_time < START:
            event = replace(event, event_time=START + timedelta(hours=1))
        raw = write(Document(Form.JSON20, (event,), created=START))
        node.services.capture.receive(
            raw, "application/json", by=each.by, channel="file", actor=command_line("test")
        )
        with node.services.database.snapshot() as connection:
            assert list(rebuild.differences(connection)) == []


def _relatives(node: Node, key: str) -> tuple[list[str], list[str]]:
    """What a package was made of, and what was made of it."""
    with node.services.database.reading() as connection:
        number = loading.find_ids(connection, [key])[key]
        made_of = custody.repacked_from(connection, number)
        became = custody.repacked_into(connection, number)
    return [each.key for each in made_of], [each.key for each in became]


def test_old_and_new_find_one_another_until_the_repackaging_is_taken_back(ready: Node) -> None:
    told = repackage([OLD], [NEW], MAKER, at=60)
    _send(ready, told, commission(OLD, at=1))  # the commissioning comes late
    assert _relatives(ready, NEW) == ([OLD], [])
    assert _relatives(ready, OLD) == ([], [NEW])
    stranger = repackage([OLD], [FORGED], WHOLESALER, at=90)
    # Under the same reference: what one party says is no link to what another does.
    stranger = replace(stranger, event=replace(stranger.event, transformation_id=told.event.id))
    _send(ready, stranger)
    assert _relatives(ready, FORGED) == ([], [])
    assert _shown(ready, NEW, MAKER) == _shown(ready, NEW, None) == ((OLD,), ())
    assert _shown(ready, OLD, MAKER) == ((), (NEW,))
    assert _shown(ready, NEW, WHOLESALER) is None
    _send(ready, declare_wrong(told))
    assert _relatives(ready, NEW) == ([], [])


def _shown(node: Node, key: str, reader: str | None) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The same in the history that `reader` is shown."""
    with node.services.database.reading() as connection:
        told = story(connection, key, reader=reader)
    return (told.made_of, told.became) if told else None


@pytest.mark.parametrize("change", ["item_id = item_id + 1", "seq = 1", "side = 1 - side", "reference = 'x'"])
def test_the_audit_names_a_link_that_was_changed(ready: Node, change: str) -> None:
    _send(ready, commission(OLD, at=1), repackage([OLD], [NEW], MAKER, at=60))
    assert tamper(ready.services.database, f"UPDATE lineage SET {change} WHERE side = 0")
    with ready.services.database.snapshot() as connection:
        assert {found.table for found in rebuild.differences(connection)} == {"lineage"}
    with ready.services.database.writing() as connection:
        rebuild.rebuild(connection, ready.services.clock)
    assert _relatives(ready, NEW) == ([OLD], [])
    with ready.services.database.snapshot() as connection:
        assert list(rebuild.differences(connection)) == []


def test_a_declaration_for_anothers_event_is_found_whichever_comes_first(ready: Node) -> None:
    made = commission(OLD, at=1)
    foreign = declare_wrong(made, by=WHOLESALER)
    _send(ready, foreign)
    assert _found(ready) == []
    _send(ready, made)
    assert _found(ready) == ["declared_by_other"]
    assert _relatives(ready, OLD) == ([], [])
    with ready.services.database.reading() as connection:
        assert loading.load(connection, [OLD]).world.item(OLD).maker == MAKER


def _found(node: Node) -> list[str]:
    with node.services.database.reading() as connection:
        seqs = connection.exec_driver_sql("SELECT seq FROM event").scalars().all()
        return [each.code.value for each in custody.findings_of(connection, seqs)]

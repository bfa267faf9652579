"""A signing client holds the node's head against the one it saw, before it sends anything."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.capture.remote import send, send_outbox
from app.errors import AppError
from app.witness.client import look
from ledger.__main__ import main
from ledger.custody.event import Event
from ledger.epcis.document import Document, Form
from ledger.epcis.json20 import write
from ledger.signing.client import KeyFolder, sign_capture
from tests.scanner.story import GTIN, MAKER, commissioning
from tests.support.live import LiveNode, LiveParty


@pytest.fixture
def past(tmp_path: Path) -> Iterator[tuple[LiveNode, LiveNode, LiveParty]]:
    """The node as it is, the same before the last capture, and its maker, who saw the last head. All are down."""
    node = LiveNode(tmp_path / "now")
    node.initialise()
    node.start()
    maker = node.party(MAKER, "North Pharma", "maker", makes=[GTIN])
    node.kill()
    before = node.twin(tmp_path / "before")
    node.start()
    sent(KeyFolder.open(maker.device), node, commissioning("A1"))
    look(KeyFolder.open(maker.device), node.url)
    node.kill()
    yield node, before, maker
    node.kill()
    before.kill()


def sent(folder: KeyFolder, node: LiveNode, event: Event) -> None:
    raw = write(Document(Form.JSON20, (event,), created=event.event_time))
    send(folder, node.url, sign_capture(folder, raw, "application/json", [event.fields()]))


def test_nothing_more_goes_to_a_node_that_shows_another_past(
    past: tuple[LiveNode, LiveNode, LiveParty], tmp_path: Path
) -> None:
    node, before, maker = past
    before.start()
    # Another key of the same party is used there: the operator's, so to speak.
    before.capture(before.known(MAKER), commissioning("X1"))
    folder = KeyFolder.open(maker.device)
    with pytest.raises(AppError) as refused:
        sent(folder, before, commissioning("A2"))
    assert refused.value.code == "client.log-forked"
    assert len(folder.outbox()) == 1, "what was signed must not be lost"
    [conflict] = (maker.device / "trust").glob("conflict-*.json")
    assert main([str(conflict)]) == 0
    before.kill()
    # The truth is believed no more either, until a person has looked.
    node.start()
    with pytest.raises(AppError) as refused:
        send_outbox(folder, node.url)
    assert refused.value.code == "client.node-distrusted"
    (maker.device / "trust" / "trust.json").rename(tmp_path / "aside")
    assert send_outbox(folder, node.url) == 1
    assert folder.outbox() == []


def test_a_node_that_is_not_there_takes_nothing_away(past: tuple[LiveNode, LiveNode, LiveParty]) -> None:
    node, _, maker = past
    folder = KeyFolder.open(maker.device)
    with pytest.raises(AppError) as failed:
        sent(folder, node, commissioning("A2"))
    assert failed.value.code == "node.unreachable"
    assert len(folder.outbox()) == 1
    node.start()
    assert send_outbox(folder, node.url) == 1

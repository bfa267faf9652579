"""Events with personal data in them, and what of it the node keeps and tells."""

from dataclasses import replace

from sqlalchemy import select

from app.events.models import document, event
from app.events.records import raw_document
from app.proofs.fsck import fsck
from app.redaction.service import Redactions
from ledger.custody.event import Event, compact
from tests.support.trade import Trade
from tests.support.world import package

NAME = "Annabel Featherstonehaugh"
NOTE = ("http://example.com/ns#note", compact(f"call {NAME}"))
PHONE = ("http://example.com/ns#phone", compact({"http://example.com/ns#home": "+44 1632 960001"}))
REMARK = ("http://example.com/ns#remark", compact("kept in a cool place"))
BASIS = "GDPR Art. 17(1)(a)"
NOTE_PATH = "ext/http://example.com/ns#note"
SECRETS = (NAME.encode(), b"960001", b"cool place")


def noted(trade: Trade, *numbers: int, **kwargs: object) -> Event:
    """A commissioning with a note, a telephone number and a remark in its ILMD."""
    made = trade.begun(*numbers, **kwargs)
    return replace(made, extensions=(NOTE, PHONE), ilmd=tuple(sorted((*made.ilmd, REMARK))))


def redactions(trade: Trade) -> Redactions:
    return trade.node.services.redactions


def sent(trade: Trade, *events: Event) -> None:
    answer = trade.post_epcis(trade.document(*events))
    assert answer.status_code == 202, answer.text


def audited(trade: Trade) -> list[str]:
    services = trade.node.services
    return [found.message for found in fsck(services.database, services.node).findings]


def evidence(trade: Trade, number: int = 1) -> bytes:
    return trade.node.services.evidence.of_package(package(number), reader=None)


def told(trade: Trade) -> str:
    return trade.client.get("/epcis/events", headers=trade.bearer).text


def roots(trade: Trade) -> list[bytes]:
    services = trade.node.services
    with services.database.reading() as connection:
        reader = services.node.ledger.reader(connection)
        return [reader.leaf(index) for index in range(reader.head().size)]


def rows(trade: Trade, *columns: object) -> list[tuple[object, ...]]:
    with trade.node.services.database.reading() as connection:
        return [tuple(row) for row in connection.execute(select(*columns)).all()]


def everything_stored(trade: Trade) -> bytes:
    raws = [raw_document(bytes(raw)) for (raw,) in rows(trade, document.c.raw)]  # type: ignore[arg-type]
    return b"".join([*raws, *(bytes(body) for (body,) in rows(trade, event.c.body))])  # type: ignore[arg-type]

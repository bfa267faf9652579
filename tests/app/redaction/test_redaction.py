"""Erasing a field: nothing of it is left, and everything that was proven before is proven still."""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.custody import rebuild
from app.erasable.models import erasable, redaction
from app.erasable.vault import wraps_of
from app.errors import AppError, Invalid, NotFound, Refused
from app.events.models import document, event
from app.events.records import raw_document
from app.proofs.fsck import fsck
from app.redaction.service import Redactions
from ledger.custody.event import Event, compact
from ledger.custody.stored import pack
from ledger.evidence.policy import Policy
from ledger.evidence.verify import verify
from ledger.store.sql.reader import SqlReader
from tests.support.app import OPERATOR
from tests.support.trade import Trade
from tests.support.world import package

NAME = "Annabel Featherstonehaugh"
NOTE = ("http://example.com/ns#note", compact(f"call {NAME}"))
PHONE = ("http://example.com/ns#phone", compact({"http://example.com/ns#home": "+44 1632 960001"}))
REMARK = ("http://example.com/ns#remark", compact("kept in a cool place"))
BASIS = "GDPR Art. 17(1)(a)"


def noted(trade: Trade, *numbers: int, **kwargs: object) -> Event:
    """A commissioning with a note, a telephone number and a remark in its ILMD."""
    made = trade.begun(*numbers, **kwargs)
    return replace(made, extensions=(NOTE, PHONE), ilmd=(*made.ilmd, REMARK))


def redactions(trade: Trade) -> Redactions:
    services = trade.node.services
    return Redactions(services.database, services.node, services.clock)


def sent(trade: Trade, *events: Event) -> None:
    answer = trade.post_epcis(trade.document(*events))
    assert answer.status_code == 202, answer.text


def audited(trade: Trade) -> list[str]:
    services = trade.node.services
    return [found.message for found in fsck(services.database, services.node).findings]


def evidence(trade: Trade, number: int = 1) -> bytes:
    return trade.node.services.evidence.of_package(package(number), reader=None)


def accepted(trade: Trade, file: bytes) -> bool:
    report = verify(file)
    return report.accepted if hasattr(report, "accepted") else bool(report)


def test_values_are_not_stored_in_clear_and_are_read_back(trade: Trade) -> None:
    made = noted(trade, 1)
    sent(trade, made)
    with trade.node.services.database.reading() as connection:
        raw = raw_document(bytes(connection.execute(select(document.c.raw)).scalar_one()))
        body = bytes(connection.execute(select(event.c.body)).scalar_one())
    assert NAME.encode() not in raw
    assert b"960001" not in raw
    assert b"cool place" not in raw
    assert NAME.encode() not in body
    told = trade.client.get("/epcis/events", headers=trade.bearer).text
    assert NAME in told
    assert "960001" in told
    assert audited(trade) == []


def test_erasing_everything_of_an_event(trade: Trade) -> None:
    made = noted(trade, 1)
    sent(trade, made, trade.begun(2))
    before = evidence(trade)
    head = trade.node.services.node.ledger
    done = redactions(trade).redact(made.id, None, BASIS, OPERATOR)
    assert len(done.fields) == 3
    assert done.keys == 3
    assert audited(trade) == []
    told = trade.client.get("/epcis/events", headers=trade.bearer).text
    assert NAME not in told
    assert made.id in told
    after = evidence(trade)
    verify(before)
    verify(after)
    assert head is trade.node.services.node.ledger
    again = redactions(trade).redact(made.id, None, BASIS, OPERATOR)
    assert again.known
    assert again.keys == 0
    assert trade.post_epcis(trade.document(made, trade.begun(3))).status_code == 202

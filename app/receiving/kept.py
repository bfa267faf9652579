"""Deliveries as they are kept: rows in, values out. No rule is here, and no ledger."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from app.errors import Conflict, NotFound
from app.partners import service as partners
from app.receiving.models import receiving, receiving_act, receiving_line
from app.receiving.outcomes import Outcome
from app.receiving.rules import Act, ActKind, Line

OPEN, FINISHING, FINISHED, GIVEN_UP = "open", "finishing", "finished", "given_up"
RECEIVE_WITHIN = timedelta(days=1)  # from its beginning until it is overdue; ours, not the law's
MOST_LINES = 20_000  # things of one delivery
MOST_ACTS = 5_000  # things done at one delivery
MOST_SHOWN = 50  # deliveries of one answer


@dataclass(frozen=True, slots=True)
class Done:
    """An act with who did it and when. `number` rises; `undone`: somebody took it back."""

    number: int
    at: datetime
    who_id: str
    who: str
    act: Act
    raw: bytes
    check_id: str
    undone: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery being received, or received. `data`: events, the seller's standing, the statement."""

    receiving_id: str
    party_gln: str
    seller_gln: str | None
    reference: str
    purchase_order: str
    state: str
    opened_at: datetime
    opened_by: str
    finished_at: datetime | None
    finished_by: str | None
    index: int | None
    data: Mapping[str, Any]

    @property
    def is_open(self) -> bool:
        return self.state == OPEN

    @property
    def name(self) -> str:
        return self.reference or (
            f"order {self.purchase_order}" if self.purchase_order else "without a number"
        )


def add(connection: Connection, delivery: Delivery, party_id: int, seller_id: int | None) -> None:
    """Keep a new delivery."""
    connection.execute(
        insert(receiving).values(
            receiving_id=delivery.receiving_id,
            party_id=party_id,
            seller_id=seller_id,
            reference=delivery.reference,
            purchase_order=delivery.purchase_order,
            state=delivery.state,
            opened_at=delivery.opened_at,
            opened_by=delivery.opened_by,
            data=json.dumps(delivery.data, sort_keys=True),
        )
    )


def add_lines(connection: Connection, receiving_id: str, lines: Sequence[Line]) -> None:
    rows = [
        {
            "receiving_id": receiving_id,
            "item_id": line.item_id,
            "parent_id": line.parent_id,
            "epc": line.epc,
            "package": line.package,
            "lot": line.lot,
            "expiry": line.expiry,
        }
        for line in lines
    ]
    if rows:
        connection.execute(insert(receiving_line), rows)


def add_act(
    connection: Connection,
    receiving_id: str,
    at: datetime,
    who_id: str,
    who: str,
    act: Act,
    raw: bytes,
    check_id: str,
) -> None:
    connection.execute(
        insert(receiving_act).values(
            receiving_id=receiving_id,
            at=at,
            who_id=who_id,
            who=who,
            kind=act.kind.value,
            epc=act.epc,
            raw=raw,
            outcome=act.outcome.value,
            note=act.note,
            lot=act.lot,
            expiry=act.expiry,
            check_id=check_id,
        )
    )


def undo(connection: Connection, number: int, who: str) -> None:
    """Take an act back; its row stays."""
    connection.execute(update(receiving_act).where(receiving_act.c.act_no == number).values(undone_by=who))


def read(connection: Connection, receiving_id: str, party_gln: str | None, *, lock: bool = False) -> Delivery:
    """One delivery. Raises `NotFound`, also where it is another party's."""
    query = select(receiving).where(receiving.c.receiving_id == receiving_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    found = _read(connection, [row])[0] if row else None
    if found is None or (party_gln is not None and found.party_gln != party_gln):
        raise NotFound()
    return found


def listed(connection: Connection, party_id: int, states: Sequence[str]) -> list[Delivery]:
    """A party's deliveries in these states, the newest first."""
    query = select(receiving).where(receiving.c.party_id == party_id, receiving.c.state.in_(states))
    query = query.order_by(receiving.c.opened_at.desc(), receiving.c.receiving_id).limit(MOST_SHOWN)
    return _read(connection, connection.execute(query).all())


def lines(connection: Connection, receiving_id: str) -> list[Line]:
    query = select(receiving_line).where(receiving_line.c.receiving_id == receiving_id)
    return [
        Line(row.item_id, row.parent_id, row.epc, row.package, row.lot, row.expiry)
        for row in connection.execute(query)
    ]


def done(connection: Connection, receiving_id: str) -> list[Done]:
    """Everything done at a delivery, in order, what was undone included."""
    query = select(receiving_act).where(receiving_act.c.receiving_id == receiving_id)
    return [
        Done(
            row.act_no,
            row.at,
            row.who_id,
            row.who,
            Act(ActKind(row.kind), row.epc, Outcome(row.outcome), row.note, row.lot, row.expiry),
            bytes(row.raw),
            row.check_id,
            row.undone_by is not None,
        )
        for row in connection.execute(query.order_by(receiving_act.c.act_no).limit(MOST_ACTS))
    ]


def document_of(connection: Connection, receiving_id: str) -> bytes | None:
    """The document that is to be captured, where finishing has begun."""
    query = select(receiving.c.document).where(receiving.c.receiving_id == receiving_id)
    raw = connection.execute(query).scalar()
    return bytes(raw) if raw is not None else None


def turn(connection: Connection, receiving_id: str, before: str, after: str, **values: Any) -> None:
    """Move a delivery from one state to another. Raises `Conflict` where somebody else has done so already."""
    if "data" in values:
        values["data"] = json.dumps(values["data"], sort_keys=True)
    query = update(receiving).where(receiving.c.receiving_id == receiving_id, receiving.c.state == before)
    if connection.execute(query.values(state=after, **values)).rowcount != 1:
        raise Conflict(
            "receiving.closed",
            "This delivery is not open",
            receiving_id,
            "Look at it again: somebody was quicker.",
        )


def _read(connection: Connection, rows: Sequence[Row[Any]]) -> list[Delivery]:
    glns = partners.glns(connection, (number for row in rows for number in (row.party_id, row.seller_id)))
    return [
        Delivery(
            row.receiving_id,
            glns[row.party_id],
            glns.get(row.seller_id),
            row.reference,
            row.purchase_order,
            row.state,
            row.opened_at,
            row.opened_by,
            row.finished_at,
            row.finished_by,
            row.idx,
            json.loads(row.data),
        )
        for row in rows
    ]

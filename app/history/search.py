"""Events by what they are about: a package, a lot or a company, within a span of days; each with what became of it.

For those who ask for many packages at once: what a lot went through includes the moves of the containers that its
packages were in, while they were in there, as the story of one package does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, text

from app.custody import loading
from app.custody import service as custody
from app.erasable.vault import Vault
from app.events import acts, query
from app.partners import service as partners
from ledger.custody.event import Event
from ledger.store.sql.types import to_micros

# The items asked for, and around each every container with the time it was in there: [f, t) in custody's order.
_ABOUT = """
WITH RECURSIVE around (item_id, f, t) AS (
    SELECT item_id, CAST(-9223372036854775807 AS BIGINT), CAST(9223372036854775807 AS BIGINT)
    FROM item WHERE {start}
    UNION
    SELECT c.parent, {later}(a.f, c.f), {earlier}(a.t, c.t)
    FROM around a JOIN contained c ON c.child = a.item_id
    WHERE c.f < a.t AND c.t > a.f
)
SELECT DISTINCT e.seq, e.pos, e.event_id FROM around a
JOIN event_epc x ON x.item_id = a.item_id
JOIN event e ON e.seq = x.seq AND e.pos >= a.f AND e.pos < a.t
"""
_ALL = "SELECT e.seq, e.pos, e.event_id FROM event e"
_PARTIES = ("by_id", "sender_id", "recipient_id", "seller_id", "buyer_id")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for. `subject` and `lot` are canonical names; `reader` sees the events that name it, None all.

    `since` and `until` are aware; the event's own time counts, `until` is the first moment that does not.
    """

    subject: str | None = None
    lot: str | None = None
    gln: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    reader: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One event as it is handed out, corrections and what was corrected included."""

    seq: int
    index: int
    recorded_at: datetime
    event: Event
    by: str
    sender: str | None
    recipient: str | None
    seller: str | None
    buyer: str | None
    signed: bool
    declares_error: bool
    declared_wrong: bool
    effective: bool
    findings: tuple[str, ...]


def search(connection: Connection, asked: Asked, vault: Vault | None, *, most: int) -> list[Line]:
    """The events, in custody's order, `most` of them at most. An unknown package, lot or company has none."""
    found = _numbers(connection, asked, most)
    if not found:
        return []
    events = {each.seq: each for each in query.numbered(connection, found, vault)}
    rows = {row.seq: row for row in query.heads(connection, found)}
    glns = partners.glns(connection, {number for row in rows.values() for number in (row[1:6])})
    wrong = acts.already_declared_wrong(connection, found)
    codes: dict[int, list[str]] = {}
    for each in custody.findings_of(connection, found):
        if each.code.value not in codes.setdefault(each.seq, []):
            codes[each.seq].append(each.code.value)
    lines = []
    for seq in found:
        row, event = rows[seq], events[seq]
        by, sender, recipient, seller, buyer = (glns.get(number or 0) for number in row[1:6])
        lines.append(
            Line(
                seq=seq,
                index=row.idx,
                recorded_at=event.recorded_at,
                event=event.event,
                by=by or "",
                sender=sender,
                recipient=recipient,
                seller=seller,
                buyer=buyer,
                signed=row.signer is not None,
                declares_error=bool(row.declared_at),
                declared_wrong=seq in wrong,
                effective=bool(row.effective),
                findings=tuple(codes.get(seq, ())),
            )
        )
    return lines


def _numbers(connection: Connection, asked: Asked, most: int) -> Sequence[int]:
    values: dict[str, Any] = {"most": most}
    wheres = []
    start = ""
    # A lot is an item too, which recalls name; with a package it narrows nothing down but a label that is wrong.
    starts = {"item_id = :item": asked.subject, "(lot_id = :lot OR item_id = :lot)": asked.lot}
    for where, name in starts.items():
        if name is not None:
            number = loading.find_ids(connection, [name]).get(name)
            if number is None:
                return []
            start += f" AND {where}" if start else where
            values["item" if name == asked.subject else "lot"] = number
    for gln in (asked.gln, asked.reader):
        if gln is not None:
            party = partners.by_gln(connection, gln)
            if party is None:
                return []
            parameter = f"party_{len(values)}"
            wheres.append("(" + " OR ".join(f"e.{column} = :{parameter}" for column in _PARTIES) + ")")
            values[parameter] = party.party_id
    for moment, sign in ((asked.since, ">="), (asked.until, "<")):
        if moment is not None:
            parameter = f"moment_{len(values)}"
            wheres.append(f"e.event_time {sign} :{parameter}")
            values[parameter] = to_micros(moment)
    scalar = {"later": "max", "earlier": "min"}
    if connection.dialect.name == "postgresql":
        scalar = {"later": "greatest", "earlier": "least"}
    sql = _ABOUT.format(start=start, **scalar) if start else _ALL
    sql += f" WHERE {' AND '.join(wheres)}" if wheres else ""
    sql += " ORDER BY e.pos, e.event_id, e.seq LIMIT :most"
    numbers = [bindparam(name, type_=BigInteger) for name in values]
    return list(connection.execute(text(sql).bindparams(*numbers), values).scalars())

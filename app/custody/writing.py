"""Writing items, containment and findings back, in batches."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from app.custody.items import item_name
from app.custody.loading import STATUS_CODE, Loaded, find_ids, lot_key
from app.custody.models import FOREVER, contained, finding, item, lineage
from app.partners import service as partners
from app.shared.chunks import chunks
from app.shared.clock import Clock
from ledger.custody.findings import Finding
from ledger.custody.lineage import Link
from ledger.custody.state import Item

_FRESH = {
    "status": 0,
    "in_transit": False,
    "custody_since": 0,
    "inside_since": 0,
    "last": 0,
    "recalled": False,
    "missing": False,
    "disputed": False,
    "travelled": False,
}


@dataclass(frozen=True, slots=True)
class Move:
    """`child` came out of one container and into another (None: into the open) at a position."""

    child: str
    at: int
    into: str | None


def ensure(connection: Connection, keys: Iterable[str]) -> dict[str, int]:
    """The numbers of the items with these canonical EPCs; those that are new get dense ones, in the order given.

    Called under the ledger's head lock, so that no other writer takes the same numbers.
    """
    wanted = list(dict.fromkeys(keys))
    found = find_ids(connection, wanted)
    new = [key for key in wanted if key not in found]
    if new:
        first = (connection.execute(select(func.max(item.c.item_id))).scalar() or 0) + 1
        rows = []
        for number, key in enumerate(new, first):
            name = item_name(key)
            rows.append(
                {"item_id": number, "bucket": name.bucket, "ns": name.ns, "serial": name.serial, **_FRESH}
            )
            found[key] = number
        connection.execute(insert(item), rows)
    return found


def save(connection: Connection, clock: Clock, before: Loaded, changed: Mapping[str, Item]) -> None:
    """Write what differs of `changed` from what was loaded. Items are there already (`ensure`)."""
    rows = [each for each in changed.values() if before.world.items.get(each.key) != each]
    if not rows:
        return
    glns = {gln for each in rows for gln in _glns(each) if gln is not None}
    numbers = partners.ids(connection, clock, dict.fromkeys(glns, ""))
    lots = ensure(connection, (lot_key(each) for each in rows if each.lot is not None))
    ids = before.ids
    others = {each.parent for each in rows if each.parent is not None and each.parent not in ids}
    ids.update(find_ids(connection, others))
    values = [_row(each, ids, numbers, lots) for each in rows]
    statement = update(item).where(item.c.item_id == bindparam("number"))
    connection.execute(statement, values)


def _glns(each: Item) -> tuple[str | None, ...]:
    return (
        each.maker,
        each.holder,
        each.owner,
        each.bound_for,
        each.offered_to,
        each.sender,
        each.ended_by,
        each.claimed_by,
    )


def _row(
    each: Item, ids: Mapping[str, int], parties: Mapping[str, int], lots: Mapping[str, int]
) -> dict[str, Any]:
    def party(gln: str | None) -> int | None:
        return parties[gln] if gln is not None else None

    return {
        "number": ids[each.key],
        "status": STATUS_CODE[each.status],
        "maker_id": party(each.maker),
        "lot_id": lots[lot_key(each)] if each.lot is not None else None,
        "expiry": _ordinal(each.expiry),
        "holder_id": party(each.holder),
        "owner_id": party(each.owner),
        "in_transit": each.in_transit,
        "bound_for_id": party(each.bound_for),
        "offered_to_id": party(each.offered_to),
        "sender_id": party(each.sender),
        "custody_since": each.custody_since,
        "parent_id": ids[each.parent] if each.parent is not None else None,
        "inside_since": each.inside_since,
        "last": each.last,
        "ended_by_id": party(each.ended_by),
        "ended_at": each.ended_at,
        "held": each.held,
        "recalled": each.recalled,
        "missing": each.missing,
        "claimed_by_id": party(each.claimed_by),
        "disputed": each.disputed,
        "past_owners": each.past_owners or None,
        "seen_at": each.seen_at or None,
        "seen_place": each.seen_place,
        "travelled": each.travelled,
    }


def _ordinal(text: str | None) -> int | None:
    """The day number of an ISO date; a date that is none is kept as no expiry (capture has noted it)."""
    try:
        return date.fromisoformat(text).toordinal() if text else None
    except ValueError:
        return None


def intervals(moves: Iterable[Move]) -> list[tuple[str, int, int, str]]:
    """Moves, in the order in which they were made, as intervals: (child, from, to, parent).

    Two moves of one child at one position leave the second alone: nothing was ever inside for no time.
    """
    done: list[tuple[str, int, int, str]] = []
    inside: dict[str, Move] = {}
    for each in moves:
        before = inside.pop(each.child, None)
        if before is not None and before.into is not None and before.at < each.at:
            done.append((each.child, before.at, each.at, before.into))
        if each.into is not None:
            inside[each.child] = each
    done += [(m.child, m.at, FOREVER, m.into) for m in inside.values() if m.into is not None]
    return done


def move(connection: Connection, ids: Mapping[str, int], moves: Sequence[Move]) -> None:
    """Write containment as intervals: a child's first move ends the interval that is open in the database."""
    first: dict[str, int] = {}
    for each in moves:
        first.setdefault(each.child, each.at)
    ending = [{"who": ids[child], "end": at} for child, at in first.items()]
    if ending:
        statement = (
            update(contained)
            .where(contained.c.child == bindparam("who"), contained.c.t == FOREVER)
            .values(t=bindparam("end"))
        )
        connection.execute(statement, ending)
        # What ended where it began was never inside.
        for chunk in chunks([row["who"] for row in ending]):
            connection.execute(
                delete(contained).where(contained.c.child.in_(chunk), contained.c.f >= contained.c.t)
            )
    rows = [
        {"bucket": item_name(child).bucket, "child": ids[child], "f": f, "t": t, "parent": ids[parent]}
        for child, f, t, parent in intervals(moves)
    ]
    if rows:
        connection.execute(insert(contained), rows)


def forget(connection: Connection, item_ids: Iterable[int], seqs: Iterable[int]) -> None:
    """Take out containment, lineage and findings of these items, before they are projected again from `seqs`."""
    for chunk in chunks(sorted(item_ids)):
        connection.execute(delete(contained).where(contained.c.child.in_(chunk)))
        connection.execute(delete(lineage).where(lineage.c.item_id.in_(chunk)))
        connection.execute(delete(finding).where(finding.c.item_id.in_(chunk), finding.c.lasting.is_(False)))
    for chunk in chunks(sorted(seqs)):
        connection.execute(
            delete(finding).where(
                finding.c.seq.in_(chunk), finding.c.item_id.is_(None), finding.c.lasting.is_(False)
            )
        )


def relate(connection: Connection, ids: Mapping[str, int], links: Iterable[tuple[int, Link]]) -> None:
    """Write which packages were repacked, with the number of the event that says so."""
    rows = [
        {"item_id": ids[each.item], "seq": seq, "side": int(each.side), "reference": each.reference}
        for seq, each in links
    ]
    if rows:
        connection.execute(insert(lineage), rows)


def note(
    connection: Connection,
    ids: Mapping[str, int],
    found: Sequence[tuple[int, Finding]],
    *,
    lasting: bool = False,
) -> None:
    """Write findings with the number of their event. `lasting` ones come from capture, not from the rules."""
    rows = [
        {
            "seq": seq,
            "code": each.code.value,
            "severity": each.severity.value,
            "message": each.message,
            "item_id": ids.get(each.item) if each.item else None,
            "container_id": ids.get(each.container) if each.container else None,
            "lasting": lasting,
        }
        for seq, each in found
    ]
    if rows:
        connection.execute(insert(finding), rows)

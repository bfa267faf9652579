"""Writing items, containment and findings back, in batches."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from app.custody.counting import PROJECTED
from app.custody.items import bucket_of, item_name
from app.custody.loading import STATUS_CODE, Loaded, find_ids
from app.custody.models import FOREVER, contained, finding, item, lineage
from app.partners import service as partners
from app.shared.chunks import chunks
from app.shared.clock import Clock
from app.shared.rows import insert_rows, update_rows
from ledger.custody.findings import Finding
from ledger.custody.lineage import Link
from ledger.custody.state import FIELDS, Item, differences, lot_key

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


_PARTIES = (
    "maker", "holder", "owner", "bound_for", "offered_to", "sender", "ended_by", "claimed_by",
)  # fmt: skip
"""The fields of an item that are GLNs."""


@dataclass(frozen=True, slots=True)
class Move:
    """`child` came out of one container and into another (None: into the open) at a position."""

    child: str
    at: int
    into: str | None


def ensure(connection: Connection, keys: Iterable[str]) -> tuple[dict[str, int], frozenset[str]]:
    """The numbers of the items with these canonical EPCs; those that are new get dense ones, in the order given. And
    which are new: rows of theirs say nothing yet.

    Called under the ledger's head lock, so that no other writer takes the same numbers.
    """
    wanted = list(dict.fromkeys(keys))
    found = find_ids(connection, wanted)
    new = [key for key in wanted if key not in found]
    if new:
        first = (connection.execute(select(func.max(item.c.item_id))).scalar() or 0) + 1
        rows = []
        fresh = tuple(_FRESH.values())
        for number, key in enumerate(new, first):
            ns, serial = item_name(key)
            rows.append((number, bucket_of(ns), ns, serial, *fresh))
            found[key] = number
        insert_rows(connection, item, ("item_id", "bucket", "ns", "serial", *_FRESH), rows)
    return found, frozenset(new)


def save(connection: Connection, clock: Clock, before: Loaded, changed: Mapping[str, Item]) -> None:
    """Write what differs of `changed` from what was loaded. Items are there already (`ensure`)."""
    by_fields: dict[tuple[str, ...], list[Item]] = {}
    for each in changed.values():
        differing = differences(before.world.items.get(each.key), each)
        if differing:
            by_fields.setdefault(differing, []).append(each)
    rows = [each for some in by_fields.values() for each in some]
    if not rows:
        return
    glns = {gln for each in rows for gln in _glns(each) if gln is not None}
    parties = partners.ids(connection, clock, dict.fromkeys(sorted(glns), ""))
    ids = before.ids
    keys = {lot_key(each) for each in rows if each.lot is not None}
    lots = {key: ids[key] for key in keys if key in ids}
    lots |= ensure(connection, sorted(keys.difference(lots)))[0]
    others = {each.parent for each in rows if each.parent is not None and each.parent not in ids}
    ids.update(find_ids(connection, others))
    columns = _columns(ids, parties, lots)
    for names, some in by_fields.items():
        values = [map(columns[name].value, some) for name in names]
        update_rows(
            connection,
            item,
            "item_id",
            tuple(columns[name].name for name in names),
            list(zip((ids[each.key] for each in some), *values, strict=True)),
        )


_glns = attrgetter(*_PARTIES)


@dataclass(frozen=True, slots=True)
class _Column:
    """Where a field of an item is kept, and as what."""

    name: str
    value: Callable[[Item], Any]


def _columns(
    ids: Mapping[str, int], parties: Mapping[str, int], lots: Mapping[str, int]
) -> dict[str, _Column]:
    """By the names of an item's fields."""

    def party(name: str) -> Callable[[Item], Any]:
        gln_of = attrgetter(name)
        return lambda each: None if (gln := gln_of(each)) is None else parties[gln]

    columns = {name: _Column(name, attrgetter(name)) for name in FIELDS}
    columns |= {name: _Column(f"{name}_id", party(name)) for name in _PARTIES}
    columns |= {
        "status": _Column("status", lambda each: STATUS_CODE[each.status]),
        "lot": _Column("lot_id", lambda each: None if each.lot is None else lots[lot_key(each)]),
        "expiry": _Column("expiry", lambda each: _ordinal(each.expiry)),
        "parent": _Column("parent_id", lambda each: None if each.parent is None else ids[each.parent]),
        "past_owners": _Column("past_owners", lambda each: each.past_owners or None),
        "also_to": _Column("also_to", lambda each: each.also_to or None),
        "seen_at": _Column("seen_at", lambda each: each.seen_at or None),
    }
    return columns


@lru_cache(maxsize=1024)
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


def move(connection: Connection, before: Loaded, moves: Sequence[Move]) -> None:
    """Write containment as intervals: a child's first move ends the interval that is open in the database, where it was
    inside something before."""
    ids = before.ids
    first: dict[str, int] = {}
    for each in moves:
        first.setdefault(each.child, each.at)
    inside = {child for child in first if before.world.item(child).parent is not None}
    ending = [{"who": ids[child], "end": at} for child, at in first.items() if child in inside]
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
        (bucket_of(item_name(child).ns), ids[child], f, t, ids[parent])
        for child, f, t, parent in intervals(moves)
    ]
    insert_rows(connection, contained, ("bucket", "child", "f", "t", "parent"), rows)


def forget(connection: Connection, item_ids: Iterable[int], seqs: Iterable[int]) -> None:
    """Take out containment, lineage and findings of these items, before they are projected again from `seqs`."""
    for chunk in chunks(sorted(item_ids)):
        connection.execute(delete(contained).where(contained.c.child.in_(chunk)))
        connection.execute(delete(lineage).where(lineage.c.item_id.in_(chunk)))
        connection.execute(delete(finding).where(finding.c.item_id.in_(chunk), PROJECTED))
    for chunk in chunks(sorted(seqs)):
        connection.execute(
            delete(finding).where(finding.c.seq.in_(chunk), finding.c.item_id.is_(None), PROJECTED)
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

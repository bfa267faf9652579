"""Reading items out of the database into the kernel's world, in batches: no query an item."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import quote, unquote

from sqlalchemy import ColumnElement, Connection, Row, and_, select

from app.custody.items import ItemName, by_class, item_name
from app.custody.models import item
from app.partners import service as partners
from app.shared.chunks import chunks
from ledger.custody.state import MAX_DEPTH, Item, Status, World

STATUS_CODE = {
    Status.UNKNOWN: 0,
    Status.ACTIVE: 1,
    Status.PARTIALLY_DISPENSED: 2,
    Status.DISPENSED: 3,
    Status.DECOMMISSIONED: 4,
    Status.DESTROYED: 5,
}
STATUS_OF = {code: status for status, code in STATUS_CODE.items()}


@dataclass(slots=True)
class Loaded:
    """A world read from the database, with the numbers of its items."""

    world: World = field(default_factory=World)
    ids: dict[str, int] = field(default_factory=dict)
    keys: dict[int, str] = field(default_factory=dict)


class Reader:
    """Gathers rows, then makes a world of them. Rows name parents, lots and parties by number: they are put in last."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.rows: dict[int, Row[Any]] = {}

    def named(self, keys: Iterable[str]) -> None:
        """Read the items with these canonical EPCs."""
        for ns, serials in by_class(map(item_name, dict.fromkeys(keys))).items():
            bucket = ItemName(ns, "").bucket
            for chunk in chunks(serials):
                self._read(and_(item.c.bucket == bucket, item.c.ns == ns, item.c.serial.in_(chunk)))

    def numbered(self, numbers: Iterable[int]) -> None:
        """Read the items with these numbers."""
        for chunk in chunks(sorted(set(numbers).difference(self.rows))):
            self._read(item.c.item_id.in_(chunk))

    def inside(self, numbers: Iterable[int]) -> list[int]:
        """Read what is directly inside the containers with these numbers; its numbers."""
        before = set(self.rows)
        found: list[int] = []
        for chunk in chunks(sorted(set(numbers))):
            found += self._read(item.c.parent_id.in_(chunk))
        return [number for number in found if number not in before]

    def around(self) -> None:
        """Read every container around what was read, level by level: that works on a sharded engine too."""
        for _ in range(MAX_DEPTH):
            parents = {row.parent_id for row in self.rows.values() if row.parent_id is not None}
            if parents <= self.rows.keys():
                return
            self.numbered(parents)

    def world(self) -> Loaded:
        """What was read, as the kernel takes it."""
        self.around()
        rows = list(self.rows.values())
        self.numbered({row.lot_id for row in rows if row.lot_id is not None})
        parties = partners.glns(self.connection, {number for row in rows for number in _parties(row)})
        loaded = Loaded()
        for number, row in self.rows.items():
            key = ItemName(row.ns, row.serial).key
            loaded.ids[key] = number
            loaded.keys[number] = key
        loaded.world.update(
            {loaded.keys[n]: self._item(row, loaded.keys, parties) for n, row in self.rows.items()}
        )
        return loaded

    def _read(self, condition: ColumnElement[bool]) -> list[int]:
        rows = self.connection.execute(select(item).where(condition)).all()
        self.rows.update({row.item_id: row for row in rows})
        return [row.item_id for row in rows]

    def _item(self, row: Row[Any], keys: dict[int, str], glns: dict[int, str]) -> Item:
        return Item(
            key=keys[row.item_id],
            status=STATUS_OF[row.status],
            maker=glns.get(row.maker_id),
            lot=_lot_number(self.rows[row.lot_id]) if row.lot_id is not None else None,
            expiry=date.fromordinal(row.expiry).isoformat() if row.expiry is not None else None,
            holder=glns.get(row.holder_id),
            owner=glns.get(row.owner_id),
            in_transit=row.in_transit,
            bound_for=glns.get(row.bound_for_id),
            offered_to=glns.get(row.offered_to_id),
            sender=glns.get(row.sender_id),
            custody_since=row.custody_since,
            parent=keys[row.parent_id] if row.parent_id is not None else None,
            inside_since=row.inside_since,
            last=row.last,
            ended_by=glns.get(row.ended_by_id),
            ended_at=row.ended_at,
            held=row.held,
            recalled=row.recalled,
            missing=row.missing,
            claimed_by=glns.get(row.claimed_by_id),
            disputed=row.disputed,
            past_owners=row.past_owners or "",
            seen_at=row.seen_at or 0,
            seen_place=row.seen_place,
            travelled=row.travelled,
        )


def _lot_number(lot: Row[Any]) -> str:
    """The number of a lot. That of a container, or of another EPC, is an item named by all of its `lot_key`."""
    return unquote(lot.serial.rpartition("/10/")[2]) if lot.ns == "x" else str(lot.serial)


def _parties(row: Row[Any]) -> tuple[int | None, ...]:
    return (
        row.maker_id,
        row.holder_id,
        row.owner_id,
        row.bound_for_id,
        row.offered_to_id,
        row.sender_id,
        row.ended_by_id,
        row.claimed_by_id,
    )


def load(connection: Connection, keys: Iterable[str], *, contents_of: Iterable[str] = ()) -> Loaded:
    """The items of `keys`, everything around them, and what is directly inside those of `contents_of`."""
    reader = Reader(connection)
    reader.named(keys)
    wanted = set(contents_of)
    if wanted:
        reader.inside(n for n, row in list(reader.rows.items()) if ItemName(row.ns, row.serial).key in wanted)
    return reader.world()


def load_numbers(connection: Connection, numbers: Iterable[int]) -> Loaded:
    """The items with these numbers, and everything around them."""
    reader = Reader(connection)
    reader.numbered(numbers)
    return reader.world()


def load_contents(connection: Connection, key: str, most: int) -> tuple[Loaded, list[str]]:
    """The container `key` with all that is inside it at any depth, and the keys of that; stops past `most`."""
    reader = Reader(connection)
    reader.named([key])
    level = list(reader.rows)
    found: list[int] = []
    for _ in range(MAX_DEPTH):
        level = reader.inside(level)
        found += level
        if not level or len(found) > most:
            break
    loaded = reader.world()
    return loaded, [loaded.keys[number] for number in found]


def lot_key(each: Item) -> str:
    """The canonical EPC of the lot that a package is of; for what has no GTIN, a name of the same form."""
    return f"{each.key.split('/21/')[0]}/10/{quote(each.lot or '', safe='')}"


def find_ids(connection: Connection, keys: Iterable[str]) -> dict[str, int]:
    """The numbers of the items with these canonical EPCs, of those that there are."""
    found: dict[str, int] = {}
    columns = (item.c.item_id, item.c.serial)
    for ns, serials in by_class(map(item_name, dict.fromkeys(keys))).items():
        bucket = ItemName(ns, "").bucket
        for chunk in chunks(serials):
            where = and_(item.c.bucket == bucket, item.c.ns == ns, item.c.serial.in_(chunk))
            for number, serial in connection.execute(select(*columns).where(where)):
                found[ItemName(ns, serial).key] = number
    return found

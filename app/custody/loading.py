"""Reading items out of the database into the kernel's world, in batches: no query an item."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import unquote

from sqlalchemy import Connection, Row, bindparam, select

from app.custody.items import ItemName, bucket_of, by_class
from app.custody.models import item
from app.partners import service as partners
from app.shared.chunks import chunks
from app.shared.rows import Among
from ledger.custody.state import MAX_DEPTH, UNHEARD_OF, Item, Status, World, item_of, replace

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


@dataclass(frozen=True, slots=True)
class Named:
    """What new events name: their numbers, the numbers of their items, and which of these nothing was known of."""

    seqs: Sequence[int] = ()
    ids: Mapping[str, int] = field(default_factory=dict)
    begun: frozenset[str] = frozenset()


class Reader:
    """Gathers rows, then makes a world of them. Rows name parents, lots and parties by number: they are put in last."""

    def __init__(self, connection: Connection, keys: Mapping[int, str] | None = None) -> None:
        """`keys`: the canonical EPCs of some numbers, where they are known."""
        self.connection = connection
        self.rows: dict[int, Row[Any]] = {}
        self._keys = keys or {}

    def named(self, keys: Iterable[str]) -> None:
        """Read the items with these canonical EPCs."""
        for ns, by_serial in by_class(keys).items():
            for chunk in chunks(list(by_serial)):
                self._read(_BY_NAME, chunk, bucket=bucket_of(ns), ns=ns)

    def numbered(self, numbers: Iterable[int]) -> None:
        """Read the items with these numbers."""
        for chunk in chunks(sorted(set(numbers).difference(self.rows))):
            self._read(_BY_NUMBER, chunk)

    def inside(self, numbers: Iterable[int]) -> list[int]:
        """Read what is directly inside the containers with these numbers; its numbers."""
        before = set(self.rows)
        found: list[int] = []
        for chunk in chunks(sorted(set(numbers))):
            found += self._read(_INSIDE, chunk)
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
        parties = partners.glns(self.connection, {number for row in rows for number in _parties_of(row)})
        loaded = Loaded()
        for number, row in self.rows.items():
            key = self._keys.get(number) or ItemName(row.ns, row.serial).key
            loaded.ids[key] = number
            loaded.keys[number] = key
        items = (self._item(row, loaded.keys, parties) for row in self.rows.values())
        loaded.world.update({each.key: each for each in items})
        return loaded

    def _read(self, query: Among, values: Sequence[Any], **others: Any) -> list[int]:
        rows = query.rows(self.connection, values, **others)
        self.rows.update({row.item_id: row for row in rows})
        return [row.item_id for row in rows]

    def _item(self, row: Row[Any], keys: dict[int, str], glns: dict[int, str]) -> Item:
        (
            number, _, _, status, lot, expiry, custody_since, in_transit, parent, inside_since, last, ended_at, held,
            recalled, missing, disputed, past_owners, seen_at, seen_place, travelled,
            also_to, maker, holder, owner, bound_for, offered_to, sender, ended_by, claimed_by,
        ) = row  # fmt: skip
        return item_of(
            (
                keys[number],
                STATUS_OF[status],
                glns.get(maker),
                _lot_number(self.rows[lot]) if lot is not None else None,
                date.fromordinal(expiry).isoformat() if expiry is not None else None,
                glns.get(holder),
                glns.get(owner),
                in_transit,
                glns.get(bound_for),
                glns.get(offered_to),
                glns.get(sender),
                custody_since,
                keys[parent] if parent is not None else None,
                inside_since,
                last,
                glns.get(ended_by),
                ended_at,
                held,
                recalled,
                missing,
                glns.get(claimed_by),
                disputed,
                past_owners or "",
                seen_at or 0,
                seen_place,
                travelled,
                also_to or "",
            )
        )


def _lot_number(lot: Row[Any]) -> str:
    """The number of a lot. That of a container, or of another EPC, is an item named by all of its `lot_key`."""
    return unquote(lot.serial.rpartition("/10/")[2]) if lot.ns == "x" else str(lot.serial)


_c = item.c
_PARTIES = (
    _c.maker_id, _c.holder_id, _c.owner_id, _c.bound_for_id, _c.offered_to_id, _c.sender_id, _c.ended_by_id,
    _c.claimed_by_id,
)  # fmt: skip
_ITEMS = select(
    _c.item_id, _c.ns, _c.serial, _c.status, _c.lot_id, _c.expiry, _c.custody_since, _c.in_transit, _c.parent_id,
    _c.inside_since, _c.last, _c.ended_at, _c.held, _c.recalled, _c.missing, _c.disputed, _c.past_owners, _c.seen_at,
    _c.seen_place, _c.travelled, _c.also_to, *_PARTIES,
)  # fmt: skip
_OF_CLASS = (_c.bucket == bindparam("bucket"), _c.ns == bindparam("ns"))
_BY_NUMBER = Among(_ITEMS, _c.item_id)
_BY_NAME = Among(_ITEMS.where(*_OF_CLASS), _c.serial)
_INSIDE = Among(_ITEMS, _c.parent_id)
_NUMBERS = Among(select(_c.serial, _c.item_id).where(*_OF_CLASS), _c.serial)


def _parties_of(row: Row[Any]) -> Sequence[int | None]:
    return row[-len(_PARTIES) :]


def load(connection: Connection, keys: Iterable[str], *, contents_of: Iterable[str] = ()) -> Loaded:
    """The items of `keys`, everything around them, and what is directly inside those of `contents_of`."""
    reader = Reader(connection)
    reader.named(keys)
    wanted = set(contents_of)
    if wanted:
        reader.inside(n for n, row in list(reader.rows.items()) if ItemName(row.ns, row.serial).key in wanted)
    return reader.world()


def load_named(
    connection: Connection, names: Named, keys: Iterable[str], *, contents_of: Iterable[str] = ()
) -> Loaded:
    """The same of new events, whose `names` have the numbers: what nothing was known of is not read."""
    wanted = dict.fromkeys(keys)
    known = {names.ids[key]: key for key in wanted if key not in names.begun}
    reader = Reader(connection, known)
    reader.numbered(known)
    reader.inside(names.ids[key] for key in set(contents_of) if key not in names.begun)
    loaded = reader.world()
    begun = [key for key in wanted if key in names.begun]
    for key in begun:
        number = names.ids[key]
        loaded.ids[key] = number
        loaded.keys[number] = key
    loaded.world.update({key: replace(UNHEARD_OF, key=key) for key in begun})
    return loaded


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


def find_ids(connection: Connection, keys: Iterable[str]) -> dict[str, int]:
    """The numbers of the items with these canonical EPCs, of those that there are."""
    found: dict[str, int] = {}
    for ns, by_serial in by_class(keys).items():
        for chunk in chunks(list(by_serial)):
            rows = _NUMBERS.rows(connection, chunk, bucket=bucket_of(ns), ns=ns)
            found |= {by_serial[serial]: number for serial, number in rows}
    return found

"""The present state made anew from all events, in a memory that does not grow with them.

Events are applied one batch after another in custody's order, as the projector applies them, to a world that lies in a
temporary file beside them: an SQLite database that belongs to this replay alone and is gone when it ends::

    with replayed(connection, tell) as world:
        world.items(keys)          # {canonical EPC: Item} of those that any event touched
        world.moves(keys)          # who went into what, in the order in which it happened
        world.findings(seqs)       # what does not fit, by event
        world.pages()              # all canonical EPCs, a thousand at a time, in the order in which they came up

A batch reads what its events name, the containers around that, and what is in the containers that they open: all that
the rules look at. Where it grows beyond memory is a single event: the largest document that capture takes.
"""

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from app.custody.counting import MAY_COUNT, declared_wrong
from app.custody.projector import Progress
from app.custody.writing import Move
from app.events import acts
from app.events.acts import StoredAct
from app.events.models import event
from ledger.custody.findings import Finding, FindingCode
from ledger.custody.lineage import Link, Side
from ledger.custody.order import TOLD_AGAIN, Retold, named
from ledger.custody.rules import opened
from ledger.custody.state import MAX_DEPTH, Item, Status, World, item_of, values_of
from ledger.store.sql.engine import sqlite_driver

Tell = Callable[[int, int], None]
"""(events applied, events there are)."""

PAGE = 1_000
_EVENTS = 200  # read at once
_NAMES = 5_000  # named by one batch, unless one event names more
_CACHE_KIB = 32 * 1024

_SCHEMA = """
CREATE TABLE todo (n INTEGER PRIMARY KEY, seq INTEGER NOT NULL);
CREATE TABLE item (n INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, parent TEXT, state TEXT NOT NULL);
CREATE INDEX item_parent ON item (parent) WHERE parent IS NOT NULL;
CREATE TABLE move (n INTEGER PRIMARY KEY, child TEXT NOT NULL, at INTEGER NOT NULL, inside TEXT);
CREATE INDEX move_child ON move (child);
CREATE TABLE finding (n INTEGER PRIMARY KEY, seq INTEGER NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL,
                      item TEXT, container TEXT);
CREATE INDEX finding_seq ON finding (seq);
CREATE TABLE link (item TEXT NOT NULL, seq INTEGER NOT NULL, side INTEGER NOT NULL, reference TEXT NOT NULL);
CREATE INDEX link_item ON link (item);
"""
_BY_KEY = "SELECT key, state FROM item WHERE key IN (SELECT value FROM json_each(?))"
_BY_PARENT = "SELECT key, state FROM item WHERE parent IN (SELECT value FROM json_each(?))"
_MOVES = "SELECT child, at, inside FROM move WHERE child IN (SELECT value FROM json_each(?)) ORDER BY n"
_LINKS = "SELECT item, seq, side, reference FROM link WHERE item IN (SELECT value FROM json_each(?))"
_FINDINGS = """
SELECT seq, code, message, item, container FROM finding WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY n
"""


class Replayed:
    """What all events come to. Made by `replayed`."""

    def __init__(self, path: Path) -> None:
        self._file = sqlite_driver().connect(str(path), isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{_CACHE_KIB}"):
            self._file.execute(f"PRAGMA {pragma}")
        self._file.executescript(_SCHEMA)
        self._file.execute("BEGIN")
        self._retold = Retold()

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    # What the events came to.

    def items(self, keys: Iterable[str]) -> dict[str, Item]:
        """The items with these canonical EPCs, of those that any event touched."""
        return self._items(_BY_KEY, keys)

    def moves(self, keys: Iterable[str]) -> list[Move]:
        """How these items went into containers and out, in the order in which it happened."""
        return [Move(*row) for row in self._rows(_MOVES, keys)]

    def findings(self, seqs: Iterable[int]) -> list[tuple[int, Finding]]:
        """What does not fit about these events."""
        return [(row[0], Finding(FindingCode(row[1]), *row[2:])) for row in self._rows(_FINDINGS, seqs)]

    def links(self, keys: Iterable[str]) -> list[tuple[int, Link]]:
        """Which repacking these packages were part of, with the event that says so."""
        return [(row[1], Link(row[3], row[0], Side(row[2]))) for row in self._rows(_LINKS, keys)]

    def found_after(self, seq: int, most: int) -> list[int]:
        """The next events above `seq` about which something was found, ascending."""
        query = "SELECT DISTINCT seq FROM finding WHERE seq > ? ORDER BY seq LIMIT ?"
        return [row[0] for row in self._file.execute(query, (seq, most))]

    def again(self, seqs: Iterable[int]) -> list[int]:
        """Those of these events that only tell again what another one tells."""
        return [seq for seq, found in self.findings(seqs) if found == TOLD_AGAIN]

    def pages(self) -> Iterator[list[str]]:
        """All canonical EPCs, a page at a time, in the order in which they came up."""
        after = 0
        query = "SELECT n, key FROM item WHERE n > ? ORDER BY n LIMIT ?"
        while rows := self._file.execute(query, (after, PAGE)).fetchall():
            yield [key for _, key in rows]
            after = rows[-1][0]

    # How it is made.

    def plan(self, connection: Connection) -> int:
        """Put down the order of all events that count; how many there are."""
        binary = event.c.event_id.collate("BINARY" if connection.dialect.name == "sqlite" else "C")
        query = select(event.c.seq).where(MAY_COUNT, ~declared_wrong()).order_by(event.c.pos, binary)
        rows = connection.execute(query.execution_options(yield_per=10_000))
        for part in rows.partitions():
            self._file.executemany("INSERT INTO todo (seq) VALUES (?)", [(row.seq,) for row in part])
        return int(self._file.execute("SELECT count(*) FROM todo").fetchone()[0])

    def batches(self, connection: Connection) -> Iterator[list[StoredAct]]:
        """The events of the plan, as acts, in their order."""
        after = 0
        query = "SELECT n, seq FROM todo WHERE n > ? ORDER BY n LIMIT ?"
        while rows := self._file.execute(query, (after, _EVENTS)).fetchall():
            after = rows[-1][0]
            seqs = [seq for _, seq in rows]
            stored = {each.seq: each for each in acts.read(connection, seqs, without_effect=True)}
            batch: list[StoredAct] = []
            names = 0
            for _, seq in rows:
                batch.append(stored[seq])
                names += len(named(stored[seq].act.event))
                if names >= _NAMES:
                    yield batch
                    batch, names = [], 0
            if batch:
                yield batch

    def apply(self, batch: Sequence[StoredAct]) -> None:
        """Apply some acts and keep what they changed."""
        progress = Progress(self._world(batch))
        for stored in batch:
            if self._retold.is_again(stored.act):
                progress.repeat(stored)
            else:
                progress.step(stored)
        self._file.executemany(
            "INSERT INTO item (key, parent, state) VALUES (?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET parent = excluded.parent, state = excluded.state",
            [(key, each.parent, _written(each)) for key, each in progress.changed.items()],
        )
        self._file.executemany(
            "INSERT INTO move (child, at, inside) VALUES (?, ?, ?)",
            [(each.child, each.at, each.into) for each in progress.moves],
        )
        self._file.executemany(
            "INSERT INTO finding (seq, code, message, item, container) VALUES (?, ?, ?, ?, ?)",
            [(seq, e.code.value, e.message, e.item, e.container) for seq, e in progress.findings],
        )
        self._file.executemany(
            "INSERT INTO link (item, seq, side, reference) VALUES (?, ?, ?, ?)",
            [(e.item, seq, int(e.side), e.reference) for seq, e in progress.links],
        )

    def _world(self, batch: Sequence[StoredAct]) -> World:
        events = [stored.act.event for stored in batch]
        found = self.items({key for each in events for key in named(each)})
        containers = {key for each in events for key in opened(each)}
        if containers:
            found |= self._items(_BY_PARENT, containers)
        for _ in range(MAX_DEPTH + 1):
            around = {each.parent for each in found.values() if each.parent is not None} - found.keys()
            if not around:
                break
            found |= self.items(around)
        return World.of(found.values())

    def _items(self, query: str, values: Iterable[str]) -> dict[str, Item]:
        return {key: _read(state) for key, state in self._rows(query, values)}

    def _rows(self, query: str, values: Iterable[object]) -> list[Any]:
        return list(self._file.execute(query, (json.dumps(list(values)),)).fetchall())


@contextlib.contextmanager
def replayed(connection: Connection, tell: Tell | None = None) -> Iterator[Replayed]:
    """Everything that `connection` has of events, replayed from nothing."""
    with tempfile.TemporaryDirectory(prefix="packproof-replay-") as folder:
        made = Replayed(Path(folder) / "world.db")
        try:
            total = made.plan(connection)
            done = 0
            for batch in made.batches(connection):
                made.apply(batch)
                done += len(batch)
                if tell is not None:
                    tell(done, total)
            yield made
        finally:
            made.close()


def _written(each: Item) -> str:
    return json.dumps(values_of(each))


def _read(state: str) -> Item:
    key, status, *rest = json.loads(state)
    return item_of((key, Status(status), *rest))

"""Erasing: first the database, in one transaction with the entry that says so, then the keys. Each can be repeated.

    services.redactions.redact("urn:uuid:...", None, "GDPR Art. 17(1)(a)", actor)

If the program dies between the two halves, the next redaction (of anything, or the same one again) takes the keys out,
and `packproof fsck` says that it is still to be done.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, select

from app.devices import parked_document as parked
from app.devices.registry import Run
from app.erasable import parts
from app.erasable.models import erasable
from app.erasable.vault import Vault, wraps_of
from app.errors import Conflict, NotFound
from app.events import records
from app.events.models import event
from app.node.service import Node
from app.redaction import erasing
from app.redaction.rules import checked_basis, chosen
from app.retention import service as retention
from app.shared.actor import Actor
from app.shared.audit import record as audit
from app.shared.clock import Clock
from ledger.log.entry import Entry
from ledger.store.sql.engine import Database, sqlite_driver
from ledger.store.sql.reader import SqlReader
from ledger.store.sql.writer import SqlWriter


@dataclass(frozen=True, slots=True)
class Redacted:
    """What was done: the entries that say so, the paths that were erased (whole), how many keys were taken out.

    `known`: everything asked for was erased before.
    """

    entries: tuple[int, ...]
    fields: tuple[str, ...]
    keys: int
    known: bool


@dataclass
class Redactions:
    """The use cases. One a process."""

    database: Database
    node: Node
    clock: Clock
    run: Run  # the committer's

    @property
    def _vault(self) -> Vault:
        return self.node.vault

    def fields_of(self, event_id: str) -> list[tuple[str, bool]]:
        """The erasable fields of the event, and whether each was erased. Raises `NotFound`."""
        with self.database.snapshot() as connection:
            old_parked = [made for _, made in parked.in_clear(connection, event_id)]
            seqs = _events(connection, event_id, bool(old_parked))
            indexes = _entries(connection, event_id, seqs)
            rows = [
                (_within(row.path), row.data is None)
                for index in indexes
                for row in _rows(connection, index, event_id)
            ]
            old = [
                (_within(path), False)
                for index in indexes
                for path in self._unsealed(connection, index, event_id)
            ]
            old += [
                (_within(part.path), False)
                for made in old_parked
                for part in made.parts
                if part.event_id in (None, event_id)
            ]
        return sorted({*rows, *old})

    def redact(
        self,
        event_id: str,
        fields: Iterable[str] | None,
        basis: str,
        actor: Actor,
        *,
        by: str | None = None,
        despite: Collection[str] = (),
    ) -> Redacted:
        """Erase `fields` (paths within the event, or ``document/...``; None: all that can be) of the event, wherever
        this node keeps it, and append an entry for each entry that they were in. Durable when it returns. A parked act
        that holds one of them loses its document whole: without a byte of it nobody could adopt it from here.

        `by`: the account it is done for, where that is not the actor; a command without one is the operator's.
        `despite`: legal holds (ids) that yield to the legal basis (docs/decisions/0061). Raises `NotFound`, `Refused`
        for a regulated field, `Conflict` for a hold that keeps it and is not named, `Invalid`, `CaptureStopped`.
        """
        basis = checked_basis(basis)
        account = by or actor.for_ever
        wanted = None if fields is None else list(fields)

        def write(connection: Connection, writer: SqlWriter) -> tuple[list[erasing.Done], list[int]]:
            done: list[erasing.Done] = []
            for row, opened in list(parked.in_clear(connection, event_id)):
                parked.encrypt(connection, self._vault, row, opened)
            seqs = _events(connection, event_id)
            indexes = _entries(connection, event_id, seqs)
            aside = parked.among(connection, indexes)
            for index in indexes:
                self._seal_old(connection, index)
            there = {_within(row.path) for index in indexes for row in _rows(connection, index, event_id)}
            paths = chosen(wanted, there)
            going: dict[int, list[erasing.PartRow]] = {}
            for index in indexes:
                rows = [
                    row
                    for row in _rows(connection, index, event_id)
                    if row.data is not None and (_within(row.path) in paths or row.path == parts.WHOLE)
                ]
                if rows:
                    going[index] = rows
            yielding = _yielding(connection, seqs, going, aside, despite)
            for index, rows in going.items():
                made = erasing.Erasing(connection, writer, self._vault, self.node.intake_key, self.clock)
                if index in aside:
                    done.append(made.erase_parked(index, _all_rows(connection, index), basis, account))
                else:
                    done.append(made.erase(index, event_id, rows, basis, account))
            audit(
                connection, self.clock, actor, "event.redact", subject=event_id,
                detail=f"{basis}: {sum(len(each.paths) for each in done)} fields{yielding}",
            )  # fmt: skip
            return done, indexes

        done, indexes = self.run(write)
        keys = self.finish(indexes)  # also of what an earlier try had erased and not got to
        self._tidy()
        return Redacted(
            tuple(each.index for each in done),
            tuple(sorted(path for each in done for path in each.paths)),
            keys,
            not done,
        )

    def finish(self, entries: Collection[int] | None = None) -> int:
        """Take the keys of what was erased of these entries out of their rings (none given: of all that ever was, as
        after a crash); how many were still there."""
        slots: dict[str, list[int]] = {}
        with self.database.snapshot() as connection:
            for ring, slot in erased_slots(connection, self.node.origin, entries):
                slots.setdefault(ring, []).append(slot)
        return sum(self._vault.rings.take_out(ring, found) for ring, found in slots.items())

    def _unsealed(self, connection: Connection, index: int, event_id: str) -> list[str]:
        """What could be erased of an entry that was captured before values were encrypted."""
        opened = erasing.unsealed(connection, self._vault.origin, index)
        found = opened.parts if opened is not None else ()
        return [part.path for part in found if part.event_id in (None, event_id)]

    def _seal_old(self, connection: Connection, index: int) -> None:
        """Encrypt what an entry from before has in clear, so that it can be erased like all else."""
        opened = erasing.unsealed(connection, self._vault.origin, index)
        if opened is not None and opened.parts:
            erasing.encrypt_old(connection, self._vault, index, opened)

    def _tidy(self) -> None:
        """Leave no old page of the database in SQLite's log."""
        if not self.database.is_sqlite or self.database.url.database is None:
            return
        driver = sqlite_driver()
        connection = driver.connect(self.database.url.database)
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()


def _yielding(
    connection: Connection,
    seqs: Sequence[int],
    going: Mapping[int, Sequence[erasing.PartRow]],
    aside: Collection[int],
    despite: Collection[str],
) -> str:
    """Which holds keep what is `going`, and yield, for the audit trail. Raises `Conflict` for one that is not named."""
    if not going:
        return ""
    about: set[int] | None = set(seqs)
    if any(index in aside for index in going):
        about = None  # a parked act goes whole, and nobody looks through what it says
    else:
        # What stands beside the events of a document is of all of them.
        whole = [index for index, rows in going.items() if any(row.event_id is None for row in rows)]
        about |= set(connection.execute(select(event.c.seq).where(event.c.idx.in_(whole))).scalars())
    keeping = retention.keeping(connection, about)
    if against := [each for each in keeping if each.hold_id not in despite]:
        raise Conflict(
            "redaction.held",
            "A legal hold keeps this",
            "; ".join(
                f"{each.hold_id} ({each.kind.value} {each.about}): {each.reason}" for each in against[:5]
            ),
            "Lift it (packproof retention lift), or name it with --despite where the law you erase by goes before it.",
            holds=[each.hold_id for each in against],
        )
    return f", despite {', '.join(each.hold_id for each in keeping)}" if keeping else ""


def erased_slots(
    connection: Connection, origin: str, entries: Collection[int] | None = None
) -> Iterable[tuple[str, int]]:
    """Ring and slot of everything that was erased, of these entries where any are given."""
    reader = SqlReader(connection, origin)
    query = select(erasable.c.idx, erasable.c.path).where(erasable.c.erased_idx.is_not(None))
    if entries is not None:
        query = query.where(erasable.c.idx.in_(sorted(entries)))
    statements: dict[int, tuple[str, bytes]] = {}
    for index, path in connection.execute(query.order_by(erasable.c.idx)).all():
        if index not in statements:
            ring, _ = wraps_of(connection, reader.ledger_id, index)
            statements = {index: (ring, Entry.decode(reader.entry(index)).statement)}
        ring, statement = statements[index]
        yield ring, parts.slot_of(parts.context_of(origin, statement, path))


def _events(connection: Connection, event_id: str, known: bool = False) -> list[int]:
    """The numbers of the events with this id. Raises `NotFound`, but where it is `known` from elsewhere, or a parked
    act has it."""
    seqs = list(connection.execute(select(event.c.seq).where(event.c.event_id == event_id)).scalars())
    waits = select(erasable.c.idx).where(erasable.c.event_id == event_id).limit(1)
    if not seqs and not known and connection.execute(waits).first() is None:
        raise NotFound(
            "No such event", event_id[:200], "Give the event's id: packproof trace PACKAGE shows it."
        )
    return seqs


def _entries(connection: Connection, event_id: str, seqs: Sequence[int]) -> list[int]:
    """Every entry whose document holds the event: its own, those that sign it, and those that only repeated it."""
    found = {place.index for place in records.places(connection, seqs)}
    query = select(erasable.c.idx).where(erasable.c.event_id == event_id).distinct()
    return sorted(found | set(connection.execute(query).scalars()))


def _rows(connection: Connection, index: int, event_id: str) -> list[erasing.PartRow]:
    query = select(erasable).where(
        erasable.c.idx == index, (erasable.c.event_id == event_id) | erasable.c.event_id.is_(None)
    )
    return _part_rows(connection, query)


def _all_rows(connection: Connection, index: int) -> list[erasing.PartRow]:
    """What is left of an entry's parts, whichever event they are of."""
    return _part_rows(
        connection, select(erasable).where(erasable.c.idx == index, erasable.c.data.is_not(None))
    )


def _part_rows(connection: Connection, query: Select[Any]) -> list[erasing.PartRow]:
    return [
        erasing.PartRow(row.part, row.path, row.leaf, row.data, row.event_id)
        for row in connection.execute(query.order_by(erasable.c.part))
    ]


def _within(path: str) -> str:
    """A whole path as people give it: within the event, or ``document...``."""
    return path if path.startswith(parts.WHOLE) else path.partition("/")[2]

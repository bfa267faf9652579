"""Records opened for evidence: what the ledger committed to, with the seed that shows any part of it.

A document tells of thousands of packages and a file of one: the records that it asks for are read, of the others an
outline is enough (`app.proofs.outlines`). What was erased as a whole cannot be opened, and is left out::

    opening.kept(connection, told, size)     the records of the events with these numbers, below a head of `size`
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from app.events import records
from app.events.records import Excerpt
from app.node.service import Node
from app.proofs.outlines import Outlines
from ledger.log.entry import Entry
from ledger.signing.commitment import Outline, Record, Tree
from ledger.signing.statement import Statement
from ledger.store.sql.reader import SqlReader


@dataclass(frozen=True, slots=True)
class OpenedEntry:
    """An entry that holds records which a file may show: its statement's commitment, and as much of it as is needed."""

    entry: Entry
    seed: bytes
    what: Excerpt


@dataclass(frozen=True, slots=True)
class OpenedRecord:
    """One record that a file may show: the entry it stands in, its number, its fields, its event's number here."""

    seq: int
    number: int
    fields: Record
    source: OpenedEntry

    @property
    def index(self) -> int:
        """The index of the entry it stands in."""
        return self.source.entry.index


class Opening:
    """Opens records, and remembers the outlines of those it left closed. One a process."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._outlines = Outlines()

    def kept(self, connection: Connection, told: Iterable[int], size: int) -> list[OpenedRecord]:
        """The records of the events with these numbers, of those below `size` that were not erased as a whole."""
        reader = self._node.ledger.reader(connection)
        places: dict[int, list[records.Place]] = {}
        for place in sorted(records.places(connection, list(told)), key=lambda p: (p.index, p.ev_no)):
            if place.index < size:
                places.setdefault(place.index, []).append(place)
        found = []
        for index, there in places.items():
            source = self._opened(connection, reader, index, {place.ev_no for place in there})
            if source is None:
                continue
            for place in there:
                fields = source.what.records[place.ev_no]
                assert not isinstance(fields, Outline)
                found.append(OpenedRecord(place.seq, place.ev_no, fields, source))
        return found

    def _opened(
        self, connection: Connection, reader: SqlReader, index: int, wanted: Collection[int]
    ) -> OpenedEntry | None:
        """The entry at `index` with its records `wanted`; None where it was erased as a whole, and no row says what it
        repeated: nothing of it can be shown."""
        entry = Entry.decode(reader.entry(index))
        commit = Statement.parse(entry.statement).commit
        seed = reader.seed(index)
        if seed is None:
            return None
        outlines = self._outlines.of(index, seed)
        if outlines is not None:
            known = records.excerpt(connection, index, outlines, wanted, self._node.vault)
            if known is not None:
                return OpenedEntry(entry, seed, known)
        what = records.committed(connection, index, commit.n, self._node.vault)
        if what is None:
            return None
        if commit.n > len(wanted):
            tree = Tree(what.document_digest, what.intake, what.records, seed)
            if tree.root == commit.root:  # else whoever makes the file says what does not fit
                outlines = tree.outlines()
                self._outlines.keep(index, seed, outlines)
                shown = tuple(
                    record if number in wanted else outline
                    for number, (record, outline) in enumerate(zip(what.records, outlines, strict=True))
                )
                return OpenedEntry(entry, seed, Excerpt(what.document_digest, what.intake, shown))
        return OpenedEntry(entry, seed, Excerpt(what.document_digest, what.intake, what.records))

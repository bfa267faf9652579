"""Records opened for evidence: what the ledger committed to, with the seed that shows any part of it.

A document tells of thousands of packages and a file of one: the records that it asks for are read, of the others an
outline is enough (`app.proofs.outlines`). What was erased as a whole cannot be opened, and is left out; what does not
give the root that was signed is told, with its entry, for no evidence can be made of it::

    opening.kept(connection, told, size)     the records of the events with these numbers, below a head of `size`
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from app.errors import AppError
from app.events import records
from app.events.records import Excerpt
from app.node.service import Node
from app.proofs.outlines import Outlines
from ledger.errors import LedgerError
from ledger.log.entry import Entry
from ledger.signing.commitment import Outline, Record, Tree
from ledger.signing.remains import check_form, is_seed
from ledger.signing.statement import Statement
from ledger.store.sql.reader import SqlReader


class EvidenceDamaged(AppError):
    """What a file would show does not give what was signed: rows of this node were changed."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            "evidence.damaged",
            503,
            "What this node keeps of the package is damaged",
            detail,
            "Have the node's operator run packproof fsck, which names every row that is not what was signed.",
        )


def seed_of(reader: SqlReader, index: int) -> bytes | None:
    """The seed of the entry at `index`, or what a redaction left of it. Raises `EvidenceDamaged`."""
    seed = reader.seed(index)
    if seed is not None:
        try:
            check_form(seed)
        except LedgerError as error:
            raise EvidenceDamaged(f"The seed of entry {index} is damaged: {error.message}.") from error
    return seed


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
        """The records of the events with these numbers, of those below `size` that were not erased as a whole.

        Raises `EvidenceDamaged` where what is kept of an entry cannot be read.
        """
        reader = self._node.ledger.reader(connection)
        places: dict[int, list[records.Place]] = {}
        for place in sorted(records.places(connection, list(told)), key=lambda p: (p.index, p.ev_no)):
            if place.index < size:
                places.setdefault(place.index, []).append(place)
        found = []
        for index, there in places.items():
            try:
                source = self._opened(connection, reader, index, {place.ev_no for place in there})
            except LedgerError as error:
                raise EvidenceDamaged(
                    f"What is kept of entry {index} cannot be used: {error.message}."
                ) from error
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
        seed = seed_of(reader, index)
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
        if commit.n > len(wanted) or not is_seed(seed):  # what is left of one must be for as many leaves
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

"""Evidence files: a package's events with proofs that need no trust in this node.

A reader takes away what it may read: an inspector every event of the package, a party those that name it and who made
it. Other packages' numbers stay hidden behind their hashes.

    services.evidence.of_package(subject, reader=None)     everything there is, for an inspector
    services.evidence.for_scan(subject, reader="0399...")  that its maker made it: one event, inside a scan's answer
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256

from sqlalchemy import Connection

from app.custody import service as custody
from app.devices import service as devices
from app.erasable.vault import Vault
from app.errors import NotFound
from app.events import records
from app.history import service as history
from app.history.service import Story, Told
from app.node.service import Node
from ledger.custody.findings import FindingCode
from ledger.evidence.bundle import EvidenceEntry, build, show_all, show_record
from ledger.log.checkpoint import SignedCheckpoint
from ledger.log.entry import Entry
from ledger.log.proof import inclusion_proof
from ledger.signing.commitment import Leaf, Record
from ledger.signing.keyrecord import KeyRecord
from ledger.signing.statement import Statement
from ledger.store.sql.engine import Database
from ledger.store.sql.reader import SqlReader

# Of the event that begins a package's life a scan shows this much: what it is, and that its maker says so.
SCAN_FIELDS = frozenset(
    (
        "type",
        "action",
        "bizStep",
        "disposition",
        "eventID",
        "eventTime",
        "epcList",
        "ilmd/urn:epcglobal:cbv:mda#lotNumber",
        "ilmd/urn:epcglobal:cbv:mda#itemExpirationDate",
    )
)


class Evidence:
    """Makes evidence files. One a process."""

    def __init__(self, database: Database, node: Node) -> None:
        self._database = database
        self._node = node

    def of_package(self, subject: str, *, reader: str | None) -> bytes:
        """The evidence file of the package with this canonical EPC, as the party `reader` may read it (None: all).

        Raises `NotFound` where there is nothing for this reader.
        """
        note = self._node.checkpoint()
        with self._database.snapshot() as connection:
            story = history.story(connection, subject, reader=reader)
            told = [each for each in story.events if not each.hidden] if story else []
            told = [each for each in told if each.index < self._size(note)]
            told = _without_refused_unpackings(connection, told)
            if story is None or not told:
                raise NotFound("No such package", "There is no record of it, or none for you.")
            return self._build(connection, subject, note, told, _shown_epcs(story, told))

    def for_scan(self, subject: str, *, reader: str | None) -> bytes | None:
        """Evidence that the package was commissioned, by whom, with its lot and expiry; None where there is none."""
        note = self._node.checkpoint()
        with self._database.snapshot() as connection:
            story = history.story(connection, subject, reader=reader)
            begun = [e for e in story.events if e.step == "commissioning" and not e.hidden] if story else []
            begun = [e for e in begun if e.via is None and not e.declared_wrong and not e.declares_error]
            # What came after the head was signed is not proven yet: the next scan's answer has it.
            begun = [e for e in begun if e.index < self._size(note)]
            if not begun:
                return None
            return self._build(connection, subject, note, begun[:1], {subject}, only=SCAN_FIELDS)

    def _build(
        self,
        connection: Connection,
        subject: str,
        note: bytes,
        told: Iterable[Told],
        epcs: Collection[str],
        only: frozenset[str] | None = None,
    ) -> bytes:
        size = self._size(note)
        reader = SqlReader(connection, self._node.origin)
        numbers: dict[int, set[int]] = {}
        for place in records.places(connection, [each.seq for each in told]):
            numbers.setdefault(place.index, set()).add(place.ev_no)
        made: list[EvidenceEntry] = []
        signers: set[bytes] = set()
        for index, shown in sorted(numbers.items()):
            if index < size:
                entry = Entry.decode(reader.entry(index))
                signers |= {signature.key for signature in entry.signatures}
                made.append(
                    _event_entry(connection, reader, self._node.vault, entry, size, shown, epcs, only)
                )
        made += [
            _key_entry(reader, index, record, size)
            for index, record in devices.needed(connection, signers)
            if index < size
        ]
        return build(subject, self._node.verifier_key, note, made)

    def _size(self, note: bytes) -> int:
        return SignedCheckpoint.open(note, [self._node.note_verifier]).checkpoint.size


def _without_refused_unpackings(connection: Connection, told: Sequence[Told]) -> list[Told]:
    """`told` without what a stranger said he took out of a container that he did not hold.

    It changed nothing here; but who reads a file knows no custody, and would take the container's later journey for
    foreign: anybody could spoil anybody's evidence.
    """
    unpackings = {each.seq for each in told if each.type == "AggregationEvent" and each.action == "DELETE"}
    found = custody.findings_of(connection, unpackings)
    refused = {each.seq for each in found if each.code is FindingCode.NOT_HOLDER}
    return [each for each in told if each.seq not in refused]


def _shown_epcs(story: Story, told: Iterable[Told]) -> set[str]:
    return {story.subject, *story.inside, *(each.via for each in told if each.via)}


def _event_entry(
    connection: Connection,
    reader: SqlReader,
    vault: Vault,
    entry: Entry,
    size: int,
    shown: Iterable[int],
    epcs: Collection[str],
    only: frozenset[str] | None,
) -> EvidenceEntry:
    n = Statement.parse(entry.statement).commit.n
    what = records.committed(connection, entry.index, n, vault)
    seed = reader.seed(entry.index)
    assert what is not None
    assert seed is not None
    show: Mapping[int, Mapping[str, Collection[int] | None]] = {
        number: show_record(what.records[number], epcs, _hidden(what.records[number], only))
        for number in shown
    }
    return EvidenceEntry(
        entry=entry.encode(),
        inclusion=inclusion_proof(reader, entry.index, size),
        document_digest=what.document_digest,
        intake=what.intake,
        records=what.records,
        seed=seed,
        show=show,
    )


def _hidden(record: Record, only: frozenset[str] | None) -> set[str]:
    return set() if only is None else {item.path for item in record if item.path not in only}


def _key_entry(reader: SqlReader, index: int, record: KeyRecord, size: int) -> EvidenceEntry:
    """A registration, suspension or revocation, which is always shown whole."""
    seed = reader.seed(index)
    assert seed is not None
    fields: list[Leaf] = record.fields()
    return EvidenceEntry(
        entry=reader.entry(index),
        inclusion=inclusion_proof(reader, index, size),
        document_digest=sha256(record.document()).digest(),
        intake=(),
        records=[fields],
        seed=seed,
        show={0: show_all(fields)},
    )

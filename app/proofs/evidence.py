"""Evidence files: a package's events with proofs that need no trust in this node.

A file shows what its reader may read (`app.proofs.disclosure`): an inspector every event of the package, a party those
that name it, and who made the package; the steps of others stand in it without their names. What is made is verified
here before it is handed out.

    services.evidence.of_package(subject, reader=None)     everything there is, for an inspector
    services.evidence.disclosed(subject, Disclosure(...))  with what it hides
    services.evidence.for_scan(subject, reader="0399...")  that its maker made it: one event, inside a scan's answer
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection

from app.custody import service as custody
from app.devices import service as devices
from app.errors import Invalid, NotFound
from app.history import service as history
from app.history.service import Story, Told
from app.node.service import Node
from app.proofs.disclosure import NEEDED, Disclosure, Profile
from app.proofs.opening import EvidenceDamaged, OpenedEntry, OpenedRecord, Opening, seed_of
from app.witness.service import CosignedHeads
from ledger.custody.findings import FindingCode
from ledger.errors import LedgerError, VerificationError
from ledger.evidence.bundle import EPC_LISTS, EvidenceEntry, build, show_all, show_record
from ledger.evidence.policy import Policy
from ledger.evidence.report import Report
from ledger.evidence.subject import Containment, ShownEvent
from ledger.evidence.verify import verify
from ledger.log.entry import Entry, Kind
from ledger.log.proof import inclusion_proof
from ledger.signing.commitment import Leaf, ListField, Record
from ledger.signing.keyrecord import KeyRecord
from ledger.store.sql.engine import Database
from ledger.store.sql.reader import SqlReader


@dataclass(frozen=True, slots=True)
class Hidden:
    """What one event in a file does not show: `paths` of fields. `named`: who vouches for it can be seen."""

    index: int
    record: int
    named: bool
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """An evidence file, what its verification says, and what it does not show.

    `left_out` counts events of containers that are not the reader's to know, `cut` those that are too many for a file.
    `warning`: the node is read-only.
    """

    data: bytes
    report: Report
    hidden: tuple[Hidden, ...]
    left_out: int
    warning: str | None = None
    cut: int = 0

    @property
    def unnamed(self) -> int:
        """Number of events whose holder is not named."""
        return sum(not each.named for each in self.hidden)


@dataclass(frozen=True, slots=True)
class ScanEvidence:
    """The evidence inside a scan's answer, and the head that it was made for."""

    data: bytes
    note: bytes


class Evidence:
    """Makes evidence files. One a process."""

    def __init__(
        self, database: Database, node: Node, heads: CosignedHeads, own_policy: Callable[[], bytes]
    ) -> None:
        """`own_policy` gives the bytes of this node's tlog-policy, which a file is made for unless another is named."""
        self._database = database
        self._node = node
        self._heads = heads
        self._own_policy = own_policy
        self._opening = Opening(node)

    def of_package(self, subject: str, *, reader: str | None) -> bytes:
        """The evidence file of the package with this canonical EPC, as the party `reader` may read it (None: all).

        Raises `NotFound` where there is nothing for this reader.
        """
        return self.disclosed(subject, Disclosure(reader=reader)).data

    def disclosed(self, subject: str, choice: Disclosure, policy: bytes | None = None) -> Made:
        """The evidence file that shows what `choice` says, made for the tlog-policy `policy` (None: the node's own).

        Raises `NotFound`, and `Invalid` for unknown fields, or where a `policy` given would refuse the file.
        """
        made_for = sha256(self._own_policy() if policy is None else policy).hexdigest()
        head = self._heads.provable()
        note, size = head.note, head.size
        with self._database.snapshot() as connection:
            whole = history.story(connection, subject, reader=None)
            mine = history.story(connection, subject, reader=choice.reader) if choice.reader else whole
            told = [each for each in whole.events if each.index < size] if whole else []
            told = _without_refused_unpackings(connection, told)
            names = _named(choice, mine)
            if whole is None or not any(each.seq in names for each in told):
                if head.refusal is not None:
                    raise head.refusal
                raise NotFound("No such package", "There is no record of it, or none for you.")
            kept = self._opening.kept(connection, [each.seq for each in told], size)
            _check_fields(choice, kept)
            known = _known(whole, told, names, kept)
            shown = [each for each in kept if each.seq in names or _may_stand_unnamed(each, told, known)]
            if not shown:
                raise NotFound("Nothing can be proven", "The document that told of it was erased as a whole.")
            if head.refusal is None:  # a witnessed head may be one that this ledger has left
                note = self._witnessed(connection, {each.index for each in shown}) or note
            data, hidden = self._disclose(connection, subject, note, choice, shown, names, known, made_for)
        if policy is not None:
            _accepted(data, policy)
        left_out = len({each.seq for each in kept} - {each.seq for each in shown})
        report = verify(data, Policy((self._node.key_of(note),)))
        return Made(data, report, hidden, left_out, head.warning, whole.cut)

    def _reader(self, connection: Connection) -> SqlReader:
        """The ledger as this snapshot has it: what is committed, so that tiles once hashed may be remembered."""
        return self._node.ledger.reader(connection)

    def _disclose(
        self,
        connection: Connection,
        subject: str,
        note: bytes,
        choice: Disclosure,
        shown: Sequence[OpenedRecord],
        names: Collection[int],
        known: Collection[str],
        made_for: str = "",
    ) -> tuple[bytes, tuple[Hidden, ...]]:
        size, reader = self._size(note), self._reader(connection)
        sources = {each.index: each.source for each in shown}
        entries = {index: source.entry for index, source in sources.items()}
        named = {each.index for each in shown if each.seq in names}
        named, signers = _named_by(connection, reader, entries, named)
        made, hidden = [], []
        for index, entry in sorted(entries.items()):
            mine = [each for each in shown if each.index == index]
            hide = {
                each.number: choice.hidden(each.fields, named=each.seq in names, shown_parents=known)
                for each in mine
            }
            show = {each.number: show_record(each.fields, known, hide[each.number]) for each in mine}
            told_by = any(each.seq in names for each in mine)
            hidden += [
                Hidden(index, n, told_by or index in named, tuple(sorted(paths))) for n, paths in hide.items()
            ]
            keys = () if index in named else _spkis(connection, entry)
            intake = ("channel", "onBehalfOf") if told_by else ("channel",)
            made.append(_event_entry(reader, sources[index], size, show, intake, keys))
        made += _key_entries(connection, reader, signers, size)
        try:
            return build(subject, str(self._node.key_of(note)), note, made, made_for), tuple(hidden)
        except LedgerError as error:
            raise EvidenceDamaged(f"{error.message[:1].upper()}{error.message[1:]}.") from error

    def for_scan(self, subject: str, *, reader: str | None) -> ScanEvidence | None:
        """Evidence that the package was commissioned, by whom, with its lot and expiry; None where there is none.

        It is made for no policy: who scans pinned the log's key itself.
        """
        note = self._node.checkpoint()
        size = self._size(note)
        with self._database.snapshot() as connection:
            # What came after the head was signed is not proven yet: the next scan's answer has it.
            begun = [each for each in history.begun(connection, subject, reader=reader) if each.index < size]
            shown = self._opening.kept(connection, [each.seq for each in begun[:1]], size)
            if not shown:
                return None
            scan = Disclosure(Profile.HOLDER)
            names, known = {begun[0].seq}, {subject}
            return ScanEvidence(self._disclose(connection, subject, note, scan, shown, names, known)[0], note)

    def _witnessed(self, connection: Connection, indexes: Collection[int]) -> bytes | None:
        """The newest head that others cosigned and that covers these entries and all that became of their keys."""
        reader = self._reader(connection)
        entries = [Entry.decode(reader.entry(index)) for index in indexes]
        signers = {signature.key for entry in entries for signature in entry.signatures}
        keys = [index for index, _ in devices.needed(connection, reader, signers)]
        return self._heads.witnessed_by(reader, 1 + max((*indexes, *keys), default=0))

    def _size(self, note: bytes) -> int:
        return self._node.opened(note).checkpoint.size


def _accepted(data: bytes, policy: bytes) -> None:
    """Raise `Invalid` unless `policy` can be read and accepts the file that is made for it."""
    try:
        verify(data, Policy.parse(policy))
    except VerificationError as error:
        raise Invalid(
            "evidence.policy",
            "That policy would refuse the file",
            error.message,
            "Name the policy that the reader will check with; witnesses may not have cosigned yet.",
        ) from error


def _named_by(
    connection: Connection, reader: SqlReader, entries: Mapping[int, Entry], named: set[int]
) -> tuple[set[int], set[bytes]]:
    """The entries whose authors can be seen where those of `named` are, and all keys that are named by it.

    The same key cannot be named for one event and not for another: its thumbprint stands in both. Neither can one in
    whose place a named key came: it signed along.
    """
    more = named | {index for index, entry in entries.items() if entry.kind is Kind.RECEIVED}
    while True:
        told = {sig.key for index in more for sig in entries[index].signatures}
        signers = devices.with_replaced(connection, reader, told)
        named = {index for index, e in entries.items() if any(sig.key in signers for sig in e.signatures)}
        if named <= more:
            return more, signers
        more |= named


def _without_refused_unpackings(connection: Connection, told: Sequence[Told]) -> list[Told]:
    """`told` without what a stranger said he took out of a container that he did not hold.

    It changed nothing here; but who reads a file knows no custody, and would take the container's later journey for
    foreign: anybody could spoil anybody's evidence.
    """
    unpackings = {each.seq for each in told if each.type == "AggregationEvent" and each.action == "DELETE"}
    found = custody.findings_of(connection, unpackings)
    refused = {each.seq for each in found if each.code is FindingCode.NOT_HOLDER}
    return [each for each in told if each.seq not in refused]


def _named(choice: Disclosure, mine: Story | None) -> set[int]:
    """The events whose party the reader may know: those that `mine` shows him, or the maker's first one alone."""
    if mine is None:
        return set()
    told = [each for each in mine.events if not each.hidden]
    if choice.profile is Profile.HOLDER and choice.reader is None:
        told = [each for each in told if _begins(each) and each.by == mine.item.maker]
    return {each.seq for each in told}


def _begins(each: Told) -> bool:
    return (
        each.step == "commissioning" and each.via is None and not (each.declared_wrong or each.declares_error)
    )


def _check_fields(choice: Disclosure, kept: Sequence[OpenedRecord]) -> None:
    unknown = choice.unknown({item.path for each in kept for item in each.fields})
    if unknown:
        raise Invalid(
            "evidence.field",
            "No event of this package has that field",
            f"Nothing is called {', '.join(unknown)}.",
            "Name a field by its path, the first part of it (ilmd) or the last part of its name (lotNumber).",
        )


def _known(whole: Story, told: Sequence[Told], names: set[int], kept: Sequence[OpenedRecord]) -> set[str]:
    """The numbers that may be shown: the package's, and of the containers that the named events speak of.

    Between the package and such a container may stand others: without them nobody could follow how it came to be in
    there, and step 8 would refuse the file.
    """
    if all(each.seq in names for each in told):
        return {whole.subject, *whole.inside, *(each.via for each in told if each.via)}
    wrong = {each.seq for each in told if each.declared_wrong or each.declares_error}
    events = {each.seq: _as_shown(each.fields) for each in kept}
    holding = Containment([event for seq, event in events.items() if seq not in wrong])
    known = {whole.subject}
    for each in told:
        if each.seq in names and each.via and each.seq in events:
            time = events[each.seq].time
            around = holding.holders(whole.subject, time)
            known |= {each.via} | {one for one in around if each.via in holding.holders(one, time)}
    return known


def _as_shown(fields: Record) -> ShownEvent:
    """An event as a file that shows all of it would tell it."""
    one = {
        item.path: item.value.decode() for item in fields if isinstance(item, Leaf) and item.path in NEEDED
    }
    many = {
        item.path: [value.decode() for value in item.values] for item in fields if isinstance(item, ListField)
    }
    return ShownEvent(one, many)


def _may_stand_unnamed(each: OpenedRecord, told: Sequence[Told], known: Collection[str]) -> bool:
    """Whether a stranger's event may stand in the file without his name: it stands, and speaks of what is known."""
    event = next(one for one in told if one.seq == each.seq)
    shown = _as_shown(each.fields)
    children = {epc for path in EPC_LISTS for epc in shown.many.get(path, ())}
    return not (event.declared_wrong or event.declares_error) and bool(children & set(known))


def _spkis(connection: Connection, entry: Entry) -> tuple[bytes, ...]:
    keys = {
        record.thumbprint: record.key
        for _, record in devices.records(connection, [s.key for s in entry.signatures])
    }
    return tuple(keys[signature.key] for signature in entry.signatures)


def _event_entry(
    reader: SqlReader,
    source: OpenedEntry,
    size: int,
    show: Mapping[int, Mapping[str, Collection[int] | None]],
    intake: Sequence[str],
    keys: Sequence[bytes],
) -> EvidenceEntry:
    return EvidenceEntry(
        entry=source.entry.encode(),
        inclusion=inclusion_proof(reader, source.entry.index, size),
        document_digest=source.what.document_digest,
        intake=source.what.intake,
        records=source.what.records,
        seed=source.seed,
        show=show,
        intake_shown=intake,
        signers=keys,
    )


def _key_entries(
    connection: Connection, reader: SqlReader, signers: Collection[bytes], size: int
) -> list[EvidenceEntry]:
    needed = devices.needed(connection, reader, signers)
    return [_key_entry(reader, index, record, size) for index, record in needed if index < size]


def _key_entry(reader: SqlReader, index: int, record: KeyRecord, size: int) -> EvidenceEntry:
    """A registration, suspension or revocation, which is always shown whole."""
    seed = seed_of(reader, index)
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

"""``packproof ledger keep``: foreign logs' checkpoints, or the policy that this node goes by, noted in the ledger.

A head that another log signed is remembered by whoever saw it; here it is an entry of its own, so that this log's own
witnesses vouch for when it was seen. What is noted is a record (`ledger.signing.aside`, docs/formats/statement.md);
the bytes lie beside the node's keys, because no other table needs them::

    DATA_DIR/kept/INDEX        the note or policy, byte for byte: the record of entry INDEX has its SHA-256

Written before the entry is committed, under the ledger's lock; a crash between leaves a file that the next one
overwrites.
"""

import argparse
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from app.errors import Invalid
from app.shared.auditing import AuditContext
from app.shared.clock import Clock
from ledger.errors import LedgerError
from ledger.evidence.policy import parse_authors
from ledger.log.checkpoint import SignedCheckpoint
from ledger.log.entry import Entry, Kind
from ledger.log.note import MAX_NOTE_BYTES
from ledger.log.policy import MAX_POLICY_BYTES, LogPolicy
from ledger.signing.aside import KeptCheckpoint, KeptPolicy, commitment_of, sign_aside
from ledger.signing.durable import make_folder, write_whole
from ledger.signing.keys import load_verifier
from ledger.signing.statement import Statement
from ledger.store.port import Draft
from ledger.store.sql.reader import SqlReader
from ledger.store.sql.types import to_micros
from ledger.store.sql.writer import SqlWriter

if TYPE_CHECKING:
    from app.capture.committer import Committer
    from app.cli import Context
    from app.node.service import Node

FOLDER = "kept"
Record = KeptCheckpoint | KeptPolicy
_RESTS = "what this node saw of another log, or went by"


@dataclass(frozen=True, slots=True)
class Keeper:
    """Writes such entries, by the committer as all else."""

    node: "Node"
    committer: "Committer"
    clock: Clock

    def keep(self, record: Record, data: bytes) -> int:
        """Append the entry of `record`, whose bytes are `data`; its index, or that of the one that said so before."""
        return self._keep(record, data, lambda writer: self._same(writer, record, data)).index

    def keep_daily(self, record: KeptCheckpoint, data: bytes) -> "Noted":
        """As `keep`, where no head of that log was noted today (UTC by this node's clock), nor this one last."""

        def known(writer: SqlWriter) -> int | None:
            last = self._newest(writer, record.origin)
            if last is None:
                return None
            same = (last.record.size, last.record.root) == (record.size, record.root)
            return last.index if same or last.at.date() == self.clock.now().date() else None

        return self._keep(record, data, known)

    def largest(self, reader: SqlReader, origin: str, below: int) -> "Known | None":
        """The note of the largest head of the log `origin` among the entries below index `below`, the first of several:
        whatever was noted since, that log must go on from there."""
        found: list[tuple[int, int, Path]] = []
        for path in _files(self.node.data_dir / FOLDER):
            if int(path.name) < below and (record := _head_in(path.read_bytes(), origin)) is not None:
                found.append((-record.size, int(path.name), path))
        known = (self._known(reader, path, origin) for *_, path in sorted(found))
        return next((each for each in known if each is not None), None)

    def _newest(self, reader: SqlReader, origin: str) -> "Known | None":
        size = reader.head().size
        files = reversed(_files(self.node.data_dir / FOLDER))
        known = (self._known(reader, path, origin) for path in files if int(path.name) < size)
        return next((each for each in known if each is not None), None)

    def _known(self, reader: SqlReader, path: Path, origin: str) -> "Known | None":
        """The head of `origin` in a file, where its entry notes it: else fsck says so."""
        data, index = path.read_bytes(), int(path.name)
        record = _head_in(data, origin)
        if record is None:
            return None
        try:
            entry = Entry.decode(reader.entry(index))
        except LedgerError:
            return None
        if not _commits(reader, entry, record):
            return None
        return Known(index, datetime.fromtimestamp(entry.received_ms / 1000, UTC), record, data)

    def _same(self, writer: SqlWriter, record: Record, data: bytes) -> int | None:
        size = writer.head().size
        for path in _files(self.node.data_dir / FOLDER):
            if int(path.name) < size and path.read_bytes() == data:
                entry = Entry.decode(writer.entry(int(path.name)))
                if _commits(writer, entry, record):
                    return entry.index
        return None

    def _keep(self, record: Record, data: bytes, known: Callable[[SqlWriter], int | None]) -> "Noted":
        folder = self.node.data_dir / FOLDER
        make_folder(folder)

        def write(_connection: Connection, writer: SqlWriter) -> Noted:
            size = writer.lock().size
            before = known(writer)
            if before is not None:
                return Noted(before, new=False)
            self.node.may_write()
            intake = self.node.intake_key
            signed = sign_aside(record, self.node.origin, [intake])
            signatures = signed.envelope.entry_signatures([load_verifier(intake.spki)])
            received_ms = to_micros(self.clock.now()) // 1000
            write_whole(folder / str(size), data)
            [entry] = writer.append(
                [Draft(record.kind, received_ms, signed.envelope.statement, signatures, signed.seed)]
            )
            return Noted(entry.index, new=True)

        noted: Noted = self.committer.run(write)
        return noted


@dataclass(frozen=True, slots=True)
class Noted:
    """Where something is noted; `new`: just now."""

    index: int
    new: bool


@dataclass(frozen=True, slots=True)
class Known:
    """A head that was noted at `index`, at the moment `at`; `data` is the note."""

    index: int
    at: datetime
    record: KeptCheckpoint
    data: bytes


def check(context: AuditContext) -> None:
    """Hold each kept file against its entry, and tell which entries have one."""
    for path in _files(context.data_dir / FOLDER):
        index = int(path.name)
        entry = context.entry(index)
        if entry is None or entry.kind not in (Kind.CHECKPOINT, Kind.POLICY):
            continue  # a crash came before the entry, and another took its number
        context.counts["kept notes and policies"] += 1
        context.explained.add(index)
        try:
            holds = _commits(context.reader, entry, _record_of(entry.kind, path.read_bytes()))
        except LedgerError:
            holds = False
        if not holds:
            context.add("I9", FOLDER, str(path.name), "the file", "what its entry says", "other", _RESTS)


def _head_in(data: bytes, origin: str) -> KeptCheckpoint | None:
    """The head of the log `origin` that a file holds; None where it holds another's, a policy, or is damaged."""
    if not data.startswith(origin.encode() + b"\n"):
        return None
    try:
        return KeptCheckpoint.of(data)
    except LedgerError:
        return None


def _files(folder: Path) -> list[Path]:
    return sorted((p for p in folder.glob("[0-9]*") if p.name.isdigit()), key=lambda path: int(path.name))


def _commits(reader: Any, entry: Entry, record: Record) -> bool:
    seed = reader.seed(entry.index)
    root = Statement.parse(entry.statement).commit.root
    return entry.kind is record.kind and seed is not None and commitment_of(record.document(), seed) == root


def _record_of(kind: Kind, data: bytes) -> Record:
    return KeptCheckpoint.of(data) if kind is Kind.CHECKPOINT else KeptPolicy.of(data)


def register(actions: Any) -> None:
    """Add the action to `packproof ledger`."""
    parser = actions.add_parser(
        "keep",
        help="note other logs' checkpoints, or the policy this node goes by, in the ledger",
        description="Append an entry that notes what this node saw of another log, or which policy it goes by. logs: "
        "what the server does by itself once a day for the logs of PACKPROOF_KEPT_LOGS.",
        epilog="examples:\n  packproof ledger keep checkpoint theirs.note --policy logs.policy\n"
        "  packproof ledger keep policy authors.json\n  packproof ledger keep logs",
    )
    parser.add_argument("what", choices=("checkpoint", "policy", "logs"))
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE")
    parser.add_argument(
        "--policy", type=Path, metavar="FILE", help="the tlog-policy by which a checkpoint is judged"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace, context: "Context") -> int | None:
    node = context.services
    if arguments.what == "logs":
        return _logs(arguments, context)
    if arguments.file is None:
        raise Invalid("usage", f"Which file? packproof ledger keep {arguments.what} FILE")
    if (arguments.what == "checkpoint") != (arguments.policy is not None):
        raise Invalid("usage", "A checkpoint is judged by --policy; a policy needs none")
    try:
        with arguments.file.open("rb") as stream:
            data = stream.read(max(MAX_NOTE_BYTES, MAX_POLICY_BYTES) + 1)
        if arguments.what == "checkpoint":
            record: Record = judged(data, LogPolicy.parse(arguments.policy.read_bytes()), node.node.origin)
        else:
            record = KeptPolicy.of(data)
            (parse_authors if data.lstrip()[:1] == b"{" else LogPolicy.parse)(data)
    except LedgerError as error:
        raise Invalid("ledger.keep", "This cannot be kept", error.message) from error
    index = Keeper(node.node, node.committer, node.clock).keep(record, data)
    context.show({"index": index, **record.members()}, f"{record.told()}: entry {index}.")
    return None


def _logs(arguments: argparse.Namespace, context: "Context") -> int:
    if arguments.file is not None or arguments.policy is not None:
        raise Invalid("usage", "PACKPROOF_KEPT_LOGS says which logs, and judges them")
    found = context.services.keeping.due()
    context.show(
        {"logs": [asdict(each) for each in found]},
        "\n".join(each.told for each in found) or "PACKPROOF_KEPT_LOGS names no log.",
    )
    return 0 if all(each.ok for each in found) else 1


def judged(data: bytes, policy: LogPolicy, own: str) -> KeptCheckpoint:
    """The record of the note `data`, which `policy` trusts. Raises `LedgerError`, also for one of this log, `own`."""
    head = SignedCheckpoint.open(data, [each.key for each in policy.logs])
    policy.require_quorum(head.note)
    if head.checkpoint.origin == own:
        raise LedgerError("it is this ledger's own: packproof keeps those by itself", code="checkpoint")
    return KeptCheckpoint.of(data)

"""``packproof ledger handover``: what leads from a checkpoint key that somebody pinned to the one that signs now.

Made of what the ledger has: the key records of the node's own keys, and a head that was signed while both keys counted
(`ledger.evidence.handover`). Anybody may have it: it shows nobody but this node.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from app.devices import service as devices
from app.errors import NotFound
from app.node.keys import CHECKPOINT, MLDSA
from app.node.longterm import mldsa_handovers
from app.node.service import Node
from ledger.errors import VerificationError
from ledger.evidence.handover import Handover, KeyEntryProof
from ledger.evidence.mldsa_handover import MldsaHandover
from ledger.log.entry import Entry
from ledger.log.note import Note, NoteVerifier
from ledger.log.proof import inclusion_proof
from ledger.signing.durable import write_whole
from ledger.signing.keyrecord import Action, KeyRecord, Role
from ledger.store.sql.reader import SqlReader

if TYPE_CHECKING:
    from app.cli import Context

_RAW_ED25519 = 32
_LOOKED_AT = 1000
"""Heads behind a registration that are looked at for one that both keys signed: the first one is."""


class Handovers:
    """The handovers of one node, in order. Each is made once a process: what it is made of never changes."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._known: dict[int, Handover] = {}

    def all(self) -> list[Handover]:
        """One for each checkpoint key that followed another, as far as a head that both signed is kept."""
        with self._node.database.snapshot() as connection:
            records = devices.nodes_own(connection)
            found = []
            for index, record in records:
                if record.role is Role.CHECKPOINT and record.action is Action.REGISTER:
                    if index not in self._known:
                        made = self._made(connection, records, index, record)
                        if made is None:
                            continue
                        self._known[index] = made
                    found.append(self._known[index])
        return found

    def mldsa(self) -> list[MldsaHandover]:
        """One for each ML-DSA-44 key that followed another, the oldest first."""
        return mldsa_handovers(self._node.keys.folder)

    def _made(
        self, connection: Connection, records: list[tuple[int, KeyRecord]], index: int, new: KeyRecord
    ) -> Handover | None:
        reader = SqlReader(connection, self._node.origin)
        signers = {signature.key for signature in Entry.decode(reader.entry(index)).signatures}
        before = {record.thumbprint: record for at, record in records if at < index}
        for signer in signers - {new.thumbprint}:
            old = before.get(signer)
            if old is None or old.role is not Role.CHECKPOINT:
                continue
            present, following = self._verifier(old), self._verifier(new)
            for size, note in _heads(reader, index):
                if _signed_by_both(note, present, following):
                    below = [(at, record) for at, record in records if at < size]
                    proven = tuple(_proven(reader, at, record, size) for at, record in below)
                    return Handover(present, following, note, proven)
        return None

    def _verifier(self, record: KeyRecord) -> NoteVerifier:
        return NoteVerifier(self._node.origin, record.key[-_RAW_ED25519:])


def _heads(reader: SqlReader, index: int) -> Iterator[tuple[int, bytes]]:
    for number, kept in enumerate(reader.checkpoints(above=index)):
        if number == _LOOKED_AT:
            return
        yield kept.size, kept.note


def _signed_by_both(note: bytes, present: NoteVerifier, following: NoteVerifier) -> bool:
    try:
        return len(Note.parse(note).verify([present, following])) == 2
    except VerificationError:
        return False  # a row that was damaged: fsck names it


def _proven(reader: SqlReader, index: int, record: KeyRecord, size: int) -> KeyEntryProof:
    seed = reader.seed(index)
    document = record.document()
    assert seed is not None, sha256(document).hexdigest()
    return KeyEntryProof(reader.entry(index), tuple(inclusion_proof(reader, index, size)), document, seed)


def register(actions: Any) -> None:
    """Add the action to `packproof ledger`."""
    parser = actions.add_parser(
        "handover",
        help="what leads from the checkpoint key of before to the present one, for those who pinned it",
        description="Write the newest handover: the ledger's own proof that the checkpoint key of before vouched for "
        "the one that follows. packproof-verify reads it; benches and signing clients fetch it themselves.",
        epilog="examples:\n  packproof ledger handover -o handover.json\n"
        "  packproof-verify handover.json --policy policy.txt",
    )
    parser.add_argument("--mldsa", action="store_true", help="of the ML-DSA-44 key that cosigns heads")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: standard output")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace, context: "Context") -> None:
    kept = context.services.handovers
    made: Sequence[Handover | MldsaHandover] = kept.mldsa() if arguments.mldsa else kept.all()
    if not made:
        name = MLDSA if arguments.mldsa else CHECKPOINT
        raise NotFound(
            "No handover", f"This ledger has had one {name} key.", f"packproof ledger rotate-key {name}"
        )
    data = made[-1].encode()
    told = {"present": str(made[-1].present), "following": str(made[-1].following)}
    if arguments.output is not None:
        write_whole(arguments.output, data)
        context.show({**told, "file": str(arguments.output)}, f"{arguments.output}: to {made[-1].following}")
    elif context.as_json:
        context.show(told, "")
    else:
        sys.stdout.write(data.decode() + "\n")

"""The node as a witness of others, and its own heads as others cosigned them.

    services.witness.add_checkpoint(body)          answers another log (C2SP tlog-witness); 404: it follows nobody
    services.cosigned.checkpoint()                 this ledger's newest head, with the cosignatures it has so far
    services.cosigned.witnessed()                  its newest head that the configured quorum cosigned

Scanners need the newest head. Evidence prefers a witnessed one that covers what it shows.
"""

from dataclasses import replace
from functools import cached_property
from http import HTTPStatus
from pathlib import Path

from app.errors import AppError
from app.node.keys import Passphrase
from app.node.service import Node, Provable
from app.shared.clock import Clock
from app.witness.keys import cosigners
from app.witness.policies import read_policy, watched
from ledger.errors import LedgerError, VerificationError
from ledger.log.cosignature import CosignatureSigner
from ledger.log.note import Note
from ledger.log.policy import LogPolicy
from ledger.store.sql.cosignatures import cosigned_note, cosigned_notes
from ledger.store.sql.reader import SqlReader
from ledger.witness.state import StateFolder
from ledger.witness.witness import Answer, Witness, logs_of


class NodeWitness:
    """This node as a witness, under the name of its ledger and ``/witness``. `logs`: a policy file, or none."""

    def __init__(
        self,
        origin: str,
        data_dir: Path,
        logs: Path | None,
        clock: Clock,
        passphrase: Passphrase = lambda: None,
    ) -> None:
        self._passphrase = passphrase
        self.name = f"{origin}/witness"
        self._data_dir = data_dir
        self._logs = logs
        self._clock = clock

    @cached_property
    def signers(self) -> list[CosignatureSigner]:
        """What it cosigns with; made on first use. Raises `AppError`."""
        return cosigners(self._data_dir / "keys", self.name, self._passphrase())

    @cached_property
    def folder(self) -> StateFolder:
        """How far it has followed each log."""
        return StateFolder(self._data_dir / "witness")

    @cached_property
    def _witness(self) -> Witness | None:
        if self._logs is None:
            return None
        policy = watched(self._logs)
        return Witness(self.folder, self.signers, lambda: logs_of(policy().log_keys), self._clock.now)

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer a log: 404 where this node is nobody's witness. Raises `AppError` where its folder fails."""
        if self._witness is None:
            return Answer(HTTPStatus.NOT_FOUND, b"this node is no witness: it follows no log\n")
        try:
            return self._witness.add_checkpoint(body)
        except LedgerError as error:
            raise AppError("witness.state", 503, "Nothing was cosigned", error.message) from error

    def cosigned(self, name: str) -> Answer:
        """The latest head cosigned of the log with this hash of its origin; 404 where there is none."""
        found = self.folder.cosigned(name)
        if found is None:
            return Answer(HTTPStatus.NOT_FOUND, b"this node has cosigned no head of such a log\n")
        return Answer(HTTPStatus.OK, found)


class CosignedHeads:
    """This ledger's heads with what others signed below. `policy`: the file of the node's witnesses, or none."""

    def __init__(self, node: Node, policy: Path | None) -> None:
        self._node = node
        self._path = policy

    @cached_property
    def policy(self) -> LogPolicy:
        """The witnesses that are asked, and the quorum. Raises `AppError`."""
        return LogPolicy() if self._path is None else read_policy(self._path)

    def checkpoint(self) -> bytes:
        """The present head, signed, with the cosignatures it has so far. Raises `CaptureStopped`."""
        note = self._node.checkpoint()
        return self._cosigned(note, self._size(note))

    def provable(self) -> Provable:
        """As `Node.provable`, with the cosignatures that the head has. Raises `CaptureStopped`."""
        found = self._node.provable()
        return replace(found, note=self._cosigned(found.note, found.size))

    def provable_at(self, index: int) -> Provable:
        """The head to prove the entry `index` by: the newest over it that the quorum cosigned, else as `provable`."""
        found = self.provable()
        note = None if found.refusal is not None else self.witnessed(index + 1)
        return found if note is None else Provable(note, self._size(note))

    def _cosigned(self, note: bytes, size: int) -> bytes:
        with self._node.ledger.reading() as reader:
            stored = reader.checkpoint_at_or_below(size)
            return note if stored is None or stored.note != note else cosigned_note(reader, stored)

    def witnessed(self, least: int = 0) -> bytes | None:
        """The newest head of at least `least` entries that the quorum cosigned; None where there is none.

        None too where nobody is asked for: then no head is more witnessed than the newest.
        """
        if not self.policy.witnesses:
            return None
        with self._node.ledger.reading() as reader:
            return self.witnessed_by(reader, least)

    def witnessed_by(self, reader: SqlReader, least: int = 0) -> bytes | None:
        """`witnessed`, through a reader that is open already."""
        for data in cosigned_notes(reader, least):
            try:
                found = self.policy.cosigned(Note.parse(data))
            except VerificationError:
                continue  # a row that was damaged: fsck names it
            if found and self.policy.enough([witness.name for witness, _ in found]):
                return data
        return None

    def _size(self, note: bytes) -> int:
        return self._node.opened(note).checkpoint.size

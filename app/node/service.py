"""What makes this node this node: its ledger, its own keys, its mark.

The node holds an **intake** key, which signs that something was received, and **checkpoint** keys, which sign heads
(`app.node.keys`). They lie in `data_dir/keys`, outside the database. It never holds a key of a party or a device.

    initialise(...)        schema, ledger, keys, entries 0 and 1; again it changes nothing
"""

import contextlib
import errno
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from sqlalchemy import Connection

from app.devices import service as devices
from app.erasable.vault import Vault
from app.errors import CaptureStopped
from app.node.keys import NodeKeys, Passphrase
from app.shared.clock import Clock
from ledger.errors import LedgerError, VerificationError
from ledger.log.checkpoint import SignedCheckpoint
from ledger.log.cosigned import TIME_BYTES
from ledger.log.entry import Kind
from ledger.log.mark import MarkError
from ledger.log.mldsa import SIGNATURE_BYTES
from ledger.log.note import Note, NoteSigner, NoteVerifier
from ledger.log.proof import root_at
from ledger.signing.keyrecord import SignedRecord, register_checkpoint_key, register_intake
from ledger.signing.keys import Signer, load_verifier
from ledger.store.port import Draft, LedgerDamaged
from ledger.store.sealing import ReadOnly, Sealer
from ledger.store.sql.engine import Database
from ledger.store.sql.store import SqlLedger
from ledger.store.sql.types import to_micros
from ledger.store.sql.writer import SqlWriter

_RAW_ED25519 = 32  # at the end of the DER SubjectPublicKeyInfo of such a key
MOST_KEPT = 1000
"""Kept heads that are looked at for one to prove by."""
_NOTES = 4
"""Signed notes remembered as opened: that of the present head, and a few that are served beside it."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class Provable:
    """A head of this log to prove by: its note and size; `refusal` says why it is a kept one, None where fresh."""

    note: bytes
    size: int
    refusal: CaptureStopped | None = None

    @property
    def warning(self) -> str | None:
        """What whoever takes a proof is told where the head is a kept one."""
        if self.refusal is None:
            return None
        return (
            f"This node signs no head now: {self.refusal.detail}. This is proven by the newest head that was kept and "
            f"that the ledger still holds to, of {self.size} entries."
        )


@dataclass
class Node:
    """The node's own part of the ledger. One a process; threads may share it."""

    database: Database
    origin: str
    data_dir: Path
    clock: Clock
    passphrase: Passphrase = field(default=lambda: None, repr=False)

    def __post_init__(self) -> None:
        self._checked = False
        self._refusal: CaptureStopped | None = None
        self._lock = threading.Lock()
        # Each scan asks for the head that the last one asked for, and what signed a note does not change.
        self._opened = lru_cache(maxsize=_NOTES)(self._open)
        self._signed_by = lru_cache(maxsize=_NOTES)(self._find_key)

    @cached_property
    def ledger(self) -> SqlLedger:
        return SqlLedger(self.database, self.origin)

    @cached_property
    def keys(self) -> NodeKeys:
        """The node's own keys."""
        return NodeKeys(self.data_dir / "keys", self.origin, self.passphrase)

    @cached_property
    def vault(self) -> Vault:
        """Opens what is kept encrypted, and takes its keys away."""
        return Vault.at(self.data_dir, self.origin)

    @property
    def intake_key(self) -> Signer:
        """Signs what the node received. Raises `AppError` where `packproof init` has not run."""
        return self.keys.intake

    @cached_property
    def sealer(self) -> Sealer:
        """Signs heads against the mark. A node of before there were ML-DSA-44 keys gets its own here."""
        if not self._cosigned_before():
            self.keys.make_mldsa()
        return Sealer(
            self.ledger, self.data_dir / "mark", self._signers, lambda: self.keys.cosigners, self.seconds
        )

    def _signers(self) -> list[NoteSigner]:
        """Whose keys sign a head now: each that lies here and counts, two of them while one follows another."""
        here = self.keys.checkpoints
        with self.database.reading() as connection:
            known = devices.keys(connection, [key.thumbprint for key in here])
        states = [known[key.thumbprint].state if key.thumbprint in known else "" for key in here]
        # The present key signs until the ledger says that it has ended; one that follows, when the ledger has it.
        counts = [states[0] != "revoked", *(state == "valid" for state in states[1:])]
        return [
            NoteSigner(self.origin, key.private_key) for key, yes in zip(here, counts, strict=True) if yes
        ]

    def _cosigned_before(self) -> bool:
        with self.ledger.reading() as reader:
            latest = reader.latest_checkpoint()
        if latest is None:
            return False
        # The key may be gone: what tells the line is its name, which no witness shares, and its length.
        length = TIME_BYTES + SIGNATURE_BYTES
        try:
            lines = Note.parse(latest.note).signatures
        except VerificationError:
            return True  # damaged: the seal will say so, and nothing is made because of it
        return any(line.name == self.origin and len(line.sig) == length for line in lines)

    def seconds(self) -> int:
        """The time since 1970 that a cosignature made now says."""
        return int(self.clock.now().timestamp())

    @property
    def verifier_key(self) -> str:
        """The key that checks this node's checkpoints, as C2SP notes write it: what a scanner pins."""
        return str(self.note_verifier)

    @property
    def note_verifier(self) -> NoteVerifier:
        """Checks this node's checkpoints."""
        return self.keys.note_signer.verifier

    @property
    def present_verifiers(self) -> tuple[NoteVerifier, ...]:
        """The keys that sign heads now: one, or two while one follows another."""
        return tuple(signer.verifier for signer in self._signers())

    @property
    def note_verifiers(self) -> tuple[NoteVerifier, ...]:
        """Every key that ever signed heads of this log, the present one first: what checks those that were kept."""
        with self.database.reading() as connection:
            return self.verifiers_in(connection)

    def verifiers_in(self, connection: Connection) -> tuple[NoteVerifier, ...]:
        """As `note_verifiers`, of what this connection sees."""
        found = [self.note_verifier]
        for spki in devices.checkpoint_spkis(connection):
            with contextlib.suppress(LedgerError, ValueError):  # a damaged row: the audit of keys names it
                load_verifier(spki)
                found.append(NoteVerifier(self.origin, spki[-_RAW_ED25519:]))
        return tuple(dict.fromkeys(found))

    def opened(self, note: bytes) -> SignedCheckpoint:
        """A head of this log, by whichever of its keys it was signed. Raises `VerificationError`."""
        return self._opened(note)

    def _open(self, note: bytes) -> SignedCheckpoint:
        try:
            return SignedCheckpoint.open(note, [self.note_verifier])
        except VerificationError:
            return SignedCheckpoint.open(note, self.note_verifiers)

    def key_of(self, note: bytes) -> NoteVerifier:
        """The key to check the head in `note` by, the newest where several signed it. Raises `VerificationError`."""
        return self._signed_by(note)

    def _find_key(self, note: bytes) -> NoteVerifier:
        return self.opened(note).note.verify(self.note_verifiers)[0]

    @property
    def mldsa_verifier(self) -> NoteVerifier:
        """Checks the ML-DSA-44 cosignature on this node's checkpoints (type 0x06). Raises `AppError`."""
        return self.keys.mldsa.cosigner.verifier

    @property
    def mldsa_verifiers(self) -> tuple[NoteVerifier, ...]:
        """The keys that cosign heads now, the present one first: one, or two while one follows another."""
        return tuple(cosigner.verifier for cosigner in self.keys.cosigners)

    def may_write(self) -> None:
        """Raise `CaptureStopped` where the ledger does not go on from what was signed: read-only, and why.

        The comparison with the mark is made once a process before its first append, and by every seal.
        """
        if self._checked:
            return
        with self._lock:
            if self._refusal is not None:
                raise self._refusal
            if not self._checked:
                self._guard(self.sealer.check_at_start)
                self._checked = True

    def checkpoint(self) -> bytes:
        """The signed checkpoint of the present head, as a note. Raises `CaptureStopped` where it must not be signed."""
        if self._refusal is not None:
            raise self._refusal
        note: list[bytes] = []
        self._guard(lambda: note.append(self.sealer.seal()))
        self._checked = True
        return note[0]

    def provable(self) -> Provable:
        """The present head, signed; or, where it must not be signed, the newest one kept that is on this tree.

        What was signed stays proven whatever became of the node since. Raises `CaptureStopped` where no head is kept.
        """
        try:
            note = self.checkpoint()
        except CaptureStopped as refusal:
            return self._kept(refusal)
        return Provable(note, self.opened(note).checkpoint.size)

    def _kept(self, refusal: CaptureStopped) -> Provable:
        with self.ledger.auditing() as reader:
            kept = reader.latest_checkpoint()
            for _ in range(MOST_KEPT):
                if kept is None:
                    break
                with contextlib.suppress(LedgerError):  # damaged, or not on this tree: an older one may be
                    head = self.opened(kept.note).checkpoint
                    if head.size == kept.size and root_at(reader, head.size) == head.root:
                        return Provable(kept.note, head.size, refusal)
                kept = reader.checkpoint_at_or_below(kept.size - 1)
        raise refusal

    @property
    def refusal(self) -> CaptureStopped | None:
        """Why this node is read-only; None while it is not, as far as this process has looked."""
        return self._refusal

    def _guard(self, act: Callable[[], None]) -> None:
        try:
            act()
        except ReadOnly as error:
            self._checked = False
            self._refusal = CaptureStopped(
                str(error),
                "packproof ledger recover says what fits; docs/operating/node.md has the rest.",
            )
            raise self._refusal from error
        except LedgerDamaged as error:
            # Asked anew each time: whoever puts the row right need not restart the node.
            self._checked = False
            raise CaptureStopped(
                str(error),
                "Nothing was signed. packproof fsck names the first row that is not as it must be.",
            ) from error
        except MarkError as error:
            cause = error.__cause__
            if isinstance(cause, OSError) and cause.errno in _NO_ROOM:
                raise CaptureStopped(str(error), "Make room; it goes on by itself then.", 507) from error
            # A disk that failed once may say of the next fsync that all is well (and have dropped what it had).
            self._checked = False
            self._refusal = CaptureStopped(
                str(error), "Nothing was signed. Look at the disk, run packproof fsck, restart the node."
            )
            raise self._refusal from error

    def initialise(self) -> bool:
        """Create keys, ledger and its first two entries where they are missing; whether anything was new.

        Raises `AppError` where the database holds a ledger whose keys are not here: they are never made anew for it.
        """
        self.ledger.create()
        with self.ledger.reading() as reader:
            begun = reader.head().size > 0
        if begun:
            self.keys.intake, self.keys.checkpoint  # noqa: B018 - says what is missing
            self.keys.make_mldsa()
            return False
        self.keys.make()
        self.may_write()
        records = [
            register_intake(self.origin, self.intake_key, "intake key of this node"),
            register_checkpoint_key(
                self.origin, self.intake_key, self.keys.checkpoint.spki, "checkpoint key of this node"
            ),
        ]
        with self.database.writing() as connection:
            writer = SqlWriter(connection, self.origin)
            if writer.lock().size:
                return False
            entries = writer.append([self.draft_of(record, [self.intake_key]) for record in records])
            for record, entry in zip(records, entries, strict=True):
                devices.insert_key(connection, record.record, None, entry.index)
        self.checkpoint()
        return True

    def draft_of(self, record: SignedRecord, signers: Sequence[Signer]) -> Draft:
        """The entry of a key record of the node's own, before it has its place; `signers` are those who signed it."""
        envelope = record.envelope
        return Draft(
            Kind.KEY,
            to_micros(self.clock.now()) // 1000,
            envelope.statement,
            envelope.entry_signatures([load_verifier(signer.spki) for signer in signers]),
            record.seed,
        )

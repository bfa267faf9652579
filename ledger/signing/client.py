"""A party's own side of signing: its key folder, its chain, and what it signed but nobody has acknowledged yet.

A party's keys are made here and stay here; the node only ever sees registrations and envelopes. A **root folder**
belongs in a safe, a **key folder** on the device that signs::

    make_root(Path("safe"), "9506000134352", "packproof.example/ledger")       # -> Registration, for `party add --root`
    make_device(Path("dock-3"), Path("safe"), "Dock 3")                        # -> Registration, for POST /devices

    folder = KeyFolder.open(Path("dock-3"))
    capture = sign_capture(folder, raw, "application/json", [event.fields() for event in document.events])
    # send capture.envelope, capture.seed, capture.document to POST /ledger/captures; then
    folder.acknowledged(capture, receipt)          # or folder.refused(capture, why), or neither: it stays in the outbox
    for capture in folder.outbox(): ...            # what is still to be sent: the same bytes as before

In a key folder::

    key.pem              the private key, 0600        registration.json   envelope, document, seed (base64)
    key.uri              instead: where in a token it lies (`ledger.signing.holder`)
    revocation.json      a root's only: its revocation by itself, signed beforehand (docs/operating/keys.md)
    state.json           party, ledger, label, stream, seq, prev, registered
    outbox/SEQ.json      signed, not acknowledged     sent/CONTENT.json   acknowledged, with the receipt
    refused/SEQ.json     parked for a person          lock                one process signs at a time

Everything is on the disk (fsync) before `sign_capture` returns, so a crash never makes two statements of one number.
The same content is never signed twice: signing it again gives the first capture, byte for byte, also after it was sent
or was parked. Only a document that a node refused, and that says the same in other bytes now, is signed anew.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from ledger.log.encoding import from_hex, to_json
from ledger.log.entry import Kind
from ledger.signing.captured import SignedCapture as SignedCapture
from ledger.signing.captured import content_of, own_object
from ledger.signing.commitment import SEED_BYTES, Record, commit
from ledger.signing.durable import locked, make_folder, write_whole
from ledger.signing.envelope import Envelope, sign
from ledger.signing.holder import HERE, Place, make_key, open_key
from ledger.signing.holder import KEY as KEY
from ledger.signing.keyrecord import (
    Action,
    KeyRecord,
    Role,
    SignedRecord,
    register_key,
    register_root,
    revoke,
)
from ledger.signing.keys import Signer
from ledger.signing.registration import ClientError as ClientError
from ledger.signing.registration import Registration as Registration
from ledger.signing.registration import load_registration as load_registration
from ledger.signing.statement import Chain, Commit, Statement

REGISTRATION: Final = "registration.json"
REVOCATION: Final = "revocation.json"
PARKED: Final = "capture.parked"
"""The code of a node's answer that it keeps the late act of an ended key, until a person decides."""
_STATE: Final = "state.json"
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class _State:
    """Where the key's chain stands: `seq` statements are signed, `prev` is SHA-256 of the last."""

    party: str
    ledger: str
    label: str
    role: str
    stream: bytes
    seq: int
    prev: bytes

    def encode(self) -> bytes:
        return to_json(
            {
                "v": _VERSION,
                "party": self.party,
                "ledger": self.ledger,
                "label": self.label,
                "role": self.role,
                "stream": self.stream.hex(),
                "seq": self.seq,
                "prev": self.prev.hex(),
            }
        )

    @classmethod
    def load(cls, path: Path) -> "_State":
        try:
            value = own_object(path.read_bytes())
            if value.pop("v") != _VERSION:
                raise ClientError(f"{path} was written by another version of this program")
            return cls(
                **{**value, "stream": from_hex(value["stream"]), "prev": from_hex(value["prev"], length=32)}
            )
        except OSError as error:
            raise ClientError(
                f"{path.parent} is no key folder: {path.name} cannot be read ({error.strerror})"
            ) from error
        except (KeyError, TypeError, AttributeError) as error:
            raise ClientError(f"{path} is not as this program left it: {error}") from error


class KeyFolder:
    """One key of a party on this machine. Made by `make_root` or `make_device`, found again by `open`."""

    def __init__(self, path: Path, signer: Signer, state: _State) -> None:
        self.path = path
        self.signer = signer
        self.party = state.party
        """GLN of the party the key belongs to."""
        self.ledger = state.ledger
        """Origin of the ledger it signs for."""
        self.label = state.label
        self.role = Role(state.role)

    @classmethod
    def open(cls, path: Path, passphrase: bytes | None = None) -> "KeyFolder":
        """The key folder at `path`. Raises `ClientError` or `KeyFileError` with what is wrong with it."""
        state = _State.load(path / _STATE)
        return cls(path, open_key(path, passphrase), state)

    @property
    def thumbprint(self) -> bytes:
        """SHA-256 of the key's SubjectPublicKeyInfo: its name everywhere."""
        return self.signer.thumbprint

    @property
    def registration(self) -> Registration:
        """The key's signed registration. Sending it again changes nothing at the node."""
        return load_registration(self.path / REGISTRATION)

    def outbox(self) -> list[SignedCapture]:
        """What was signed and not acknowledged yet, in the order of signing."""
        return [
            SignedCapture.parse(path.read_bytes())
            for path in sorted(self._folder("outbox").glob("[0-9]*.json"))
        ]

    def refused_captures(self) -> list[SignedCapture]:
        """What the node refused for good: parked for a person; `receipt` holds the node's words."""
        return [
            SignedCapture.parse(path.read_bytes())
            for path in sorted(self._folder("refused").glob("[0-9]*.json"))
        ]

    def acknowledged(self, capture: SignedCapture, receipt: Mapping[str, Any]) -> None:
        """The node has it, durably: keep it with its receipt, and send it no more."""
        self._settle(capture, receipt, self._folder("sent") / f"{capture.content}.json")

    def refused(self, capture: SignedCapture, reason: Mapping[str, Any]) -> None:
        """The node will never take it: park it for a person. Nothing signed is thrown away."""
        self._settle(capture, reason, self._folder("refused") / _numbered(capture.seq))

    def _settle(self, capture: SignedCapture, answer: Mapping[str, Any], path: Path) -> None:
        kept = replace(capture, receipt=dict(answer))
        with locked(self.path):
            state = _State.load(self.path / _STATE)
            if capture.seq > state.seq:
                # A crash came between the two writings: once this has left the outbox, nothing else tells its number.
                write_whole(self.path / _STATE, _after(state, capture).encode())
            write_whole(path, kept.encode())
            for name in ("outbox", "refused"):
                if (other := self._folder(name) / _numbered(capture.seq)) != path:
                    other.unlink(missing_ok=True)

    def _folder(self, name: str) -> Path:
        path = self.path / name
        make_folder(path)
        return path

    def _signed_before(self, content: str, raw: bytes, refs: tuple[bytes, ...]) -> SignedCapture | None:
        """The capture of this content that was signed before: sent, in the outbox, or put there again from refused."""
        sent = self._folder("sent") / f"{content}.json"
        if sent.exists():
            return SignedCapture.parse(sent.read_bytes())
        waiting = next((capture for capture in self.outbox() if capture.content == content), None)
        return waiting or self._tried_again(content, raw, refs)

    def _tried_again(self, content: str, raw: bytes, refs: tuple[bytes, ...]) -> SignedCapture | None:
        """What was refused goes out again as it is: a node that parked it would else park it, and its gap, twice.

        One that was refused in other bytes may have been mended since, and one that now refers to what it adopts says
        more than the first.
        """
        for capture in self.refused_captures():
            parked = (capture.receipt or {}).get("code") == PARKED
            same = capture.content == content and (parked or capture.document == raw)
            if same and Statement.parse(Envelope.parse(capture.envelope).statement).refs == refs:
                again = replace(capture, receipt=None)
                write_whole(self._folder("outbox") / _numbered(capture.seq), again.encode())
                (self._folder("refused") / _numbered(capture.seq)).unlink()
                return again
        return None

    def _present(self) -> _State:
        """The state, brought up to what lies in the outbox: a crash may have come between the two writings."""
        state = _State.load(self.path / _STATE)
        for capture in self.outbox():
            if capture.seq > state.seq:
                state = _after(state, capture)
        return state


def _after(state: _State, capture: SignedCapture) -> _State:
    """The state once `capture` has taken its number."""
    statement = Envelope.parse(capture.envelope).statement
    return replace(state, seq=capture.seq, prev=sha256(statement).digest())


def sign_capture(
    folder: KeyFolder,
    raw: bytes,
    content_type: str,
    records: Sequence[Record],
    refs: tuple[bytes, ...] = (),
    also: Sequence[KeyFolder] = (),
) -> SignedCapture:
    """Sign the document `raw`, whose events' fields are `records`, as the next statement of the folder's chain.

    `refs` are leaves of the ledger that it refers to. The keys in `also`, such as the person's at this device, sign
    along: the number is taken in `folder`'s chain alone. The same content again gives the capture that was signed
    first; one with a `receipt` has been acknowledged. It is in the outbox when this returns. Raises `ClientError` for
    a root folder, because a root signs keys only, and for one in `also` of another party or ledger.
    """
    for each in (folder, *also):
        if each.role is Role.ROOT:
            raise ClientError(
                f"{each.path} holds a root key, which signs keys and no captures: use a device's folder"
            )
        if (each.party, each.ledger) != (folder.party, folder.ledger):
            raise ClientError(
                f"{each.path} holds a key of {each.party} for {each.ledger}: it cannot sign along"
            )
    content = content_of(records)
    with locked(folder.path):
        known = folder._signed_before(content, raw, refs)
        if known is not None:
            return known
        state = folder._present()
        seed, seq = secrets.token_bytes(SEED_BYTES), state.seq + 1
        root = commit(sha256(raw).digest(), [], records, seed)
        statement = Statement.new(
            folder.ledger,
            folder.thumbprint,
            Kind.CAPTURED,
            Commit(root, len(records)),
            refs=refs,
            chain=Chain(state.stream, seq, state.prev),
        ).encode()
        envelope = sign(statement, [folder.signer, *(each.signer for each in also)])
        capture = SignedCapture(envelope.encode(), seed, raw, content_type, seq, content)
        # The outbox first: a number that the state does not know yet is found there again, never used twice.
        write_whole(folder._folder("outbox") / _numbered(seq), capture.encode())
        write_whole(folder.path / _STATE, _after(state, capture).encode())
    return capture


def make_root(
    path: Path, party: str, ledger: str, label: str = "root key", *, place: Place = HERE
) -> Registration:
    """Make a party's root key in the new folder `path`, and its registration in the log `ledger`.

    `party` is a GLN of 13 digits. The registration goes to the node's operator. Beside it lies its revocation, signed
    beforehand: kept elsewhere, it ends a root that was lost. Raises `ClientError` where a key lies.
    """
    signer = _new_key(path, place)
    return finish_root(path, signer, register_root(ledger, signer, party, label), ledger)


def finish_root(path: Path, signer: Signer, signed: SignedRecord, ledger: str) -> Registration:
    """Write what a root's folder holds beside its key."""
    record = KeyRecord(Action.REGISTER, signer.spki, Role.ROOT, signed.record.party, signed.record.label)
    ended = revoke(ledger, signer, record)
    write_whole(path / REVOCATION, Registration.of(ended).encode())
    return _finish(path, signed, ledger)


def make_device(
    path: Path,
    root: "Path | KeyFolder",
    label: str,
    role: Role = Role.DEVICE,
    *,
    place: Place = HERE,
    replaces: "KeyFolder | None" = None,
) -> Registration:
    """Make a key in the new folder `path`, registered by the root in the folder `root`: a device's, a person's, or a
    further root of the party. The key in `replaces`, whose place it takes, signs along.

    The registration goes to ``POST /devices`` (a root's to ``POST /ledger/keys``). Raises `ClientError` where a key
    lies, `root` holds no root, or `replaces` a key of another party or role.
    """
    owner = root if isinstance(root, KeyFolder) else KeyFolder.open(root)
    if owner.role is not Role.ROOT:
        raise ClientError(f"{owner.path} holds a {owner.role} key; only a party's root registers keys")
    if replaces is not None and (replaces.party, replaces.role) != (owner.party, role):
        raise ClientError(
            f"{replaces.path} holds a {replaces.role} key of {replaces.party}, not a {role} key"
        )
    signer, old = _new_key(path, place), replaces.signer if replaces is not None else None
    record = register_key(owner.ledger, owner.signer, signer, role, owner.party, label, replaces=old)
    if role is Role.ROOT:
        return finish_root(path, signer, record, owner.ledger)
    return _finish(path, record, owner.ledger)


def _new_key(path: Path, place: Place) -> Signer:
    if (path / _STATE).exists():
        raise ClientError(f"{path} holds a key already; a key is never written over. Take another folder")
    make_folder(path)
    # What a making that was cut short left is taken up: nothing has been registered by it yet.
    return make_key(path, place)


def _finish(path: Path, signed: SignedRecord, ledger: str) -> Registration:
    registration = Registration.of(signed)
    assert signed.record.party is not None
    state = _State(
        signed.record.party,
        ledger,
        signed.record.label,
        signed.record.role.value,
        secrets.token_bytes(16),
        0,
        sha256(signed.envelope.statement).digest(),
    )
    write_whole(path / REGISTRATION, registration.encode())
    write_whole(path / _STATE, state.encode())
    return registration


def _numbered(seq: int) -> str:
    return f"{seq:016d}.json"

"""What a party does with its keys after it has made them: end one, take one back, give up the number of an act.

Everything is signed here, at the party's place, and sent as `Registration` (a record with its envelope and seed)::

    end_key(root, Action.REVOKE, known, suspect_since=812)        -> POST /ledger/keys
    reinstate(root, folder)                                       -> POST /ledger/keys
    give_up(folder, refused, "scanned twice")                     -> POST /ledger/voids
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ledger.signing.aside import sign_void
from ledger.signing.client import KeyFolder, SignedCapture
from ledger.signing.durable import locked, make_folder, write_whole
from ledger.signing.envelope import Envelope
from ledger.signing.keyrecord import Action, KeyRecord, Role, register_key, sign_record
from ledger.signing.registration import ClientError, Registration
from ledger.signing.statement import Statement

CLOSED: Final = "closed"


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key to be ended: what its registration said."""

    spki: bytes
    role: Role
    label: str


def end_key(
    root: KeyFolder, action: Action, known: KnownKey, *, suspect_since: int | None = None
) -> Registration:
    """The suspension or revocation of a key, signed by the party's root. `suspect_since` for a revocation alone."""
    _require_root(root)
    record = KeyRecord(action, known.spki, known.role, root.party, known.label, suspect_since)
    return Registration.of(sign_record(record, root.ledger, [root.signer]))


def reinstate(root: KeyFolder, folder: KeyFolder) -> Registration:
    """The new registration of a suspended key, which signs along. Its chain goes on where it stood."""
    _require_root(root)
    if (folder.party, folder.ledger) != (root.party, root.ledger):
        raise ClientError(f"{folder.path} holds a key of {folder.party} for {folder.ledger}")
    signed = register_key(root.ledger, root.signer, folder.signer, folder.role, root.party, folder.label)
    return Registration.of(signed)


def give_up(folder: KeyFolder, refused: SignedCapture, why: str) -> Registration:
    """The void-seq for an act that will never be recorded, signed by `folder`'s key: its own or its party's."""
    if folder.role is Role.ROOT:
        raise ClientError(f"{folder.path} holds a root key, which signs keys alone: use a device's folder")
    given_up = Statement.parse(Envelope.parse(refused.envelope).statement)
    made = sign_void(given_up, folder.ledger, folder.signer, why)
    return Registration(made.envelope.encode(), made.document, made.seed)


def pending_void(folder: KeyFolder, of: KeyFolder, refused: SignedCapture, why: str) -> Registration:
    """As `give_up`, kept in the folder before it is sent, so that sending again sends the same bytes."""
    kept = _folder(of.path) / f"{refused.seq:016d}.void.json"
    with locked(of.path):
        if kept.exists():
            return Registration.parse(kept.read_bytes())
        made = give_up(folder, refused, why)
        write_whole(kept, made.encode())
    return made


def closed_capture(of: KeyFolder, seq: int) -> SignedCapture | None:
    """The act of this number that waits no more, because it was adopted: its number can still be given up."""
    path = of.path / CLOSED / f"{seq:016d}.json"
    return SignedCapture.parse(path.read_bytes()) if path.exists() else None


def close(of: KeyFolder, refused: SignedCapture, answer: Mapping[str, Any]) -> None:
    """What was parked or refused has been adopted or given up: it is kept with the answer, and listed no more."""
    with locked(of.path):
        name = f"{refused.seq:016d}.json"
        write_whole(_folder(of.path) / name, replace(refused, receipt=dict(answer)).encode())
        (of.path / "refused" / name).unlink(missing_ok=True)


def _folder(path: Path) -> Path:
    closed = path / CLOSED
    make_folder(closed)
    return closed


def _require_root(root: KeyFolder) -> None:
    if root.role is not Role.ROOT:
        raise ClientError(f"{root.path} holds a {root.role} key; only a party's root registers and ends keys")

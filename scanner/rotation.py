"""A bench gets a new key in its own folder: same node, same party, same remembered head.

A bench's token hangs on its key: the node gives it to who proves to hold a registered key, and takes it no more once
that key has ended. So the two go together, and in an order in which a crash leaves a bench that works::

    1  the node's head is held against the remembered one                      nothing has changed
    2  rotation/key/     the new key, signed for by root, new and old key        (root and new one where the old ended)
    3  POST /devices     it is registered and answers a challenge; token       both keys count: the old one signs
    4  what the old key signed and nobody has acknowledged is sent             none may wait when its folder goes
    5  key/ becomes key-<16 hex of its thumbprint>/, rotation/key/ becomes key/     the new one signs
    6  POST /ledger/keys   the old key's revocation, which lies in its folder as ``ended.json`` from before 5

Run again after any failure it goes on where it stood, with the same new key and the same revocation.
"""

import contextlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ledger.signing.client import (
    REGISTRATION,
    KeyFolder,
    Registration,
    load_registration,
    make_device,
)
from ledger.signing.durable import locked, make_folder, write_whole
from ledger.signing.holder import URI, Place
from ledger.signing.keylife import KnownKey, end_key
from ledger.signing.keyrecord import Action, Role
from ledger.signing.unlocking import open_folder
from scanner import bench as folder
from scanner.bench import Bench
from scanner.client import NodeClient
from scanner.enrol import introduce
from scanner.errors import BenchError, NodeError
from scanner.lookup.online import FINAL, OnlineProvider
from scanner.sources import Clock

ENDED: Final = "ended.json"
_STATE: Final = "state.json"
_VALID, _REVOKED = "valid", "revoked"


@dataclass(frozen=True, slots=True)
class Rotated:
    """The bench with its new key. `parked`: acts of the old key that the node did not take, kept in `old_folder`.

    `resumed`: an earlier rotation was brought to its end, and no further key was made.
    """

    bench: Bench
    thumbprint: str
    old_folder: Path
    parked: int
    resumed: bool


@dataclass(frozen=True, slots=True)
class _Rotation:
    """One run: the bench, its node, the root that vouches, the present key and the next one's passphrase."""

    bench: Bench
    client: NodeClient
    owner: KeyFolder
    old: KeyFolder
    passphrase: bytes | None
    clock: Clock

    @property
    def home(self) -> Path:
        return self.bench.home


def unfinished(home: Path) -> bool:
    """Whether a rotation of the bench's key was begun and not brought to its end."""
    return folder.next_key_folder(home).exists() or any(home.glob(f"key-*/{ENDED}"))


def rotate(
    bench: Bench,
    client: NodeClient,
    root: Path,
    clock: Clock,
    *,
    root_passphrase_file: Path | None = None,
    passphrase: bytes | None = None,
    new_passphrase: bytes | None = None,
) -> Rotated:
    """Put a new key in the place of the bench's, vouched for by the root key in the folder `root`. `client` asks the
    node without a token, at its present address. `passphrase` opens the present key; the new one is locked by
    `new_passphrase`, and by `passphrase` where there is none.

    Also for a bench whose key has ended. Again after a failure it goes on with the same key. Raises `BenchError`,
    `LedgerError` for a key's folder, `NodeUnreachable`, `NodeError`, `TrustError`.
    """
    home = bench.home
    owner = open_folder(root, root_passphrase_file)
    if (owner.role, owner.party, owner.ledger) != (Role.ROOT, bench.party, bench.enrolment.origin):
        raise BenchError(
            "node-address",
            f"the key in {root} is a {owner.role} key of {owner.party} for {owner.ledger}; this bench needs the root "
            f"of {bench.party} for {bench.enrolment.origin}",
        )
    moved = replace(bench, enrolment=replace(bench.enrolment, node=client.url))
    OnlineProvider(moved, client, clock).look_at_head()
    moved = replace(Bench.open(home), enrolment=moved.enrolment)  # the log's key may have been followed
    make_folder(folder.next_key_folder(home).parent)
    with locked(folder.next_key_folder(home).parent):
        folder.take_place(home)
        if begun := sorted(home.glob(f"key-*/{ENDED}")):
            present = KeyFolder.open(folder.key_folder(home), new_passphrase or passphrase)
            for pending in begun:
                _end(client, pending)
            return Rotated(bench, present.thumbprint.hex(), begun[-1].parent, 0, resumed=True)
        if (folder.key_folder(home) / URI).exists():
            raise BenchError(
                "bench-damaged",
                f"the key of {home} is in a token, and a new one would lie in a file: enrol anew",
            )
        old = KeyFolder.open(folder.key_folder(home), passphrase)
        run = _Rotation(moved, client, owner, old, new_passphrase or passphrase, clock)
        return _rotated(run)


_AGAIN: Final = "Run packproof-scan rotate again: it goes on with the same new key."


def _rotated(run: _Rotation) -> Rotated:
    state = _state(run.client, run.old.registration)
    new, token = _introduced(run, replaces=run.old if state == _VALID else None)
    # From here on the token is the new key's, and outlives the old one.
    folder.change_address(run.home, run.client.url)
    folder.change_token(run.home, token)
    parked = _send_waiting(run, token)
    with run.bench.locked(), locked(run.old.path):
        if run.old.outbox():
            raise BenchError(
                "still-waiting",
                f"something was signed here meanwhile and is not sent yet; the old key stays until it is. {_AGAIN}",
            )
        if state != _REVOKED:
            known = KnownKey(run.old.signer.spki, run.old.role, run.old.label)
            write_whole(run.old.path / ENDED, end_key(run.owner, Action.REVOKE, known).encode())
        try:
            folder.replace_key(run.home, run.old.thumbprint)
        except OSError as error:
            raise BenchError(
                "bench-damaged", f"the new key cannot be put in its place: {error}. {_AGAIN}"
            ) from error
    retired = folder.retired_folder(run.home, run.old.thumbprint)
    if (retired / ENDED).exists():
        _end(run.client, retired / ENDED)
    return Rotated(Bench.open(run.home), new.thumbprint.hex(), retired, parked, resumed=False)


def _introduced(run: _Rotation, replaces: KeyFolder | None) -> tuple[KeyFolder, str]:
    """The new key, registered with the node, and its token."""
    path = folder.next_key_folder(run.home)
    if not (path / _STATE).exists():
        make_device(
            path, run.owner, run.old.label, Role.DEVICE, place=Place(run.passphrase), replaces=replaces
        )
    new = KeyFolder.open(path, run.passphrase)
    try:
        answer = introduce(run.client, run.owner.ledger, new.signer, new.registration)
    except NodeError as error:
        if error.problem == "key.replaced":
            # The old key, which signed along, has ended meanwhile: no node takes this registration ever again.
            shutil.rmtree(path)
            message = f"{error.message} This bench's key ended a moment ago. Run packproof-scan rotate again."
            raise NodeError(error.code, message, error.status, error.problem) from error
        raise
    token = answer.get("token")
    if not isinstance(token, str) or not token.isascii() or answer.get("party") != run.owner.party:
        raise NodeError("node-answer", "the node's answer to the new key's registration cannot be read")
    return new, token


def _send_waiting(run: _Rotation, token: str) -> int:
    """Send what the old key signed; how many of it the node did not take. They stay in that key's folder, and
    `packproof key parked` lists them."""
    desk = replace(run.bench, _opened=[run.old])
    provider = OnlineProvider(desk, NodeClient(run.client.url, token), run.clock)
    refused = 0
    for capture in run.old.outbox():
        try:
            provider.send(capture)
        except NodeError as error:
            if error.status not in FINAL:
                raise
            refused += 1
    return refused


def _end(client: NodeClient, pending: Path) -> None:
    """Send the old key's revocation, unless it has ended otherwise since."""
    if _state(client, load_registration(pending.parent / REGISTRATION)) != _REVOKED:
        _post(client, load_registration(pending))
    with contextlib.suppress(FileNotFoundError):
        pending.unlink()


def _state(client: NodeClient, registration: Registration) -> str:
    """How a key stands at the node: a registration that it knows changes nothing there, and is answered by that."""
    try:
        return str(_post(client, registration)["key"]["state"])
    except (KeyError, TypeError) as error:
        raise NodeError("node-answer", "the node does not say how the key stands") from error


def _post(client: NodeClient, record: Registration) -> Mapping[str, Any]:
    return client.post_parts(
        "/ledger/keys",
        {
            "envelope": ("envelope.json", record.envelope, "application/json"),
            "document": ("document.json", record.document, "application/json"),
            "seed": ("seed", record.seed, "application/octet-stream"),
        },
    )

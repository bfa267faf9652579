"""A bench joins a node: its key is made here, its party's root vouches for it, and only public keys travel.

    enrol(home, "https://packproof.example", root_folder, "Dock 3", clock)

The first checkpoint is taken on trust, like the log's key: compare the key's short form, which the command prints,
with the one the node's operator reads out. From then on every later head must continue the first.
"""

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.errors import LedgerError
from ledger.log.checkpoint import Checkpoint
from ledger.log.note import Note, NoteVerifier
from ledger.signing.client import KEY, REGISTRATION, KeyFolder, Registration, make_device, make_root
from ledger.signing.enrolment import answer as prove_key
from ledger.signing.holder import Place
from ledger.signing.keyrecord import Role
from ledger.signing.keys import Signer
from ledger.signing.unlocking import open_folder
from scanner import bench
from scanner.bench import Bench, Enrolment
from scanner.client import NodeClient
from scanner.errors import BenchError, NodeError
from scanner.sources import Clock


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The bench as it stands now, and what its party is called on the node."""

    bench: Bench
    party_name: str
    thumbprint: str
    size: int


def origin_of(client: NodeClient) -> str:
    """The name of the node's ledger. Raises `NodeUnreachable`, `NodeError`."""
    return _head(client)[1].origin


def make_party_root(
    folder: Path, party: str, name: str, origin: str, passphrase: bytes | None = None
) -> Registration:
    """Make a party's root key in `folder`, for the ledger `origin`; locked by `passphrase`. Raises `LedgerError`."""
    return make_root(folder, party, origin, name, place=Place(passphrase))


def root_folder(path: Path) -> Path:
    """The folder of a root key, whether it was named itself or a file in it was."""
    return path.parent if path.name in (KEY, REGISTRATION) else path


def default_label() -> str:
    """What a bench is called unless somebody says: the machine's name."""
    return socket.gethostname() or "bench"


def enrol(
    home: Path,
    client: NodeClient,
    root: Path,
    label: str,
    clock: Clock,
    *,
    root_passphrase_file: Path | None = None,
    passphrase: bytes | None = None,
) -> Enrolled:
    """Enrol the bench in `home` with the node behind `client`, vouched for by the root key in the folder `root`, which
    the first line of `root_passphrase_file` opens if it is locked. The bench's own key is locked by `passphrase`.

    Again after a failure it goes on with the same key. Raises `BenchError` ``already-enrolled``, `LedgerError` for the
    root's folder, `NodeUnreachable`, `NodeError`, and `TrustError` where the node's head is not signed by its own key.
    """
    if (home / "bench.json").exists():
        raise BenchError(
            "already-enrolled",
            f"{home} belongs to {Bench.open(home).enrolment.node} already. A new key for this bench: packproof-scan "
            "rotate --root-key FOLDER. A second node needs a folder of its own: --home DIR",
        )
    owner = open_folder(root, root_passphrase_file)
    _, head = _head(client)
    if head.origin != owner.ledger:
        raise BenchError(
            "node-address",
            f"the root key in {root} signs for the ledger {owner.ledger}; {client.url} keeps {head.origin}. "
            "Is this the right node?",
        )
    bench.make_home(home)
    registration = _device(bench.key_folder(home), owner, label, passphrase)
    device = KeyFolder.open(bench.key_folder(home), passphrase).signer
    answer = introduce(client, owner.ledger, device, registration)
    made, name, size = _agreed(home, client, owner, label, answer, clock)
    return Enrolled(made, name, device.thumbprint.hex(), size)


def introduce(client: NodeClient, origin: str, device: Signer, registration: Registration) -> dict[str, Any]:
    """Have the key registered that `registration` is about, and prove that `device` holds it; the node's answer, with
    the key's new token in it. Again it gives another token and ends the older ones of this key. Raises
    `NodeUnreachable`, `NodeError`."""
    challenge = _challenge(client)
    return client.post_parts(
        "/devices",
        {
            "envelope": ("envelope.json", registration.envelope, "application/json"),
            "document": ("document.json", registration.document, "application/json"),
            "seed": ("seed", registration.seed, "application/octet-stream"),
            "challenge": ("challenge", challenge.encode(), "text/plain"),
            "proof": ("proof", prove_key(device, origin, challenge), "application/octet-stream"),
        },
    )


def _challenge(client: NodeClient) -> str:
    """What the device's key has to sign now: a registration that somebody kept gets no token."""
    found = client.post_json("/devices/challenges", {}).get("challenge")
    if not isinstance(found, str) or not (found.isascii() and found.isalnum()) or len(found) > 200:
        raise NodeError("node-answer", "the node's challenge cannot be read")
    return found


def _agreed(
    home: Path, client: NodeClient, owner: KeyFolder, label: str, answer: dict[str, Any], clock: Clock
) -> tuple[Bench, str, int]:
    """The bench as it was agreed, what its party is called, and the size of the head that it remembers."""
    try:
        log = NoteVerifier.parse(answer["verifier_key"])
        token, party, name = str(answer["token"]), answer["party"], str(answer["party_name"])
    except (KeyError, TypeError, AttributeError, LedgerError) as error:
        raise NodeError(
            "node-answer", f"the node's answer to the enrolment cannot be read: {error!r}"
        ) from error
    if party != owner.party or log.name != owner.ledger:
        raise NodeError(
            "node-answer", f"the node has enrolled {party} for {log.name}, which was not asked for"
        )
    now = clock()
    enrolment = Enrolment(
        client.url, owner.ledger, str(log), owner.party, label, owner.thumbprint.hex(), now.isoformat()
    )
    # A head that the registration is part of, so that it can never be undone unseen.
    note, head = _head(client)
    Bench(home, enrolment, log).memory.begin(note, now)
    made = bench.finish_enrolment(home, enrolment, token)
    return made, name, head.size


def _device(folder: Path, owner: KeyFolder, label: str, passphrase: bytes | None) -> Registration:
    if not (folder / REGISTRATION).exists():
        return make_device(folder, owner, label, Role.DEVICE, place=Place(passphrase))
    # An earlier try got as far as the key: the node may know it already.
    begun = KeyFolder.open(folder, passphrase)
    if (begun.party, begun.ledger) != (owner.party, owner.ledger):
        raise BenchError("bench-damaged", f"{folder} holds a key of {begun.party} for {begun.ledger}")
    return begun.registration


def _head(client: NodeClient) -> tuple[bytes, Checkpoint]:
    note = client.get_bytes("/ledger/checkpoint")
    try:
        return note, Checkpoint.parse(Note.parse(note).text)
    except LedgerError as error:
        raise NodeError(
            "node-answer", f"{client.url} shows no ledger's head ({error.message}): is this a packproof node?"
        ) from error

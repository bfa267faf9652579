"""A signing client remembers heads too: before it sends, it holds the node's head against the last one it saw.

In the key folder, under ``trust/`` (`ledger.witness.memory`): the log's key, pinned the first time from
``GET /ledger/policy``, the last head accepted, and conflicts. A node that shows another past gets nothing more from
here, and nothing signed is lost: it stays in the outbox.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import requests
from urllib3.exceptions import HTTPError

from app.errors import AppError
from app.shared.clock import Clock, SystemClock
from ledger.errors import LedgerError, VerificationError
from ledger.evidence.handover import split_handovers
from ledger.log.conflict import asks_beyond
from ledger.log.encoding import from_base64
from ledger.log.note import ED25519, NoteVerifier
from ledger.log.policy import MAX_POLICY_BYTES, LogPolicy
from ledger.signing.client import KeyFolder
from ledger.signing.durable import locked, make_folder
from ledger.witness.memory import Memory, pinned

CONNECT_TIMEOUT_S: Final = 5
ANSWER_TIMEOUT_S: Final = 20
_FOLDER: Final = "trust"
_MOST_HASHES: Final = 130


def look(folder: KeyFolder, node: str, clock: Clock | None = None) -> int:
    """Hold the head of the node at the address `node` against the one this folder remembers; its size.

    Raises `AppError`: ``node.unreachable``, ``client.log-...`` where it shows another past, ``client.node-distrusted``
    where it did so before.
    """
    home = folder.path / _FOLDER
    make_folder(home)
    now = (clock or SystemClock()).now()
    with locked(home):
        try:
            known = pinned(home)
            if known is None:
                known = _log_key(node, folder.ledger)
                return Memory(home, known).begin(_get(node, "/ledger/checkpoint"), now).checkpoint.size
            return _advance(home, known, node, now)
        except LedgerError as error:
            raise AppError(
                f"client.{error.code}",
                409,
                "This node is not believed, and nothing is sent to it",
                error.message,
                f"What was signed stays in the outbox. To believe it again, a person puts {home / 'trust.json'} aside.",
            ) from error


def _advance(home: Path, known: NoteVerifier, node: str, now: datetime) -> int:
    memory = Memory(home, known)
    memory.require_trusted()
    note = _get(node, "/ledger/checkpoint")
    if memory.succeeded(note):
        memory = _followed(memory, home, node, note, now)
    old, new = memory.remembered().checkpoint.size, memory.opened(note).size
    proof: Sequence[bytes] = ()
    beyond: Sequence[bytes] = ()
    if 0 < old < new:
        proof = _proof(node, old, new)
        if asks_beyond(old, new) and not memory.continues(note, proof):
            beyond = _proof(node, old + 1, new)
    return memory.accept(note, proof, now, beyond).checkpoint.size


def _followed(memory: Memory, home: Path, node: str, note: bytes, now: datetime) -> Memory:
    """The memory under the key that the log went over to, where its own handovers lead there."""
    try:
        given = split_handovers(_get(node, "/ledger/handovers"))
        return Memory(home, memory.follow(given, note, lambda old, new: _proof(node, old, new), now))
    except (AppError, LedgerError):
        if memory.refusal() is not None:
            raise  # two heads that cannot both be true: it is kept, and said at once
        memory.opened(note)  # signed by the key that is pinned here as well: nothing is lost
        return memory


def _log_key(node: str, origin: str) -> NoteVerifier:
    """The key of the ledger that this folder signs for, as the node tells it the first time."""
    policy = LogPolicy.parse(_get(node, "/ledger/policy"))
    for key in policy.log_keys:
        if key.name == origin and key.type == ED25519:
            return key
    raise VerificationError(
        f"{node} does not keep the ledger {origin} that this key signs for", code="log-key"
    )


def _proof(node: str, old: int, new: int) -> Sequence[bytes]:
    """The proof that the node gives; none where it gives none, which proves nothing."""
    try:
        value: Any = json.loads(_get(node, f"/ledger/consistency?from={old}&to={new}"))
        hashes = value["hashes"]
        if not isinstance(hashes, list) or len(hashes) > _MOST_HASHES:
            return ()
        return tuple(from_base64(item, length=32) for item in hashes)
    except AppError as error:
        if error.code == "node.unreachable":
            raise
        return ()
    except (ValueError, LookupError, TypeError, AttributeError, LedgerError, RecursionError):
        return ()


def _get(node: str, path: str) -> bytes:
    try:
        with requests.get(
            node + path,
            timeout=(CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S),
            allow_redirects=False,
            headers={"Accept-Encoding": "identity"},
            auth=lambda request: request,  # what a .netrc holds for this host stays there
            stream=True,
        ) as response:
            body, status = response.raw.read(MAX_POLICY_BYTES + 1, decode_content=False), response.status_code
    except (requests.RequestException, HTTPError, OSError) as error:
        raise _unreachable(node + path, type(error).__name__) from error
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _unreachable(node + path, f"it answers {status}")
    if status != HTTPStatus.OK or len(body) > MAX_POLICY_BYTES:
        raise AppError("node.answer", 502, f"{node} does not answer as a node does", f"{path}: {status}")
    return body


def _unreachable(url: str, why: str) -> AppError:
    return AppError(
        "node.unreachable",
        503,
        "The node cannot be reached",
        f"{url}: {why}",
        "Nothing is lost: what was signed stays in the outbox and is sent again by the next packproof capture.",
    )

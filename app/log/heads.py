"""Signed heads that others kept: read from files, fetched from witnesses; and those of other logs, from themselves.

A file is whatever somebody has that holds a checkpoint of this log: the note itself, a C2SP tlog-proof, a bench's
``trust.json`` (member ``note``), an evidence file or a handover (its checkpoint). A witness gives the newest it
cosigned, https://c2sp.org/tlog-witness::

    GET <monitoring prefix>/<hex SHA-256 of the origin>/checkpoint        404: it never cosigned this log
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import requests

from app.errors import AppError, Invalid
from app.shared import asking
from ledger.errors import VerificationError
from ledger.log.encoding import few_values
from ledger.log.logproof import LogProof
from ledger.log.note import MAX_NOTE_BYTES
from ledger.witness.state import origin_hash

CONNECT_TIMEOUT_S = 5
ANSWER_TIMEOUT_S = 20
LONGEST_S = 30
LARGEST_FILE_BYTES = 64 * 1024 * 1024
_PROOF = b"c2sp.org/tlog-proof@"


def from_file(path: Path) -> bytes:
    """The checkpoint's note in a file that somebody kept. Raises `AppError` where there is none to be found."""
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise AppError("file.unreadable", 400, f"{path} cannot be read", str(error.strerror)) from error
    if len(data) > LARGEST_FILE_BYTES:
        raise _no_checkpoint(path, f"it has more than {LARGEST_FILE_BYTES} bytes")
    try:
        return _note(data)
    except (VerificationError, ValueError, RecursionError) as error:
        raise _no_checkpoint(path, str(error)) from error


def from_witness(prefix: str, origin: str) -> bytes | None:
    """The newest checkpoint of `origin` that a witness cosigned; None where it never saw the log.

    `prefix` is its monitoring prefix. Raises `AppError` ``witness.unreachable`` where it gives no answer to rely on.
    """
    address = _address(prefix, "a witness", "https://w.example")
    return _fetched(f"{address}/{origin_hash(origin)}/checkpoint")


def from_log(prefix: str) -> bytes:
    """The newest checkpoint of the log that publishes its tiles under `prefix` (C2SP tlog-tiles), not judged yet.

    Raises `AppError` ``witness.unreachable`` where it gives no answer to rely on.
    """
    url = f"{_address(prefix, 'a log', 'https://log.example/ledger')}/checkpoint"
    found = _fetched(url)
    if found is None:
        raise _unreachable(url, "there is none")
    return found


def _address(prefix: str, whose: str, example: str) -> str:
    parts = urlsplit(prefix)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise Invalid("witness.address", f"{prefix!r} is no address of {whose}", "", f"Write {example}.")
    return prefix.rstrip("/")


def _fetched(url: str) -> bytes | None:
    """What lies at `url`, at most `MAX_NOTE_BYTES`; None where nothing does."""

    def send() -> requests.Response:
        return requests.get(
            url,
            timeout=(CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S),
            allow_redirects=False,
            headers={"Accept-Encoding": "identity"},
            auth=lambda request: request,  # what a .netrc holds for this host stays there
            stream=True,
        )

    try:
        status, body = asking.answer(url, send, MAX_NOTE_BYTES, LONGEST_S)
    except asking.NoAnswer as error:
        raise _unreachable(url, str(error)) from error
    if status == HTTPStatus.NOT_FOUND:
        return None
    if status != HTTPStatus.OK or len(body) > MAX_NOTE_BYTES:
        raise _unreachable(url, f"it answered {status}, {len(body)} bytes")
    return body


def _note(data: bytes) -> bytes:
    if data.startswith(_PROOF):
        return LogProof.parse(data).checkpoint
    if not data.lstrip().startswith(b"{"):
        return data
    value = json.loads(few_values(data))
    if isinstance(value.get("note"), str):
        return str(value["note"]).encode()
    if isinstance(value.get("checkpoint"), str):
        return str(value["checkpoint"]).encode()
    entries = value.get("entries")
    if isinstance(entries, list) and entries and isinstance(entries[0], Mapping):
        return LogProof.parse(str(entries[0].get("proof", "")).encode()).checkpoint
    raise ValueError("an object with neither a note nor proofs")


def _no_checkpoint(path: Path, why: str) -> AppError:
    return Invalid(
        "checkpoint.none",
        f"{path} holds no checkpoint",
        why,
        "Give a checkpoint as it was published, a proof, an evidence file, or a bench's trust.json.",
    )


def _unreachable(url: str, why: str) -> AppError:
    return AppError(
        "witness.unreachable",
        503,
        "No checkpoint can be had from there",
        f"{url}: {why}",
        "Ask again later, or ask another one.",
    )

"""Sending key records and void-seqs to a node, over HTTP: what a party's own machine does."""

import json
from typing import Any
from urllib.parse import urlsplit

import requests

from app.errors import AppError, Invalid
from ledger.signing.registration import Registration

CONNECT_TIMEOUT_S = 5
ANSWER_TIMEOUT_S = 60
LONGEST_ANSWER_BYTES = 16 * 1024 * 1024
_DONE = (200, 201)


def send(node: str, path: str, record: Registration) -> dict[str, Any]:
    """POST the record to the node at the address `node`; its answer. Raises `AppError` with what the node said.

    Sending again is harmless: the same record changes nothing.
    """
    url = _address(node) + path
    parts = {
        "envelope": ("envelope.json", record.envelope, "application/json"),
        "document": ("document.json", record.document, "application/json"),
        "seed": ("seed", record.seed, "application/octet-stream"),
    }
    try:
        with requests.post(
            url,
            files=parts,
            timeout=(CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S),
            allow_redirects=False,
            auth=lambda request: request,  # the signature is the credential: what a .netrc holds stays there
            stream=True,
        ) as response:
            body = response.raw.read(LONGEST_ANSWER_BYTES + 1, decode_content=True)
            status = response.status_code
    except (requests.RequestException, OSError) as error:
        raise AppError(
            "node.unreachable",
            503,
            "The node cannot be reached",
            f"{url}: {type(error).__name__}",
            "Send it again.",
        ) from error
    answer = _object(body)
    if status in _DONE:
        return answer
    raise AppError(
        str(answer.get("code", "node.refused")),
        status,
        f"{node} did not take it: {answer.get('title', status)}",
        str(answer.get("detail", "")),
        str(answer.get("next", "")),
    )


def _address(node: str) -> str:
    parts = urlsplit(node)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise Invalid("node.address", f"{node!r} is no node's address", "", "write https://packproof.example")
    return node.rstrip("/")


def _object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body) if len(body) <= LONGEST_ANSWER_BYTES else None
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        return {"title": "an answer that is no JSON object: is this a packproof node?"}
    return answer

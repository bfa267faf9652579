"""Speaking to a node over HTTP, as a party's own machine does: what is sent is signed, and nothing else is believed.

No credentials are taken from a ``.netrc``, no redirect is followed, no more of an answer is read than any answer has::

    status, answer = post_signed(address(node) + "/ledger/keys", envelope, document, seed, next_step="Send it again.")
    raise refusal(node, status, answer)
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests

from app.errors import AppError, Invalid

CONNECT_TIMEOUT_S = 5
ANSWER_TIMEOUT_S = 60
LONGEST_ANSWER_BYTES = 16 * 1024 * 1024


def address(node: str) -> str:
    """The node's address without a slash at its end. Raises `Invalid`."""
    parts = urlsplit(node)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise Invalid("node.address", f"{node!r} is no node's address", "", "write https://packproof.example")
    return node.rstrip("/")


def post_signed(
    url: str,
    envelope: bytes,
    document: bytes,
    seed: bytes,
    content_type: str = "application/json",
    *,
    next_step: str,
) -> tuple[int, dict[str, Any]]:
    """POST what a party signed; the status and the answer. `next_step` is for whoever cannot reach the node.

    Raises `AppError` (``node.unreachable``).
    """
    parts = {
        "envelope": ("envelope.json", envelope, "application/json"),
        "document": ("document", document, content_type),
        "seed": ("seed", seed, "application/octet-stream"),
    }
    try:
        return _exchange("POST", url, files=parts)
    except (requests.RequestException, OSError) as error:
        raise AppError(
            "node.unreachable",
            503,
            "The node cannot be reached",
            f"{url}: {type(error).__name__}",
            next_step,
        ) from error


def get(url: str) -> tuple[int, dict[str, Any]]:
    """GET an answer; the status and the answer, 503 and nothing where the node cannot be reached."""
    try:
        return _exchange("GET", url)
    except (requests.RequestException, OSError):
        return 503, {}


def refusal(
    node: str, status: int, answer: Mapping[str, Any], *, kept: str = "", extra: Iterable[str] = ()
) -> AppError:
    """The error that says what the node said. `kept`: what became of what was sent; `extra`: members passed on."""
    return AppError(
        str(answer.get("code", "node.refused")),
        status,
        f"{node} did not take it: {answer.get('title', status)}",
        str(answer.get("detail", "")),
        " ".join(part for part in (str(answer.get("next", "")), kept) if part),
        extra={name: answer[name] for name in extra if name in answer},
    )


def _exchange(method: str, url: str, **parts: Any) -> tuple[int, dict[str, Any]]:
    with requests.request(
        method,
        url,
        timeout=(CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S),
        allow_redirects=False,
        auth=_no_credentials,
        stream=True,
        **parts,
    ) as response:
        body = response.raw.read(LONGEST_ANSWER_BYTES + 1, decode_content=True)
        return response.status_code, _object(body)


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """The signature is the credential: what a .netrc holds for this host stays there."""
    return request


def _object(body: bytes) -> dict[str, Any]:
    if len(body) > LONGEST_ANSWER_BYTES:
        return {"title": "an answer longer than any receipt"}
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        return {"title": "an answer that is no JSON object: is this a packproof node?"}
    return answer

"""Talking to a node over HTTP: bounded in time and size, and the same few errors whatever goes wrong.

    client = NodeClient("https://packproof.example", token)
    client.post_json("/verification/checks", {...})       -> the answer's object

A node that does not answer is `NodeUnreachable`, which says nothing about the package scanned. What an answer means,
and whether it may be believed, is not decided here (`scanner.trust`, `scanner.lookup`).
"""

import json
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as ReadTimeout

from scanner.errors import NodeError, NodeUnreachable

CONNECT_TIMEOUT_S = 3.0
ANSWER_TIMEOUT_S = 20.0
MOST_ANSWER_BYTES = 48 * 1024 * 1024
_CHUNK_BYTES = 1 << 16
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
NOTHING_DECIDED = "Nothing was decided about what you scanned; try again in a moment."
"""What an error says at its end where the node did not answer; a signed report has its own word for that."""
KEY_ENDED = (
    "takes this bench's token no more: its key was revoked, rotated or suspended, or a copy of this bench has a newer "
    "token. Nothing here is lost: what the bench signed and what it remembers of the ledger are in its folder. A "
    "suspended key comes back by packproof key reinstate; else give this bench a new key in its folder: "
    "packproof-scan rotate --root-key FOLDER, with the --home of this command."
)
"""What a bench is told whose token is refused: no operator's token helps, for it hangs on the key (`scanner.rotation`).
"""


def checked_address(text: str, *, plain_http: bool = False) -> str:
    """The node's address without a slash at its end. Raises `NodeError` ``node-address``.

    Plain HTTP is taken for this machine alone, unless `plain_http` says that the network is trusted: the token would
    travel in clear.
    """
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or parts.username:
        raise NodeError("node-address", f"{text!r} is no node's address: write https://packproof.example")
    if parts.scheme == "http" and host not in _LOOPBACK and not plain_http:
        raise NodeError(
            "node-address",
            f"{text} would carry this bench's token in clear; use https, or --plain-http in a network you trust",
        )
    return text.rstrip("/")


class _Bearer(AuthBase):
    """The token as a header. As an auth object, so that no .netrc replaces it."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class NodeClient:
    """One node at `url`. Keeps its connection; not for several threads at once."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        self.url = url
        self._timeouts = (connect_timeout_s, answer_timeout_s)
        self._session = requests.Session()
        self._session.auth = _Bearer(token)
        # A proxy for the internet has no way to this machine.
        self._session.trust_env = urlsplit(url).hostname not in _LOOPBACK

    def get_json(self, path: str, **params: str | int) -> dict[str, Any]:
        """The object at `path`. Raises `NodeUnreachable`, `NodeError`."""
        return _object(self._send("GET", path, params=params))

    def get_bytes(self, path: str) -> bytes:
        """What lies at `path`. Raises `NodeUnreachable`, `NodeError`."""
        return self._send("GET", path)

    def post_json(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to an object. Raises `NodeUnreachable`, `NodeError`."""
        return _object(self._send("POST", path, json=body))

    def post_parts(self, path: str, parts: Mapping[str, tuple[str, bytes, str]]) -> dict[str, Any]:
        """The answer to a form of parts (name -> file name, bytes, content type). Raises as the others do."""
        return _object(self._send("POST", path, files=parts))

    def _send(self, method: str, path: str, **kwargs: Any) -> bytes:
        deadline = time.monotonic() + self._timeouts[1]
        try:
            with self._session.request(
                method,
                self.url + path,
                timeout=self._timeouts,
                allow_redirects=False,
                stream=True,
                # Uncompressed: a few kilobytes that unfold to gigabytes are no answer.
                headers={"Accept": "application/json, text/plain", "Accept-Encoding": "identity"},
                **kwargs,
            ) as response:
                body, status = self._read(response, deadline), response.status_code
        except (requests.RequestException, HTTPError, OSError) as error:
            raise NodeUnreachable(
                "node-unreachable",
                f"The node at {self.url} cannot be reached ({_cause(error)}). {NOTHING_DECIDED}",
            ) from error
        if 200 <= status < 300:
            return body
        raise self._problem(status, body)

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        found = bytearray()
        # Whatever has come, not a chunk's worth: a server that drips bytes must meet the deadline too.
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=False):
            found += chunk
            if len(found) > MOST_ANSWER_BYTES:
                raise NodeError("node-answer", f"{self.url} answers with more than any answer is long")
            if time.monotonic() > deadline:
                raise requests.Timeout("it answers too slowly")
        return bytes(found)

    def _problem(self, status: int, body: bytes) -> NodeError:
        try:
            problem = _object(body)
        except NodeError:
            problem = {}
        if "code" not in problem:
            return NodeError(
                "node-answer",
                f"{self.url} answers {status}, and not as a node does: is this the right address?",
                status,
            )
        code = str(problem["code"])
        if status == HTTPStatus.UNAUTHORIZED and code == "access.token":
            return NodeError("key-ended", f"{self.url} {KEY_ENDED}", status, code)
        words = [str(problem[name]).rstrip(".") for name in ("title", "detail", "next") if problem.get(name)]
        return NodeError("node-refused", f"The node says: {'. '.join(words)}. ({code})", status, code)


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NodeError("node-answer", "the node's answer is no JSON: is this the right address?") from error
    if not isinstance(value, dict):
        raise NodeError("node-answer", "the node's answer is no object: is this the right address?")
    return value


def _cause(error: Exception) -> str:
    if isinstance(error, requests.Timeout | ReadTimeout):
        return "it does not answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted"
    return "no connection"

"""Asking witnesses to cosign this ledger's newest head: C2SP tlog-witness, from the log's side.

For each witness of the policy that has a URL the newest checkpoint is sent with the proof from the size that the
witness knows (409 tells it), and what comes back is verified before it is kept. No lock is held while it waits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import requests

from app.errors import AppError
from app.node.service import Node
from app.shared import asking
from app.witness.service import CosignedHeads
from ledger.errors import LedgerError
from ledger.log.encoding import from_decimal
from ledger.log.note import MAX_NOTE_BYTES, Note, NoteSignature
from ledger.log.policy import LogPolicy, PolicyWitness
from ledger.log.proof import consistency_proof
from ledger.store.sql.cosignatures import add_cosignature, largest_cosigned
from ledger.store.sql.writer import SqlWriter
from ledger.witness.request import AddCheckpoint, parse_answer

CONNECT_TIMEOUT_S: Final = 5
ANSWER_TIMEOUT_S: Final = 15
LONGEST_S: Final = 30
TRIES: Final = 3
"""A witness that says another size each time is not asked for ever."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one witness answered about the head of `size`. `code`: cosigned, or what went wrong."""

    url: str
    names: tuple[str, ...]
    size: int
    code: str
    message: str = ""
    lines: tuple[NoteSignature, ...] = field(default=(), repr=False)

    @property
    def ok(self) -> bool:
        """Whether this witness has cosigned this head."""
        return self.code == "cosigned"


class Gatherer:
    """Asks the witnesses of `heads.policy`. One process at a time is enough; several do no harm."""

    def __init__(self, node: Node, heads: CosignedHeads) -> None:
        self._node = node
        self._heads = heads
        self._session = requests.Session()
        # What a .netrc or a proxy setting holds for a witness's host stays there.
        self._session.trust_env = False

    def urls(self) -> list[str]:
        """Where there are witnesses to ask."""
        return list(_by_url(self._heads.policy))

    def gather(self, only: Iterable[str] | None = None) -> list[Asked]:
        """Have the present head cosigned by the witnesses at `only` (none given: by all); what each answered.

        Raises `CaptureStopped` where this node may not sign, `AppError` where the policy cannot be read.
        """
        wanted = None if only is None else set(only)
        groups = {
            url: group
            for url, group in _by_url(self._heads.policy).items()
            if wanted is None or url in wanted
        }
        if not groups:
            return []
        note = self._node.checkpoint()
        return [self._ask(url, group, note) for url, group in groups.items()]

    def _ask(self, url: str, group: Sequence[PolicyWitness], data: bytes) -> Asked:
        head = self._node.opened(data)
        names, size = tuple(witness.name for witness in group), head.checkpoint.size
        with self._node.ledger.reading() as reader:
            known = [largest_cosigned(reader, witness.key) for witness in group]
        if min(known) >= size:
            return Asked(url, names, size, "cosigned", "already")
        old = max(known)
        for _ in range(TRIES):
            if old > size:
                return Asked(
                    url,
                    names,
                    size,
                    "witness-ahead",
                    f"it says that it cosigned {old} entries of this ledger, and there are {size}: if that is so, an "
                    "old database was put back. Run: packproof ledger recover",
                )
            try:
                status, body = self._post(url, AddCheckpoint.encode(old, self._proof(old, size), data))
                if status == HTTPStatus.CONFLICT:
                    old = from_decimal(body.decode("ascii", "replace").removesuffix("\n"))
                    continue
                if status != HTTPStatus.OK:
                    return _refused(url, names, size, status, body)
                keys = [witness.key for witness in group]
                note = parse_answer(body, Note(head.note.text, ()), keys)
            except asking.NoAnswer as error:
                return Asked(url, names, size, "unreachable", str(error))
            except LedgerError as error:
                return Asked(url, names, size, "no-cosignature", error.message)
            self._keep(size, note.signatures)
            return Asked(url, names, size, "cosigned", "", note.signatures)
        return Asked(url, names, size, "no-cosignature", "it says another size each time")

    def _proof(self, old: int, size: int) -> Sequence[bytes]:
        if not old:
            return ()
        with self._node.ledger.reading() as reader:
            return consistency_proof(reader, old, size)

    def _keep(self, size: int, lines: Iterable[NoteSignature]) -> None:
        with self._node.database.writing() as connection:
            writer = SqlWriter(connection, self._node.origin)
            for line in lines:
                add_cosignature(writer, size, line)

    def _post(self, url: str, body: bytes) -> tuple[int, bytes]:
        address = f"{url}/add-checkpoint"

        def send() -> requests.Response:
            return self._session.post(
                address,
                data=body,
                headers={"Content-Type": "text/plain; charset=utf-8", "Accept-Encoding": "identity"},
                timeout=(CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S),
                allow_redirects=False,
                stream=True,
            )

        return asking.answer(address, send, MAX_NOTE_BYTES, LONGEST_S)


def quorum_reached(heads: CosignedHeads, node: Node, size: int) -> bool:
    """Whether the head of `size` is witnessed as the policy asks."""
    with node.ledger.reading() as reader:
        return heads.witnessed_by(reader, size) is not None


def _by_url(policy: LogPolicy) -> dict[str, list[PolicyWitness]]:
    """The witnesses by address: one that has two keys is asked once."""
    found: dict[str, list[PolicyWitness]] = {}
    for witness in policy.witnesses:
        if witness.url:
            found.setdefault(checked_url(witness.url), []).append(witness)
    return found


def checked_url(text: str) -> str:
    """A witness's submission prefix without a slash at its end. Raises `AppError` ``witness.policy``."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and not parts.username
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment:
        raise AppError(
            "witness.policy",
            500,
            f"{text!a} is no witness's address",
            "",
            "Write the prefix before /add-checkpoint.",
        )
    return text.rstrip("/")


def _refused(url: str, names: tuple[str, ...], size: int, status: int, body: bytes) -> Asked:
    said = body[:200].decode("utf-8", "replace").strip()
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        message = (
            f"it remembers another past of this ledger ({said}): find out what was changed before anything else. "
            "It may hold a proof; packproof fsck and packproof ledger recover compare"
        )
        return Asked(url, names, size, "inconsistent", message)
    if status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
        return Asked(
            url, names, size, "not-followed", f"it does not follow this ledger, or knows another key ({said})"
        )
    return Asked(url, names, size, "refused", f"{status}: {said}")

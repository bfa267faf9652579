"""Whom the verifier trusts: never taken from the file that asks to be trusted.

Two files of its own (docs/formats/policy.md): a C2SP tlog-policy names logs, witnesses and the quorum
(`ledger.log.policy`), and an **author policy** beside it names the parties' root keys::

    {"roots": {"9506000134352": ["<hex thumbprint of the party's root key>"]}}

A party that `roots` names is believed only under one of these roots. Another party stands in the report as known 'by
this node's word'.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ledger.errors import VerificationError
from ledger.evidence import shape
from ledger.log.encoding import from_json
from ledger.log.note import NoteVerifier
from ledger.log.policy import MAX_POLICY_BYTES, LogPolicy

MAX_AUTHORS_BYTES: Final = MAX_POLICY_BYTES
MAX_ROOTS: Final = 100

Roots = Mapping[str, frozenset[bytes]]
"""GLN -> thumbprints of the roots that the party may use."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Trusted logs, pinned roots by GLN, and the tlog-policy whose witnesses and quorum count.

    `logs` empty: the log's key is taken from the file that is verified, and the report says so.
    """

    logs: tuple[NoteVerifier, ...] = ()
    roots: Roots = field(default_factory=dict)
    trust: LogPolicy = field(default_factory=LogPolicy)

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the tlog-policy's bytes, '' where there is no such file. The author policy has no part."""
        return self.trust.sha256

    @classmethod
    def parse(cls, policy: bytes | None, authors: bytes | None = None) -> "Policy":
        """Read the two files, either of which may be absent. Raises `VerificationError`.

        A policy without a log would trust any log that asks: code ``policy-no-log``.
        """
        trust = LogPolicy() if policy is None else LogPolicy.parse(policy)
        if policy is not None and not trust.logs:
            raise VerificationError(
                "policy: it names no log; add 'log <vkey>' for the ledger that you trust",
                code="policy-no-log",
            )
        return cls(trust.log_keys, {} if authors is None else parse_authors(authors), trust)


def parse_authors(data: bytes) -> Roots:
    """Read an author policy. Raises `VerificationError`."""
    if len(data) > MAX_AUTHORS_BYTES:
        raise VerificationError(
            f"author policy: {len(data)} bytes; at most {MAX_AUTHORS_BYTES} are read", code="authors"
        )
    try:
        roots = shape.members(from_json(data), "roots")["roots"]
        if not isinstance(roots, dict):
            raise VerificationError("roots is no object of GLN -> array of thumbprints", code="authors")
        return {
            _gln(gln): frozenset(shape.hex_of(key, 32) for key in shape.array(keys, 1, MAX_ROOTS))
            for gln, keys in roots.items()
        }
    except VerificationError as error:
        # Two files are given on one command line: whoever reads this must know which.
        raise VerificationError(f"author policy: {error.message}", code=error.code) from error


def _gln(text: str) -> str:
    if len(text) != 13 or not (text.isascii() and text.isdigit()):
        raise VerificationError(
            f"{text[:40]!a} is no GLN of 13 digits, so it would pin nothing",
            code="authors",
        )
    return text

"""The verifier's own policy: whom to trust is never taken from the file that asks to be trusted.

A JSON file of exactly these members; its SHA-256 names it::

    {"logs": ["packproof.example/ledger+0123abcd+AX..."],
     "roots": {"9506000134352": ["<hex thumbprint of the party's root key>"]},
     "witnesses": ["witness.example+4567cdef+BH..."], "quorum": 1}

A party that `roots` names is believed only under one of these roots. Another party stands in the report as known 'by
this node's word'.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from ledger.errors import VerificationError
from ledger.evidence import shape
from ledger.log.encoding import from_json
from ledger.log.note import COSIGNATURE, ED25519, NoteVerifier

MAX_POLICY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Policy:
    """Trusted logs, pinned roots by GLN, witnesses and how many of them must have cosigned."""

    logs: tuple[NoteVerifier, ...]
    roots: Mapping[str, frozenset[bytes]] = field(default_factory=dict)
    witnesses: tuple[NoteVerifier, ...] = ()
    quorum: int = 0
    sha256: str = ""

    @classmethod
    def parse(cls, data: bytes) -> "Policy":
        """Read a policy file; `VerificationError` says what is wrong with it."""
        if len(data) > MAX_POLICY_BYTES:
            raise _refuse(f"{len(data)} bytes; at most {MAX_POLICY_BYTES} are read")
        value = shape.members(from_json(data), "logs", "roots", "witnesses", "quorum")
        logs = tuple(NoteVerifier.parse(shape.text(key)) for key in shape.array(value["logs"], 1, 100))
        witnesses = tuple(
            NoteVerifier.parse(shape.text(key)) for key in shape.array(value["witnesses"], 0, 100)
        )
        if any(key.type != ED25519 for key in logs):
            raise _refuse("a log's key is of type 0x01")
        if any(key.type != COSIGNATURE for key in witnesses) or len(set(witnesses)) != len(witnesses):
            raise _refuse("a witness's key is of type 0x04, and stands once")
        roots = value["roots"]
        if not isinstance(roots, dict):
            raise _refuse("roots is not an object of GLN -> array of thumbprints")
        return cls(
            logs,
            {
                gln: frozenset(shape.hex_of(key, 32) for key in shape.array(keys, 1, 100))
                for gln, keys in roots.items()
            },
            witnesses,
            shape.integer(value["quorum"], 0, len(witnesses)),
            sha256(data).hexdigest(),
        )


def _refuse(message: str) -> VerificationError:
    return VerificationError(f"policy: {message}", code="policy")

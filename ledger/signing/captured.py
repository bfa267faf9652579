"""A signed document as it lies in a key folder: what is sent, which content it is, and what the node answered.

{"content": hex, "contentType": text, "document": base64, "envelope": base64, "receipt": JSON text or null,
 "seed": base64, "seq": number}
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from ledger.log.encoding import from_base64, from_json, to_base64, to_json
from ledger.signing.commitment import Leaf, Record
from ledger.signing.registration import ClientError


@dataclass(frozen=True, slots=True)
class SignedCapture:
    """A signed document, ready to be sent. `receipt` is the node's answer, once there was one."""

    envelope: bytes
    seed: bytes
    document: bytes
    content_type: str
    seq: int
    content: str = ""
    """Hex SHA-256 of the records: which content this is, however it was written."""
    receipt: Mapping[str, Any] | None = field(default=None, compare=False)

    def encode(self) -> bytes:
        """As JSON, for the outbox."""
        return to_json(
            {
                "envelope": to_base64(self.envelope),
                "seed": to_base64(self.seed),
                "document": to_base64(self.document),
                "contentType": self.content_type,
                "seq": self.seq,
                "content": self.content,
                # As text: an answer from outside may hold numbers that this program's own files never do.
                "receipt": None if self.receipt is None else json.dumps(dict(self.receipt)),
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> "SignedCapture":
        """Read what `encode` wrote."""
        value = own_object(data)
        return cls(
            from_base64(value["envelope"]),
            from_base64(value["seed"]),
            from_base64(value["document"]),
            value["contentType"],
            value["seq"],
            value["content"],
            None if value["receipt"] is None else json.loads(value["receipt"]),
        )


def content_of(records: Sequence[Record]) -> str:
    """Which content this is: SHA-256 over all paths and values, each with its length."""
    digest = sha256()
    for number, record in enumerate(records):
        for item in record:
            values = (item.value,) if isinstance(item, Leaf) else item.values
            digest.update(b"%d %d %s " % (number, len(values), item.path.encode()))
            for value in values:
                digest.update(b"%d " % len(value))
                digest.update(value)
    return digest.hexdigest()


def own_object(data: bytes) -> dict[str, Any]:
    """A file of a key folder, as this program writes them. Raises `ClientError`."""
    value = from_json(data)
    if not isinstance(value, dict):
        raise ClientError("a file of this key folder is not as this program left it")
    return value

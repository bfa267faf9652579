"""What a redaction says of itself, in the ledger and in the table. Pure.

The record has no personal data: which fields, on which legal basis, by which account (its id). It is committed to like
an event's, and only its root is in the ledger (docs/formats/redaction.md)::

    RedactionRecord(fields=("e0/ext/http://example.com/ns#contact",), basis="GDPR Art. 17(1)(a)", by="os:mia",
                    remaining=sha256(stored raw document))
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from app.errors import Invalid, Refused
from ledger.custody.erasable import is_erasable, why_not
from ledger.custody.event import compact
from ledger.signing.commitment import Field, Leaf, ListField

LONGEST_BASIS = 200


@dataclass(frozen=True, slots=True)
class RedactionRecord:
    """One redaction: paths of what was erased, why, by whom, and the digest of what is stored since."""

    fields: tuple[str, ...]
    basis: str
    by: str
    remaining: bytes

    def record(self) -> list[Field]:
        """Its fields, as they are committed to."""
        return [
            Leaf("basis", self.basis.encode()),
            Leaf("by", self.by.encode()),
            ListField("fields", tuple(sorted(path.encode() for path in self.fields))),
            Leaf("remaining", self.remaining.hex().encode()),
            Leaf("type", b"redaction"),
        ]

    def document_digest(self) -> bytes:
        """SHA-256 of the JCS of the same members: what stands for the raw document in the commitment."""
        return sha256(
            compact(
                {
                    "basis": self.basis,
                    "by": self.by,
                    "fields": sorted(self.fields),
                    "remaining": self.remaining.hex(),
                    "type": "redaction",
                }
            ).encode()
        ).digest()


def checked_basis(text: str) -> str:
    """The legal basis, as it will be recorded. Raises `Invalid`."""
    basis = " ".join(text.split())
    if not basis or len(basis) > LONGEST_BASIS or not basis.isprintable():
        raise Invalid(
            "redaction.basis",
            "A redaction needs its legal basis",
            f"{text[:60]!r}",
            f'Name it in at most {LONGEST_BASIS} characters, such as "GDPR Art. 17(1)(a)", and no person in it.',
        )
    return basis


def chosen(asked: Iterable[str] | None, there: Iterable[str]) -> set[str]:
    """Which of the erasable fields that are `there` are asked for; all for None.

    Paths are within the event (``ext/...``) or the document (``document/...``). Raises `Refused` for what is regulated,
    `Invalid` for what is not there.
    """
    known = set(there)
    if asked is None:
        return known
    wanted = set(asked)
    for path in sorted(wanted - known):
        if not path.startswith("document") and not is_erasable(path):
            raise Refused("redaction.regulated", "This field cannot be erased", f"{path}: {why_not(path)}")
        raise Invalid(
            "redaction.no_such_field",
            "The event has no such field",
            path,
            "It has: " + (", ".join(sorted(known)) or "nothing that can be erased"),
        )
    return wanted

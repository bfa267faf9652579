"""What goes through the one write seam, and what comes out: `submit(PreparedCapture) -> Receipt`.

Everything that can be done outside the ledger's lock is done in a `PreparedCapture`: parsed, validated, signatures
verified, commitment computed, statement signed. What is left for inside is order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.erasable.sealing import Locked
from app.errors import AppError
from ledger.custody.act import Act
from ledger.custody.findings import Finding
from ledger.epcis.document import Document
from ledger.log.entry import Kind
from ledger.log.entry import Signature as EntrySignature
from ledger.signing.commitment import Field


@dataclass(frozen=True, slots=True)
class PreparedEvent:
    """One event, ready: its act, its record as committed to, its digest, and what was found before any rule ran.

    `effective` is False where it is recorded without effect on custody. `body` is the record as it is stored, where it
    was packed before.
    """

    act: Act
    fields: list[Field]
    digest: bytes
    findings: tuple[Finding, ...] = ()
    effective: bool = True
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class PreparedCapture:
    """A document that was read, checked and signed, and only waits for its place."""

    by: str  # GLN of the party that vouches for it, or on whose behalf it came
    channel: str  # signed, rest, file, page
    document: Document
    raw: bytes
    raw_sha256: bytes
    events: tuple[PreparedEvent, ...]
    kind: Kind
    statement: bytes
    signatures: tuple[EntrySignature, ...]
    seed: bytes
    intake: dict[str, str] = field(default_factory=dict)
    erasable: Locked | None = None  # what `app.capture.sealing` took out of `raw` and the events' fields

    @property
    def signer(self) -> bytes | None:
        """Thumbprint of the author's key where a party signed; None where the node only received."""
        return self.signatures[0].key if self.kind is Kind.CAPTURED else None


@dataclass(frozen=True, slots=True)
class EventReceipt:
    """Where one event of a capture stands: `seq` its number, `index` the entry that holds it, `known` since before."""

    event_id: str
    seq: int
    index: int
    known: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the node answers once the capture is durable. The same content again gives the same index and leaf."""

    index: int
    leaf: bytes
    by: str
    signed: bool
    known: bool
    events: tuple[EventReceipt, ...]
    findings: tuple[dict[str, Any], ...]
    notes: tuple[dict[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """The receipt as the API and the command line show it."""
        return {
            "index": self.index,
            "leaf": self.leaf.hex(),
            "by": self.by,
            "signed": self.signed,
            "known": self.known,
            "events": [{"eventID": e.event_id, "index": e.index, "known": e.known} for e in self.events],
            "findings": list(self.findings),
            "notes": list(self.notes),
        }


class OtherContent(AppError):
    """An event id that stands already, with other content."""

    def __init__(self, event_ids: Sequence[str]) -> None:
        super().__init__(
            "capture.other_content",
            409,
            "This event id stands already with other content",
            f"{event_ids[0]}" + (f" and {len(event_ids) - 1} more" if len(event_ids) > 1 else ""),
            "Nothing was stored. A correction is a new event: send an error declaration and events with new ids.",
        )


class InProgress(AppError):
    """What it is about is in a long document that is still being taken in."""

    def __init__(self) -> None:
        super().__init__(
            "capture.in_progress",
            503,
            "A document with the same events is still being taken in",
            "they came unsigned in it, and can be signed for once they stand",
            "Nothing was stored. Send it again in a minute.",
            headers={"Retry-After": "30"},
        )

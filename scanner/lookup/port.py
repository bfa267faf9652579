"""What answers a scan, and what an answer is: one interface whoever answers, a node now, a snapshot later.

    answer = provider.check(RawScan(b"0100399999001014...", "]d2", "dock", at))
    answer.word, answer.next_step, answer.proof.text

The verdict is one of the kernel's six words (`ledger.custody.verdict`); the node gives it, and what it gives is read
strictly here. Whatever keeps a provider from answering is a `ScannerError`, never a verdict.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from ledger.custody.dock import MOST_APART, is_taken_whole
from ledger.custody.verdict import Reason, Word
from scanner.errors import NodeError
from scanner.sources import RawScan

_MOST_TEXT = 2_000
_MOST_OTHERS = 100


class ProofKind(StrEnum):
    """How well it is proven that the package's maker made it."""

    SIGNED = "signed"
    RECEIVED = "received"
    NONE = "none"
    DIFFERS = "differs"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Proof:
    """What the evidence in an answer proves, in words; `index` is the entry that begins the package's life.

    `reason` is what differs between the label and what is proven, where something does.
    """

    kind: ProofKind
    text: str
    index: int | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """What the label itself says; `error` is why it says nothing."""

    gtin: str | None
    serial: str | None
    lot: str | None
    expiry: str | None
    sscc: str | None
    notes: tuple[str, ...]
    error: str | None


@dataclass(frozen=True, slots=True)
class Product:
    """What the GTIN is."""

    gtin: str
    name: str
    strength: str
    dosage_form: str
    net_content: str
    ndc: str
    manufacturer: str


@dataclass(frozen=True, slots=True)
class Record:
    """What the record says, to a party that it concerns. `since` is aware UTC."""

    lot: str | None
    expiry: str | None
    status: str
    yours: bool
    owned: bool
    in_transit: bool
    inferred: bool
    inside: tuple[str, ...]
    last_custodian: str | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Apart:
    """A package inside that is to be set apart, why, and the EPC of what it lies in directly."""

    epc: str
    word: Word
    reason: str
    inside: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What is inside a container: packages, how many of each verdict, how many only inferred, how many missing.
    `apart`: those to be set apart; of more than `ledger.custody.dock.MOST_APART` the first."""

    packages: int
    by_word: Mapping[str, int]
    inferred: int
    missing: int
    apart: tuple[Apart, ...] = ()

    @property
    def stopped(self) -> int:
        """How many packages are to be set apart, whether they are named or not."""
        return sum(count for word, count in self.by_word.items() if not is_taken_whole(Word(word)))


@dataclass(frozen=True, slots=True)
class Answer:
    """One answered scan. `at` is when it was answered; `knowledge_age_s` how old the knowledge is, in seconds."""

    id: str
    at: datetime
    word: Word
    reason: str
    others: tuple[str, ...]
    next_step: str
    offline: bool
    knowledge_age_s: int
    subject: str | None
    raw: bytes
    label: Label
    product: Product | None
    record: Record | None
    contents: Contents | None
    licensed: bool | None
    latency_ms: float
    proof: Proof
    investigations: tuple[str, ...] = ()  # titles of open ones of the asker's own, about it or what is in it

    @property
    def is_whole(self) -> bool:
        """Whether a container that is not here yet may be taken in by its label (ledger.custody.dock)."""
        if self.contents is None or (self.record is not None and self.record.yours):
            return True
        return is_taken_whole(self.word, investigated=bool(self.investigations))

    @property
    def is_clean(self) -> bool:
        """Whether work may simply go on: the word is OK, and what came as a proof is one."""
        return self.word is Word.OK and self.proof.kind not in (ProofKind.BROKEN, ProofKind.DIFFERS)

    @property
    def is_proven(self) -> bool:
        """Whether evidence that holds shows that the package was made; else only the node says so."""
        return self.proof.kind in (ProofKind.SIGNED, ProofKind.RECEIVED)

    def judged(self) -> "Answer":
        """The answer as this bench gives it: what is proven against the label outweighs a node's OK."""
        if self.word is not Word.OK or self.proof.reason is None:
            return self
        step = "Set it aside and tell quality: the label is not what is proven of this pack, though the node said OK."
        return replace(self, word=Word.SUSPECT, reason=self.proof.reason.value, next_step=step)

    def as_json(self) -> dict[str, Any]:
        """The answer for programs."""
        value = asdict(self)
        value["raw_hex"] = value.pop("raw").hex()
        value["at"] = self.at.isoformat()
        if self.record is not None and self.record.since is not None:
            value["record"]["since"] = self.record.since.isoformat()
        return value


class Provider(Protocol):
    """Whoever answers scans."""

    def check(self, scan: RawScan) -> Answer:
        """The verdict on a scan. Raises `ScannerError` where there is none to be had."""
        ...


def parse_answer(value: Mapping[str, Any], proof: Proof) -> Answer:
    """The answer in a node's JSON. Raises `NodeError` ``node-answer`` for what is no answer."""
    try:
        return _answer(value, proof)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NodeError("node-answer", f"the node's answer to the scan cannot be read: {error!r}") from error


def _answer(value: Mapping[str, Any], proof: Proof) -> Answer:
    label, product, record, contents = (value[name] for name in ("label", "product", "record", "contents"))
    return Answer(
        id=_text(value["id"]),
        at=_moment(value["at"]),
        word=Word(value["word"]),
        reason=_text(value["reason"]),
        others=tuple(_text(each) for each in value["others"][:_MOST_OTHERS]),
        next_step=_text(value["next_step"]),
        offline=_flag(value["offline"]),
        knowledge_age_s=_count(value["knowledge_age_s"]),
        subject=_maybe(value["subject"]),
        raw=bytes.fromhex(value["raw_hex"]),
        label=Label(
            gtin=_maybe(label["gtin"]),
            serial=_maybe(label["serial"]),
            lot=_maybe(label["lot"]),
            expiry=_maybe(label["expiry"]),
            sscc=_maybe(label["sscc"]),
            notes=tuple(_text(note) for note in label["notes"][:_MOST_OTHERS]),
            error=_maybe(label["error"]),
        ),
        product=None if product is None else Product(*(_text(product[name]) for name in _PRODUCT)),
        record=None if record is None else _record(record),
        contents=None if contents is None else _contents(contents),
        licensed=None if value["licensed"] is None else _flag(value["licensed"]),
        latency_ms=float(value["latency_ms"]),
        proof=proof,
        investigations=tuple(
            _text(case["title"])
            for case in value.get("open_cases", ())[:_MOST_OTHERS]
            if case["desk"] == "investigations"
        ),
    )


_PRODUCT = ("gtin", "name", "strength", "dosage_form", "net_content", "ndc", "manufacturer")


def _record(value: Mapping[str, Any]) -> Record:
    return Record(
        lot=_maybe(value["lot"]),
        expiry=_maybe(value["expiry"]),
        status=_text(value["status"]),
        yours=_flag(value["yours"]),
        owned=_flag(value["owned"]),
        in_transit=_flag(value["in_transit"]),
        inferred=_flag(value["inferred"]),
        inside=tuple(_text(key) for key in value["inside"][:_MOST_OTHERS]),
        last_custodian=_maybe(value["last_custodian"]),
        since=None if value["since"] is None else _moment(value["since"]),
    )


def _contents(value: Mapping[str, Any]) -> Contents:
    by_word = {Word(word).value: _count(count) for word, count in value["by_word"].items()}
    apart = tuple(
        Apart(_text(each["epc"]), Word(each["word"]), _text(each["reason"]), _text(each["inside"]))
        for each in value.get("apart", ())[:MOST_APART]  # a node of an earlier version names none
    )
    return Contents(
        _count(value["packages"]), by_word, _count(value["inferred"]), _count(value["missing"]), apart
    )


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _MOST_TEXT:
        raise ValueError(f"{str(value)[:40]!r} is no text, or a very long one")
    return value


def _maybe(value: Any) -> str | None:
    return None if value is None else _text(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{str(value)[:40]!r} is neither true nor false")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{str(value)[:40]!r} is no count")
    return value


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} is a time without its zone")
    return moment

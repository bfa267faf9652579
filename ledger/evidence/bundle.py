"""The evidence file: what it holds, how it is read, and how a node makes one.

One JSON object that a regulator takes away; its members are described in docs/formats/evidence.md. Reading here is step
1 of verification alone: shapes and exact writing. Nothing in a `Bundle` is believed before `ledger.evidence.verify`
has gone through it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final

from ledger.errors import LedgerError, VerificationError
from ledger.evidence import nodes, shape
from ledger.log.encoding import from_json, to_base64, to_json
from ledger.log.entry import MAX_ENTRY_BYTES, MAX_SIGNATURES, Entry
from ledger.log.logproof import MAX_PROOF_BYTES, LogProof
from ledger.log.note import MAX_NOTE_BYTES
from ledger.signing.commitment import Leaf, Outline, Record, Tree, subtree_over
from ledger.signing.statement import Statement

FORMAT: Final = "packproof-evidence/2"
FORMAT_1: Final = "packproof-evidence/1"
"""As files were written before: the checkpoint in each entry's proof. They are read for ever, and written no more."""
MAX_BUNDLE_BYTES: Final = 32 * 1024 * 1024
MAX_BUNDLE_ENTRIES: Final = 4096
MAX_BUNDLE_RECORDS: Final = 10_000
MAX_INDEX: Final = 2**53 - 1

EPC_LISTS: Final = frozenset(("epcList", "childEPCs", "inputEPCList", "outputEPCList"))
"""The lists whose elements name single objects (docs/formats/event.md)."""


class EvidenceError(LedgerError):
    """The node's own material does not fit together: no evidence can be made of it."""

    code = "evidence"


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """One record of an entry: its number, the audit path of its subtree, its fields in order."""

    n: int
    proof: tuple[bytes, ...]
    fields: tuple[nodes.FieldNode, ...]

    def fold(self) -> bytes:
        """The hash of the record's subtree."""
        return subtree_over(f"e{self.n}", [node.fold() for node in self.fields])


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Where an entry stands in the file's checkpoint, and its audit path."""

    index: int
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class BundleEntry:
    """One entry as the file has it. `proof` is a tlog-proof of its own in a file of format 1. `head` are the audit
    paths of `document` and `intake`.

    `signers` are the DER SubjectPublicKeyInfos of an author who is not named: then the file holds no registration of
    his keys, and his signatures prove that one holder of them signed, not who he is.
    """

    proof: Inclusion | bytes
    entry: bytes
    document: nodes.Shown | nodes.Hidden
    intake: nodes.IntakeNode
    records: tuple[ShownRecord, ...]
    count: int
    head: tuple[tuple[bytes, ...], tuple[bytes, ...]]
    signers: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Bundle:
    """The file's content. `checkpoint` is the note that all proofs lead to, None in a file of format 1, where each
    proof has it. `digest` is as it was read, compared in the last step.
    """

    subject: str
    log: str
    policy: str
    checkpoint: bytes | None
    entries: tuple[BundleEntry, ...]
    digest: str = ""

    def proofs(self) -> list[LogProof]:
        """The proof of each entry, in their order. Raises `VerificationError` where one of format 1 cannot be read."""
        return [
            LogProof.parse(entry.proof)
            if isinstance(entry.proof, bytes)
            else LogProof(entry.proof.index, entry.proof.hashes, self.checkpoint or b"")
            for entry in self.entries
        ]

    def encode(self) -> bytes:
        """The file's bytes, with a digest over them."""
        value: dict[str, Any] = {
            "format": FORMAT,
            "checkpoint": (self.checkpoint or b"").decode(),
            "subject": self.subject,
            "log": self.log,
            "policy": self.policy,
            "entries": [_entry_json(entry) for entry in self.entries],
        }
        value["digest"] = sha256(to_json(value)).hexdigest()
        return to_json(value)

    @classmethod
    def parse(cls, data: bytes) -> "Bundle":
        """Read a file strictly; `VerificationError` for a wrong shape or another writing of the same."""
        if len(data) > MAX_BUNDLE_BYTES:
            raise VerificationError(
                f"the file has {len(data)} bytes; at most {MAX_BUNDLE_BYTES} are read", code="size"
            )
        value = from_json(data)
        known = value.get("format") if isinstance(value, dict) else FORMAT
        if known not in (FORMAT, FORMAT_1):
            raise VerificationError(f"this is no file of format {FORMAT}", code="format")
        once = ("checkpoint",) if known == FORMAT else ()
        value = shape.members(value, "format", "subject", "log", "policy", "entries", "digest", *once)
        if to_json(value) != data:
            raise VerificationError(
                "the file is not written exactly: white space, order or escapes", code="writing"
            )
        policy = shape.text(value["policy"])
        if policy:
            shape.hex_of(policy, 32)
        shape.hex_of(value["digest"], 32)
        checkpoint = shape.text(value["checkpoint"], MAX_NOTE_BYTES).encode() if once else None
        entries = tuple(
            _parse_entry(item, first=not once)
            for item in shape.array(value["entries"], 1, MAX_BUNDLE_ENTRIES)
        )
        if sum(len(entry.records) for entry in entries) > MAX_BUNDLE_RECORDS:
            raise VerificationError(f"more than {MAX_BUNDLE_RECORDS} records are shown", code="size")
        subject, log = shape.text(value["subject"]), shape.text(value["log"])
        return cls(subject, log, policy, checkpoint, entries, value["digest"])


def _parse_entry(value: object, *, first: bool) -> BundleEntry:
    """`first`: of a file of format 1."""
    unnamed = ("signers",) if isinstance(value, dict) and "signers" in value else ()
    more = unnamed if first else (*unnamed, "index")
    members = shape.members(value, "proof", "entry", "document", "intake", "records", "count", "head", *more)
    document = members["document"]
    if isinstance(document, dict) and "hash" not in document:
        document = {"path": "document", **shape.members(document, "salt", "value")}
        document["value"] = to_base64(shape.hex_of(document["value"], 32))
    count = shape.integer(members["count"], 2, nodes.MAX_CHILDREN)
    head = shape.array(members["head"], 2, 2)
    records = tuple(_parse_record(item) for item in shape.array(members["records"], 1, count))
    if any(left.n >= right.n for left, right in pairwise(records)):
        raise VerificationError("the records of an entry are not in order", code="shape")
    return BundleEntry(
        shape.text(members["proof"], MAX_PROOF_BYTES).encode()
        if first
        else Inclusion(shape.integer(members["index"], 0, MAX_INDEX), shape.hashes(members["proof"])),
        shape.base64_of(members["entry"], MAX_ENTRY_BYTES),
        nodes.parse_leaf(document),
        nodes.parse_intake(members["intake"]),
        records,
        count,
        (shape.hashes(head[0]), shape.hashes(head[1])),
        tuple(shape.base64_of(key) for key in shape.array(members["signers"], 1, MAX_SIGNATURES))
        if unnamed
        else (),
    )


def _parse_record(value: object) -> ShownRecord:
    members = shape.members(value, "n", "proof", "fields")
    fields = tuple(nodes.parse_field(item) for item in shape.array(members["fields"], 1, 10_000))
    return ShownRecord(
        shape.integer(members["n"], 0, nodes.MAX_CHILDREN), shape.hashes(members["proof"]), fields
    )


def _entry_json(entry: BundleEntry) -> dict[str, Any]:
    document = entry.document
    unnamed = {"signers": [to_base64(key) for key in entry.signers]} if entry.signers else {}
    assert isinstance(entry.proof, Inclusion)  # format 1 is read and not written
    return {
        **unnamed,
        "index": entry.proof.index,
        "proof": [to_base64(part) for part in entry.proof.hashes],
        "entry": to_base64(entry.entry),
        "document": {"salt": document.salt.hex(), "value": document.value.hex()}
        if isinstance(document, nodes.Shown)
        else document.to_json(),
        "intake": entry.intake.to_json(),
        "records": [
            {
                "n": record.n,
                "proof": [to_base64(part) for part in record.proof],
                "fields": [node.to_json() for node in record.fields],
            }
            for record in entry.records
        ],
        "count": entry.count,
        "head": [[to_base64(part) for part in path] for path in entry.head],
    }


@dataclass(frozen=True, slots=True)
class EvidenceEntry:
    """What the node has of one entry, and what of it is to be shown.

    `inclusion` is the audit path in the checkpoint's tree; `show` says for each record number which fields
    (`show_record`, `show_all`); of the other `records` an outline is enough. `intake_shown` are the names of the
    intake's leaves that are shown. `signers` are the keys of an author who is not to be named (see `BundleEntry`).
    """

    entry: bytes
    inclusion: Sequence[bytes]
    document_digest: bytes
    intake: Sequence[Leaf]
    records: Sequence[Record | Outline]
    seed: bytes
    show: Mapping[int, nodes.Selection]
    intake_shown: Collection[str] = field(default=("channel", "onBehalfOf"))
    signers: Sequence[bytes] = ()


def show_all(record: Record) -> nodes.Selection:
    """Every field of a record: for key records, which are always shown whole."""
    return {item.path: None for item in record}


def show_record(record: Record, epcs: Collection[str], hide: Collection[str] = ()) -> nodes.Selection:
    """Every field of an event but those in `hide`; of lists of EPCs only the elements in `epcs`."""
    wanted = {epc.encode() for epc in epcs}
    selection: dict[str, Collection[int] | None] = {}
    for item in record:
        if item.path in hide:
            continue
        if isinstance(item, Leaf) or item.path not in EPC_LISTS:
            selection[item.path] = None
        else:
            selection[item.path] = [number for number, value in enumerate(item.values) if value in wanted]
    return selection


def build(
    subject: str, log: str, checkpoint: bytes, entries: Sequence[EvidenceEntry], policy_sha256: str = ""
) -> bytes:
    """The bytes of an evidence file about the package `subject` (canonical EPC text).

    `log` is the log's verifier key, `checkpoint` the signed note that all inclusion proofs lead to. Raises
    `EvidenceError` if a document, seed and records do not give the root that was signed.
    """
    made = [_build_entry(entry) for entry in entries]
    made.sort(key=lambda pair: pair[0])
    return Bundle(subject, log, policy_sha256, checkpoint, tuple(item for _, item in made)).encode()


def _build_entry(material: EvidenceEntry) -> tuple[int, BundleEntry]:
    entry = Entry.decode(material.entry)
    tree = Tree(material.document_digest, material.intake, material.records, material.seed)
    if tree.root != Statement.parse(entry.statement).commit.root:
        raise EvidenceError(
            f"entry {entry.index}: document, seed and records do not give the root that was signed"
        )
    shown = {f"intake/{name}" for name in material.intake_shown}
    intake = tuple(
        nodes.shown(leaf) if leaf.path in shown else nodes.Hidden(leaf.hash) for leaf in tree.intake
    )
    records = tuple(
        ShownRecord(
            number,
            tuple(tree.audit_path(number + 2)),
            nodes.disclose(tree.records[number], f"e{number}/", selection),
        )
        for number, selection in sorted(material.show.items())
    )
    return entry.index, BundleEntry(
        Inclusion(entry.index, tuple(material.inclusion)),
        material.entry,
        nodes.shown(tree.document),
        nodes.Subtree("intake", intake),
        records,
        len(tree.children),
        (tuple(tree.audit_path(0)), tuple(tree.audit_path(1))),
        tuple(material.signers),
    )

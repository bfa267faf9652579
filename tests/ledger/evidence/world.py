"""A small ledger with everything an evidence file can hold, built with the real keys, entries and tree."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.evidence.bundle import EvidenceEntry, build, show_all, show_record
from ledger.log.checkpoint import Checkpoint
from ledger.log.entry import ZERO_LEAF, Entry, Kind
from ledger.log.note import NoteSigner
from ledger.log.proof import LeafNodes, inclusion_proof, root_at
from ledger.signing.commitment import Field, Leaf, ListField, Record, commit
from ledger.signing.envelope import Envelope, sign
from ledger.signing.keyrecord import (
    Action,
    Role,
    SignedRecord,
    register_checkpoint_key,
    register_intake,
    register_key,
    register_root,
    revoke,
    sign_record,
)
from ledger.signing.keys import LocalSigner, Signer, generate, load_verifier
from ledger.signing.statement import Commit, Statement

ORIGIN = "packproof.example/ledger"
MAKER = "9506000134352"
PACK = "https://id.gs1.org/01/09506000134352/21/11"
OTHER = "https://id.gs1.org/01/09506000134352/21/12"
CASE = "https://id.gs1.org/00/195060001343520010"
PALLET = "https://id.gs1.org/00/195060001343520027"


def event(**fields: str | list[str]) -> list[Field]:
    """The record of an event: text is a field of one value, a list a list."""
    return [
        Leaf(path, value.encode())
        if isinstance(value, str)
        else ListField(path, tuple(v.encode() for v in value))
        for path, value in sorted(fields.items())
    ]


def at(minute: int) -> str:
    return f"2026-03-01T10:{minute:02}:00.000000Z"


def made(*epcs: str, minute: int = 0) -> list[Field]:
    return event(
        type="ObjectEvent", action="ADD", bizStep="commissioning", epcList=sorted(epcs), eventID="urn:x:made",
        eventTime=at(minute), **{"ilmd/urn:epcglobal:cbv:mda#lotNumber": '"LOT-77"'},
    )  # fmt: skip


def packed(parent: str, *children: str, minute: int, action: str = "ADD") -> list[Field]:
    step = "unpacking" if action == "DELETE" else "packing"
    return event(
        type="AggregationEvent", action=action, bizStep=step, parentID=parent, childEPCs=sorted(children),
        eventID=f"urn:x:{step}:{minute}", eventTime=at(minute),
    )  # fmt: skip


def shipped(epc: str, minute: int) -> list[Field]:
    return event(
        type="ObjectEvent", action="OBSERVE", bizStep="shipping", epcList=[epc], eventID=f"urn:x:ship:{minute}",
        eventTime=at(minute),
    )  # fmt: skip


@dataclass
class Kept:
    """One entry with what opens it."""

    entry: Entry
    digest: bytes
    intake: list[Leaf]
    records: list[Record]
    seed: bytes


@dataclass
class World:
    """A ledger of a maker with a root and a device, and a node with its two keys."""

    device_alg: str = "ed25519"
    kept: list[Kept] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.intake, self.root = generate(), generate()
        self.device = generate(self.device_alg)
        self.log = NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
        spki = generate().spki
        self.add_key(register_intake(ORIGIN, self.intake, "node"))
        self.add_key(register_checkpoint_key(ORIGIN, self.intake, spki, "seal"))
        self.root_entry = self.add_key(register_root(ORIGIN, self.root, MAKER, "Maker's root"))
        self.registration = register_key(ORIGIN, self.root, self.device, Role.DEVICE, MAKER, "Packing line 3")
        self.device_entry = self.add_key(self.registration)

    def append(self, kept_kind: Kind, envelope: Envelope, signers: list[bytes], kept: dict) -> int:
        index = len(self.kept)
        previous = self.kept[-1].entry.leaf if self.kept else ZERO_LEAF
        verifiers = [load_verifier(spki) for spki in signers]
        entry = Entry(
            kept_kind,
            index,
            1_772_000_000_000 + index,
            previous,
            envelope.statement,
            envelope.entry_signatures(verifiers),
        )
        self.kept.append(Kept(entry, **kept))
        return index

    def add_key(self, signed: SignedRecord, *others: Signer) -> int:
        known = [self.intake.spki, self.root.spki, self.device.spki, signed.record.key]
        known += [each.spki for each in others]
        opened = {
            "digest": sha256(signed.document).digest(), "intake": [], "records": [signed.record.fields()],
            "seed": signed.seed,
        }  # fmt: skip
        return self.append(Kind.KEY, signed.envelope, known, opened)

    def capture(
        self,
        *records: Record,
        signer: LocalSigner | None = None,
        also: tuple[LocalSigner, ...] = (),
        received: bool = False,
        ledger: str = ORIGIN,
        kind: Kind | None = None,
        claimed: int | None = None,
        refs: tuple[bytes, ...] = (),
        noted: Mapping[str, str] | None = None,
    ) -> int:
        """Append a capture; `kind` and `claimed` are for an author or node that lies about type and number, `noted`
        for a node that notes something of its own where it took it in."""
        author: Signer = signer or (self.intake if received else self.device)
        told = {"channel": "rest", "onBehalfOf": MAKER, **(noted or {})} if received else {}
        intake = [Leaf(name, value.encode()) for name, value in sorted(told.items())]
        digest, seed = sha256(repr(records).encode()).digest(), os.urandom(32)
        root = commit(digest, intake, records, seed)
        true_kind = Kind.RECEIVED if received else Kind.CAPTURED
        count = len(records) if claimed is None else claimed
        said = true_kind if kind in (None, Kind.RECEIVED) else kind
        statement = Statement.new(ledger, author.thumbprint, said, Commit(root, count), refs=refs)
        opened = {"digest": digest, "intake": intake, "records": list(records), "seed": seed}
        signers = [author, *also]
        envelope = sign(statement.encode(), signers)
        return self.append(kind or true_kind, envelope, [each.spki for each in signers], opened)

    def repeat(self, index: int) -> int:
        """The node appends what was signed for the entry at `index` once more."""
        kept, last = self.kept[index], self.kept[-1].entry
        again = replace(
            kept.entry, index=len(self.kept), received_ms=last.received_ms + 1, prev_leaf=last.leaf
        )
        self.kept.append(replace(kept, entry=again))
        return again.index

    def suspend_device(self) -> int:
        record = replace(self.registration.record, action=Action.SUSPEND)
        return self.add_key(sign_record(record, ORIGIN, [self.root]))

    def revoke_device(self) -> int:
        return self.add_key(revoke(ORIGIN, self.root, self.registration.record, suspect_since=4))

    def checkpoint(self) -> bytes:
        leaves = [kept.entry.leaf for kept in self.kept]
        head = Checkpoint(ORIGIN, len(leaves), root_at(LeafNodes(leaves), len(leaves)))
        return head.sign(self.log).encode()

    def material(
        self,
        index: int,
        epcs: list[str],
        hide: tuple[str, ...] = (),
        only: set[int] | None = None,
        signers: tuple[bytes, ...] = (),
    ) -> EvidenceEntry:
        kept = self.kept[index]
        leaves = [item.entry.leaf for item in self.kept]
        chosen = {n: record for n, record in enumerate(kept.records) if only is None or n in only}
        is_key = kept.entry.kind is Kind.KEY
        return EvidenceEntry(
            kept.entry.encode(), inclusion_proof(LeafNodes(leaves), index, len(leaves)), kept.digest, kept.intake,
            kept.records, kept.seed,
            {n: show_all(record) if is_key else show_record(record, epcs, hide) for n, record in chosen.items()},
            signers=signers,
        )  # fmt: skip

    def key_entries(self) -> list[int]:
        return [
            kept.entry.index for kept in self.kept if kept.entry.kind is Kind.KEY and kept.entry.index != 1
        ]

    def bundle(
        self, events: list[int], epcs: list[str], subject: str = PACK, keys: list[int] | None = None
    ) -> bytes:
        wanted = [*(self.key_entries() if keys is None else keys), *events]
        entries = [self.material(index, epcs) for index in wanted]
        return build(subject, str(self.log.verifier), self.checkpoint(), entries)


def told_story() -> World:
    """Commissioned, packed to a case and a pallet, shipped on it; the packing came unsigned."""
    world = World()
    world.capture(made(OTHER, PACK))
    world.capture(packed(CASE, PACK, OTHER, minute=1), packed(PALLET, CASE, minute=2), received=True)
    world.capture(shipped(PALLET, 5))
    return world

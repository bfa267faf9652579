"""Every parser of a stranger's bytes, in one table: what it is called with, what it writes back, and good input.

Hypothesis (`test_parsers`) and atheris (`atheris_targets`) go through the same table. For any bytes at all a target's
`parse` gives a value or raises `VerificationError`; where `encode` is given, what was read is written as it came::

    TARGETS["entry"].run(data)       True: accepted. Raises `Broken` where a promise is broken
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from ledger.errors import LedgerError, VerificationError
from ledger.evidence import timestamp as stamps
from ledger.evidence.bundle import Bundle
from ledger.evidence.cbor import Tagged, dumps
from ledger.evidence.handover import Handover, split_handovers
from ledger.evidence.mldsa_handover import MldsaHandover
from ledger.evidence.policy import Policy, parse_authors
from ledger.evidence.receipt import (
    ALG,
    CWT_CLAIMS,
    EDDSA,
    INCLUSION,
    ISSUER,
    KID,
    RFC9162_SHA256,
    SIGN1_TAG,
    VDP,
    VDS,
    Receipt,
)
from ledger.evidence.verify import EvidenceRefused, verify
from ledger.log.checkpoint import Checkpoint, SignedCheckpoint
from ledger.log.conflict import Conflict, Sighting
from ledger.log.encoding import from_base64, from_decimal, from_hex, from_json, to_base64, to_json
from ledger.log.entry import Entry, Kind, link
from ledger.log.logproof import LogProof
from ledger.log.note import Note, NoteSignature, NoteVerifier
from ledger.log.policy import LogPolicy
from ledger.log.proof import fold_inclusion, verify_consistency
from ledger.log.tiles import BundleId, TileId, encode_bundle, split_bundle, split_tile
from ledger.log.tree import Peaks
from ledger.signing.aside import Disclosed, KeptCheckpoint, Parked, Void, open_void, sign_void
from ledger.signing.envelope import Envelope
from ledger.signing.keyrecord import (
    KeyRecord,
)
from ledger.signing.keys import load_verifier
from ledger.signing.registration import Registration
from ledger.signing.remains import encode as encode_remains
from ledger.signing.remains import erase, is_seed, openings
from ledger.signing.statement import Chain, Commit, Statement
from ledger.witness.request import AddCheckpoint, parse_answer
from tests.fuzz.handovers import key_handover, mldsa_handover
from tests.fuzz.mutations import places, replaced, sealed
from tests.ledger.evidence.world import ORIGIN, PACK, World, made, packed


class Broken(AssertionError):
    """A parser broke a promise; the message says which, and shows the bytes."""


@dataclass(frozen=True, slots=True)
class Target:
    """One parser. `encode` writes what `parse` gave; None where many writings are one value."""

    name: str
    parse: Callable[[bytes], Any]
    seeds: tuple[bytes, ...]
    encode: Callable[[Any], bytes] | None = None

    def run(self, data: bytes) -> bool:
        """Whether `data` was accepted. Raises `Broken` for another exception than `VerificationError`."""
        try:
            value = self.parse(data)
        except VerificationError as error:
            if not (error.code and error.message):
                raise Broken(f"{self.name}: refused without a reason: {data[:200]!r}") from error
            return False
        except Exception as error:
            raise Broken(f"{self.name}: {type(error).__name__}: {error}; for {data[:400]!r}") from error
        if self.encode is not None and self.encode(value) != data:
            raise Broken(f"{self.name}: accepted what it writes otherwise: {data[:400]!r}")
        return True


@dataclass(frozen=True, slots=True)
class Samples:
    """Good bytes of each kind, from one small ledger."""

    world: World
    bundle: bytes
    policy: Policy

    @classmethod
    def make(cls) -> "Samples":
        """A ledger of a maker with P-256 devices, three captures, one of them received."""
        world = World("p256")
        indexes = [
            world.capture(made(PACK)),
            world.capture(packed("https://id.gs1.org/00/195060001343520027", PACK, minute=2), received=True),
        ]
        bundle = world.bundle(indexes, [PACK])
        return cls(world, bundle, Policy((world.log.verifier,)))


@cache
def samples() -> Samples:
    """Made once a process."""
    return Samples.make()


def _text(parse: Callable[[str], Any]) -> Callable[[bytes], Any]:
    """A parser of text, for bytes: what is no UTF-8 never reaches it."""

    def parse_bytes(data: bytes) -> Any:
        try:
            text = data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise VerificationError("not UTF-8", code="utf-8") from None
        return parse(text)

    return parse_bytes


def _bundle(bundle: Bundle) -> bytes:
    # `encode` writes the digest anew; whether the file's own is right is the last step's question.
    made = from_json(bundle.encode())
    made["digest"] = bundle.digest
    return to_json(made)


def _key_record(data: bytes) -> KeyRecord:
    value = from_json(data)
    if not isinstance(value, dict):
        raise VerificationError("no object", code="shape")
    try:
        fields = {path: text.encode("utf-8", "surrogatepass") for path, text in value.items()}
    except AttributeError:
        raise VerificationError("no text", code="shape") from None
    return KeyRecord.from_fields(fields)


def _signature(data: bytes) -> None:
    """A note whose line is whatever came, checked by each kind of key; the last one's refusal is told."""
    world, refusal = samples().world, None
    for type_ in (1, 4, 6):
        key = world.log.verifier.public_key if type_ < 6 else bytes(1312)
        verifier = NoteVerifier(ORIGIN, key, type_)
        try:
            verifier.check("text\n", NoteSignature(ORIGIN, verifier.key_id, data))
        except VerificationError as error:
            refusal = error
    if refusal is not None:
        raise refusal


def _fold(data: bytes) -> None:
    """Index and size of 8 bytes each, and hashes of whatever length is left."""
    index, size = int.from_bytes(data[:8], "big"), int.from_bytes(data[8:16], "big")
    hashes = [data[at : at + 32] for at in range(16, len(data), 32)]
    fold_inclusion(bytes(32), index, size, hashes)


def _consistency(data: bytes) -> None:
    old, new = int.from_bytes(data[:8], "big"), int.from_bytes(data[8:16], "big")
    hashes = [data[at : at + 32] for at in range(16, len(data), 32)]
    verify_consistency(old, new, bytes(32), bytes(32), hashes)


def _verified(policy: Policy | None) -> Callable[[bytes], Any]:
    def check(data: bytes) -> Any:
        try:
            report = verify(data, policy)
        except EvidenceRefused as refusal:
            if refusal.step not in range(1, 10):
                raise Broken(f"refused in step {refusal.step}") from refusal
            raise
        except LedgerError as error:
            raise Broken(f"{type(error).__name__} beside the steps: {error}") from error
        report.text()
        report.to_json()
        return report

    return check


def _grafted(data: bytes) -> Any:
    """The good file with one member replaced and the digest made right: which one by 4 bytes, how written by one."""
    value = json.loads(samples().bundle)
    paths = [path for path in places(value) if path != ("digest",)]
    path, rest = paths[int.from_bytes(data[:4], "big") % len(paths)], data[5:]
    new: Any = (rest.hex(), to_base64(rest), rest.decode("latin-1"), len(rest), [rest.hex()])[
        sum(data[4:5]) % 5
    ]
    return _verified(samples().policy)(sealed(replaced(value, path, new)))


def _made(found: Samples) -> Iterable[Target]:
    world, note = found.world, found.world.checkpoint()
    bundle = Bundle.parse(found.bundle)
    entries = tuple(item.entry for item in bundle.entries)
    statements = tuple(Entry.decode(entry).statement for entry in entries)
    envelope = world.registration.envelope.encode()
    spkis = (world.root.spki, world.device.spki)
    log = world.log.verifier
    yield Target("json", from_json, (found.bundle, b'{"a":[1,true,null,"x"]}', b"-1"))
    yield Target(
        "base64", _text(from_base64), (b"AAAA", b"AA==", b""), lambda value: to_base64(value).encode()
    )
    yield Target("hex", _text(from_hex), (b"00ff", b""), lambda value: value.hex().encode())
    yield Target("decimal", _text(from_decimal), (b"0", b"9223372036854775807"), lambda value: b"%d" % value)
    yield Target("note", Note.parse, (note,), Note.encode)
    yield Target("note-signature", _signature, (bytes(64), bytes(72)))
    checkpoint = Note.parse(note).text.encode()
    yield Target("checkpoint", _text(Checkpoint.parse), (checkpoint,), lambda value: value.text().encode())
    yield Target(
        "signed-checkpoint",
        lambda data: SignedCheckpoint.open(data, [log]),
        (note,),
        lambda value: value.note.encode(),
    )
    yield Target("vkey", _text(NoteVerifier.parse), (str(log).encode(),), lambda value: str(value).encode())
    yield Target(
        "log-proof", LogProof.parse, tuple(proof.encode() for proof in bundle.proofs()), LogProof.encode
    )
    yield Target(
        "tile-path",
        _text(TileId.parse),
        (b"tile/0/x001/x234/067", b"tile/1/000.p/17"),
        lambda value: value.path().encode(),
    )
    yield Target(
        "bundle-path",
        _text(BundleId.parse),
        (b"tile/entries/x001/067", b"tile/entries/000.p/17"),
        lambda value: value.path().encode(),
    )
    yield Target(
        "entry-bundle",
        lambda data: split_bundle(data, len(entries)),
        (encode_bundle(entries),),
        encode_bundle,
    )
    yield Target("tile", lambda data: split_tile(data, 17), (bytes(17 * 32),), b"".join)
    yield Target("entry", Entry.decode, entries, Entry.encode)
    yield Target("link", link, entries)
    yield Target("peaks", Peaks.decode, (Peaks(3, (bytes(32), bytes(32))).encode(),), Peaks.encode)
    yield Target("inclusion", _fold, (bytes(15) + b"\x04" + bytes(64),))
    yield Target("consistency", _consistency, (bytes(7) + b"\x03" + bytes(7) + b"\x07" + bytes(128),))
    yield Target("statement", Statement.parse, statements, Statement.encode)
    yield Target("envelope", Envelope.parse, (envelope,))
    yield Target("public-key", load_verifier, spkis, lambda value: value.spki)
    yield Target("key-record", _key_record, (world.registration.document,))
    trust = f"log {log}\nquorum none\n".encode()
    roots = b'{"roots":{"9506000134352":["%b"]}}' % world.root.thumbprint.hex().encode()
    yield Target("log-policy", LogPolicy.parse, (trust,))
    yield Target("author-policy", parse_authors, (roots,))
    yield from _of_witnesses(found, note)
    yield Target("void-seq", Void.parse, (Void(bytes(16), 7, bytes(32), "lost").document(),), Void.document)
    parked = Parked(bytes(32), bytes(32), "revoked", 9)
    yield Target("parked", Parked.parse, (parked.document(),), Parked.document)
    disclosed = Disclosed(bytes(32), "case_1", "fda", "recall")
    yield Target("disclosed", Disclosed.parse, (disclosed.document(),), Disclosed.document)
    yield Target("kept-checkpoint", KeptCheckpoint.of, (note,))
    yield from _of_keys(world)
    yield from _beside_evidence()
    yield Target("bundle", Bundle.parse, (found.bundle,), _bundle)
    yield Target("evidence", _verified(None), (found.bundle,))
    yield Target("evidence-by-policy", _verified(found.policy), (found.bundle,))
    yield Target("evidence-grafted", _grafted, (bytes(5) + b"packproof", b"\0\0\1\0\1" + entries[0]))


def _beside_evidence() -> Iterable[Target]:
    """What comes with evidence from other worlds: a COSE receipt, an RFC 3161 time stamp."""
    header = {ALG: EDDSA, KID: bytes(32), CWT_CLAIMS: {ISSUER: ORIGIN}, VDS: RFC9162_SHA256}
    proof = dumps([7, 3, [bytes(32), bytes(32)]])
    parts = [dumps(header), {VDP: {INCLUSION: [proof]}}, None, bytes(64)]
    yield Target("receipt", Receipt.parse, (dumps(Tagged(SIGN1_TAG, parts)),))
    # Over b"note\n", by an authority made for it; nobody here trusts it, which is the last thing that is looked at.
    stamp = (Path(__file__).parent / "seeds" / "stamp.der").read_bytes()
    yield Target("time-stamp", lambda data: stamps.check(data, b"note\n", ()), (stamp,))


def _of_keys(world: World) -> Iterable[Target]:
    """What is sent when a key begins, ends or is followed, when a number is given up, and what an erasure leaves."""
    # A file that people copy: white space is no matter, because what is signed in it is base64.
    yield Target("registration", Registration.parse, (Registration.of(world.registration).encode(),))
    given_up = Statement.new(
        ORIGIN,
        world.device.thumbprint,
        Kind.CAPTURED,
        Commit(bytes(32), 1),
        chain=Chain(bytes(16), 7, bytes(32)),
    )
    void = sign_void(given_up, ORIGIN, world.device, "scanned twice")
    yield Target(
        "void-seq-opened",
        lambda data: open_void(void.envelope, data, void.seed, ORIGIN),
        (void.document,),
        lambda value: value[0].document(),
    )
    handover = key_handover()
    yield Target("handover", _proven(Handover, handover.present), (handover.encode(),), Handover.encode)
    longterm = mldsa_handover()
    yield Target("handover-mldsa", MldsaHandover.parse, (longterm.encode(),), MldsaHandover.encode)
    pinned = _proven(MldsaHandover, longterm.present)
    yield Target("handover-mldsa-proven", pinned, (longterm.encode(),), MldsaHandover.encode)
    yield Target("handovers", split_handovers, (b"[" + handover.encode() + b"," + longterm.encode() + b"]",))
    left = erase(bytes(32), 11, {0: b"\1" * 32, 8: b"\2" * 32})
    yield Target("remains", _remains, (left,), encode_remains)


def _proven(kind: type[Handover] | type[MldsaHandover], pinned: NoteVerifier) -> Callable[[bytes], Any]:
    """A handover, read and proven to who pinned the key from which it leads on."""

    def check(data: bytes) -> Any:
        given = kind.parse(data)
        given.prove(pinned)
        return given

    return check


def _remains(data: bytes) -> list[bytes]:
    if is_seed(data):
        raise VerificationError("a whole seed: any 32 bytes are one", code="seed")
    return openings(data, 11)


def _of_witnesses(found: Samples, note: bytes) -> Iterable[Target]:
    """What witnesses are sent, what they answer, and the file that shows a log to have signed two histories."""
    log = found.world.log
    head = Note.parse(note)
    request = AddCheckpoint.encode(1, [bytes(32), bytes(32)], note)
    yield Target(
        "add-checkpoint",
        AddCheckpoint.parse,
        (request,),
        lambda value: AddCheckpoint.encode(value.old, value.proof, value.note.encode()),
    )
    lines = note.partition(b"\n\n")[2]
    yield Target("witness-answer", lambda data: parse_answer(data, head, [log.verifier]), (lines,))
    sightings = [
        Sighting(
            Checkpoint(ORIGIN, 7, bytes((number,)) * 32).sign(log).encode(), datetime(2026, 3, 1, tzinfo=UTC)
        )
        for number in (1, 2)
    ]
    conflict = Conflict(log.verifier, *sightings).encode()
    yield Target("conflict", Conflict.parse, (conflict,), Conflict.encode)


@cache
def targets() -> dict[str, Target]:
    """All targets by name."""
    return {target.name: target for target in _made(samples())}

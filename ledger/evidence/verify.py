"""Verification in numbered steps: the first that fails is named, with the entry and the field.

The steps are those of docs/formats/evidence.md and run in their order: file, checkpoint, inclusion, entry, keys,
signatures, fields, subject, digest. Nothing here reads a clock, a network or another file: the same bytes and the same
policy give the same answer for ever.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from ledger.errors import VerificationError
from ledger.evidence.bundle import Bundle, BundleEntry, ShownRecord
from ledger.evidence.keylines import key_lines
from ledger.evidence.nodes import Element, Elements, Hidden, Shown, Subtree
from ledger.evidence.policy import Policy
from ledger.evidence.report import EventLine, KeyLine, Report, WitnessLine
from ledger.evidence.retraction import may_retract
from ledger.evidence.steps import EvidenceRefused as EvidenceRefused
from ledger.evidence.steps import Step as Step
from ledger.evidence.steps import at_step
from ledger.evidence.subject import ShownEvent, foreign
from ledger.log.checkpoint import SignedCheckpoint
from ledger.log.entry import Entry, Kind, link
from ledger.log.hashing import leaf_hash
from ledger.log.logproof import LogProof
from ledger.log.note import ED25519, NoteVerifier
from ledger.log.proof import fold_inclusion, verify_inclusion
from ledger.signing.commitment import HEAD_CHILDREN, subtree_commitment
from ledger.signing.envelope import verify_signatures
from ledger.signing.keyrecord import Action, KeyRecord, Role
from ledger.signing.keyring import Keyring
from ledger.signing.keys import Verifier, load_verifier
from ledger.signing.statement import Statement

_GLN: Final = re.compile(r"[0-9]{13}")
_CHANNELS: Final = frozenset(("rest", "file", "page", "exchange"))


@dataclass(frozen=True, slots=True)
class _Read:
    """One entry on its way through the steps."""

    raw: BundleEntry
    proof: LogProof
    entry: Entry
    statement: Statement

    @property
    def index(self) -> int:
        return self.entry.index


def verify(data: bytes, policy: Policy | None = None) -> Report:
    """Check an evidence file; the report says what it proves. Raises `EvidenceRefused` at the first failing step.

    Without a policy the log's key is the one in the file, and the report says so.
    """
    with at_step(Step.FILE):
        bundle = Bundle.parse(data)
    head, proofs, witnesses = _checkpoint(bundle, policy)
    for raw, proof in zip(bundle.entries, proofs, strict=True):
        _inclusion(raw, proof, head)
    read = [_entry(raw, proof, head) for raw, proof in zip(bundle.entries, proofs, strict=True)]
    _once(read)
    keyring, keys = _keys(read, policy)
    for item in read:
        if item.entry.kind is not Kind.KEY:
            _signatures(item, keyring)
    told = [item for item in read if item.entry.kind is not Kind.KEY]
    shown = [
        (item, record.n, _fields(item, record, Step.FIELDS)) for item in told for record in item.raw.records
    ]
    for item in told:
        _root(item, Step.FIELDS)
    vouched = [(item, number, replace(event, by=_party(item, keyring))) for item, number, event in shown]
    _subject(bundle, vouched)
    _digest(data, bundle)
    leaves = {item.entry.leaf: item.index for item in told}
    return Report(
        subject=bundle.subject,
        origin=head.checkpoint.origin,
        size=head.checkpoint.size,
        root=head.checkpoint.root.hex(),
        checkpoint=head.note.encode().decode(),
        log_keys=_sealers(bundle, policy, head),
        log_trusted=bool(policy and policy.logs),
        made_for_policy=bundle.policy,
        policy=policy.sha256 if policy else "",
        witnesses=witnesses,
        keys=tuple(keys.values()),
        events=tuple(_line(item, number, event, keyring, keys, leaves) for item, number, event in shown),
    )


def _checkpoint(
    bundle: Bundle, policy: Policy | None
) -> tuple[SignedCheckpoint, list[LogProof], tuple[WitnessLine, ...]]:
    """Step 2: one checkpoint in all proofs, signed by a log that is trusted, cosigned as the policy asks."""
    with at_step(Step.CHECKPOINT):
        named = NoteVerifier.parse(bundle.log)
        if named.type != ED25519:
            raise VerificationError("a log's key is of type 0x01", code="note-key")
        proofs = bundle.proofs()
        if any(proof.checkpoint != proofs[0].checkpoint for proof in proofs):
            raise VerificationError("the proofs lead to different checkpoints", code="checkpoint")
        logs = policy.logs if policy and policy.logs else (named,)
        head = SignedCheckpoint.open(proofs[0].checkpoint, logs)
        found = policy.trust.require_quorum(head.note) if policy else []
        return head, proofs, tuple(WitnessLine.of(witness.key, lines) for witness, lines in found)


def _sealers(bundle: Bundle, policy: Policy | None, head: SignedCheckpoint) -> tuple[str, ...]:
    """The keys of the log that signed the checkpoint, of those that are trusted: every line of theirs was verified."""
    trusted = policy.logs if policy and policy.logs else (NoteVerifier.parse(bundle.log),)
    return tuple(
        str(key)
        for key in trusted
        if key.name == head.checkpoint.origin and any(map(key.wrote, head.note.signatures))
    )


def _inclusion(raw: BundleEntry, proof: LogProof, head: SignedCheckpoint) -> None:
    """Step 3: the entry is in the tree, at the index that it says itself."""
    with at_step(Step.INCLUSION, proof.index):
        index, _ = link(raw.entry)
        if index != proof.index:
            raise VerificationError(f"the entry says it stands at {index}", code="inclusion")
        tree = head.checkpoint
        verify_inclusion(leaf_hash(raw.entry), index, tree.size, proof.hashes, tree.root)


def _entry(raw: BundleEntry, proof: LogProof, head: SignedCheckpoint) -> _Read:
    """Step 4: entry and statement are well-formed, of this log, and of one type."""
    with at_step(Step.ENTRY, proof.index):
        entry = Entry.decode(raw.entry)
        statement = Statement.parse(entry.statement)
        if statement.ledger != head.checkpoint.origin:
            raise VerificationError(
                f"the statement was made for the ledger {statement.ledger}", code="other-ledger"
            )
        if statement.kind is not entry.kind:
            raise VerificationError(
                f"an entry of kind {entry.kind.type} holds a statement of type {statement.type}", code="kind"
            )
        if entry.kind not in (Kind.CAPTURED, Kind.RECEIVED, Kind.KEY):
            raise VerificationError(f"a {entry.kind.type} entry has no place in evidence", code="kind")
        return _Read(raw, proof, entry, statement)


def _once(read: Sequence[_Read]) -> None:
    """Step 4: no statement stands at two indexes; who signed it signed one act, and ended one suspension."""
    found: dict[bytes, int] = {}
    for item in read:
        with at_step(Step.ENTRY, item.index):
            first = found.setdefault(item.entry.statement, item.index)
            if first != item.index:
                raise VerificationError(
                    f"its statement is the one of entry {first}: signed once, it stands twice",
                    code="repeated",
                )


def _keys(read: Sequence[_Read], policy: Policy | None) -> tuple[Keyring, dict[int, KeyLine]]:
    """Step 5: every key record is shown whole, leads to its root, and was signed by who may register or revoke.

    Gives the keyring, and what is told of each registration by its index.
    """
    keyring = Keyring()
    authors: dict[int, bytes] = {}
    before = -1
    for item in read:
        with at_step(Step.KEYS, item.index):
            if item.index <= before:
                raise VerificationError("the entries are not in ascending order of index", code="order")
            before = item.index
            if item.entry.kind is not Kind.KEY:
                continue
            event = _fields(item, item.raw.records[0], Step.KEYS)
            _root(item, Step.KEYS)
            if event.hidden or event.many:
                raise VerificationError("a key record must be shown whole", code="key-record")
            record = KeyRecord.from_fields({path: value.encode() for path, value in event.one.items()})
            verifiers: list[Verifier] = [load_verifier(record.key)]
            verifiers += [entries[-1].verifier for entries in keyring.entries.values()]
            _verify_entry(item, verifiers)
            _pinned(record, policy)
            keyring = keyring.add(item.index, record, [signature.key for signature in item.entry.signatures])
            authors[item.index] = item.statement.author
    return keyring, key_lines(keyring, authors, policy)


def _pinned(record: KeyRecord, policy: Policy | None) -> None:
    if policy is None or record.role is not Role.ROOT or record.action is not Action.REGISTER:
        return
    pins = policy.roots.get(record.party or "")
    if pins is not None and record.thumbprint not in pins:
        raise VerificationError(f"the policy pins other root keys for {record.party}", code="not-pinned")


def _verify_entry(item: _Read, verifiers: Sequence[Verifier]) -> None:
    verify_signatures(item.entry.statement, item.statement.author, item.entry.signatures, verifiers)


def _signatures(item: _Read, keyring: Keyring) -> None:
    """Step 6: signed over the exact bytes, by keys that counted at that index and may sign such a statement."""
    with at_step(Step.SIGNATURES, item.index):
        if item.raw.signers:
            _unnamed(item, keyring)
            return
        keys = [keyring.require(signature.key, item.index) for signature in item.entry.signatures]
        allowed = (Role.INTAKE,) if item.entry.kind is Kind.RECEIVED else (Role.DEVICE, Role.PERSON)
        for key in keys:
            if key.role not in allowed:
                raise VerificationError(
                    f"a {key.role} key does not sign a {item.statement.type} statement", code="role"
                )
            if key.party != keys[0].party:
                raise VerificationError("it is signed by keys of different parties", code="party")
        _verify_entry(item, [key.verifier for key in keys])


def _unnamed(item: _Read, keyring: Keyring) -> None:
    """Signed by keys that the file gives without saying whose they are: one for each signature, none of them named."""
    verifiers = [load_verifier(spki) for spki in item.raw.signers]
    if item.entry.kind is not Kind.CAPTURED:
        raise VerificationError("only who captured it himself can be left unnamed", code="signers")
    if [key.thumbprint for key in verifiers] != [each.key for each in item.entry.signatures]:
        raise VerificationError("the signers given are not those of the signatures", code="signers")
    if any(key.thumbprint in keyring.entries for key in verifiers):
        raise VerificationError("a signer is given as unnamed whom the file names", code="signers")
    _verify_entry(item, verifiers)


def _fields(item: _Read, record: ShownRecord, step: Step) -> ShownEvent:
    """The fields that a record shows, as text; paths in order and of this record."""
    prefix, hidden, before = f"e{record.n}/", 0, ""
    one: dict[str, str] = {}
    many: dict[str, list[str]] = {}
    for node in record.fields:
        if isinstance(node, Hidden):
            hidden += 1
            continue
        with at_step(step, item.index, node.path):
            if not node.path.startswith(prefix) or node.path <= before:
                raise VerificationError("this field is out of place", code="path")
            before, name = node.path, node.path.removeprefix(prefix)
            if isinstance(node, Elements):
                many[name] = [_text(element) for element in node.elements]
            else:
                one[name] = _text(node)
    paths = [None if isinstance(node, Hidden) else node.path.removeprefix(prefix) for node in record.fields]
    return ShownEvent(one, many, hidden, may_retract=may_retract(paths))


def _text(node: Shown | Element) -> str:
    try:
        return node.value.decode("utf-8")
    except UnicodeDecodeError:
        raise VerificationError("a value is not UTF-8", code="value") from None


def _root(item: _Read, step: Step) -> None:
    """Step 7 (5 for keys): document, intake and every record shown fold into the root that was signed."""
    raw, commit = item.raw, item.statement.commit
    with at_step(step, item.index):
        if raw.count != commit.n + HEAD_CHILDREN:
            raise VerificationError(
                f"{raw.count} children where {commit.n} records were signed", code="count"
            )
    children: list[tuple[int, str, Callable[[], bytes], Sequence[bytes]]] = [
        (0, "document", raw.document.fold, raw.head[0]),
        (1, "intake", raw.intake.fold, raw.head[1]),
    ]
    children += [
        (HEAD_CHILDREN + record.n, f"e{record.n}", record.fold, record.proof) for record in raw.records
    ]
    for number, path, fold, proof in children:
        with at_step(step, item.index, path):
            root = subtree_commitment("", raw.count, fold_inclusion(fold(), number, raw.count, proof))
            if not compare_digest(root, commit.root):
                raise VerificationError("what is shown is not what was signed", code="root")
    with at_step(step, item.index, "intake"):
        _noted(item)


def _noted(item: _Read) -> dict[str, str]:
    """What the node noted when it took the capture in, as far as it is shown."""
    intake = item.raw.intake
    shown = [node for node in intake.nodes if isinstance(node, Shown)] if isinstance(intake, Subtree) else []
    paths = [node.path for node in shown]
    if sorted(set(paths)) != paths or not all(path.startswith("intake/") for path in paths):
        raise VerificationError("the intake's paths are out of place", code="path")
    noted = {node.path.removeprefix("intake/"): _text(node) for node in shown}
    party, channel = noted.get("onBehalfOf"), noted.get("channel")
    if party is not None and not _GLN.fullmatch(party):
        raise VerificationError("on whose behalf it came is no GLN of 13 digits", code="intake")
    if channel is not None and channel not in _CHANNELS:
        raise VerificationError(f"it came by none of {', '.join(sorted(_CHANNELS))}", code="intake")
    return noted


def _party(item: _Read, keyring: Keyring) -> str:
    """The GLN of the party that vouches for an entry's events, empty where it is not shown."""
    if item.entry.kind is Kind.RECEIVED:
        return _noted(item).get("onBehalfOf", "")
    if item.raw.signers:
        return ""
    return keyring.require(item.statement.author, item.index).party or ""


def _subject(bundle: Bundle, shown: Sequence[tuple[_Read, int, ShownEvent]]) -> None:
    """Step 8: every event shown belongs to the subject's story."""
    with at_step(Step.SUBJECT):
        if not shown:
            raise VerificationError("no event is shown", code="subject")
        number = foreign([event for _, _, event in shown], bundle.subject)
    if number is not None:
        item, record, _ = shown[number]
        with at_step(Step.SUBJECT, item.index, f"e{record}"):
            raise VerificationError(
                f"this event names neither {bundle.subject} nor anything shown to have held it then",
                code="subject",
            )


def _digest(data: bytes, bundle: Bundle) -> None:
    """Step 9: the file's digest over everything else."""
    # Members are sorted and nothing stands between them; in a text a quotation mark stands after a backslash, so that
    # this is the member and nothing else.
    rest = data.replace(b'"digest":"' + bundle.digest.encode() + b'",', b"", 1)
    with at_step(Step.DIGEST):
        if not compare_digest(sha256(rest).hexdigest(), bundle.digest):
            raise VerificationError(
                "the digest does not fit the file: it was changed by accident", code="digest"
            )


def _line(
    item: _Read,
    number: int,
    event: ShownEvent,
    keyring: Keyring,
    keys: Mapping[int, KeyLine],
    leaves: Mapping[bytes, int],
) -> EventLine:
    return EventLine(
        index=item.index,
        record=number,
        received_ms=item.entry.received_ms,
        leaf=item.entry.leaf.hex(),
        type=item.statement.type,
        signed_by=tuple(
            keys[keyring.require(signature.key, item.index).registered]
            for signature in ([] if item.raw.signers else item.entry.signatures)
        ),
        intake=_noted(item),
        document_sha256=item.raw.document.value.hex() if isinstance(item.raw.document, Shown) else None,
        one=event.one,
        many=event.many,
        hidden=event.hidden,
        declared_wrong=event.declared_wrong,
        may_retract=event.may_retract,
        unshown={
            node.path.partition("/")[2]: node.n - len(node.elements)
            for node in next(record for record in item.raw.records if record.n == number).fields
            if isinstance(node, Elements) and node.n > len(node.elements)
        },
        unnamed=tuple(signature.key.hex() for signature in item.entry.signatures) if item.raw.signers else (),
        refers_to=tuple(leaves[ref] for ref in item.statement.refs if ref in leaves),
    )

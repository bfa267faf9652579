"""Answers from the node, each held against the last checkpoint this bench saw.

Nothing a node says is shown before its head is known to continue the one remembered (`scanner.trust`): with the verdict
come the present checkpoint and the proof from the remembered one, so a check is one request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ledger.errors import LedgerError, VerificationError
from ledger.evidence.handover import split_handovers
from ledger.gs1.element_string import parse_scan
from ledger.gs1.epc import Sgtin
from ledger.gs1.errors import Gs1Error
from ledger.gs1.sscc import Sscc
from ledger.log.conflict import asks_beyond
from ledger.log.encoding import from_base64, from_hex, to_base64
from ledger.signing.client import SignedCapture
from scanner.bench import Bench
from scanner.client import NodeClient
from scanner.errors import NodeError, NodeUnreachable, TrustError
from scanner.lookup.port import Answer, parse_answer
from scanner.lookup.proofs import Printed, policy_of, prove
from scanner.sources import Clock, RawScan
from scanner.trust import Memory

_MOST_PROOF_HASHES = 130
_MOST_REFS = 8
# Answers after which the same bytes will never be taken; everything else may pass, and is sent again later.
FINAL = frozenset({400, 403, 409, 413, 415, 422})


@dataclass(frozen=True, slots=True)
class Child:
    """One thing directly inside a container; `count_inside`: packages in it at any depth, 1 for a package."""

    epc: str
    kind: str
    count_inside: int


def subject_of(scan: RawScan) -> str | None:
    """The package or container that a scan names, as canonical EPC text; None where it names neither."""
    try:
        epc = parse_scan(scan.data, scan.symbology).epc
    except Gs1Error:
        return None
    return epc.canonical if isinstance(epc, Sgtin | Sscc) else None


class OnlineProvider:
    """Asks the node that this bench is enrolled with."""

    def __init__(self, bench: Bench, client: NodeClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._take(bench)

    def _take(self, bench: Bench) -> None:
        self._bench = bench
        enrolment = bench.enrolment
        self._policy = policy_of(bench.log, enrolment.party, enrolment.root)

    def check(self, scan: RawScan) -> Answer:
        """The node's verdict. Raises `TrustError` where it shows another past, `NodeUnreachable`, `NodeError`."""
        with self._bench.locked():
            memory = self._bench.memory
            seen = memory.require_trusted()
            value = self._client.post_json(
                "/verification/checks",
                {
                    "data": to_base64(scan.data),
                    "symbology": scan.symbology,
                    "known_size": seen.checkpoint.size,
                    "evidence": True,
                },
            )
            note = _required_text(value, "checkpoint")
            self._advance(memory, note.encode(), _hashes(value.get("consistency")))
        subject = subject_of(scan)
        evidence = value.get("evidence")
        printed = Printed.of(scan)
        proof = prove(evidence if isinstance(evidence, str) else None, subject, note, self._policy, printed)
        answer = parse_answer(value, proof)
        if answer.raw != scan.data or answer.subject not in (None, subject):
            raise NodeError(
                "node-answer", "the node has answered another scan than the one it was asked about"
            )
        return answer.judged()

    def contents(self, container: str) -> tuple[Child, ...]:
        """What should be directly inside a container that this bench's party has or gets. Raises as `check`."""
        with self._bench.locked():
            self._look_at_head()
            value = self._client.get_json("/custody/contents", epc=container)
        try:
            return tuple(
                Child(str(each["epc"]), str(each["kind"]), int(each["count_inside"]))
                for each in value["children"]
            )
        except (KeyError, TypeError, ValueError) as error:
            raise NodeError("node-answer", f"the container's contents cannot be read: {error!r}") from error

    def shipped(self, subject: str) -> tuple[bytes, ...]:
        """The leaf of the statement by which `subject` was shipped to this bench's party, for its own to refer to.

        None where the node names none or does not answer: what arrived is reported all the same. Nothing is believed
        by it: whoever holds both statements sees whether they belong together.
        """
        try:
            found = self._client.get_json("/custody/shipped", epc=subject).get("refs")
            return (
                tuple(from_hex(leaf, length=32) for leaf in found[:_MOST_REFS])
                if isinstance(found, list)
                else ()
            )
        except (NodeUnreachable, NodeError, VerificationError, AttributeError, TypeError):
            return ()

    def send(self, capture: SignedCapture) -> Mapping[str, Any]:
        """Send what was signed; its receipt, kept in the key's folder too. Raises as `check`.

        What the node refuses for good is parked for a person; whatever else goes wrong, it stays in the outbox and is
        sent again, as the same bytes.
        """
        keys = self._bench.keys
        with self._bench.locked():
            self._look_at_head()
            try:
                receipt = self._client.post_parts(
                    "/ledger/captures",
                    {
                        "envelope": ("envelope.json", capture.envelope, "application/json"),
                        "seed": ("seed", capture.seed, "application/octet-stream"),
                        "document": ("document", capture.document, capture.content_type),
                    },
                )
            except NodeError as error:
                if error.status in FINAL:
                    keys.refused(capture, {"code": error.problem, "title": error.message})
                raise
        keys.acknowledged(capture, receipt)
        return receipt

    def look_at_head(self) -> int:
        """Hold the node's present head against the one remembered; its size. Raises as `check`."""
        with self._bench.locked():
            return self._look_at_head()

    def _look_at_head(self) -> int:
        memory = self._bench.memory
        memory.require_trusted()
        return self._advance(memory, self._client.get_bytes("/ledger/checkpoint"), ())

    def _advance(self, memory: Memory, note: bytes, proof: Sequence[bytes]) -> int:
        """Accept the node's head, asking for the proof where the answer has none that holds."""
        if memory.succeeded(note):
            memory = self._followed(memory, note)
        beyond: Sequence[bytes] = ()
        if not memory.continues(note, proof):
            old, new = memory.remembered().checkpoint.size, memory.opened(note).size
            if 0 < old < new:
                proof = self._ask_proof(old, new)
                if asks_beyond(old, new) and not memory.continues(note, proof):
                    # Its own next proof tells what it has put in the place of the entries seen.
                    beyond = self._ask_proof(old + 1, new)
        return memory.accept(note, proof, self._clock(), beyond).checkpoint.size

    def _followed(self, memory: Memory, note: bytes) -> Memory:
        """The memory under the key that the log went over to, where its own handovers lead there (keys.md)."""
        try:
            given = split_handovers(self._client.get_bytes("/ledger/handovers"))
            key = memory.follow(given, note, self._ask_proof, self._clock())
        except (NodeError, TrustError):
            if memory.refusal() is not None:
                raise  # the key pinned here has signed two pasts: why, and where the proof lies, is what counts now
            memory.opened(note)  # signed by the key that is pinned here as well: nothing is lost
            return memory
        self._take(replace(self._bench, log=key))
        return self._bench.memory

    def _ask_proof(self, old: int, new: int) -> Sequence[bytes]:
        try:
            value = self._client.get_json("/ledger/consistency", **{"from": old, "to": new})
        except NodeError as error:
            if error.status >= 500:
                raise
            return ()  # it cannot prove it: that is the answer
        return _hashes(value.get("hashes"))


def _hashes(value: Any) -> tuple[bytes, ...]:
    """The hashes of a proof; none where they cannot be read, which proves nothing."""
    if not isinstance(value, list) or len(value) > _MOST_PROOF_HASHES:
        return ()
    try:
        return tuple(from_base64(item, length=32) for item in value)
    except (LedgerError, AttributeError):
        return ()


def _required_text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str):
        raise NodeError(
            "node-answer", f"the node's answer has no {name}: it cannot be held against what was seen before"
        )
    return found

"""The node's own keys are followed by others; what was signed before stands, and who pinned the old key follows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.capture import prepare
from app.capture.faults import KeyChanged
from app.errors import AppError, Conflict
from app.node.keys import CHECKPOINT, INTAKE
from app.node.rotation import Rotation
from app.proofs.fsck import fsck
from app.witness.client import look
from ledger.__main__ import main
from ledger.errors import LedgerError, VerificationError
from ledger.evidence.handover import Handover, split_handovers
from ledger.evidence.policy import Policy
from ledger.evidence.verify import EvidenceRefused, verify
from ledger.log.note import Note, NoteVerifier
from ledger.signing.client import KeyFolder
from ledger.witness.memory import Memory
from scanner.bench import Bench
from scanner.client import NodeClient
from scanner.enrol import enrol
from scanner.errors import TrustError
from scanner.lookup.online import OnlineProvider
from scanner.sources import utc_now
from tests.scanner.story import GTIN, MAKER, commissioning
from tests.support.app import OPERATOR
from tests.support.live import LiveNode, LiveParty, closing_database
from tests.support.trade import Trade
from tests.support.world import MAKER as PARTY
from tests.support.world import package


def unsigned(trade: Trade, *numbers: int) -> None:
    raw = trade.document(trade.begun(*numbers))
    trade.node.services.capture.receive(raw, "application/json", by=PARTY, channel="file", actor=OPERATOR)


def proven(trade: Trade, number: int, *logs: NoteVerifier) -> bytes:
    data = trade.node.services.evidence.of_package(package(number), reader=None)
    verify(data, Policy(logs))
    return data


def test_both_keys_are_followed_and_all_that_was_signed_stands(trade: Trade) -> None:
    services = trade.node.services
    node, rotation = services.node, Rotation(services.node)
    unsigned(trade, 1)
    first = node.note_verifier
    early = node.checkpoint()
    before = proven(trade, 1, first)

    old_intake = node.intake_key.thumbprint
    begun = rotation.begin(INTAKE)
    assert begun.index is not None and len(begun.keys) == 2
    assert node.intake_key.thumbprint != old_intake
    unsigned(trade, 2)
    rotation.begin(CHECKPOINT)
    both = node.checkpoint()
    second = node.keys.following(CHECKPOINT)
    assert second is not None
    assert len(Note.parse(both).verify(node.present_verifiers)) == 2
    with pytest.raises(Conflict) as again:
        rotation.begin(CHECKPOINT)
    assert again.value.code == "node.rotation_open"
    proven(trade, 2, first)

    ended = rotation.finish(INTAKE)
    assert ended.keys == (node.intake_key.thumbprint.hex(),)
    rotation.finish(CHECKPOINT)
    assert [path.name for path in sorted(node.keys.folder.glob("*-next.pem"))] == []
    with pytest.raises(Conflict) as none:
        rotation.finish(CHECKPOINT)
    assert none.value.code == "node.rotation_none"
    assert node.keys.checkpoint.thumbprint == second.thumbprint
    unsigned(trade, 3)
    with pytest.raises(VerificationError):
        Note.parse(node.checkpoint()).verify([first])

    [handover] = services.handovers.all()
    assert handover.prove(first).checkpoint.size <= node.opened(node.checkpoint()).checkpoint.size
    assert (handover.present, handover.following) == (first, node.note_verifier)
    assert node.opened(early).checkpoint.size > 0, "heads of before are read by the key of before"
    verify(before, Policy((first,)))
    for number in (1, 2, 3):
        proven(trade, number, node.note_verifier)
        with pytest.raises(EvidenceRefused):
            proven(trade, number, first)
    report = fsck(services.database, node)
    assert report.ok, report.findings
    answer = trade.node.app.test_client().get("/ledger/handovers")
    assert split_handovers(answer.data) == [handover.encode()]


def test_a_crash_between_the_steps_is_gone_on_from(
    sqlite_trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = sqlite_trade.node.services.node
    rotation = Rotation(node)
    with monkeypatch.context() as patched:
        patched.setattr(node.keys, "take_over", lambda name: (_ for _ in ()).throw(OSError("the plug")))
        with pytest.raises(OSError, match="plug"):
            rotation.begin(INTAKE)
    old = node.intake_key.thumbprint
    unsigned(sqlite_trade, 1)
    assert rotation.begin(INTAKE).index is None, "it stands already"
    assert node.intake_key.thumbprint != old
    rotation.finish(INTAKE)
    unsigned(sqlite_trade, 2)
    rotation.begin(CHECKPOINT)
    with monkeypatch.context() as patched:
        patched.setattr(node.keys, "take_over", lambda name: (_ for _ in ()).throw(OSError("the plug")))
        with pytest.raises(OSError, match="plug"):
            rotation.finish(CHECKPOINT)
    head = node.opened(node.checkpoint())
    assert head.note.verify(node.present_verifiers) == list(node.present_verifiers)
    assert len(node.present_verifiers) == 1
    rotation.finish(CHECKPOINT)
    assert fsck(sqlite_trade.node.services.database, node).ok


def test_what_was_signed_by_the_key_before_is_not_taken_in_after_it(sqlite_trade: Trade) -> None:
    services = sqlite_trade.node.services
    raw = sqlite_trade.document(sqlite_trade.begun(1))
    document = prepare.read_document(raw, "application/json", 1000, 1 << 20)
    late = prepare.receive(
        document=document,
        raw=raw,
        events=services.capture.events(document, PARTY),
        by=PARTY,
        channel="file",
        origin=services.node.origin,
        intake_key=services.node.intake_key,
        account=OPERATOR.id,
        session=None,
    )
    Rotation(services.node).begin(INTAKE)
    with pytest.raises(KeyChanged) as refused:
        services.capture.submit(late)
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "1"})
    assert fsck(services.database, services.node).ok


@pytest.fixture
def live(tmp_path: Path) -> Iterator[tuple[LiveNode, LiveParty]]:
    node = LiveNode(tmp_path / "node")
    node.initialise()
    node.start(threads=4)
    yield node, node.party(MAKER, "North Pharma", "maker", makes=[GTIN])
    node.kill()


def rotated(node: LiveNode, *, finish: bool) -> None:
    """In a process of its own, so to speak: the server learns of it by the files and the ledger."""
    services = node.services()
    with closing_database(services):
        rotation = Rotation(services.node)
        for name in (INTAKE, CHECKPOINT):
            (rotation.finish if finish else rotation.begin)(name)


def test_clients_and_benches_follow_and_nobody_is_believed_on_his_word(
    live: tuple[LiveNode, LiveParty], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node, maker = live
    awake = KeyFolder.open(maker.device)
    look(awake, node.url)
    client = NodeClient(node.url)
    bench = enrol(tmp_path / "bench", client, maker.root, "Dock", utc_now).bench
    sleeping = enrol(tmp_path / "sleeping", client, maker.root, "Store", utc_now).bench
    old = bench.log

    rotated(node, finish=False)
    node.capture(maker, commissioning("A1"))
    look(awake, node.url)
    OnlineProvider(bench, client, utc_now).look_at_head()
    following = Bench.open(bench.home).log
    assert following != old
    assert Memory(maker.device / "trust", following).remembered().checkpoint.size >= 6
    rotated(node, finish=True)
    node.capture(maker, commissioning("A2"))
    for each in (bench.home, sleeping.home):
        provider = OnlineProvider(Bench.open(each), client, utc_now)
        provider.look_at_head()
        assert Bench.open(each).log == following
        assert provider.look_at_head() == Bench.open(each).memory.remembered().checkpoint.size
    look(awake, node.url)

    [kept] = sleeping.home.glob("handover-*.json")
    handover = Handover.parse(kept.read_bytes())
    policy = tmp_path / "policy"
    policy.write_text(f"log {old}\nquorum none\n")
    assert main([str(kept), "--policy", str(policy)]) == 0
    assert f"log {following}" in capsys.readouterr().out
    policy.write_text(f"log {following}\nquorum none\n")
    assert main([str(kept), "--policy", str(policy)]) == 1
    _every_byte_counts(kept.read_bytes(), handover)
    _an_operator_alone_leads_nobody(sleeping, handover)


def _every_byte_counts(data: bytes, handover: Handover) -> None:
    # Before them stands the note, whose ML-DSA line is of a key that nobody needs here.
    for at in range(data.index(b'"entries"'), len(data), 17):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(LedgerError):
            Handover.parse(changed).prove(handover.present)


def _an_operator_alone_leads_nobody(bench: Bench, handover: Handover) -> None:
    """Without the key that is pinned nothing leads on, whatever else the node's operator holds."""
    memory = Memory(bench.home, handover.following)
    note = memory.remembered().note
    with pytest.raises(LedgerError):
        memory.follow([handover.encode()], note, lambda old, new: (), utc_now())
    with pytest.raises((LedgerError, TrustError, AppError)):
        memory.follow([], note, lambda old, new: (), utc_now())

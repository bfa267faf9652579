"""The outlines of a document are kept for the next package of it, and stand for nothing else."""

from app.events import records
from app.proofs.outlines import Outlines
from ledger.evidence.verify import verify
from ledger.signing.commitment import Outline
from tests.support.world import package

SEED = bytes(32)


def some(count: int) -> tuple[Outline, ...]:
    return tuple(Outline(bytes([number]) * 32, number) for number in range(count))


def test_the_longest_unasked_go_first_and_a_long_document_is_not_kept() -> None:
    kept = Outlines(most=10)
    for index in range(3):
        kept.keep(index, SEED, some(3))
    assert kept.of(0, SEED) == some(3)
    kept.keep(3, SEED, some(3))
    assert kept.of(1, SEED) is None
    assert [kept.of(index, SEED) for index in (0, 2, 3)] == [some(3)] * 3
    kept.keep(4, SEED, some(11))
    assert kept.of(4, SEED) is None
    assert kept.of(3, SEED) == some(3)


def test_another_seed_is_another_question() -> None:
    kept = Outlines()
    kept.keep(7, SEED, some(2))
    assert kept.of(7, b"x" * 32) is None
    assert kept.of(8, SEED) is None


def test_evidence_out_of_a_document_that_was_shown_before_opens_one_event_of_it(
    sqlite_trade, monkeypatch
) -> None:
    made = sqlite_trade.node.services.evidence
    assert (
        sqlite_trade.post_epcis(sqlite_trade.document(*map(sqlite_trade.begun, (1, 2, 3)))).status_code == 202
    )
    first = made.for_scan(package(1), reader=None)
    opened = []
    plain = records.unpack_fields
    monkeypatch.setattr(records, "unpack_fields", lambda body: opened.append(1) or plain(body))
    second = made.for_scan(package(2), reader=None)
    assert len(opened) == 1
    for each, number in ((first, 1), (second, 2)):
        assert verify(each.data).subject == package(number)
    monkeypatch.undo()
    assert made.for_scan(package(1), reader=None).data == first.data

"""A head is signed only where the ledger continues what was signed before."""

import itertools
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.log.checkpoint import Checkpoint, SignedCheckpoint
from ledger.log.hashing import EMPTY_ROOT
from ledger.log.mark import MarkError, MarkFile
from ledger.log.note import Note, NoteSigner
from ledger.log.proof import consistency_proof, verify_consistency
from ledger.store.memory import MemoryLedger
from ledger.store.port import LedgerDamaged
from ledger.store.sealing import MarkMissing, ReadOnly, RolledBack, Sealer
from tests.support.crook import flipped, tamper
from tests.support.ledgers import ORIGIN, SIGNER, draft, drafts, sql_ledger
from tests.support.patience import PATIENCE_S
from tests.support.sweep import sweep

KEY = SIGNER.verifier


def append(ledger, items):
    with ledger.writing() as writer:
        return writer.append(items)


def opened(note):
    return SignedCheckpoint.open(note, [KEY]).checkpoint


def started(ledger, mark_path, count):
    """A sealed ledger of `count` entries and its sealer."""
    sealer = Sealer(ledger, mark_path, SIGNER)
    sealer.check_at_start()
    append(ledger, drafts(count))
    sealer.seal()
    return sealer


def checkpoints(ledger):
    with ledger.reading() as reader:
        return [kept.note for kept in reader.checkpoints()]


def test_a_sealed_head_verifies_and_is_kept(database, mark_path):
    ledger = sql_ledger(database)
    sealer = started(ledger, mark_path, 300)
    [note] = checkpoints(ledger)
    with ledger.reading() as reader:
        assert opened(note) == Checkpoint(ORIGIN, 300, reader.head().root)
    assert sealer.seal() == note
    sweep(ledger, mark_path=mark_path, log_key=KEY)


def test_every_seal_is_consistent_with_the_ones_before(database, mark_path):
    ledger = sql_ledger(database)
    sealer = Sealer(ledger, mark_path, SIGNER)
    sealer.check_at_start()
    seals = []
    for size in (1, 2, 255, 256, 257, 700):
        append(ledger, drafts(size))
        seals.append(opened(sealer.seal()))
        sweep(ledger, mark_path=mark_path, log_key=KEY)
    assert [seal.size for seal in seals] == [1, 2, 255, 256, 257, 700]
    with ledger.reading() as reader:
        for old, new in itertools.pairwise(seals):
            proof = consistency_proof(reader, old.size, new.size)
            verify_consistency(old.size, new.size, old.root, new.root, proof)


def test_sealing_twice_gives_the_same_note_and_no_second_row(mark_path):
    ledger = MemoryLedger(ORIGIN)
    sealer = started(ledger, mark_path, 3)
    assert sealer.seal() == sealer.seal() == checkpoints(ledger)[0]
    assert len(checkpoints(ledger)) == 1


def test_the_first_start_makes_a_mark_of_the_empty_ledger(mark_path):
    ledger = MemoryLedger(ORIGIN)
    Sealer(ledger, mark_path, SIGNER).check_at_start()
    assert MarkFile(mark_path).read() == Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    mark_path.unlink()
    append(ledger, drafts(1))
    with pytest.raises(MarkMissing):
        Sealer(ledger, mark_path, SIGNER).check_at_start()


def refused(ledger, mark_path, expected, code, words):
    """Neither starting nor sealing works, and nothing was signed by trying."""
    before = checkpoints(ledger), mark_path.read_bytes() if mark_path.exists() else None
    sealer = Sealer(ledger, mark_path, SIGNER)
    for attempt in (sealer.check_at_start, sealer.seal):
        with pytest.raises(expected, match=words) as caught:
            attempt()
        assert caught.value.code == code
    assert (checkpoints(ledger), mark_path.read_bytes() if mark_path.exists() else None) == before


def test_yesterdays_database_is_noticed(database, mark_path, copy_of):
    ledger = sql_ledger(database)
    sealer = started(ledger, mark_path, 270)
    yesterday = copy_of(database)
    append(ledger, drafts(10, first=270))
    sealer.seal()
    refused(
        sql_ledger(yesterday), mark_path, RolledBack, "ledger-rolled-back", "280 entries, .* has only 270"
    )


def test_yesterdays_database_is_noticed_after_it_has_grown_past_the_mark(database, mark_path, copy_of):
    ledger = sql_ledger(database)
    sealer = started(ledger, mark_path, 270)
    yesterday = copy_of(database)
    append(ledger, drafts(10, first=270))
    sealer.seal()
    restored = sql_ledger(yesterday)
    append(restored, drafts(500, first=1_000))
    refused(restored, mark_path, RolledBack, "ledger-rolled-back", "first 280 of 770 entries are not those")


def test_a_restored_database_of_just_the_marks_size_is_noticed(database, mark_path, copy_of):
    ledger = sql_ledger(database)
    sealer = started(ledger, mark_path, 5)
    yesterday = copy_of(database)
    append(ledger, [draft("today")])
    sealer.seal()
    restored = sql_ledger(yesterday)
    append(restored, [draft("another today")])
    refused(restored, mark_path, RolledBack, "ledger-rolled-back", "first 6 of 6 entries")


def test_an_empty_database_beside_a_mark_is_noticed(make_database, mark_path):
    started(sql_ledger(make_database()), mark_path, 5)
    refused(sql_ledger(make_database()), mark_path, RolledBack, "ledger-rolled-back", "has only 0")


def test_a_database_that_lost_nothing_signed_goes_on(database, mark_path, copy_of):
    ledger = sql_ledger(database)
    started(ledger, mark_path, 5)
    same = sql_ledger(copy_of(database))
    sealer = Sealer(same, mark_path, SIGNER)
    sealer.check_at_start()
    append(same, [draft("next")])
    assert opened(sealer.seal()).size == 6


def test_without_its_mark_a_ledger_is_read_only(database, mark_path):
    ledger = sql_ledger(database)
    started(ledger, mark_path, 5)
    mark_path.unlink()
    refused(ledger, mark_path, MarkMissing, "mark-missing", "ledger has 5 entries, and the mark .* is gone")


def test_a_mark_from_a_backup_is_noticed(database, mark_path):
    ledger = sql_ledger(database)
    sealer = started(ledger, mark_path, 5)
    old = mark_path.read_bytes()
    append(ledger, drafts(1, first=5))
    sealer.seal()
    mark_path.write_bytes(old)
    refused(
        ledger, mark_path, ReadOnly, "mark-behind", "stands at 5, and a checkpoint of 6 entries was signed"
    )


def test_a_mark_of_another_ledger_is_refused(database, mark_path):
    ledger = sql_ledger(database)
    started(ledger, mark_path, 5)
    mark_path.write_text(mark_path.read_text().replace(ORIGIN, "other.example/ledger"))
    refused(ledger, mark_path, ReadOnly, "mark-origin", "is of other.example/ledger")


@pytest.mark.parametrize("content", [b"", b"nonsense", bytes(2_000), b"\xff\xfe"])
def test_a_mark_that_cannot_be_read_is_not_taken_for_none(database, mark_path, content):
    ledger = sql_ledger(database)
    started(ledger, mark_path, 5)
    mark_path.write_bytes(content)
    refused(ledger, mark_path, ReadOnly, "mark-unreadable", "cannot be read")


def test_a_head_that_its_entries_do_not_give_is_not_signed(database, mark_path):
    ledger = sql_ledger(database)
    sealer = started(ledger, mark_path, 5)
    append(ledger, drafts(3, first=5))
    with ledger.reading() as reader:
        leaf = reader.leaf(7)
    tamper(database, "UPDATE entry SET leaf = ? WHERE idx = 7", [flipped(leaf, 0)])
    with pytest.raises(LedgerDamaged, match="not what its entries give"):
        sealer.seal()
    assert len(checkpoints(ledger)) == 1


def test_a_kept_checkpoint_that_was_changed_is_not_handed_out_again(database, mark_path):
    ledger = sql_ledger(database)
    sealer = started(ledger, mark_path, 5)
    note = checkpoints(ledger)[0]
    tamper(database, "UPDATE checkpoint SET note = ?", [note.replace(b"A", b"B", 1)])
    assert sealer.seal() == note
    with pytest.raises(LedgerDamaged, match="does not verify"):
        Sealer(ledger, mark_path, SIGNER).seal()


def test_a_note_is_not_given_again_after_the_mark_moved_or_went(mark_path):
    ledger = MemoryLedger(ORIGIN)
    sealer = started(ledger, mark_path, 5)
    mark = mark_path.read_bytes()
    mark_path.write_bytes(mark.replace(b"\n5\n", b"\n6\n"))
    with pytest.raises(RolledBack):
        sealer.seal()
    mark_path.unlink()
    with pytest.raises(MarkMissing):
        sealer.seal()


class FailsToSign(NoteSigner):
    """A key that is out of reach at the wrong moment, such as an HSM unplugged."""

    def sign(self, text: str) -> Note:
        raise OSError("the token is gone")


def test_the_mark_is_written_before_anything_is_signed(mark_path):
    ledger = MemoryLedger(ORIGIN)
    started(ledger, mark_path, 3)
    append(ledger, [draft("more")])
    failing = FailsToSign(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    with pytest.raises(OSError, match="the token is gone"):
        Sealer(ledger, mark_path, failing).seal()
    mark = MarkFile(mark_path).read()
    assert mark is not None
    assert mark.size == 4
    assert len(checkpoints(ledger)) == 1
    assert opened(Sealer(ledger, mark_path, SIGNER).seal()) == mark


def test_where_the_mark_cannot_be_written_nothing_is_signed(mark_path):
    ledger = MemoryLedger(ORIGIN)
    sealer = started(ledger, mark_path, 3)
    append(ledger, [draft("more")])
    mark_path.with_name("mark.new").mkdir()
    with pytest.raises(MarkError):
        sealer.seal()
    assert len(checkpoints(ledger)) == 1


def test_a_signer_of_another_name_is_a_programmers_mistake(mark_path):
    with pytest.raises(ValueError, match=r"other\.example"):
        Sealer(MemoryLedger(ORIGIN), mark_path, NoteSigner("other.example", Ed25519PrivateKey.generate()))


def test_sealing_while_others_append_and_seal_never_forks(database, mark_path):
    ledger = sql_ledger(database)
    Sealer(ledger, mark_path, SIGNER).check_at_start()
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            sealer = Sealer(ledger, mark_path, SIGNER)
            for number in range(10):
                append(ledger, [draft(f"{name}-{number}-{part}") for part in range(13)])
                sealer.seal()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert failures == []
    assert opened(checkpoints(ledger)[-1]).size == 390
    sweep(ledger, mark_path=mark_path, log_key=KEY)

"""The way back from read-only: the mark is written only where the ledger continues every head that is known."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.errors import VerificationError
from ledger.log.checkpoint import Checkpoint, SignedCheckpoint
from ledger.log.mark import MarkFile
from ledger.log.note import NoteSigner
from ledger.store.port import LedgerDamaged
from ledger.store.recovery import Given, Verdict, compare, restore_mark
from ledger.store.sealing import ReadOnly, Sealer
from tests.support.crook import tamper
from tests.support.ledgers import ORIGIN, SIGNER, draft, drafts, sql_ledger

KEY = SIGNER.verifier


def append(ledger, items):
    with ledger.writing() as writer:
        writer.append(items)


def sealed(ledger, mark_path, *sizes):
    """Appends up to each of `sizes` and seals there; the notes."""
    sealer = Sealer(ledger, mark_path, SIGNER)
    sealer.check_at_start()
    notes, size = [], 0
    for target in sizes:
        append(ledger, drafts(target - size, first=size))
        notes.append(sealer.seal())
        size = target
    return notes


def test_a_lost_mark_comes_back_from_what_others_kept(database, mark_path):
    ledger = sql_ledger(database)
    notes = sealed(ledger, mark_path, 5, 270)
    before = mark_path.read_bytes()
    mark_path.unlink()
    found = compare(ledger, mark_path, KEY, [Given("a bench", notes[0])])
    assert (found.verdict, found.mark, found.new_mark.size) == (Verdict.MARK_TO_WRITE, None, 270)
    assert [(item.source, item.on_tree) for item in found.known] == [
        ("the latest checkpoint in the database", True),
        ("a bench", True),
    ]
    assert not mark_path.exists(), "comparing writes nothing"
    restore_mark(ledger, mark_path, KEY, [Given("a bench", notes[0])], alone=False)
    assert mark_path.read_bytes() == before
    append(ledger, [draft("after")])
    Sealer(ledger, mark_path, SIGNER).seal()


def test_what_this_machine_says_of_itself_is_not_enough_unless_a_person_vouches(database, mark_path):
    ledger = sql_ledger(database)
    sealed(ledger, mark_path, 5)
    mark_path.unlink()
    found = restore_mark(ledger, mark_path, KEY, [], alone=False)
    assert found.verdict is Verdict.NOBODY_ASKED and not mark_path.exists()
    restore_mark(ledger, mark_path, KEY, [], alone=True)
    assert MarkFile(mark_path).read().size == 5


def test_a_mark_that_is_behind_is_raised_to_the_largest_head_known(database, mark_path):
    ledger = sql_ledger(database)
    older, newest = sealed(ledger, mark_path, 5, 9)
    append(ledger, [draft("unsigned")])
    mark_path.write_text(Checkpoint(ORIGIN, 5, _root(older)).text())
    found = restore_mark(ledger, mark_path, KEY, [Given("w", newest)], alone=False)
    assert (found.verdict, found.mark.size, found.head.size) == (Verdict.MARK_TO_WRITE, 5, 10)
    assert MarkFile(mark_path).read().size == 9


def test_a_head_beyond_the_mark_that_only_others_kept_raises_it_too(database, mark_path):
    ledger = sql_ledger(database)
    notes = sealed(ledger, mark_path, 5, 9)
    mark_path.write_text(Checkpoint(ORIGIN, 5, _root(notes[0])).text())
    tamper(database, "DELETE FROM checkpoint WHERE size = 9")
    assert compare(ledger, mark_path, KEY, []).verdict is Verdict.FINE, "nothing here tells of it"
    found = restore_mark(ledger, mark_path, KEY, [Given("a bench", notes[1])], alone=False)
    assert found.verdict is Verdict.MARK_TO_WRITE and MarkFile(mark_path).read().size == 9


def _root(note):
    return SignedCheckpoint.open(note, [KEY]).checkpoint.root


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff\xfe"])
def test_a_mark_that_cannot_be_read_is_kept_beside_the_new_one(sqlite_database, mark_path, content):
    ledger = sql_ledger(sqlite_database)
    [note] = sealed(ledger, mark_path, 5)
    mark_path.write_bytes(content)
    with pytest.raises(ReadOnly):
        Sealer(ledger, mark_path, SIGNER).check_at_start()
    found = restore_mark(ledger, mark_path, KEY, [Given("w", note)], alone=False)
    assert found.mark_problem
    assert mark_path.with_name("mark.unreadable").read_bytes() == content
    Sealer(ledger, mark_path, SIGNER).check_at_start()


def test_where_nothing_is_wrong_nothing_is_written(database, mark_path):
    ledger = sql_ledger(database)
    notes = sealed(ledger, mark_path, 5, 9)
    before = mark_path.stat()
    found = restore_mark(ledger, mark_path, KEY, [Given("w", notes[1])], alone=True)
    assert found.verdict is Verdict.FINE
    assert mark_path.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("mark", ["stands", "gone"])
def test_yesterdays_database_is_never_led_back(database, mark_path, copy_of, mark):
    ledger = sql_ledger(database)
    notes = sealed(ledger, mark_path, 5)
    yesterday = copy_of(database)
    append(ledger, drafts(3, first=5))
    notes.append(Sealer(ledger, mark_path, SIGNER).seal())
    if mark == "gone":
        mark_path.unlink()
    before = mark_path.read_bytes() if mark_path.exists() else None
    restored = sql_ledger(yesterday)
    given = [Given("a bench", notes[0]), Given("a witness", notes[-1])]
    for grown, verdict in ((0, Verdict.ENTRIES_LOST), (500, Verdict.OTHER_HISTORY)):
        append(restored, drafts(grown, first=10_000))
        found = restore_mark(restored, mark_path, KEY, given, alone=True)
        assert found.verdict is verdict and found.verdict.refused
        assert {item.source for item in found.known if not item.on_tree} >= {"a witness"}
        assert (mark_path.read_bytes() if mark_path.exists() else None) == before
    newest = restore_mark(ledger, mark_path, KEY, given, alone=False)
    assert not newest.verdict.refused, "the newest database put back"
    Sealer(ledger, mark_path, SIGNER).check_at_start()


def test_a_mark_of_another_ledger_is_not_replaced(sqlite_database, mark_path):
    ledger = sql_ledger(sqlite_database)
    [note] = sealed(ledger, mark_path, 5)
    mark_path.write_text(mark_path.read_text().replace(ORIGIN, "other.example/ledger"))
    assert (
        restore_mark(ledger, mark_path, KEY, [Given("w", note)], alone=True).verdict is Verdict.OTHER_ORIGIN
    )
    assert MarkFile(mark_path).read().origin == "other.example/ledger"


def test_what_this_log_did_not_sign_stops_the_comparison(sqlite_database, mark_path):
    ledger = sql_ledger(sqlite_database)
    sealed(ledger, mark_path, 5)
    stranger = NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
    forged = Checkpoint(ORIGIN, 900, b"f" * 32).sign(stranger).encode()
    for note in (forged, b"nothing", b""):
        with pytest.raises(VerificationError) as caught:
            compare(ledger, mark_path, KEY, [Given("FILE", note)])
        assert caught.value.message.startswith("FILE: ")


def test_rows_that_contradict_each_other_stop_the_comparison(database, mark_path):
    ledger = sql_ledger(database)
    [note] = sealed(ledger, mark_path, 5)
    mark_path.unlink()
    tamper(database, "UPDATE head SET root = ?", [b"x" * 32])
    with pytest.raises(LedgerDamaged):
        restore_mark(ledger, mark_path, KEY, [Given("w", note)], alone=True)
    assert not mark_path.exists()

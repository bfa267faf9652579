"""Every MUST of tlog-witness, and what a witness remembers."""

import errno
import os
import stat
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from ledger.__main__ import main
from ledger.log.conflict import Conflict
from ledger.log.cosignature import CosignatureSigner
from ledger.log.cosigned import split_time
from ledger.log.encoding import to_base64
from ledger.log.hashing import EMPTY_ROOT
from ledger.log.note import Note, NoteSigner
from ledger.log.proof import consistency_proof, root_at
from ledger.witness.request import AddCheckpoint, parse_answer
from ledger.witness.state import StateError, StateFolder, origin_hash
from ledger.witness.witness import SIZE, Witness, logs_of
from tests.ledger.witness.history import COSIGNER, LOG, MOST, NOW, ORIGIN, OTHER, TRUE, note, request

ML = CosignatureSigner(COSIGNER.name, MLDSA44PrivateKey.generate())


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(StateFolder(tmp_path), [COSIGNER, ML], lambda: logs_of([LOG.verifier]), lambda: NOW)


def status(witness: Witness, body: bytes) -> int:
    return witness.add_checkpoint(body).status


def test_a_log_is_followed_from_size_to_size(witness: Witness) -> None:
    old = 0
    for new in (0, 0, 1, 1, 2, 3, 7, 8, 8, 40, 41, 64):
        answer = witness.add_checkpoint(request(old, new))
        assert answer.status == HTTPStatus.OK, answer.body
        cosigned = parse_answer(answer.body, Note.parse(note(new)), [COSIGNER.verifier, ML.verifier])
        assert len(cosigned.verify([LOG.verifier, COSIGNER.verifier, ML.verifier])) == 3
        assert [split_time(line.sig)[0] for line in cosigned.signatures[1:]] == [int(NOW.timestamp())] * 2
        old = new


def test_the_answer_is_signature_lines_and_nothing_else(witness: Witness) -> None:
    body = witness.add_checkpoint(request(0, 5)).body.decode()
    lines = body.split("\n")
    assert lines.pop() == ""
    assert len(lines) == 2
    assert all(line.startswith(f"\N{EM DASH} {COSIGNER.name} ") for line in lines)


def test_another_old_size_is_told_the_one_that_is_known(witness: Witness) -> None:
    for old, known in ((3, 0), (0, 5), (4, 5), (6, 5)):
        if known and not witness.folder.cosigned(origin_hash(ORIGIN)):
            assert status(witness, request(0, 5)) == 200
        answer = witness.add_checkpoint(request(old, 9))
        assert (answer.status, answer.body, answer.content_type) == (409, b"%d\n" % known, SIZE)
    assert SIZE == "text/x.tlog.size"
    assert status(witness, request(5, 9)) == 200


def test_the_same_head_again_is_cosigned_at_the_later_time(tmp_path: Path) -> None:
    times = iter((NOW, NOW + timedelta(hours=1)))
    witness = Witness(StateFolder(tmp_path), [COSIGNER], lambda: logs_of([LOG.verifier]), lambda: next(times))
    bodies = [witness.add_checkpoint(request(old, 5)).body for old in (0, 5)]
    seconds = [
        split_time(parse_answer(body, Note.parse(note(5)), [COSIGNER.verifier]).signatures[-1].sig)[0]
        for body in bodies
    ]
    assert seconds[1] - seconds[0] == 3600


def test_a_mark_that_the_disk_may_not_have_is_not_cosigned_by(
    witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rename was done and the folder's fsync failed: the same head again is no reason to believe that it stands."""
    fsync = os.fsync

    def failing(file: int) -> None:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            raise OSError(errno.EIO, "Input/output error")
        fsync(file)

    assert status(witness, request(0, 5)) == 200
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        for old in (5, 9):
            with pytest.raises(StateError):
                witness.add_checkpoint(request(old, 9))
    assert status(witness, request(9, 9)) == 200


STRANGER = NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
UNKNOWN = NoteSigner("packproof.example/unknown", Ed25519PrivateKey.generate())


def bent(data: bytes) -> bytes:
    """With the last signature changed, and canonical base64 still."""
    found = Note.parse(data)
    last = found.signatures[-1]
    wrong = type(last)(last.name, last.key_id, bytes((last.sig[0] ^ 1,)) + last.sig[1:])
    return Note(found.text, (*found.signatures[:-1], wrong)).encode()


def test_who_signed_decides_between_403_and_404(witness: Witness) -> None:
    for body, expected in (
        (AddCheckpoint.encode(0, [], note(5, signer=UNKNOWN)), 404),
        (AddCheckpoint.encode(0, [], note(5, signer=STRANGER)), 403),
        (AddCheckpoint.encode(0, [], bent(note(5))), 403),
        # A stranger's line beside the log's is ignored; a wrong line of the log beside a good one is not.
        (
            AddCheckpoint.encode(
                0, [], Note.parse(note(5)).signed_also([STRANGER.signature("x\n")]).encode()
            ),
            200,
        ),
        (
            AddCheckpoint.encode(
                5, [], Note.parse(note(5)).signed_also([LOG.signature("another\n")]).encode()
            ),
            403,
        ),
    ):
        assert status(witness, body) == expected


def test_a_strangers_line_is_neither_kept_nor_shown(witness: Witness) -> None:
    more = Note.parse(note(5)).signed_also([STRANGER.signature("x\n")])
    witness.add_checkpoint(AddCheckpoint.encode(0, [], more.encode()))
    shown = witness.folder.cosigned(origin_hash(ORIGIN))
    assert shown is not None
    assert [line.key_id for line in Note.parse(shown).signatures] == [
        LOG.verifier.key_id,
        COSIGNER.verifier.key_id,
        ML.verifier.key_id,
    ]


PROOF = consistency_proof(TRUE, 5, 9)
EMPTY = f"{ORIGIN}\n0\n{to_base64(root_at(TRUE, 1))}\n"


@pytest.mark.parametrize(
    "body",
    [
        AddCheckpoint.encode(5, PROOF[:-1], note(9)),
        AddCheckpoint.encode(5, [*PROOF, bytes(32)], note(9)),
        AddCheckpoint.encode(5, [bytes(32), *PROOF[1:]], note(9)),
        AddCheckpoint.encode(5, PROOF, note(9, OTHER)),
        AddCheckpoint.encode(5, consistency_proof(OTHER, 5, 9), note(9, OTHER)),
        AddCheckpoint.encode(5, [], note(5, OTHER)),
        AddCheckpoint.encode(5, [bytes(32)], note(5)),
    ],
)
def test_what_does_not_continue_is_422_and_changes_nothing(witness: Witness, body: bytes) -> None:
    assert status(witness, request(0, 5)) == 200
    assert status(witness, body) == 422
    assert status(witness, request(5, 9)) == 200


def test_an_empty_tree_has_one_root_and_no_proof(witness: Witness) -> None:
    assert status(witness, AddCheckpoint.encode(0, [bytes(32)], note(5))) == 422
    assert status(witness, AddCheckpoint.encode(0, [], LOG.sign(EMPTY).encode())) == 422
    assert status(witness, AddCheckpoint.encode(0, [], note(0))) == 200
    assert root_at(TRUE, 0) == EMPTY_ROOT


def test_an_old_size_above_the_checkpoints_is_no_request(witness: Witness) -> None:
    assert status(witness, AddCheckpoint.encode(6, [], note(5))) == 400


GOOD = request(5, 9)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n\n",
        GOOD[4:],
        GOOD.replace(b"old 5", b"old 05"),
        GOOD.replace(b"old 5", b"old  5"),
        GOOD.replace(b"old 5", b"old -5"),
        GOOD.replace(b"old 5", b"Old 5"),
        GOOD.replace(b"old 5\n", b"old 5\r\n"),
        GOOD.replace(b"old 5\n", b"old 5 \n"),
        GOOD.replace(b"old 5", b"old 9223372036854775808"),
        GOOD.replace(b"=\n", b"\n", 1),
        GOOD.replace(b"=\n", b"=\n\n", 1),
        GOOD[:-1],
        GOOD + b"\n",
        AddCheckpoint.encode(5, [bytes(32)] * 64, note(9)),
        AddCheckpoint.encode(5, [bytes(31)], note(9)),
        AddCheckpoint.encode(5, PROOF, note(9)).replace(b"\n9\n", b"\n09\n"),
        AddCheckpoint.encode(0, [], LOG.sign("only\n5\n").encode()),
        b"old 5\n\xff\n\n" + note(9),
        b"old 5\n" + b"A" * 10_000_000,
    ],
)
def test_what_is_no_request_is_400(witness: Witness, body: bytes) -> None:
    assert status(witness, request(0, 5)) == 200
    assert status(witness, body) == 400


def test_every_changed_byte_is_refused_or_says_the_same(witness: Witness) -> None:
    assert status(witness, request(0, 5)) == 200
    for position in range(len(GOOD)):
        changed = bytearray(GOOD)
        changed[position] ^= 1
        answer = witness.add_checkpoint(bytes(changed))
        # What the log wrote beside its key, and a line that a byte has made another key's, may only be refused.
        assert answer.status in (400, 403, 404, 409, 422), position
    assert status(witness, GOOD) == 200


def test_extension_lines_are_cosigned_as_they_came(witness: Witness) -> None:
    text = note(5).decode().partition("\n\n")[0] + "\nsome extension\n"
    signed = LOG.sign(text)
    answer = witness.add_checkpoint(AddCheckpoint.encode(0, [], signed.encode()))
    assert answer.status == 200
    parse_answer(answer.body, signed, [COSIGNER.verifier, ML.verifier])


def test_a_fork_is_refused_and_kept_as_proof(witness: Witness, tmp_path: Path) -> None:
    assert status(witness, request(0, 5)) == 200
    for body, expected, kind in (
        (AddCheckpoint.encode(5, [], note(5, OTHER)), 422, "log-forked"),
        (AddCheckpoint.encode(4, [], note(5, OTHER)), 409, None),
        (request(5, 9, OTHER), 422, "log-rewritten"),
        (request(5, 9, OTHER), 422, None),
        (AddCheckpoint.encode(5, [], note(9, OTHER)), 422, None),
    ):
        answer = witness.add_checkpoint(body)
        assert answer.status == expected
        if kind is None:
            assert answer.conflict is None, "kept again, or what proves nothing"
            continue
        assert answer.conflict is not None
        assert Conflict.parse(answer.conflict.read_bytes()).prove([LOG.verifier]).kind == kind
        assert main([str(answer.conflict)]) == 0
    assert len(witness.folder.conflicts()) == 2


def test_a_conflict_that_cannot_be_kept_or_was_damaged_is_not_the_requests_fault(
    witness: Witness, tmp_path: Path
) -> None:
    fork = AddCheckpoint.encode(5, [], note(5, OTHER))
    assert status(witness, request(0, 5)) == 200
    kept = witness.add_checkpoint(fork).conflict
    assert kept is not None
    kept.write_bytes(b"{")
    assert (answer := witness.add_checkpoint(fork)).status == 422
    assert answer.conflict is not None, "what was damaged proves nothing any more"
    for path in (tmp_path / "conflicts").iterdir():
        path.unlink()
    (tmp_path / "conflicts").rename(tmp_path / "elsewhere")
    (tmp_path / "conflicts").symlink_to("/proc/self/fdinfo")  # where nothing can be made
    with pytest.raises(StateError):
        witness.add_checkpoint(fork)


def test_another_keys_signature_is_no_proof_against_the_log(witness: Witness) -> None:
    assert status(witness, request(0, 5)) == 200
    assert witness.add_checkpoint(AddCheckpoint.encode(5, [], note(5, OTHER, STRANGER))).status == 403
    assert witness.folder.conflicts() == []


def test_a_mark_that_cannot_be_read_ends_it(witness: Witness, tmp_path: Path) -> None:
    assert status(witness, request(0, 5)) == 200
    mark = tmp_path / "heads" / origin_hash(ORIGIN)
    for damage in (b"", mark.read_bytes()[:30], mark.read_bytes().replace(b"followed", b"elsewhere")):
        mark.write_bytes(damage)
        with pytest.raises(StateError):
            witness.add_checkpoint(request(5, 9))
    mark.unlink()
    mark.mkdir()
    with pytest.raises(StateError):
        witness.add_checkpoint(request(5, 9))


def test_two_logs_do_not_know_of_each_other(tmp_path: Path) -> None:
    both = logs_of([LOG.verifier, UNKNOWN.verifier, STRANGER.verifier])
    witness = Witness(StateFolder(tmp_path), [COSIGNER], lambda: both, lambda: NOW)
    assert status(witness, request(0, 9)) == 200
    assert status(witness, AddCheckpoint.encode(0, [], note(5, signer=UNKNOWN))) == 200
    assert status(witness, AddCheckpoint.encode(9, [], note(9, signer=STRANGER))) == 200, (
        "a key that the log changed to"
    )


def test_all_steps_between_all_sizes(witness: Witness, tmp_path: Path) -> None:
    for old in range(1, MOST, 9):
        for new in range(old, MOST + 1, 11):
            fresh = Witness(
                StateFolder(tmp_path / f"{old}-{new}"),
                [COSIGNER],
                lambda: logs_of([LOG.verifier]),
                lambda: NOW,
            )
            assert status(fresh, request(0, old)) == 200
            assert status(fresh, request(old, new, OTHER)) == 422
            assert status(fresh, request(old, new)) == 200

"""The node's own keys: both sign each head, and neither is made anew in passing."""

import stat
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.cli import main
from app.errors import AppError
from app.node.keys import CHECKPOINT, INTAKE, MLDSA, NodeKeys, is_locked, passphrase_of
from app.node.longterm import MldsaRotation
from app.node.rotation import Rotation
from app.node.service import Node as NodeService
from app.witness.service import NodeWitness
from ledger.log.checkpoint import Checkpoint, SignedCheckpoint
from ledger.log.cosigned import split_time
from ledger.log.hashing import EMPTY_ROOT
from ledger.log.mark import MarkFile
from ledger.log.note import Note
from ledger.store.sealing import Sealer
from ledger.store.sql.writer import SqlWriter
from tests.support.app import Node
from tests.support.ledgers import drafts


def fresh(node: Node) -> NodeService:
    """The same node as another process would have it."""
    services = node.services
    return NodeService(services.database, services.node.origin, services.node.data_dir, services.clock)


def append(node: Node, count: int, first: int = 0) -> None:
    with node.services.database.writing() as connection:
        writer = SqlWriter(connection, node.services.node.origin)
        writer.lock()
        writer.append(drafts(count, first))


def key_path(node: Node) -> Path:
    return node.services.node.data_dir / "keys" / f"{MLDSA}.pem"


def test_each_head_is_signed_by_both_keys(sqlite_node: Node) -> None:
    own = sqlite_node.services.node
    own.initialise()
    note = Note.parse(own.checkpoint())
    assert note.verify([own.note_verifier, own.mldsa_verifier]) == [own.note_verifier, own.mldsa_verifier]
    assert [line.name for line in note.signatures] == [own.origin, own.origin]
    assert split_time(note.signatures[1].sig)[0] == int(sqlite_node.services.clock.now().timestamp())
    assert stat.S_IMODE(key_path(sqlite_node).stat().st_mode) == 0o600


def test_the_same_head_gives_the_same_note_however_late_it_is_asked_for(sqlite_node: Node) -> None:
    own = sqlite_node.services.node
    own.initialise()
    first = own.checkpoint()
    sqlite_node.services.clock.advance(timedelta(hours=1))
    assert own.checkpoint() == fresh(sqlite_node).checkpoint() == first
    append(sqlite_node, 1)
    assert own.checkpoint() != first


def without_mldsa(node: Node) -> bytes:
    """A node of before: its heads carry the Ed25519 line alone, and it has no third key."""
    own = node.services.node
    own.ledger.create()
    own.keys.make()
    key_path(node).unlink()
    old = fresh(node)
    append(node, 3)
    MarkFile(own.data_dir / "mark").advance(Checkpoint(own.origin, 0, EMPTY_ROOT))
    return Sealer(old.ledger, own.data_dir / "mark", old.keys.note_signer).seal()


def test_a_node_of_before_gets_the_key_when_it_seals_and_its_old_heads_stay_valid(sqlite_node: Node) -> None:
    before = without_mldsa(sqlite_node)
    own = fresh(sqlite_node)
    assert own.checkpoint() == before, "the head that is signed already is not signed again"
    assert SignedCheckpoint.open(before, [own.note_verifier]).checkpoint.size == 3
    append(sqlite_node, 2, 3)
    Note.parse(own.checkpoint()).verify([own.mldsa_verifier])
    assert key_path(sqlite_node).exists()


def test_init_brings_an_old_node_its_key(sqlite_node: Node) -> None:
    without_mldsa(sqlite_node)
    assert fresh(sqlite_node).initialise() is False
    assert key_path(sqlite_node).exists()


def test_a_lost_key_is_not_made_anew_in_passing_but_by_init(sqlite_node: Node) -> None:
    own = sqlite_node.services.node
    own.initialise()
    pinned = own.mldsa_verifier
    key_path(sqlite_node).unlink()
    append(sqlite_node, 1)
    with pytest.raises(AppError) as refused:
        fresh(sqlite_node).checkpoint()
    assert refused.value.code == "node.key" and "packproof init" in refused.value.next_step
    assert not key_path(sqlite_node).exists()
    assert fresh(sqlite_node).initialise() is False
    later = fresh(sqlite_node)
    assert later.mldsa_verifier != pinned
    Note.parse(later.checkpoint()).verify([later.note_verifier, later.mldsa_verifier])


@pytest.mark.parametrize("what", ["open", "another", "broken"])
def test_a_key_that_cannot_be_used_says_so(sqlite_node: Node, what: str) -> None:
    own = sqlite_node.services.node
    own.initialise()
    path = key_path(sqlite_node)
    if what == "open":
        path.chmod(0o644)
    else:
        pem = (path.parent / "intake.pem").read_bytes() if what == "another" else b"no key"
        path.write_bytes(pem)
    with pytest.raises(AppError) as refused:
        fresh(sqlite_node).mldsa_verifier  # noqa: B018 - reads it
    assert refused.value.code == "node.key"


def test_processes_that_begin_at_once_have_one_key(tmp_path: Path) -> None:
    folders = [NodeKeys(tmp_path / "keys", "packproof.example/race") for _ in range(8)]
    threads = [threading.Thread(target=keys.make) for keys in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({keys.mldsa.cosigner.verifier for keys in folders}) == 1
    assert len({keys.note_signer.verifier for keys in folders}) == 1


SECRET = b"correct horse battery staple"


def locked_by(node: Node, passphrase: bytes | None) -> NodeService:
    """The same node as a process has it that was given this passphrase."""
    return replace(fresh(node), passphrase=lambda: passphrase)


def in_clear(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.pem") if not is_locked(path.read_bytes()))


def test_keys_are_locked_from_their_making_on_and_stay_so_when_others_follow(sqlite_node: Node) -> None:
    own = locked_by(sqlite_node, SECRET)
    own.initialise()
    assert len(list(own.keys.folder.glob("*.pem"))) == 3
    for name in (INTAKE, CHECKPOINT):
        Rotation(own).begin(name)
        assert in_clear(own.keys.folder) == []
        Rotation(own).finish(name)
    MldsaRotation(own).begin()
    assert in_clear(own.keys.folder) == []
    MldsaRotation(own).finish()
    assert in_clear(own.keys.folder) == []
    append(sqlite_node, 1)
    again = locked_by(sqlite_node, SECRET)
    assert len(Note.parse(again.checkpoint()).verify([again.note_verifier, again.mldsa_verifier])) == 2
    witness = NodeWitness(own.origin, own.data_dir, None, own.clock, lambda: SECRET)
    assert len(witness.signers) == 2
    assert in_clear(own.keys.folder) == []


@pytest.mark.parametrize("passphrase", [None, b"another"], ids=["none", "another"])
def test_locked_keys_open_with_their_passphrase_alone(sqlite_node: Node, passphrase: bytes | None) -> None:
    locked_by(sqlite_node, SECRET).initialise()
    wrong = locked_by(sqlite_node, passphrase)
    for use in (lambda: wrong.intake_key, lambda: wrong.mldsa_verifier, wrong.checkpoint):
        with pytest.raises(AppError) as refused:
            use()
        assert refused.value.code == "node.key"
        assert "PACKPROOF_KEY_PASSPHRASE_FILE" in refused.value.next_step
        assert SECRET.decode() not in f"{refused.value} {refused.value.detail}"
    assert SECRET.decode() not in repr(locked_by(sqlite_node, SECRET))


def test_keys_in_clear_are_refused_until_they_are_locked(
    sqlite_node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = sqlite_node.services.node
    own.initialise()
    before = own.verifier_key, own.mldsa_verifier, own.intake_key.thumbprint
    with pytest.raises(AppError, match="cannot be used") as refused:
        locked_by(sqlite_node, SECRET).checkpoint()
    assert "not locked" in refused.value.detail and "lock-keys" in refused.value.next_step
    secret = tmp_path / "secret"
    secret.write_bytes(SECRET + b"\n")
    given = sqlite_node.services.settings
    for name, value in (
        ("DATABASE_URL", given.database_url), ("DATA_DIR", given.data_dir), ("ENVIRONMENT", "test"),
        ("LEDGER_ORIGIN", given.ledger_origin),
    ):  # fmt: skip
        monkeypatch.setenv(f"PACKPROOF_{name}", str(value))
    assert main(["ledger", "lock-keys", "--json"]) == 1
    assert "node.passphrase" in capsys.readouterr().err
    monkeypatch.setenv("PACKPROOF_KEY_PASSPHRASE_FILE", str(secret))
    assert main(["ledger", "lock-keys"]) == 0
    told = capsys.readouterr()
    assert "checkpoint-mldsa.pem, checkpoint.pem, intake.pem" in told.out
    assert SECRET.decode() not in told.out + told.err
    assert main(["ledger", "lock-keys"]) == 0
    assert "Every key is locked." in capsys.readouterr().out
    assert in_clear(own.keys.folder) == []
    after = locked_by(sqlite_node, SECRET)
    assert (after.verifier_key, after.mldsa_verifier, after.intake_key.thumbprint) == before


def test_a_passphrase_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    assert passphrase_of("", None) is None
    assert passphrase_of("hush", None) == b"hush"
    (tmp_path / "empty").write_bytes(b"\n")
    for path in (tmp_path / "empty", tmp_path / "none"):
        with pytest.raises(AppError) as refused:
            passphrase_of("", path)
        assert refused.value.code == "node.passphrase"


@pytest.mark.parametrize("late", [False, True], ids=["before the file was read", "after it was read"])
def test_a_key_that_takes_over_while_a_head_is_signed_signs_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    keys = NodeKeys(tmp_path / "keys", "node.example/ledger")
    keys.make()
    following, mldsa44 = keys.make_following(CHECKPOINT), keys.make_following_mldsa()
    again = NodeKeys(keys.folder, "node.example/ledger")

    def taking_over(reads: Callable[[str], object]) -> Callable[[str], object]:
        def read(name: str) -> object:
            found = reads(name) if late else None
            if name.endswith("-next"):
                again.take_over(name.removesuffix("-next"))
            return found or reads(name)

        return read

    monkeypatch.setattr(again, "_ed25519", taking_over(again._ed25519))
    monkeypatch.setattr(again, "_mldsa", taking_over(again._mldsa))
    assert [key.thumbprint for key in again.checkpoints] == [following.thumbprint]
    assert [key.verifier for key in again.cosigners] == [mldsa44.cosigner.verifier]

"""The log as static files: added to, never rewritten, and never mixed with another log's."""

import stat

import pytest

from app.errors import Conflict
from app.log.export import export
from ledger.log.checkpoint import Checkpoint, SignedCheckpoint
from ledger.log.hashing import leaf_hash
from ledger.log.proof import root_at
from ledger.log.tiles import BundleId, TileNodes, split_bundle
from tests.app.log.test_tiles import append

SIZES = (2, 300, 600)


def exported(node, folder, *, entries=False):
    own = node.services.node
    note = own.checkpoint()
    with own.ledger.reading() as reader:
        return export(reader, folder, note, own.note_verifier, entries)


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def log(node):
    node.services.node.initialise()
    return node


def test_the_files_are_a_log_of_their_own(log, tmp_path):
    append(log, 598)
    assert exported(log, tmp_path / "log", entries=True) == 4 + 3 + 1
    own = log.services.node
    head = SignedCheckpoint.open((tmp_path / "log/checkpoint").read_bytes(), [own.note_verifier]).checkpoint
    nodes = TileNodes(lambda tile: (tmp_path / "log" / tile.path()).read_bytes(), head.size)
    assert (head.size, root_at(nodes, head.size)) == (600, head.root)
    bundle = split_bundle((tmp_path / "log" / BundleId(2, 88).path()).read_bytes(), 88)
    assert leaf_hash(bundle[87]) == nodes.node(0, 599)
    assert all(stat.S_IMODE(p.stat().st_mode) == 0o644 for p in (tmp_path / "log").rglob("*") if p.is_file())


def test_run_again_it_adds_what_is_new_to_what_an_earlier_head_needs(log, tmp_path):
    size = 2
    for target in SIZES:
        append(log, target - size, size)
        size = target
        exported(log, tmp_path / "often", entries=True)
    exported(log, tmp_path / "once", entries=True)
    often, once = files(tmp_path / "often"), files(tmp_path / "once")
    # The edge at 300 entries stays while its tile is not full: that head was published (C2SP tlog-tiles).
    assert often.pop("tile/1/000.p/1") == once["tile/1/000.p/2"][:32]
    assert often == once
    assert exported(log, tmp_path / "often", entries=True) == 0, "nothing was new"


def test_what_an_older_checkpoint_covers_is_not_written_again(log, tmp_path):
    append(log, 298)
    exported(log, tmp_path / "log", entries=True)
    full = tmp_path / "log/tile/0/000"
    before = full.stat().st_mtime_ns
    append(log, 300, 300)
    exported(log, tmp_path / "log", entries=True)
    assert full.stat().st_mtime_ns == before
    # A file of an export that broke off, whatever is in it, is made right.
    (tmp_path / "log/tile/0/001").write_bytes(b"half")
    (tmp_path / "log/checkpoint").unlink()
    exported(log, tmp_path / "log", entries=True)
    exported(log, tmp_path / "once", entries=True)
    once = files(tmp_path / "once")
    edge = {"tile/1/000.p/1": once["tile/1/000.p/2"][:32]}
    assert files(tmp_path / "log") == {**once, **edge}


def test_a_folder_that_holds_another_log_is_left_alone(log, tmp_path):
    append(log, 10)
    exported(log, tmp_path / "log")
    (tmp_path / "log/checkpoint").write_bytes(b"nonsense")
    before = files(tmp_path / "log")
    with pytest.raises(Conflict):
        exported(log, tmp_path / "log")
    assert files(tmp_path / "log") == before


@pytest.mark.parametrize("size", [12, 99])
def test_a_folder_with_a_later_head_or_another_history_is_left_alone(log, tmp_path, size):
    append(log, 10)
    own = log.services.node
    (tmp_path / "log").mkdir()
    other = Checkpoint(own.origin, size, b"x" * 32).sign(own.keys.note_signer).encode()
    (tmp_path / "log/checkpoint").write_bytes(other)
    with pytest.raises(Conflict) as refused:
        exported(log, tmp_path / "log")
    assert "not on this tree" in refused.value.detail
    assert files(tmp_path / "log") == {"checkpoint": other}

"""A mark that cannot be written: nothing is signed, and what failed on the disk is not tried again."""

from pathlib import Path

import pytest

from app.errors import CaptureStopped
from app.node.service import Node as NodeService
from tests.app.node.test_keys import append, fresh
from tests.support.app import Node


@pytest.fixture
def grown(sqlite_node: Node) -> NodeService:
    """A node whose head has not been signed yet."""
    own = sqlite_node.services.node
    own.initialise()
    append(sqlite_node, 1)
    return own


def _new_mark(own: NodeService) -> Path:
    return own.data_dir / "mark.new"


def test_a_mark_that_cannot_be_written_stops_the_node_until_it_is_restarted(
    sqlite_node: Node, grown: NodeService
) -> None:
    mark = (grown.data_dir / "mark").read_bytes()
    _new_mark(grown).mkdir()
    with pytest.raises(CaptureStopped, match="cannot be written"):
        grown.checkpoint()
    _new_mark(grown).rmdir()
    with pytest.raises(CaptureStopped):
        grown.checkpoint()
    with pytest.raises(CaptureStopped):
        grown.may_write()
    assert (grown.data_dir / "mark").read_bytes() == mark
    restarted = fresh(sqlite_node)
    restarted.may_write()
    assert b"\n3\n" in restarted.checkpoint()


def test_a_full_disk_is_told_and_goes_on_when_there_is_room(grown: NodeService) -> None:
    _new_mark(grown).symlink_to("/dev/full")
    with pytest.raises(CaptureStopped) as refused:
        grown.checkpoint()
    assert refused.value.status == 507
    # The failed attempt took its file away: there is room again.
    assert not _new_mark(grown).is_symlink()
    grown.may_write()
    assert b"\n3\n" in grown.checkpoint()

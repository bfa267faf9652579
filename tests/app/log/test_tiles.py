"""The log as tiles over HTTP: anybody takes the hashes, entries go by grant and are written down."""

import gzip
from http import HTTPStatus

import pytest

from app.log.api import IMMUTABLE
from app.shared.actor import Role
from app.shared.audit import entries as trail
from ledger.log.checkpoint import SignedCheckpoint
from ledger.log.hashing import leaf_hash
from ledger.log.proof import consistency_proof, inclusion_proof, root_at, verify_consistency, verify_inclusion
from ledger.log.tiles import BundleId, TileId, TileNodes, split_bundle, split_tile, tiles_of
from ledger.store.sql.writer import SqlWriter
from tests.support.ledgers import drafts

SIZE = 600


def append(node, count, first=0):
    with node.services.database.writing() as connection:
        writer = SqlWriter(connection, node.services.node.origin)
        writer.lock()
        writer.append(drafts(count, first))


@pytest.fixture
def log(node):
    """A node with a ledger of 600 entries."""
    node.services.node.initialise()
    append(node, SIZE - 2)
    return node


def head(node):
    answer = node.visitor().client.get("/ledger/checkpoint")
    assert answer.content_type == "text/plain; charset=utf-8"
    return SignedCheckpoint.open(answer.data, [node.services.node.note_verifier]).checkpoint


def test_a_stranger_computes_root_and_proofs_from_the_tiles_alone(log):
    client = log.visitor().client
    asked = []

    def read(tile):
        answer = client.get(f"/ledger/{tile.path()}")
        assert answer.status_code == HTTPStatus.OK, tile
        assert answer.content_type == "application/octet-stream"
        assert answer.headers["Cache-Control"] == IMMUTABLE
        asked.append(tile)
        return answer.data

    checkpoint = head(log)
    nodes = TileNodes(read, checkpoint.size)
    assert (checkpoint.size, root_at(nodes, SIZE)) == (SIZE, checkpoint.root)
    with log.services.node.ledger.reading() as reader:
        bodies = [body for _, body in reader.entries(0, SIZE)]
        old = reader.head()
    for index in (0, 255, 256, 511, 512, 599):
        proof = inclusion_proof(nodes, index, SIZE)
        verify_inclusion(leaf_hash(bodies[index]), index, SIZE, proof, checkpoint.root)
    append(log, 300, 10_000)
    later = head(log)
    nodes = TileNodes(read, later.size)
    verify_consistency(
        old.size, later.size, old.root, later.root, consistency_proof(nodes, old.size, later.size)
    )
    assert {tile.level for tile in asked} == {0, 1}


def test_every_tile_of_the_tree_is_there_and_none_beyond(log):
    client = log.visitor().client
    names = [tile.path() for tile in tiles_of(SIZE)]
    assert names == ["tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"]
    for tile in tiles_of(SIZE):
        assert len(split_tile(client.get(f"/ledger/{tile.path()}").data, tile.width)) == tile.width
    # Any width that was once the right edge is still the beginning of the tile.
    whole = client.get("/ledger/tile/0/000").data
    for width in (1, 255):
        assert client.get(f"/ledger/tile/0/000.p/{width}").data == whole[: 32 * width]


@pytest.mark.parametrize(
    "name",
    [
        "0/002", "0/002.p/89", "0/003", "0/003.p/1", "1/000", "1/000.p/3", "2/000.p/1", "0/000.p/0", "0/000.p/256",
        "0/0", "00/000", "0/x000/000", "8/000", "63/000.p/1", "64/000", "-1/000", "0/000.p/01", "x", "0", "0/000/",
        "0/x999/x999/x999/x999/x999/x999/999", "0/" + "x000/" * 30 + "000", "0/000.p/", "entries",
        "9223372036854775808/000", "0/..%2f000",
    ],
)  # fmt: skip
def test_what_is_no_tile_of_this_tree_is_not_found(sqlite_node, name):
    sqlite_node.services.node.initialise()
    answer = sqlite_node.visitor().client.get(f"/ledger/tile/{name}")
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert "immutable" not in answer.headers.get("Cache-Control", "")


def test_an_empty_ledger_has_no_tiles(sqlite_node):
    sqlite_node.services.node.ledger.create()
    for name in ("0/000", "0/000.p/1"):
        assert sqlite_node.visitor().client.get(f"/ledger/tile/{name}").status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.PARTNER_SYSTEM])
def test_entries_go_to_whoever_was_granted_them_and_that_is_recorded(log, role):
    client, token = log.visitor().client, log.bearer(role, scopes={"entries"})
    with log.services.node.ledger.reading() as reader:
        bodies = [body for _, body in reader.entries(0, SIZE)]
    for bundle in (BundleId(0), BundleId(1), BundleId(2, 88), BundleId(0, 3)):
        answer = client.get(f"/ledger/{bundle.path()}", headers=token)
        assert answer.status_code == HTTPStatus.OK
        assert answer.headers["Cache-Control"] == "no-store"
        first = bundle.index * 256
        assert split_bundle(answer.data, bundle.width) == bodies[first : first + bundle.width]
    squeezed = client.get("/ledger/tile/entries/000", headers={**token, "Accept-Encoding": "gzip"})
    assert squeezed.headers["Content-Encoding"] == "gzip"
    assert split_bundle(gzip.decompress(squeezed.data), 256) == bodies[:256]
    missing = client.get("/ledger/tile/entries/002", headers=token)
    assert missing.status_code == HTTPStatus.NOT_FOUND
    with log.services.database.reading() as connection:
        shown = trail(connection, action="ledger.entries")
    assert [(entry.subject, entry.outcome) for entry in reversed(shown)] == [
        ("entries 0 to 255", "shown"), ("entries 256 to 511", "shown"), ("entries 512 to 599", "shown"),
        ("entries 0 to 2", "shown"), ("entries 0 to 255", "shown"), ("002", "nothing"),
    ]  # fmt: skip


def test_entries_are_for_nobody_else(sqlite_node):
    sqlite_node.services.node.initialise()
    path = "/ledger/tile/entries/000.p/2"
    assert sqlite_node.visitor().client.get(path).status_code == HTTPStatus.UNAUTHORIZED
    for role in (Role.PARTNER_SYSTEM, Role.DEVICE, Role.INSPECTOR):
        answer = sqlite_node.visitor().client.get(path, headers=sqlite_node.bearer(role))
        assert answer.status_code == HTTPStatus.FORBIDDEN, role


def test_names_of_tiles_and_bundles_do_not_meet():
    assert BundleId(1234067).path() == "tile/entries/x001/x234/067"
    assert BundleId.parse("tile/entries/000.p/15") == BundleId(0, 15)
    assert TileId.parse("tile/0/000") == TileId(0, 0)

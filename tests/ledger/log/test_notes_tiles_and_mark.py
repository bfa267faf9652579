"""Signed notes, checkpoints, tiles and the mark; held against a log that others wrote."""

import errno
import os
import stat
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import LedgerError, VerificationError
from ledger.log.checkpoint import Checkpoint, SignedCheckpoint
from ledger.log.encoding import from_base64, from_decimal, from_hex, from_json
from ledger.log.hashing import leaf_hash
from ledger.log.logproof import LogProof
from ledger.log.mark import MarkError, MarkFile
from ledger.log.note import Note, NoteSignature, NoteSigner, NoteVerifier
from ledger.log.proof import (
    LeafNodes,
    consistency_proof,
    inclusion_proof,
    root_at,
    verify_consistency,
    verify_inclusion,
)
from ledger.log.tiles import (
    BundleId,
    TileId,
    TileNodes,
    encode_bundle,
    split_bundle,
    split_tile,
    tiles_of,
    width_at,
)
from tests.support.shared import shared_path

TESSERA = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
ORIGIN = "packproof.example/ledger"


@pytest.fixture(scope="module")
def signer() -> NoteSigner:
    return NoteSigner(ORIGIN, Ed25519PrivateKey.generate())


def head(size: int, root: bytes = b"r" * 32) -> Checkpoint:
    return Checkpoint(ORIGIN, size, root)


def test_a_log_written_by_others_verifies_at_every_size() -> None:
    folder = shared_path("data/ledger/tlog")
    verifier = NoteVerifier.parse(TESSERA)
    assert str(verifier) == TESSERA
    heads = [SignedCheckpoint.open((folder / f"checkpoint.{n}").read_bytes(), [verifier]) for n in range(16)]
    assert [item.checkpoint.size for item in heads] == list(range(16))
    entries = split_bundle((folder / BundleId(0, 15).path()).read_bytes(), 15)
    read = {folder / "checkpoint", folder / "LICENSE"} | {folder / f"checkpoint.{n}" for n in range(16)}
    for width in range(1, 16):
        bundle, tile = folder / BundleId(0, width).path(), folder / TileId(0, 0, width).path()
        assert bundle.read_bytes() == encode_bundle(entries[:width])
        assert split_tile(tile.read_bytes(), width) == [leaf_hash(entry) for entry in entries[:width]]
        read |= {bundle, tile}
    assert read == {path for path in folder.rglob("*") if path.is_file()}, "each file was looked at"
    assert (folder / "checkpoint").read_bytes() == (folder / "checkpoint.15").read_bytes()
    for size, signed in enumerate(heads):
        nodes = TileNodes(lambda tile: (folder / tile.path()).read_bytes(), size)
        root = signed.checkpoint.root
        assert root_at(nodes, size) == root
        for index in range(size):
            verify_inclusion(
                leaf_hash(entries[index]), index, size, inclusion_proof(nodes, index, size), root
            )
        for old in range(1, size + 1):
            verify_consistency(
                old, size, heads[old].checkpoint.root, root, consistency_proof(nodes, old, size)
            )


def test_every_changed_byte_of_a_checkpoint_is_refused(signer: NoteSigner) -> None:
    data = head(1234).sign(signer).encode()
    assert SignedCheckpoint.open(data, [signer.verifier]).checkpoint == head(1234)
    for at in range(len(data)):
        for bit in range(8):
            bent = bytearray(data)
            bent[at] ^= 1 << bit
            with pytest.raises(VerificationError):
                SignedCheckpoint.open(bytes(bent), [signer.verifier])


def test_signatures_of_strangers_are_kept_and_ignored(signer: NoteSigner) -> None:
    stranger = NoteSignature("witness.example", b"abcd", b"\x06" * 2420)
    note = head(5).sign(signer).signed_also([stranger])
    opened = SignedCheckpoint.open(note.encode(), [signer.verifier])
    assert opened.note.signatures[1] == stranger
    assert opened.note.encode() == note.encode()


def test_a_note_signed_only_by_strangers_is_refused(signer: NoteSigner) -> None:
    other = NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
    with pytest.raises(VerificationError):
        SignedCheckpoint.open(head(5).sign(other).encode(), [signer.verifier])
    with pytest.raises(VerificationError) as caught:
        SignedCheckpoint.open(head(5).sign(signer).encode(), [NoteVerifier("other.example", b"k" * 32)])
    assert caught.value.code == "unknown-log"


def test_a_second_line_by_a_known_key_must_hold_too(signer: NoteSigner) -> None:
    good = head(5).sign(signer)
    bad = NoteSignature(ORIGIN, signer.verifier.key_id, bytes(64))
    with pytest.raises(VerificationError):
        good.signed_also([bad]).verify([signer.verifier])


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n01\n{'A' * 43}=\n",
        f"{ORIGIN}\n-1\n{'A' * 43}=\n",
        f"{ORIGIN}\n+1\n{'A' * 43}=\n",
        f"{ORIGIN}\n1\n{'A' * 43}=\nextension\n",
        f"{ORIGIN}\n1\n{'A' * 42}B=\n",
        f"{ORIGIN}\n1\n{'A' * 43}=",
        f"{ORIGIN}\n0\n{'A' * 43}=\n",
        f"{ORIGIN}\n\u0661\n{'A' * 43}=\n",
        f"with space\n1\n{'A' * 43}=\n",
        f"{ORIGIN}\n9223372036854775808\n{'A' * 43}=\n",
        f"\n1\n{'A' * 43}=\n",
    ],
)
def test_a_head_in_another_writing_is_refused(text: str) -> None:
    with pytest.raises(VerificationError):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n\n", b"text\n", b"text\n\n", b"text\n\n- a AAAAAAA=\n", "text\n\n— a AAAAAAA\n".encode(),
        "text\n\n— a AAAAAAA=".encode(), "text\n\n— a b AAAAAAA=\n".encode(), "text\n\n— a+b AAAAAAA=\n".encode(),
        "te\rxt\n\n— a AAAAAAA=\n".encode(), "text\n\n— a AAAAAA==\n".encode(), b"\xff\n\n\xe2\x80\x94 a AAAAAAA=\n",
        ("text\n\n" + "— a AAAAAAA=\n" * 65).encode(), b"x" * 200_000,
    ],
)  # fmt: skip
def test_what_is_no_signed_note_is_refused(data: bytes) -> None:
    with pytest.raises(VerificationError):
        Note.parse(data)


@pytest.mark.parametrize(
    "vkey", ["", "a", "a+b", TESSERA[:-1], TESSERA.replace("33d7", "33D7"), TESSERA.replace("33d7", "33d8"),
             "a+00000000+", "x" * 5000, TESSERA.replace("+Ae", "+Ce")],
)  # fmt: skip
def test_a_verifier_key_in_another_writing_is_refused(vkey: str) -> None:
    with pytest.raises(VerificationError):
        NoteVerifier.parse(vkey)


def test_a_log_signs_only_under_its_own_name(signer: NoteSigner) -> None:
    with pytest.raises(VerificationError):
        Checkpoint("other.example", 1, b"r" * 32).sign(signer)
    with pytest.raises(VerificationError):
        signer.sign("no newline at the end")


def test_a_proof_as_text_reads_back_and_no_byte_is_loose(signer: NoteSigner) -> None:
    leaves = [leaf_hash(bytes((n,))) for n in range(21)]
    nodes = LeafNodes(leaves)
    note = head(21, root_at(nodes, 21)).sign(signer).encode()
    proof = LogProof(4, tuple(inclusion_proof(nodes, 4, 21)), note)
    data = proof.encode()
    assert LogProof.parse(data) == proof

    def check(raw: bytes) -> None:
        read = LogProof.parse(raw)
        tree = SignedCheckpoint.open(read.checkpoint, [signer.verifier]).checkpoint
        verify_inclusion(leaves[4], read.index, tree.size, read.hashes, tree.root)

    check(data)
    for at in range(len(data)):
        bent = bytearray(data)
        bent[at] ^= 1
        with pytest.raises(VerificationError):
            check(bytes(bent))
    for bad in (b"", data.replace(b"\nindex", b"\nextra AA==\nindex"), data.replace(b"index 4", b"index 04")):
        with pytest.raises(VerificationError):
            LogProof.parse(bad)


@given(st.integers(0, 7), st.integers(0, 2**63 - 1), st.integers(1, 256))
def test_a_tiles_path_reads_back(level: int, index: int, width: int) -> None:
    tile = TileId(level, index, width)
    assert TileId.parse(tile.path()) == tile


def test_tiles_are_named_and_cut_as_c2sp_has_them() -> None:
    assert TileId(0, 1234067).path() == "tile/0/x001/x234/067"
    assert TileId(1, 0, 17).path() == "tile/1/000.p/17"
    assert TileId(0, 1000).path() == "tile/0/x001/000"
    tiles = list(tiles_of(70_000))
    assert len([tile for tile in tiles if tile.level == 0 and tile.full]) == 273
    assert [tile for tile in tiles if not tile.full] == [
        TileId(0, 273, 112),
        TileId(1, 1, 17),
        TileId(2, 0, 1),
    ]
    assert [width_at(256, level, 0) for level in range(3)] == [256, 1, 0]


@pytest.mark.parametrize(
    "path",
    [
        "", "tile", "tile/0", "tile/0/", "tile/0/0", "tile/0/0000", "tile/00/000", "tile/8/000", "tile/0/x000/000",
        "tile/0/001/000", "tile/0/x001/x000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/257",
        "tile/0/000.p/01", "tile/0/000.p/", "tile/0/-01", "tile/0/../000", "tile/entries/000", "Tile/0/000",
        "tile/0/" + "x999/" * 20 + "999", "tile/0/\u0660\u0660\u0660", "/tile/0/000",
    ],
)  # fmt: skip
def test_any_other_spelling_of_a_tile_is_refused(path: str) -> None:
    with pytest.raises(VerificationError):
        TileId.parse(path)


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_a_bundle_reads_back_and_no_byte_is_loose(entries: list[bytes]) -> None:
    data = encode_bundle(entries)
    assert split_bundle(data, len(entries)) == entries
    wrong = [(data + b"\0", len(entries)), (data, len(entries) + 1)]
    if entries:
        wrong += [(data[:-1], len(entries)), (data, len(entries) - 1)]
    for bent, width in wrong:
        with pytest.raises(VerificationError):
            split_bundle(bent, width)


@pytest.mark.parametrize(
    "path",
    [
        "tile/entries",
        "tile/0/000",
        "tile/entries/0",
        "tile/entries/000.p/256",
        "tile/entries/000.p/0",
        "entries/000",
    ],
)
def test_any_other_spelling_of_a_bundle_is_refused(path: str) -> None:
    with pytest.raises(VerificationError):
        BundleId.parse(path)


def test_proofs_from_tiles_are_those_from_leaves() -> None:
    leaves = [leaf_hash(n.to_bytes(4, "big")) for n in range(66_000)]
    plain = LeafNodes(leaves)
    tiles = {}
    for tile in tiles_of(len(leaves)):
        first = tile.index * 256
        tiles[tile] = b"".join(plain.node(8 * tile.level, first + n) for n in range(tile.width))
    reads: list[TileId] = []

    def read(tile: TileId) -> bytes:
        reads.append(tile)
        return tiles[tile]

    nodes = TileNodes(read, len(leaves))
    assert root_at(nodes, len(leaves)) == root_at(plain, len(leaves))
    for index in (0, 255, 256, 65_535, 65_536, 65_999):
        assert inclusion_proof(nodes, index, len(leaves)) == inclusion_proof(plain, index, len(leaves))
    for old in (1, 255, 256, 257, 65_536, 65_999):
        assert consistency_proof(nodes, old, len(leaves)) == consistency_proof(plain, old, len(leaves))
    assert len(reads) == len(set(reads)), "a tile was read twice"
    with pytest.raises(VerificationError):
        nodes.node(0, 66_000)
    with pytest.raises(VerificationError):
        split_tile(b"x" * 33, 1)


def test_the_mark_only_rises(tmp_path: Path) -> None:
    mark = MarkFile(tmp_path / "mark")
    assert mark.read() is None
    mark.advance(head(5))
    mark.advance(head(5))
    mark.advance(head(9))
    assert mark.read() == head(9)
    assert (tmp_path / "mark").read_text() == head(9).text()
    assert [path.name for path in tmp_path.iterdir()] == ["mark"]
    for wrong, code in (
        (head(8), "mark-rollback"), (head(9, b"s" * 32), "mark-fork"),
        (Checkpoint("other.example", 10, b"r" * 32), "mark-origin"),
    ):  # fmt: skip
        with pytest.raises(MarkError) as caught:
            mark.advance(wrong)
        assert caught.value.code == code
    assert mark.read() == head(9)


def test_a_mark_that_stands_is_on_the_disk_before_it_counts_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rename was done and the folder's fsync failed: the same head again is not signed on the strength of it."""
    mark, fsync = MarkFile(tmp_path / "mark"), os.fsync

    def failing(file: int) -> None:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            raise OSError(errno.EIO, "Input/output error")
        fsync(file)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        for _ in range(2):
            with pytest.raises(MarkError):
                mark.advance(head(5))
            assert mark.read() == head(5)
    mark.advance(head(5))
    assert mark.read() == head(5)


def test_a_mark_that_was_tampered_with_is_not_taken_for_none(tmp_path: Path) -> None:
    path = tmp_path / "mark"
    for data in (
        b"",
        b"\xff",
        b"x\n",
        head(5).text().encode()[:-1],
        head(5).text().encode() + b"\n",
        b"x" * 5000,
    ):
        path.write_bytes(data)
        with pytest.raises(LedgerError):
            MarkFile(path).read()
        with pytest.raises(LedgerError):
            MarkFile(path).advance(head(6))
        assert path.read_bytes() == data


def test_a_mark_that_cannot_be_written_stops_the_signing(tmp_path: Path) -> None:
    with pytest.raises(MarkError) as caught:
        MarkFile(tmp_path / "absent" / "mark").advance(head(1))
    assert caught.value.code == "mark-io"
    if os.geteuid() != 0:
        tmp_path.chmod(0o500)
        with pytest.raises(MarkError):
            MarkFile(tmp_path / "mark").advance(head(1))


@given(st.binary(max_size=40))
def test_base64_has_one_spelling(data: bytes) -> None:
    text = b64encode(data).decode()
    assert from_base64(text) == data
    for other in (
        text + "=",
        text.rstrip("=") if text.endswith("=") else text + " ",
        "\n" + text,
        text + "\n",
    ):
        with pytest.raises(VerificationError):
            from_base64(other)


@pytest.mark.parametrize("text", ["AB==", "AAB=", "A===", "====", "A-_A", "AAAÄ", "AA=A"])
def test_loose_base64_is_refused(text: str) -> None:
    with pytest.raises(VerificationError):
        from_base64(text)


@pytest.mark.parametrize("text", ["AB", "a", "ab cd", " ab", "0x", "ä0", "ab\n"])
def test_loose_hex_is_refused(text: str) -> None:
    with pytest.raises(VerificationError):
        from_hex(text)


@pytest.mark.parametrize(
    "text", ["", "01", "+1", "-1", " 1", "1 ", "1_0", "²", "٣", "9" * 20, str(2**63), "1\n"]
)
def test_loose_numbers_are_refused(text: str) -> None:
    with pytest.raises(VerificationError):
        from_decimal(text)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b'{"a":1,"a":1}', b"1.0", b"1e3", b"NaN", b"Infinity", b"-Infinity", b"\xff", b"\xef\xbb\xbf{}",
        b"[" * 20_000, b'{"a":' * 20_000, str(2**53).encode(), b"9" * 5000, b"-9007199254740992", b"{} x", b"'a'",
    ],
)  # fmt: skip
def test_json_outside_the_subset_is_refused(data: bytes) -> None:
    with pytest.raises(VerificationError):
        from_json(data)

"""The commitment against the page's own words, and fast enough for a pallet."""

import os
import struct
from hashlib import sha256, shake_128
from time import thread_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.signing.commitment import CommitmentError, Leaf, ListField, OpenList, Tree, commit

SEED = bytes(range(32))
DIGEST = sha256(b"document").digest()
VALUES = st.binary(max_size=20)
PATHS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=12)
FIELDS = st.dictionaries(PATHS, VALUES | st.lists(VALUES, min_size=1, max_size=40), max_size=6).map(
    lambda found: [
        ListField(path, tuple(value)) if isinstance(value, list) else Leaf(path, value)
        for path, value in sorted(found.items(), key=lambda item: item[0].encode())
    ]
)
INTAKE = st.dictionaries(PATHS, VALUES, max_size=3).map(
    lambda found: [
        Leaf(path, value) for path, value in sorted(found.items(), key=lambda item: item[0].encode())
    ]
)


def by_the_page(digest: bytes, intake: list, records: list, seed: bytes) -> bytes:
    """docs/formats/statement.md, 'Commitment', line by line."""
    stream = shake_128(b"packproof salts v1" + seed).digest(16 * 10_000)
    taken = 0

    def leaf(path: str, value: bytes) -> bytes:
        nonlocal taken
        salt = stream[16 * taken : 16 * taken + 16]
        taken += 1
        return sha256(b"\x00" + salt + path.encode() + b"\x00" + value).digest()

    def mth(hashes: list[bytes]) -> bytes:
        if not hashes:
            return sha256(b"").digest()
        if len(hashes) == 1:
            return hashes[0]
        k = 1
        while k * 2 < len(hashes):
            k *= 2
        return sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()

    def subtree(path: str, children: list[bytes]) -> bytes:
        return sha256(
            b"\x02" + path.encode() + b"\x00" + struct.pack(">I", len(children)) + mth(children)
        ).digest()

    def field(prefix: str, item: Leaf | ListField) -> bytes:
        path = f"{prefix}/{item.path}"
        if isinstance(item, Leaf):
            return leaf(path, item.value)
        return subtree(path, [leaf(f"{path}/{n}", value) for n, value in enumerate(item.values)])

    children = [leaf("document", digest), subtree("intake", [field("intake", item) for item in intake])]
    for n, record in enumerate(records):
        children.append(subtree(f"e{n}", [field(f"e{n}", item) for item in record]))
    return subtree("", children)


@settings(max_examples=150)
@given(INTAKE, st.lists(FIELDS, max_size=4))
def test_the_root_is_the_pages(intake: list, records: list) -> None:
    assert commit(DIGEST, intake, records, SEED) == by_the_page(DIGEST, intake, records, SEED)


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 255, 1000])
def test_lists_of_any_length_are_the_pages(count: int) -> None:
    record = [ListField("epcList", tuple(b"%d" % n for n in range(count)))]
    assert commit(DIGEST, [], [record], SEED) == by_the_page(DIGEST, [], [record], SEED)


def test_the_root_of_a_known_capture_does_not_change() -> None:
    record = [Leaf("action", b"ADD"), ListField("epcList", (b"a", b"b", b"c")), Leaf("type", b"ObjectEvent")]
    root = commit(DIGEST, [Leaf("channel", b"rest")], [record], SEED)
    assert root.hex() == "8217d7040023c39888f2c0454495a6861c13feb7f645c39928f4298876f1eba1"
    assert root == by_the_page(DIGEST, [Leaf("channel", b"rest")], [record], SEED)


@settings(max_examples=100)
@given(st.lists(FIELDS, min_size=1, max_size=3), st.data())
def test_any_change_of_content_changes_the_root(records: list, data: st.DataObject) -> None:
    root = commit(DIGEST, [], records, SEED)
    assert commit(sha256(b"other").digest(), [], records, SEED) != root
    assert commit(DIGEST, [], records, os.urandom(32)) != root
    assert commit(DIGEST, [], [*records, []], SEED) != root
    assert commit(DIGEST, [Leaf("channel", b"x")], records, SEED) != root
    n = data.draw(st.integers(0, len(records) - 1))
    if records[n]:
        assert commit(DIGEST, [], [*records[:n], records[n][:-1], *records[n + 1 :]], SEED) != root


@settings(max_examples=100)
@given(INTAKE, st.lists(FIELDS, min_size=1, max_size=4), st.data())
def test_a_tree_of_outlines_shows_the_rest_as_the_whole_tree_does(
    intake: list, records: list, data: st.DataObject
) -> None:
    whole = Tree(DIGEST, intake, records, SEED)
    shown = data.draw(st.sets(st.integers(0, len(records) - 1)))
    some = [
        record if number in shown else outline
        for number, (record, outline) in enumerate(zip(records, whole.outlines(), strict=True))
    ]
    part = Tree(DIGEST, intake, some, SEED)
    assert (part.root, part.children, part.outlines()) == (whole.root, whole.children, whole.outlines())
    for number in shown:
        pairs = list(zip(part.records[number], whole.records[number], strict=True))
        assert [(a.path, a.hash) for a, _ in pairs] == [(b.path, b.hash) for _, b in pairs]
        for a, b in pairs:
            if isinstance(a, OpenList):
                assert [a.element(n) for n in range(len(a.values))] == [
                    b.element(n) for n in range(len(b.values))
                ]


def test_what_is_hidden_cannot_be_guessed_without_its_salt() -> None:
    tree = Tree(DIGEST, [], [[Leaf("action", b"ADD")]], os.urandom(32))
    leaf = tree.records[0][0]
    assert leaf.hash != Tree(DIGEST, [], [[Leaf("action", b"ADD")]], os.urandom(32)).records[0][0].hash
    assert len(leaf.salt) == 16


@pytest.mark.parametrize(
    "fields",
    [
        [Leaf("b", b""), Leaf("a", b"")],
        [Leaf("a", b""), Leaf("a", b"")],
        [Leaf("a\0b", b"")],
        [Leaf("", b"")],
        [ListField("a", ())],
    ],
)
def test_fields_without_a_commitment_are_refused(fields: list) -> None:
    with pytest.raises(CommitmentError):
        commit(DIGEST, [], [fields], SEED)
    if isinstance(fields[0], Leaf):
        with pytest.raises(CommitmentError):
            commit(DIGEST, fields, [], SEED)


def test_a_seed_or_digest_of_another_length_is_refused() -> None:
    for digest, seed in ((DIGEST, SEED[:-1]), (DIGEST[:-1], SEED)):
        with pytest.raises(CommitmentError):
            commit(digest, [], [], seed)


def test_ten_thousand_packages_cost_little_more_than_their_hashes() -> None:
    """The bar is 15 ms on a quiet machine; here the yardstick is the same number of bare hashes, in the same run."""
    epcs = tuple(b"https://id.gs1.org/01/09506000134352/21/%012d" % n for n in range(10_000))
    record = [Leaf("action", b"ADD"), ListField("epcList", epcs)]
    tree = Tree(DIGEST, [], [record], SEED)
    assert isinstance(tree.records[0][1], OpenList)
    block = b"x" * 85

    # Processor time, and in turns: what else the machine does must not decide.
    times: dict[str, list[float]] = {"hash": [], "commit": []}
    for _ in range(12):
        start = thread_time()
        for _ in range(20_000):
            sha256(block).digest()
        middle = thread_time()
        commit(DIGEST, [], [record], SEED)
        times["hash"].append(middle - start)
        times["commit"].append(thread_time() - middle)
    assert min(times["commit"]) < 2.5 * min(times["hash"])

"""An entry has one writing; every byte of it counts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import VerificationError
from ledger.log.entry import MAX_SIGNATURES, MAX_STATEMENT_BYTES, ZERO_LEAF, Entry, Kind, Signature, link
from ledger.log.hashing import leaf_hash

SIGNATURES = st.lists(
    st.builds(
        Signature, st.sampled_from((1, 2)), st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64)
    ),
    min_size=1, max_size=MAX_SIGNATURES, unique_by=lambda signature: signature.key,
).map(tuple)  # fmt: skip
ENTRIES = st.builds(
    Entry, st.sampled_from(Kind), st.integers(1, 2**63 - 1), st.integers(0, 2**63 - 1),
    st.binary(min_size=32, max_size=32), st.binary(min_size=1, max_size=300), SIGNATURES,
)  # fmt: skip


def small(**changes) -> Entry:
    values = {
        "kind": Kind.CAPTURED, "index": 7, "received_ms": 1_772_000_000_000, "prev_leaf": b"p" * 32,
        "statement": b"{}", "signatures": (Signature(1, b"k" * 32, b"s" * 64),),
    }  # fmt: skip
    return Entry(**{**values, **changes})


@given(ENTRIES)
def test_an_entry_reads_back_as_it_was_written(entry: Entry) -> None:
    data = entry.encode()
    assert Entry.decode(data) == entry
    assert entry.leaf == leaf_hash(data)
    assert link(data) == (entry.index, entry.prev_leaf)


@settings(max_examples=300)
@given(ENTRIES, st.data())
def test_bytes_that_are_accepted_are_the_writing_of_what_they_say(entry: Entry, data: st.DataObject) -> None:
    raw = bytearray(entry.encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        bent = Entry.decode(bytes(raw))
    except VerificationError:
        return
    assert bent.encode() == bytes(raw)
    assert bent != entry


def test_every_changed_byte_gives_another_leaf_or_is_refused() -> None:
    entry = small()
    raw = entry.encode()
    for at in range(len(raw)):
        for bit in range(8):
            bent = bytearray(raw)
            bent[at] ^= 1 << bit
            assert leaf_hash(bytes(bent)) != entry.leaf
            try:
                assert Entry.decode(bytes(bent)).encode() == bytes(bent)
            except VerificationError as error:
                assert error.code == "entry"


def test_every_cut_and_every_tail_is_refused() -> None:
    raw = small().encode()
    for at in range(len(raw)):
        with pytest.raises(VerificationError):
            Entry.decode(raw[:at])
    with pytest.raises(VerificationError):
        Entry.decode(raw + b"\0")
    with pytest.raises(VerificationError):
        Entry.decode(raw + bytes(70_000))


def test_the_layout_is_the_pages() -> None:
    raw = small().encode()
    assert raw[:5] == b"PPL1\x01"
    assert raw[5:13] == (7).to_bytes(8, "big")
    assert raw[21:53] == b"p" * 32
    assert raw[53:57] == b"\x00\x02{}"
    assert raw[57:] == b"\x01" + b"\x01" + b"k" * 32 + b"\x00\x40" + b"s" * 64


@pytest.mark.parametrize(
    "changes",
    [
        {"index": -1},
        {"index": 2**63},
        {"received_ms": -1},
        {"prev_leaf": b"p" * 31},
        {"index": 0, "prev_leaf": b"p" * 32},
        {"statement": b""},
        {"statement": b"x" * (MAX_STATEMENT_BYTES + 1)},
        {"signatures": ()},
        {"signatures": tuple(Signature(1, bytes((n,)) * 32, b"s" * 64) for n in range(5))},
        {"signatures": (Signature(1, b"k" * 32, b"s" * 64), Signature(2, b"k" * 32, b"t" * 64))},
        {"signatures": (Signature(3, b"k" * 32, b"s" * 64),)},
        {"signatures": (Signature(1, b"k" * 32, b"s" * 63),)},
        {"signatures": (Signature(1, b"k" * 31, b"s" * 64),)},
    ],
)
def test_an_entry_out_of_bounds_cannot_be_made(changes: dict) -> None:
    with pytest.raises(VerificationError):
        small(**changes)


def test_the_first_entry_follows_nothing() -> None:
    assert Entry.decode(small(index=0, prev_leaf=ZERO_LEAF).encode()).prev_leaf == bytes(32)


def test_every_kind_has_its_word_and_back() -> None:
    assert [kind.type for kind in Kind] == [
        "captured", "received", "key", "redaction", "policy", "audit", "checkpoint", "void-seq",
    ]  # fmt: skip
    assert all(Kind.of(kind.type) is kind for kind in Kind)
    with pytest.raises(VerificationError):
        Kind.of("CAPTURED")

"""Chains judged from entries alone, and the records beside the events: whatever bytes come, one family of errors."""

import secrets
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import VerificationError
from ledger.log.entry import Entry, Kind
from ledger.signing.aside import Parked, Void, open_void, sign_aside, sign_void
from ledger.signing.chain import ChainAudit, ChainCode, Link
from ledger.signing.envelope import sign, verify
from ledger.signing.keys import generate, load_verifier
from ledger.signing.refs import dangling
from ledger.signing.statement import Chain, Commit, Statement

ORIGIN = "packproof.example/ledger"
KEY, STREAM, BEGIN = b"k" * 32, b"s" * 16, b"r" * 32


def digest(seq: int) -> bytes:
    return sha256(b"%d" % seq).digest()


def link(index: int, seq: int, *, void: bool = False, **other: object) -> Link:
    prev = BEGIN if seq == 1 else digest(seq - 1)
    values = {"author": KEY, "statement": digest(seq), "prev": prev, **other}
    return Link(index, STREAM, seq, void=void, **values)  # type: ignore[arg-type]


def audited(*links: Link) -> list[tuple[ChainCode, int, int]]:
    audit = ChainAudit()
    audit.registered(BEGIN, [KEY])
    for each in links:
        audit.link(each)
    return [(found.code, found.first, found.last) for found in audit.findings()]


def test_a_chain_without_gaps_has_no_findings_in_whatever_order_it_comes() -> None:
    assert audited(link(1, 1), link(2, 2), link(3, 3)) == []
    assert audited(link(1, 3), link(2, 1), link(3, 2)) == []


def test_every_gap_is_named_and_closes() -> None:
    assert audited(link(1, 1), link(2, 4), link(3, 7)) == [(ChainCode.GAP, 2, 3), (ChainCode.GAP, 5, 6)]
    assert audited(link(1, 2)) == [(ChainCode.GAP, 1, 1)]
    void = link(3, 2, void=True, statement=b"v" * 32, author=b"o" * 32)
    assert audited(link(1, 1), link(2, 3), void) == []


def test_repeats_wrong_links_other_authors_and_false_starts_are_named() -> None:
    assert audited(link(1, 1), link(2, 1, statement=b"x" * 32)) == [(ChainCode.REPEAT, 1, 1)]
    assert audited(link(1, 3), link(2, 3, statement=b"x" * 32))[0] == (ChainCode.REPEAT, 3, 3)
    assert audited(link(1, 1), link(2, 2, prev=b"x" * 32)) == [(ChainCode.BROKEN, 2, 2)]
    assert audited(link(1, 1), link(2, 2, author=b"o" * 32)) == [(ChainCode.AUTHOR, 2, 2)]
    assert audited(link(1, 1, prev=b"x" * 32)) == [(ChainCode.START, 1, 1)]


@settings(max_examples=100, deadline=None)
@given(st.permutations(range(1, 12)), st.sets(st.integers(1, 11)))
def test_what_is_missing_is_what_is_found(order: list[int], left_out: set[int]) -> None:
    there = [seq for seq in order if seq not in left_out]
    found = audited(*(link(index, seq) for index, seq in enumerate(there, 1)))
    missing = {seq for _, first, last in found for seq in range(first, last + 1)}
    assert missing == {seq for seq in left_out if seq < max(there, default=0)}


def referring(*refs: bytes, index: int = 5) -> Entry:
    key = generate()
    made = Statement.new(
        ORIGIN, key.thumbprint, Kind.CAPTURED, Commit(b"r" * 32, 1), refs=refs, chain=Chain(STREAM, 1, BEGIN)
    )
    signatures = sign(made.encode(), [key]).entry_signatures([load_verifier(key.spki)])
    return Entry(Kind.CAPTURED, index, 0, b"p" * 32, made.encode(), signatures)


def test_a_reference_stands_below_what_refers_to_it_or_is_named() -> None:
    stands = {digest(4): 4, digest(5): 5, digest(9): 9}
    here, itself, later, nowhere = digest(4), digest(5), digest(9), digest(7)
    assert dangling(referring(), stands.get) == []
    assert dangling(referring(here), stands.get) == []
    assert dangling(referring(nowhere, here, itself, later), stands.get) == [nowhere, itself, later]


def test_a_void_takes_the_number_and_says_what_stood_there() -> None:
    key = generate()
    made = Commit(secrets.token_bytes(32), 1)
    chain = Chain(STREAM, 5, digest(4))
    given_up = Statement.new(ORIGIN, key.thumbprint, Kind.CAPTURED, made, chain=chain)
    void = sign_void(given_up, ORIGIN, key, "scanned twice")
    record, statement = open_void(void.envelope, void.document, void.seed, ORIGIN)
    verify(void.envelope, [load_verifier(key.spki)])
    assert statement.chain == chain
    assert record == Void(STREAM, 5, sha256(given_up.encode()).digest(), "scanned twice")
    for bad in (
        (void.envelope, void.document.replace(b'"5"', b'"6"'), void.seed, ORIGIN),
        (void.envelope, void.document, bytes(32), ORIGIN),
        (void.envelope, void.document, void.seed, "packproof.example/other"),
    ):
        with pytest.raises(VerificationError):
            open_void(*bad)


def test_a_parked_record_is_read_as_it_was_written() -> None:
    record = Parked(b"a" * 32, b"b" * 32, "suspended", 17)
    assert Parked.parse(record.document()) == record
    assert sign_aside(record, ORIGIN, [generate()]).document == record.document()
    with pytest.raises(VerificationError):
        Parked(b"a" * 32, b"b" * 32, "lost", 17)


GOOD = (Parked(b"a" * 32, b"b" * 32, "revoked", 3).document(), Void(STREAM, 9, b"c" * 32, "why").document())


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(GOOD), st.integers(0, 400), st.binary(max_size=3), st.integers(0, 3))
def test_no_other_bytes_are_read(good: bytes, at: int, put: bytes, cut: int) -> None:
    changed = good[:at] + put + good[at + cut :]
    for kind in (Parked, Void):
        try:
            read = kind.parse(changed)
        except VerificationError:
            continue
        assert read.document() == changed


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"null", b'{"type":1}', b"\xff", b"[" * 100_000, b'{"why":"\\ud800","type":"void-seq"}'],
)
def test_bytes_that_are_no_record_are_refused(data: bytes) -> None:
    for kind in (Parked, Void):
        with pytest.raises(VerificationError):
            kind.parse(data)

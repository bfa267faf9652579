"""What a redaction leaves of a seed gives the root that was signed, and has one form."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.custody.erasable import is_erasable
from ledger.custody.event import Event, canonical
from ledger.custody.stored import pack_fields, unpack_fields
from ledger.errors import LedgerError
from ledger.signing import remains
from ledger.signing.commitment import (
    HiddenLeaf,
    Leaf,
    ListField,
    Tree,
    commit,
    leaf_commitment,
    leaf_count,
    leaf_numbers,
)
from ledger.signing.remains import RemainsDamaged, erase, openings
from tests.support.events import events

SEED = bytes(range(32))
DIGEST = b"\x07" * 32
FEW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
INTAKE = (Leaf("channel", b"rest"), Leaf("onBehalfOf", b"0399999000017"))


@FEW
@given(records=st.lists(events(), min_size=1, max_size=2), data=st.data())
def test_the_root_is_the_one_that_was_signed(records: list[Event], data: st.DataObject) -> None:
    fields = [each.fields() for each in records]
    root = commit(DIGEST, INTAKE, fields, SEED)
    count, numbers = leaf_count(len(INTAKE), fields), leaf_numbers(len(INTAKE), fields)
    salts = openings(SEED, count)
    paths = {
        f"e{number}/{each.path}": each for number, record in enumerate(fields) for each in record
        if isinstance(each, Leaf)
    }  # fmt: skip
    gone = data.draw(st.sets(st.sampled_from(sorted(paths)), min_size=1, max_size=4))
    hashes = {path: leaf_commitment(path, salts[numbers[path]], paths[path].value) for path in gone}
    left = erase(SEED, count, {numbers[path]: leaf for path, leaf in hashes.items()})
    left = erase(left, count, {0: leaf_commitment("document", salts[0], DIGEST)})
    assert not remains.is_seed(left)
    hidden = [
        [
            HiddenLeaf.of(each.path, hashes[path]) if (path := f"e{number}/{each.path}") in gone else each
            for each in record
        ]
        for number, record in enumerate(fields)
    ]
    # With the placeholders, with the values, and with any document's digest: what was erased is its hash.
    assert commit(bytes(32), INTAKE, hidden, left) == root
    assert commit(DIGEST, INTAKE, fields, left) == root
    assert commit(DIGEST, INTAKE, hidden, SEED) == root
    tree = Tree(DIGEST, INTAKE, hidden, left)
    assert not tree.document.can_be_shown
    kept = openings(left, count)
    for path in gone:
        assert kept[numbers[path]] == hashes[path]
        assert salts[numbers[path]] not in kept


@given(st.binary(max_size=200), st.integers(0, 6))
def test_bytes_that_are_no_remains_are_refused(data: bytes, count: int) -> None:
    if len(data) != remains.SEED_BYTES:
        with pytest.raises(RemainsDamaged):
            openings(data, count)


def test_remains_have_one_form() -> None:
    left = erase(SEED, 10, {3: bytes(32), 9: bytes(32)})
    assert len(left) == 5 + 2 + 8 * 16 + 2 * 32
    assert erase(left, 10, {3: b"\x01" * 32}) == left  # what was erased stays as it was
    for changed in (left[:-1], left + b"\0", b"\x02" + left[1:], left[:6] + bytes([left[6] | 1]) + left[7:]):
        with pytest.raises(RemainsDamaged):
            openings(changed, 10)
    with pytest.raises(RemainsDamaged):
        openings(left, 11)
    for wrong in ({}, {10: bytes(32)}, {-1: bytes(32)}, {1: bytes(16)}):
        with pytest.raises(ValueError, match="leaf"):
            erase(SEED, 10, wrong)


def test_a_leaf_of_a_list_cannot_be_erased() -> None:
    left = erase(SEED, 2, {1: bytes(32)})
    with pytest.raises(LedgerError):
        commit(DIGEST, (), [[ListField("epcList", (b"a",))]], left)


@FEW
@given(events())
def test_a_placeholder_in_a_stored_body_is_read_as_one(each: Event) -> None:
    fields = [
        HiddenLeaf.of(field.path, bytes(32)) if is_erasable(field.path) else field for field in each.fields()
    ]
    again = unpack_fields(pack_fields(fields))
    assert again == fields
    assert [type(field) for field in again] == [type(field) for field in fields]
    assert canonical(again) == canonical(fields)


@pytest.mark.parametrize(
    ("path", "erasable"),
    [
        ("ext/http://example.com/ns#contact", True),
        ("ext/https://ref.gs1.org/epcis#readPoint", True),
        ("ext/https://ref.gs1.org/epcis#certificationInfo", False),
        ("ilmd/http://example.com/ns#remark", True),
        ("ilmd/urn:epcglobal:cbv:mda#lotNumber", False),
        ("ilmd/urn:epcglobal:cbv:mda#itemExpirationDate", False),
        *(
            (path, False)
            for path in "type eventID eventTime action bizStep readPoint epcList parentID".split()
        ),
    ],
)
def test_what_is_regulated_is_not_erasable(path: str, erasable: bool) -> None:
    assert is_erasable(path) is erasable

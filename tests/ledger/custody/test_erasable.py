"""Which fields can be erased, and what an event of an earlier version may hold."""

import pytest

from ledger.custody.erasable import is_erasable, may_be_sealed, why_not
from ledger.custody.stored import pack_fields, unpack_fields
from ledger.signing.commitment import HiddenLeaf, Leaf

DATE = "ext/http://epcis.gs1us.org/hc/ns#transactionDate"


@pytest.mark.parametrize(
    ("path", "erasable", "sealed"),
    [
        ("ext/http://example.com/ns#contact", True, True),
        ("ilmd/http://example.com/ns#remark", True, True),
        (DATE, False, True),
        ("ilmd/http://epcis.gs1us.org/hc/ns#any", False, True),
        ("ilmd/urn:epcglobal:cbv:mda#lotNumber", False, False),
        ("ext/https://ref.gs1.org/epcis#certificationInfo", False, False),
        ("bizStep", False, False),
    ],
)
def test_what_can_be_erased_is_a_matter_of_the_path_alone(path: str, erasable: bool, sealed: bool) -> None:
    assert (is_erasable(path), may_be_sealed(path)) == (erasable, sealed)
    assert erasable or "six years" in why_not(path)


def test_what_an_earlier_version_kept_encrypted_is_read_as_such() -> None:
    kept = (Leaf("action", b"ADD"), HiddenLeaf.of(DATE, bytes(range(32))))
    assert tuple(unpack_fields(pack_fields(kept))) == kept

"""JSON of strangers is counted before it is read: how much memory it takes is never theirs to say."""

import tracemalloc
from pathlib import Path

import pytest

from ledger.errors import VerificationError
from ledger.evidence.bundle import MAX_BUNDLE_BYTES
from ledger.evidence.verify import EvidenceRefused, verify
from ledger.log.encoding import MAX_JSON_VALUES, from_json

VECTORS = Path(__file__).parents[1] / "evidence" / "vectors"


@pytest.mark.parametrize("value", [b"[]", b"0", b'{"":[]}'])
def test_a_file_full_of_values_is_refused_before_any_of_them_is_there(value: bytes) -> None:
    count = MAX_BUNDLE_BYTES // (len(value) + 1) - 2
    data = b"[" + (value + b",") * count + value + b"]"
    tracemalloc.start()
    try:
        with pytest.raises(EvidenceRefused) as refused:
            verify(data)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (refused.value.step, refused.value.code) == (1, "json")
    assert "more than 1,500,000 values" in refused.value.message
    assert most < 1 << 20, "less than a megabyte beside the file itself"


def test_the_limit_is_exact_and_far_from_every_real_file() -> None:
    def texts(values: int) -> bytes:
        return b"[" + b'"",' * (values - 1) + b'""]'

    assert len(from_json(texts(MAX_JSON_VALUES - 1))) == MAX_JSON_VALUES - 1
    with pytest.raises(VerificationError):
        from_json(texts(MAX_JSON_VALUES))
    for path in VECTORS.glob("*.evidence*.json"):
        data = path.read_bytes()
        marks = sum(data.count(mark) for mark in (b",", b"[", b"{"))
        assert marks / len(data) * MAX_BUNDLE_BYTES < 0.7 * MAX_JSON_VALUES

"""The event vectors: documents with what every party must compute from them, so that others can check their own code.

Each file of vectors/ has ``document`` (one event in 2.0 JSON), ``xml`` (its 1.2 twin), and of the event the whole
canonical form in hex (``canonical``), ``digest``, ``derived_id``, ``id`` and ``position``: docs/formats/event.md.
"""

import hashlib
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.custody.event import canonical
from ledger.epcis import read

VECTORS = sorted((Path(__file__).parent / "vectors").glob("*.json"))


def leaves(form: bytes) -> Iterator[tuple[str, bytes]]:
    """A canonical form taken apart by the format page alone: path, zero, length, value, again and again."""
    at = 0
    while at < len(form):
        end = form.index(0, at)
        length = int.from_bytes(form[end + 1 : end + 5], "big")
        yield form[at:end].decode(), form[at : end + 5 + length]
        at = end + 5 + length


def digest_without(form: bytes, *paths: str) -> bytes:
    return hashlib.sha256(
        b"".join(leaf for path, leaf in leaves(form) if not path.startswith(paths))
    ).digest()


@pytest.fixture(params=VECTORS, ids=lambda path: path.stem)
def vector(request: pytest.FixtureRequest) -> dict:
    return json.loads(request.param.read_text(encoding="utf-8"))


def test_there_are_vectors():
    assert len(VECTORS) == 9


def test_the_document_gives_what_the_vector_says(vector: dict):
    (event,) = read(json.dumps(vector["document"]).encode()).events
    assert canonical(event.fields()).hex() == vector["canonical"]
    assert event.digest.hex() == vector["digest"]
    assert event.derived_id == vector["derived_id"]
    assert event.id == vector["id"]
    assert event.position == vector["position"]


def test_the_xml_twin_gives_the_same(vector: dict):
    (event,) = read(vector["xml"].encode()).events
    assert canonical(event.fields()).hex() == vector["canonical"]


def test_digest_and_id_follow_from_the_canonical_form(vector: dict):
    form = bytes.fromhex(vector["canonical"])
    assert digest_without(form, "eventID").hex() == vector["digest"]
    raw = bytearray(digest_without(form, "eventID", "errorDeclaration/")[:16])
    raw[6], raw[8] = raw[6] & 0x0F | 0x80, raw[8] & 0x3F | 0x80
    assert f"urn:uuid:{uuid.UUID(bytes=bytes(raw))}" == vector["derived_id"]
    assert dict(leaves(form))["eventID"].endswith(vector["id"].encode())


def test_paths_stand_in_the_order_of_their_bytes(vector: dict):
    paths = [path.encode() for path, _ in leaves(bytes.fromhex(vector["canonical"]))]
    fields = list(
        dict.fromkeys(
            path.rsplit(b"/", 1)[0] if path.rsplit(b"/", 1)[-1].isdigit() else path for path in paths
        )
    )
    assert fields == sorted(fields)

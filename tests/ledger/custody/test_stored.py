"""An event as it is kept: what was written is read back, and damage is said to be damage."""

import zlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.custody.event import (
    Event,
    canonical,
)
from ledger.custody.stored import StoredEventDamaged, pack, unpack, unpack_fields
from ledger.custody.vocabulary import Action, EventType
from tests.support.events import events

AT = datetime(2026, 5, 30, 10, 0, 0, 123456, tzinfo=UTC)
# An event has thirty fields: each example draws much.
FEW = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PACKAGE = "https://id.gs1.org/01/00399999001014/21/A1"
LOT = '"LOT42"'


def small(**changes: object) -> Event:
    made = Event(EventType.OBJECT, AT, "-04:00", action=Action.ADD, biz_step="commissioning", epcs=(PACKAGE,))
    return replace(made, **changes)


# Kept and read again

PLAIN = b"\0" + canonical(small(event_id="urn:uuid:1").fields())


def test_a_plain_body_is_read():
    assert unpack(PLAIN) == small(event_id="urn:uuid:1")


@FEW
@given(events())
def test_what_was_kept_is_read_back(event):
    read = unpack(pack(event))
    assert read.fields() == event.fields()
    assert (read.digest, read.id, read.position) == (event.digest, event.id, event.position)
    assert unpack(pack(read)) == read
    assert read.derived_id == event.derived_id


@FEW
@given(events())
def test_the_kept_fields_are_those_that_were_committed_to(event):
    assert unpack_fields(pack(event)) == event.fields()


def test_a_long_event_is_kept_packed_and_a_short_one_plain():
    assert pack(small(epcs=(), biz_step=None, event_id="urn:x:1"))[:1] == b"\0"
    long = small(epcs=tuple(f"{PACKAGE}{n}" for n in range(500)))
    assert pack(long)[:1] == b"\1"
    assert len(pack(long)) < len(canonical(long.fields())) / 4
    assert len(unpack(pack(long)).epcs) == 500


def test_more_than_ten_elements_keep_their_order():
    made = small(epcs=tuple(f"{n:02d}" for n in range(30)))
    assert unpack(pack(made)).epcs == made.epcs


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: b"",
        lambda body: b"\2" + body[1:],
        lambda body: body[:-1],
        lambda body: body[:10],
        lambda body: body + b"x",
        lambda body: b"\0" + b"type\0\0\0\0\x07NoEvent",
        lambda body: b"\0" + b"type\0\0\0\0\x0bObjectEvent",
        lambda body: b"\0" + b"\xff\0\0\0\0\0",
        lambda body: b"\1" + b"no zlib",
        lambda body: b"\1" + zlib.compress(body[1:])[:-1],
        lambda body: b"\1" + zlib.compress(body[1:]) + b"x",
        lambda body: body.replace(b"2026-05-30", b"2026-55-30"),
        lambda body: body.replace(b"ADD", b"DDA"),
        lambda body: body + body[1:],
        lambda body: body + b"aaa\0\0\0\0\x01a",
        lambda body: body.replace(b"epcList/0", b"epcList/1"),
    ],
)
def test_a_damaged_body_is_said_to_be_one(damage):
    with pytest.raises(StoredEventDamaged) as caught:
        unpack(damage(PLAIN))
    assert caught.value.code == "stored_event_damaged"


def test_damaged_elements_of_a_list_are_said_to_be_so():
    for path, value in ((b"quantityList/0", b"{"), (b"quantityList/0", b"{}"), (b"sourceList/0", b'"a"')):
        leaf = path + b"\0" + len(value).to_bytes(4, "big") + value
        body = PLAIN.replace(b"type\0\0", leaf + b"type\0\0")
        assert len(unpack_fields(body)) == 8
        with pytest.raises(StoredEventDamaged):
            unpack(body)


@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_are_an_event_or_damaged(body, squeezed):
    body = b"\1" + zlib.compress(body) if squeezed else b"\0" + body
    with pytest.raises(StoredEventDamaged):
        unpack(body)

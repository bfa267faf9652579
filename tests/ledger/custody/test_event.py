"""The event value: one canonical form, one digest, one id, one position, whoever computes it."""

import hashlib
import uuid
from dataclasses import fields as fields_of
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
import rfc8785
from hypothesis import HealthCheck, assume, given, settings

from ledger.custody.event import (
    ErrorDeclaration,
    Event,
    Linked,
    Quantity,
    canonical,
    compact,
    format_time,
    position_at,
    time_of,
)
from ledger.custody.stored import pack, unpack
from ledger.custody.vocabulary import Action, EventType, bare_word
from ledger.signing.commitment import Leaf, ListField, commit
from tests.support.events import DECLARATIONS, JSON_VALUES, TIMES, events

AT = datetime(2026, 5, 30, 10, 0, 0, 123456, tzinfo=UTC)
# An event has thirty fields: each example draws much.
FEW = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PACKAGE = "https://id.gs1.org/01/00399999001014/21/A1"
LOT = '"LOT42"'


def small(**changes: object) -> Event:
    made = Event(EventType.OBJECT, AT, "-04:00", action=Action.ADD, biz_step="commissioning", epcs=(PACKAGE,))
    return replace(made, **changes)


# Canonical form


def test_the_canonical_form_is_path_zero_length_value_sorted_by_path():
    made = small(event_id="urn:uuid:1", ilmd=(("urn:epcglobal:cbv:mda#lotNumber", LOT),))
    expected = b"".join(
        path + b"\0" + len(value).to_bytes(4, "big") + value
        for path, value in [
            (b"action", b"ADD"),
            (b"bizStep", b"commissioning"),
            (b"epcList/0", PACKAGE.encode()),
            (b"eventID", b"urn:uuid:1"),
            (b"eventTime", b"2026-05-30T10:00:00.123456Z"),
            (b"eventTimeZoneOffset", b"-04:00"),
            (b"ilmd/urn:epcglobal:cbv:mda#lotNumber", LOT.encode()),
            (b"type", b"ObjectEvent"),
        ]
    )
    assert canonical(made.fields()) == expected


def test_this_digest_and_this_derived_id_stay_as_they_are():
    """Data stands on them: a change of these numbers is a change of the format."""
    made = small()
    assert made.digest.hex() == "14b909559eb2b5fd1c1c772b495ab02b743b4cfcdc4546b79fd3effda257789f"
    assert made.derived_id == "urn:uuid:14b90955-9eb2-85fd-9c1c-772b495ab02b"
    assert made.position == 1780135200123456 * 16


def test_every_field_of_the_value_has_its_path_in_the_canonical_form():
    full = Event(
        type=EventType.AGGREGATION,
        event_time=AT,
        time_zone_offset="+00:00",
        event_id="urn:uuid:1",
        action=Action.OBSERVE,
        biz_step="receiving",
        disposition="in_progress",
        persistent_set=("completeness_verified",),
        persistent_unset=("completeness_inferred",),
        read_point="rp",
        biz_location="bl",
        parent="parent",
        epcs=("epc",),
        children=("child",),
        inputs=("input",),
        outputs=("output",),
        quantities=(Quantity("class", "1", "KGM"),),
        child_quantities=(Quantity("class2"),),
        input_quantities=(Quantity("class3", "3"),),
        output_quantities=(Quantity("class4", "4"),),
        transactions=(Linked("po", "bt"),),
        sources=(Linked("location", "source"),),
        destinations=(Linked("location", "destination"),),
        transformation_id="transformation",
        declaration=ErrorDeclaration(AT, "did_not_occur", ("urn:uuid:2",)),
        sensors=("{}",),
        ilmd=(("name", '"value"'),),
        extensions=(("name", '"value"'),),
    )
    values = {
        f.path: f.value.decode() if isinstance(f, Leaf) else [v.decode() for v in f.values]
        for f in full.fields()
    }
    assert values == {
        "type": "AggregationEvent",
        "eventID": "urn:uuid:1",
        "eventTime": "2026-05-30T10:00:00.123456Z",
        "eventTimeZoneOffset": "+00:00",
        "action": "OBSERVE",
        "bizStep": "receiving",
        "disposition": "in_progress",
        "persistentDisposition/set": ["completeness_verified"],
        "persistentDisposition/unset": ["completeness_inferred"],
        "readPoint": "rp",
        "bizLocation": "bl",
        "parentID": "parent",
        "epcList": ["epc"],
        "childEPCs": ["child"],
        "inputEPCList": ["input"],
        "outputEPCList": ["output"],
        "quantityList": ['{"epcClass":"class","quantity":"1","uom":"KGM"}'],
        "childQuantityList": ['{"epcClass":"class2"}'],
        "inputQuantityList": ['{"epcClass":"class3","quantity":"3"}'],
        "outputQuantityList": ['{"epcClass":"class4","quantity":"4"}'],
        "bizTransactionList": ['{"bizTransaction":"bt","type":"po"}'],
        "sourceList": ['{"source":"source","type":"location"}'],
        "destinationList": ['{"destination":"destination","type":"location"}'],
        "transformationID": "transformation",
        "errorDeclaration/declarationTime": "2026-05-30T10:00:00.123456Z",
        "errorDeclaration/reason": "did_not_occur",
        "errorDeclaration/correctiveEventIDs": ["urn:uuid:2"],
        "sensorElementList": ["{}"],
        "ilmd/name": '"value"',
        "ext/name": '"value"',
    }
    assert unpack(pack(full)) == full
    assert all(getattr(full, each.name) for each in fields_of(Event)), "a new field belongs into this test"


@FEW
@given(events())
def test_the_fields_of_any_event_can_be_committed_to(event):
    assert len(commit(b"\0" * 32, [], [event.fields()], b"\1" * 32)) == 32


def test_a_list_is_a_set_sorted_by_its_bytes():
    made = small(epcs=("z", "é", "a", "z"))
    [epcs] = [f for f in made.fields() if f.path == "epcList"]
    assert epcs == ListField("epcList", (b"a", b"z", "é".encode()))


def test_what_has_no_value_is_absent():
    made = small(biz_step="", disposition=None, epcs=(), sensors=())
    assert [f.path for f in made.fields()] == [
        "action",
        "eventID",
        "eventTime",
        "eventTimeZoneOffset",
        "type",
    ]


def test_times_are_utc_with_six_digits():
    east = timezone(timedelta(hours=5, minutes=30))
    assert format_time(datetime(2026, 1, 1, 1, 0, tzinfo=east)) == "2025-12-31T19:30:00.000000Z"
    assert format_time(datetime(7, 1, 1, tzinfo=UTC)) == "0007-01-01T00:00:00.000000Z"


# JCS


@given(JSON_VALUES)
def test_compact_agrees_with_rfc_8785(value):
    assert compact(value).encode() == rfc8785.dumps(value)


def test_compact_sorts_members_by_utf_16():
    """U+10000 is a surrogate pair from U+D800: before U+FF21 in UTF-16, behind it in UTF-8."""
    assert compact({"\uff21": "2", "\U00010000": "1"}) == '{"\U00010000":"1","\uff21":"2"}'


@pytest.mark.parametrize("value", [1, 1.5, True, None, {"a": 1}, ["a", None], b"a"])
def test_compact_takes_no_scalar_but_text(value):
    with pytest.raises(TypeError, match="text, a list or an object"):
        compact(value)


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": "a"}, ["\ud800"]])
def test_compact_refuses_a_lone_surrogate(value):
    with pytest.raises(ValueError):
        compact(value)


# Digest and derived id


@FEW
@given(events())
def test_the_digest_knows_no_event_id_and_no_order(event):
    lists = {
        each.name: tuple(reversed(value)) * 2
        for each in fields_of(Event)
        if each.name not in ("ilmd", "extensions") and isinstance(value := getattr(event, each.name), tuple)
    }
    turned = replace(
        event, event_id="urn:other", ilmd=event.ilmd[::-1], extensions=event.extensions[::-1], **lists
    )
    assert turned.digest == event.digest
    assert turned.derived_id == event.derived_id


@pytest.mark.parametrize(
    "change",
    [
        {"event_time": AT + timedelta(microseconds=1)},
        {"time_zone_offset": "-05:00"},
        {"action": Action.OBSERVE},
        {"epcs": (PACKAGE, PACKAGE + "2")},
        {"epcs": (PACKAGE.lower(),)},
        {"declaration": ErrorDeclaration(AT)},
        {"ilmd": (("n", '"v"'),)},
        {"extensions": (("n", '"v"'),)},
    ],
)
def test_any_other_content_has_another_digest(change):
    assert small(**change).digest != small().digest


def test_a_value_does_not_pass_for_another_field():
    assert small(epcs=("a", "b")).digest != small(epcs=("a",), children=("b",)).digest
    assert small(epcs=("ab",)).digest != small(epcs=("a", "b")).digest


@FEW
@given(events(), DECLARATIONS, DECLARATIONS)
def test_an_event_and_its_declarations_share_the_derived_id_and_not_the_digest(event, one, two):
    plain = replace(event, declaration=None)
    declared, again = replace(event, declaration=one), replace(event, declaration=two)
    assert plain.derived_id == declared.derived_id == again.derived_id
    assert plain.digest != declared.digest


def test_the_derived_id_is_a_version_8_uuid_of_the_content():
    made = small()
    derived = uuid.UUID(made.derived_id.removeprefix("urn:uuid:"))
    assert (derived.version, derived.variant) == (8, uuid.RFC_4122)
    digest = hashlib.sha256(canonical(f for f in made.fields() if f.path != "eventID")).digest()
    assert derived.hex[:12] == digest.hex()[:12]
    assert (derived.hex[13:16], derived.hex[17:]) == (digest.hex()[13:16], digest.hex()[17:32])


def test_an_explicit_id_is_the_id():
    assert small(event_id="urn:uuid:1").id == "urn:uuid:1"
    assert small().id == small().derived_id


# Position


@given(TIMES)
def test_a_position_leads_back_to_its_time_and_fits_a_database(moment):
    for rank in (0, 6):
        assert time_of(position_at(moment, rank)) == moment
        assert -(2**63) < position_at(moment, rank) < 2**63


@given(TIMES, TIMES)
def test_positions_order_as_times_do(one, two):
    assume(one < two)
    assert position_at(one, 6) < position_at(two, 0)


# What an event is about


def test_an_event_names_every_object_once():
    made = small(parent="p", epcs=("a", "b"), children=("b", "c"), inputs=("i",), outputs=("o", "p"))
    assert made.all_epcs() == ("p", "a", "b", "c", "i", "o")


def test_a_commissioning_is_about_the_lots_of_its_packages():
    name = "urn:epcglobal:cbv:mda#lotNumber"
    made = small(epcs=(PACKAGE, PACKAGE + "2", "https://id.gs1.org/00/1"), ilmd=((name, '"A/1"'),))
    assert made.lots() == ("https://id.gs1.org/01/00399999001014/10/A%2F1",)
    assert small(epcs=(), outputs=(PACKAGE,), ilmd=((name, LOT),)).lots() == (
        "https://id.gs1.org/01/00399999001014/10/LOT42",
    )
    assert small(ilmd=((name, '""'),)).lots() == ()


def test_a_class_with_a_lot_is_a_lot_and_one_without_is_none():
    lot = "https://id.gs1.org/01/00399999001014/10/A"
    made = small(epcs=(), quantities=(Quantity(lot, "5"), Quantity("https://id.gs1.org/01/00399999001014")))
    assert made.lots() == (lot,)


def test_ilmd_and_extensions_are_read_where_they_are_text():
    made = small(ilmd=(("a", '"x"'), ("b", '{"c":"d"}')), extensions=(("e", '"y"'),))
    assert (made.ilmd_text("a"), made.ilmd_text("b"), made.ilmd_text("e")) == ("x", None, None)
    assert made.extension_text("e") == "y"


# Words


@pytest.mark.parametrize(
    "text",
    [
        "shipping",
        "urn:epcglobal:cbv:bizstep:shipping",
        "https://ref.gs1.org/cbv/BizStep-shipping",
        "https://ns.gs1.org/cbv/BizStep-shipping",
        "cbv:BizStep-shipping",
    ],
)
def test_a_step_is_one_word_however_it_is_written(text):
    assert bare_word("bizStep", text) == "shipping"


def test_a_word_of_another_vocabulary_stays_as_it_is():
    assert bare_word("disposition", "https://example.com/disp/dizzy") == "https://example.com/disp/dizzy"


@pytest.mark.parametrize(
    ("vocabulary", "text"),
    [
        ("bizStep", "shiping"),
        ("bizStep", "Shipping"),
        ("bizStep", ""),
        ("bizStep", "urn:epcglobal:cbv:bizstep:shiping"),
        ("disposition", "shipping"),
        ("transaction", "urn:epcglobal:cbv:btt:"),
        ("party", "owner"),
        ("reason", "mistake"),
    ],
)
def test_a_slip_of_the_pen_is_no_word(vocabulary, text):
    with pytest.raises(ValueError, match=f"no {vocabulary} of the CBV"):
        bare_word(vocabulary, text)

"""What an evidence file shows is chosen, says what it hides, and names nobody whom its reader may not know."""

import json
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from app.errors import Invalid, NotFound
from app.proofs.disclosure import Disclosure, Profile
from app.shared.actor import Role
from ledger.custody.event import Linked
from ledger.custody.vocabulary import Action, EventType
from ledger.evidence.verify import verify
from ledger.log.encoding import to_base64
from ledger.signing.client import KeyFolder, make_device
from tests.support.counter import PHARMACY, STRANGER, Counter
from tests.support.trade import WHEN
from tests.support.world import MAKER, PALLET, WHOLESALER, package, sgln

PACK, OTHER = package(21), package(22)
SECRET = "For Ms Miller, phone 555-0100"


def hour(counter: Counter, event, hours, *, by, to=None, **fields):
    """The event at that hour, at the place of `by`, and on its way `to` a party."""
    links = {}
    if to is not None:
        links = {
            "sources": (Linked("owning_party", sgln(by)), Linked("possessing_party", sgln(by))),
            "destinations": (Linked("owning_party", sgln(to)), Linked("possessing_party", sgln(to))),
        }
    fields |= {"event_id": f"urn:uuid:{uuid.uuid4()}", "read_point": sgln(by), "biz_location": None}
    return replace(event, event_time=WHEN + timedelta(hours=hours), **links, **fields)


@pytest.fixture
def journey(sqlite_counter: Counter) -> Counter:
    """Made by one device, packed and shipped by another, through a wholesaler who signs nothing, to the pharmacy."""
    counter = sqlite_counter
    trade = counter.trade
    dock = make_device(trade.folder / "dock", trade.folder / "root", "Dock 2")
    counter.services.keys.register(dock.envelope, dock.document, dock.seed)
    dock = KeyFolder.open(trade.folder / "dock")
    ext = (("http://maker.example/ns#contact", json.dumps(SECRET)),)
    made = replace(trade.begun(21, 22), extensions=ext)
    assert trade.post_signed(trade.document(made)).status_code == 201
    bare = replace(trade.shipped(), epcs=(PALLET,), sources=(), destinations=())
    packed = hour(
        counter, bare, 1, by=MAKER, type=EventType.AGGREGATION, biz_step="packing", disposition="in_progress",
        epcs=(), action=Action.ADD, parent=PALLET, children=(PACK, OTHER),
    )  # fmt: skip
    sent = hour(counter, bare, 2, by=MAKER, to=WHOLESALER)
    assert trade.post_signed(trade.document(packed, sent), dock).status_code == 201
    received = hour(counter, bare, 3, by=WHOLESALER, biz_step="receiving", disposition="in_progress")
    onward = hour(counter, bare, 4, by=WHOLESALER, to=PHARMACY)
    counter.told(received, onward, by=WHOLESALER)
    counter.told(
        hour(counter, bare, 5, by=PHARMACY, biz_step="receiving", disposition="in_progress"), by=PHARMACY
    )
    return counter


def made_for(counter: Counter, **choice):
    return counter.services.evidence.disclosed(PACK, Disclosure(**choice))


def steps(made) -> list[str]:
    return [event.one["bizStep"] for event in made.report.events]


def hides(made, *names: str) -> bool:
    """Whether none of these texts stands in the file, in whatever writing."""
    return not any(
        to_base64(name.encode()).encode() in made.data or name.encode() in made.data for name in names
    )


def test_all_is_everything_but_other_packages(journey):
    made = made_for(journey)
    assert steps(made) == ["commissioning", "packing", "shipping", "receiving", "shipping", "receiving"]
    assert made.unnamed == made.left_out == 0
    assert not any(each.paths for each in made.hidden)
    assert hides(made, OTHER)
    assert made.report.unshown == 2
    assert not hides(made, sgln(WHOLESALER))


def test_a_holder_reads_its_own_events_and_that_the_maker_made_it(journey):
    made = made_for(journey, reader=PHARMACY)
    assert steps(made) == ["commissioning", "packing", "shipping", "receiving", "shipping", "receiving"]
    by_dock = [event for event in made.report.events if event.unnamed]
    assert [event.one["bizStep"] for event in by_dock] == ["packing", "shipping"]
    assert all("eventID" not in event.one and "readPoint" not in event.one for event in by_dock)
    unsigned = [event for event in made.report.events if event.type == "received"]
    assert ["onBehalfOf" in event.intake for event in unsigned] == [True, True, True]
    assert hides(made, "Dock 2", OTHER)


def test_who_took_no_part_is_told_nothing(journey):
    with pytest.raises(NotFound):
        made_for(journey, reader=STRANGER)


def test_the_holder_profile_names_the_maker_and_nobody_else(journey):
    made = made_for(journey, profile=Profile.HOLDER)
    first, *others = made.report.events
    assert first.one["ilmd/urn:epcglobal:cbv:mda#lotNumber"] == '"LOT42"'
    assert first.signed_by[0].party == MAKER
    assert [event.one.get("bizStep") for event in others] == ["packing"]
    assert made.unnamed == 1
    assert made.left_out == 4
    assert hides(
        made, PALLET, WHOLESALER, PHARMACY, sgln(WHOLESALER), sgln(PHARMACY), "Dock 2", SECRET, OTHER
    )


def test_the_regulator_profile_leaves_free_text_out(journey):
    assert not hides(made_for(journey), json.dumps(SECRET))
    made = made_for(journey, profile=Profile.REGULATOR)
    assert len(made.report.events) == 6
    assert hides(made, SECRET, json.dumps(SECRET))
    assert [each.paths for each in made.hidden if each.paths] == [("ext/http://maker.example/ns#contact",)]


def test_fields_are_shown_and_hidden_by_name(journey):
    made = made_for(journey, hide=("lotNumber",))
    assert all("ilmd/urn:epcglobal:cbv:mda#lotNumber" not in event.one for event in made.report.events)
    assert made.hidden[0].paths == ("ilmd/urn:epcglobal:cbv:mda#lotNumber",)
    only = made_for(journey, show=("ilmd",)).report.events[0].one
    assert only.keys() == {
        "type", "action", "eventTime", "eventID", "ilmd/urn:epcglobal:cbv:mda#lotNumber",
        "ilmd/urn:epcglobal:cbv:mda#itemExpirationDate",
    }  # fmt: skip


@pytest.mark.parametrize("field", ["eventTime", "epcList", "errorDeclaration", "parentID"])
def test_what_tells_whose_story_it_is_cannot_be_hidden(field):
    with pytest.raises(Invalid):
        Disclosure(hide=(field,))


def test_a_field_that_no_event_has_is_a_slip(journey):
    with pytest.raises(Invalid, match="lotnumber"):
        made_for(journey, hide=("lotnumber",))


def test_every_choice_gives_a_file_that_is_accepted(journey):
    for reader in (None, MAKER, WHOLESALER, PHARMACY):
        for profile in Profile:
            for hide in ((), ("disposition", "readPoint")):
                made = made_for(journey, reader=reader, profile=profile, hide=hide)
                assert verify(made.data).subject == PACK


def test_the_inspector_takes_a_page_that_carries_the_file(journey):
    inspector = journey.somebody("iris", Role.INSPECTOR)
    file = to_base64(made_for(journey).data)  # before the entry that says that it was taken
    response = inspector.get("/inspector/evidence", query_string={"epc": PACK, "as": "page"})
    assert response.content_type == "text/html; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="packproof-evidence.html"'
    assert file[:500].encode() in response.data
    searched = inspector.get("/inspector", query_string={"q": PACK}).text
    assert "as=page" in searched

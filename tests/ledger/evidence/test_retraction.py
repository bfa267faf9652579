"""A retraction whose error declaration is hidden does not read as the act."""

import pytest

from ledger.evidence.bundle import build
from ledger.evidence.retraction import may_retract
from ledger.evidence.verify import verify
from ledger.signing.commitment import Record
from tests.ledger.evidence.world import CASE, OTHER, PACK, World, at, event, made, packed, shipped

DECLARED = {
    "errorDeclaration/correctiveEventIDs": ["urn:x:2"],
    "errorDeclaration/declarationTime": at(9),
    "errorDeclaration/reason": "did_not_occur",
}
MARK = "(OR ITS RETRACTION: what would tell is hidden)"


def retracted(record: Record) -> Record:
    return sorted([*record, *event(**DECLARED)], key=lambda each: each.path)


def shown(record: Record, *hide: str, epcs: tuple[str, ...] = (PACK, CASE)) -> bytes:
    """A file about one event that its maker signed, without the fields in `hide`."""
    world = World()
    index = world.capture(record)
    entries = [world.material(number, []) for number in world.key_entries()]
    entries.append(world.material(index, list(epcs), hide=hide))
    return build(PACK, str(world.log.verifier), world.checkpoint(), entries)


@pytest.mark.parametrize(
    "hide",
    [
        tuple(DECLARED),
        (*DECLARED, "eventID"),
        (*DECLARED, "eventID", "action", "bizStep"),
        (*DECLARED, "type", "eventID"),
    ],
)
def test_a_retraction_that_is_hidden_is_told_as_one_that_may_be(hide: tuple[str, ...]) -> None:
    report = verify(shown(retracted(shipped(PACK, 3)), *hide))
    [told] = report.events
    assert (told.declared_wrong, told.may_retract) == (False, True)
    assert MARK in report.text()
    assert report.to_json()["events"][0]["may_retract"]


@pytest.mark.parametrize("path", DECLARED)
def test_one_field_of_it_is_enough_to_know(path: str) -> None:
    """Also where that is the list of the events that correct it."""
    report = verify(shown(retracted(shipped(PACK, 3)), *(DECLARED.keys() - {path})))
    assert "shipping (declared to be wrong) at" in report.text()
    assert MARK not in report.text()


@pytest.mark.parametrize(
    ("record", "hide"),
    [
        (shipped(PACK, 3), ()),
        (shipped(PACK, 3), ("eventID",)),
        (shipped(PACK, 3), ("eventID", "type", "bizStep")),
        (made(PACK), ("ilmd/urn:epcglobal:cbv:mda#lotNumber", "eventID")),
        (packed(CASE, PACK, OTHER, minute=1), ("bizStep", "eventID")),
    ],
)
def test_an_act_of_which_other_things_are_hidden_is_told_as_the_act(
    record: Record, hide: tuple[str, ...]
) -> None:
    report = verify(shown(record, *hide))
    assert not report.events[0].may_retract
    assert MARK not in report.text()


def test_a_step_of_that_name_is_no_mark_of_the_reports_own() -> None:
    report = verify(shown(event(bizStep=f"shipping {MARK}", epcList=[PACK], eventTime=at(3))))
    assert f"'shipping {MARK}'" in report.text()


@pytest.mark.parametrize(
    ("paths", "may"),
    [
        ("epcList . eventID eventTime type", True),
        ("epcList . eventTime type", False),
        ("epcList . . eventTime type", True),
        ("bizStep . disposition epcList eventID eventTime type", False),
        ("bizStep . eventID eventTime type", True),
        ("errorDeclaration/a . eventID eventTime type", False),
        ("action eventID eventTime . type", False),
        ("action . . .", False),
        (". . .", False),
        (". . . .", True),
        ("epcList eventID eventTime . . .", False),
        ("errorDeclaration. . eventID eventTime type", True),
        ("errorDeclaration0 . eventID eventTime type", False),
        ("errorDeclaratioN . errorDeclaration. eventID eventTime type", False),
    ],
)
def test_where_a_declaration_would_sort(paths: str, *, may: bool) -> None:
    assert may_retract([None if path == "." else path for path in paths.split()]) is may

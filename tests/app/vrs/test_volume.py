"""D18: units about > units made of a lot; returns > units made."""

import pytest

from app.shared.actor import Role
from app.vrs.rules import SignalKind, volume
from ledger.custody.findings import Severity
from tests.app.vrs.test_responder import asking  # noqa: F401 - a fixture
from tests.support.counter import text_of
from tests.support.world import MAKER


@pytest.mark.parametrize(("made", "about", "back"), [(10, 10, 10), (10, 0, 0), (80, 79, 3)])
def test_what_was_made_may_be_about_and_may_come_back(made: int, about: int, back: int) -> None:
    assert volume(made, about, back) is None


def test_more_of_a_lot_about_than_was_made_is_held() -> None:
    found = volume(10, 11, 2)
    assert found is not None
    assert (found.kind, found.severity) == (SignalKind.VOLUME_ANOMALY, Severity.HOLD)
    assert found.explanation == "11 serials of this lot were asked about, 10 packages were made of it"


def test_more_of_a_lot_returned_than_was_made_is_held() -> None:
    found = volume(10, 12, 11)
    assert found is not None
    assert found.explanation.endswith("11 of them as returns")


def test_the_maker_sees_a_lot_of_which_more_is_about_than_was_made(asking):  # noqa: F811
    maker = asking.node.person("max", Role.MANUFACTURER, party_gln=MAKER)
    for serial in ("1", "2", "3"):
        asking.told(serial)
    page = asking.node.sign_in(maker.name).get("/verifications")
    assert "More about than was made" not in text_of(page)
    for serial in ("1", "COPY-1", "COPY-2"):
        asking.told(serial)
    said = text_of(asking.node.sign_in(maker.name).get("/verifications"))
    assert "5 serials of this lot were asked about, 4 packages were made of it" in said

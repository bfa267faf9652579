"""D18: units about > units made of a lot; returns > units made."""

import pytest

from app.vrs.rules import SignalKind, volume
from ledger.custody.findings import Severity


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

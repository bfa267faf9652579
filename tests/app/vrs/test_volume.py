"""D18: units about > units made of a lot; returns > units made."""

import pytest

from app.cli import Context, _parser
from app.shared.actor import Role
from app.vrs.rules import INNOCENT, SignalKind, volume
from ledger.custody.findings import Severity
from tests.app.vrs.test_responder import asking  # noqa: F401 - a fixture
from tests.support.counter import text_of
from tests.support.world import GTIN, MAKER


def test_more_of_a_lot_returned_than_was_sold_is_held() -> None:
    assert volume(10, 3, 3, sold=3) is None
    assert volume(10, 3, 0, sold=0) is None
    found = volume(10, 3, 3, sold=2)
    assert found is not None
    assert found.severity is Severity.HOLD
    assert found.explanation.endswith("3 as returns, and 2 were shipped")


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
    assert asking.trade.post_epcis(asking.trade.document(asking.trade.shipped(1, 2, 3))).status_code == 202
    for serial in ("1", "2", "3"):
        asking.told(serial)
    page = asking.node.sign_in(maker.name).get("/verifications")
    assert "More about than was made" not in text_of(page)
    for serial in ("1", "COPY-1", "COPY-2"):
        asking.told(serial)
    said = text_of(asking.node.sign_in(maker.name).get("/verifications"))
    assert "5 serials of this lot were asked about, 4 packages were made of it" in said


def test_a_sweep_notices_returns_of_what_was_never_sold_though_nobody_looks(asking, capsys):  # noqa: F811
    context = Context(as_json=False)
    context.bare = asking.services
    sweep = _parser("sweep").parse_args(["sweep"])
    asking.told("1", context="dscsaStatusCheck")
    sweep.run(sweep, context)
    assert "of 0 lots" in capsys.readouterr().out
    asking.told("1")
    asking.told("2")
    asking.trade.post_epcis(asking.trade.document(asking.trade.shipped(1)))
    sweep.run(sweep, context)
    assert "of 1 lots more is about" in capsys.readouterr().out
    [found] = asking.signals(SignalKind.VOLUME_ANOMALY)
    assert (found.severity, found.about) == (Severity.HOLD, f"https://id.gs1.org/01/{GTIN}/10/LOT42")
    assert found.explanation.endswith("2 as returns, and 1 were shipped")
    assert found.innocent == INNOCENT[SignalKind.VOLUME_ANOMALY]

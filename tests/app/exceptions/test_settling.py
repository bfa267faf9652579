"""Cases that were opened at the dock or from a scan close where their data arrives: nobody has to look at the queue."""

from dataclasses import replace

import pytest

from app.cases import service as cases
from app.cases.rules import Desk
from app.cases.service import DeskCase
from app.cli import main
from app.exceptions import service
from app.exceptions.rules import CORRECTED, OwnKind
from app.exceptions.service import OwnCase
from app.exceptions.settling import BY_ITSELF
from app.receiving.kept import FINISHED
from app.shared.actor import Role
from ledger.custody.event import Linked
from tests.support.app import OPERATOR
from tests.support.counter import HERE, ON_ITS_WAY, PHARMACY, STRANGER, Counter, code
from tests.support.world import MAKER, package, sgln

LATE = 71  # a pack that comes before its data


def unknown(counter: Counter, number: int, gln: str = PHARMACY) -> str:
    """A case about a pack of which there is no data."""
    new = OwnCase(OwnKind.NO_DATA, gln, None, package(number), epcs=(package(number),))
    with counter.services.database.writing() as connection:
        return service.open_own(connection, counter.node.clock, new, "mia")


def read(counter: Counter, case_id: str, gln: str = PHARMACY) -> DeskCase:
    with counter.services.database.reading() as connection:
        return cases.case(connection, Desk.EXCEPTIONS, case_id, gln)


def test_what_was_unknown_closes_when_its_data_arrives(counter: Counter) -> None:
    case_id, elsewhere = unknown(counter, LATE), unknown(counter, LATE, STRANGER)
    counter.told(counter.trade.begun(LATE), by=MAKER)
    assert read(counter, case_id).is_open, "made, and not sent to the pharmacy"
    counter.told(counter.trade.shipped(LATE, to=PHARMACY), by=MAKER)
    closed = read(counter, case_id)
    assert (closed.closed_by, closed.root_cause) == (BY_ITSELF, CORRECTED)
    assert closed.thread[-1].text.startswith("Closed by itself")
    # It went to the pharmacy: what the stranger scanned is still none of its own.
    assert read(counter, elsewhere, STRANGER).is_open


def test_what_was_missing_at_the_dock_closes_when_it_is_received(sqlite_counter: Counter) -> None:
    counter, desk = sqlite_counter, sqlite_counter.services.receiving
    actor = replace(OPERATOR, name="wanda", role=Role.WAREHOUSE, party_gln=PHARMACY)
    key = desk.open(desk.find(code(ON_ITS_WAY), PHARMACY), actor)
    done = desk.finish(key, actor)
    [case_id] = done.data["cases"]
    assert (done.state, read(counter, case_id).kind) == (FINISHED, OwnKind.LOST)
    sources = (Linked("possessing_party", sgln(MAKER)),)
    counter.told(counter.event("receiving", ON_ITS_WAY, hours=3, sources=sources), by=PHARMACY)
    assert read(counter, case_id).closed_by == BY_ITSELF


def test_a_rebuild_closes_what_has_come_right(
    sqlite_counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The case was opened with the data already there, as it is where custody was wrong."""
    counter = sqlite_counter
    ids = [unknown(counter, each) for each in (HERE, LATE)]
    url = counter.services.database.url.render_as_string(hide_password=False)
    monkeypatch.setenv("PACKPROOF_DATABASE_URL", url)
    monkeypatch.setenv("PACKPROOF_DATA_DIR", str(counter.services.settings.data_dir))
    assert main(["rebuild"]) == 0
    assert [read(counter, case_id).is_open for case_id in ids] == [False, True]

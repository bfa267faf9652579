"""Whose a company prefix is: entered once, found by the numbers that have it, asked for by capture."""

import json

import pytest

from app.cli import main
from app.errors import AppError, Conflict
from app.events import resolved
from app.partners import service as partners
from app.prefixes import service as prefixes
from ledger.custody.act import Act, read_act
from tests.support.app import Node
from tests.support.world import MAKER, WHOLESALER, pack, package

MAKERS, WHOLESALERS = "103999990000000014", "008600000000000101"


@pytest.fixture
def ready(node: Node) -> Node:
    services = node.services
    with services.database.writing() as connection:
        for gln in (MAKER, WHOLESALER):
            partners.register(connection, services.clock, gln, f"the party {gln}", "wholesaler")
    return node


def test_the_issuer_of_a_number_is_whose_prefix_it_has(ready: Node) -> None:
    with ready.services.database.writing() as connection:
        assert prefixes.issuers(connection, [MAKERS]) == {}
        prefixes.add(connection, "0399999", MAKER)
        prefixes.add(connection, "0860000000", WHOLESALER)
        # The first digit is no part of it; and a number of nobody's has no issuer.
        numbers = iter([MAKERS, WHOLESALERS, "0" * 18])
        assert prefixes.issuers(connection, numbers) == {MAKERS: MAKER, WHOLESALERS: WHOLESALER}


def test_entering_it_again_changes_nothing(ready: Node) -> None:
    with ready.services.database.writing() as connection:
        first = prefixes.add(connection, "0399999", MAKER)
        assert prefixes.add(connection, "0399999", MAKER) == first
        assert prefixes.all_prefixes(connection) == [first]


@pytest.mark.parametrize("other", ["0399999", "039999", "03999990", "039999901"])
def test_no_two_companies_have_prefixes_that_begin_alike(ready: Node, other: str) -> None:
    with ready.services.database.writing() as connection:
        prefixes.add(connection, "0399999", MAKER)
        with pytest.raises(Conflict) as refused:
            prefixes.add(connection, other, WHOLESALER)
        assert refused.value.code == "prefix.taken"


@pytest.mark.parametrize("prefix", ["03999", "0399999000001", "039999x", "", "٠٣٩٩٩٩٩"])
def test_what_is_no_prefix_is_refused(ready: Node, prefix: str) -> None:
    with ready.services.database.writing() as connection:
        with pytest.raises(AppError) as refused:
            prefixes.add(connection, prefix, MAKER)
        assert refused.value.code == "prefix.invalid"


def test_a_prefix_is_a_registered_partys(ready: Node) -> None:
    with ready.services.database.writing() as connection:
        with pytest.raises(AppError) as refused:
            prefixes.add(connection, "0399999", "0614141000012")
        assert refused.value.code == "party.unknown"


def test_what_was_resolved_about_an_event_that_waits_is_read_back() -> None:
    told = pack(f"https://id.gs1.org/00/{MAKERS}", package("A"), by=WHOLESALER)
    act = read_act(
        told.event,
        WHOLESALER,
        lambda gln: gln,
        place_of=lambda _gln: "40.71280,-74.00600",
        issuer_of=lambda _sscc: MAKER,
    )
    assert act.foreign == {f"https://id.gs1.org/00/{MAKERS}"}
    assert Act(event=act.event, by=act.by, **resolved.read(resolved.written(act))) == act
    old = resolved.read('["0399999000017", null, null, null]')
    assert Act(event=act.event, by=act.by, **old) == Act(event=act.event, by=act.by, sender=MAKER)


def test_at_the_command_line_a_prefix_is_entered_listed_and_noted_in_the_trail(
    sqlite_node: Node, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    services = sqlite_node.services
    with services.database.writing() as connection:
        partners.register(connection, services.clock, MAKER, "the maker", "maker")
    monkeypatch.setenv("PACKPROOF_DATABASE_URL", services.settings.database_url)
    assert main(["prefix", "list"]) == 0
    assert "No prefix is known" in capsys.readouterr().out
    assert main(["prefix", "add", "0399999", "--party", MAKER]) == 0
    assert f"begun by {MAKER} alone" in capsys.readouterr().out
    assert main(["prefix", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"prefix": "0399999", "party": MAKER}]
    with services.database.reading() as connection:
        query = "SELECT subject, whose FROM audit_trail WHERE action = 'prefix.add'"
        assert [tuple(row) for row in connection.exec_driver_sql(query)] == [("0399999", MAKER)]

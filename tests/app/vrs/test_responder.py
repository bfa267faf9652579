"""A maker on this node answers other companies' verification requests, over HTTP, on both databases."""

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import event, select

from app.partners import service as partners
from app.recalls.service import lot_of, recall_document
from app.shared.actor import Role
from app.vrs import requests, signals
from app.vrs.models import vrs_mark, vrs_request
from app.vrs.rules import SignalKind
from ledger.custody.findings import Severity
from tests.support.trade import Trade, problem
from tests.support.world import GTIN, MAKER, WHOLESALER

UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
ODD = "a1/B%..&?"
STRANGER = "0614143000010"
OTHER_GTIN = "00614141999996"


class Asking:
    """The wholesaler's system, which asks the maker of `Trade`."""

    def __init__(self, trade):
        self.trade, self.node, self.services = trade, trade.node, trade.node.services
        begun = trade.begun(1, 2, 3)
        odd = f"https://id.gs1.org/01/{GTIN}/21/{quote(ODD, safe='')}"
        assert trade.post_epcis(trade.document(replace(begun, epcs=(*begun.epcs, odd)))).status_code == 202
        self.bearer = self.node.bearer(Role.PARTNER_SYSTEM, party_gln=WHOLESALER)

    def ask(self, serial="1", *, lot="LOT42", gtin=GTIN, headers=None, method="get", **changed):
        query = {
            "exp": "280531", "linkType": "verificationService", "context": "dscsaSaleableReturn",
            "reqGLN": WHOLESALER, "corrUUID": UUID, **changed,
        }  # fmt: skip
        path = f"/verify/gtin/{gtin}/lot/{quote(lot, safe='')}/ser/{quote(serial, safe='')}"
        return getattr(self.trade.client, method)(path, query_string=query, headers=headers or self.bearer)

    def told(self, *args, **kwargs):
        response = self.ask(*args, **kwargs)
        assert response.status_code == 200, response.text
        return response.get_json()["data"]

    def kept(self):
        with self.services.database.reading() as connection:
            return connection.execute(select(vrs_request).order_by(vrs_request.c.request_no)).all()

    def signals(self, kind=None, **kwargs):
        with self.services.database.reading() as connection:
            found = signals.signals(connection, MAKER, **kwargs)
        return [each for each in found if kind is None or each.kind is kind]


@pytest.fixture
def asking(trade):
    return Asking(trade)


@pytest.fixture
def sqlite_asking(sqlite_trade):
    return Asking(sqlite_trade)


def test_a_maker_answers_what_it_made_and_what_differs_and_what_it_never_made(asking):
    response = asking.ask(headers={**asking.bearer, "GS1US-Version": "1.3.0"})
    assert (response.status_code, response.content_type) == (200, "application/json")
    assert response.headers["GS1US-Version"] == "1.3.0"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.get_json() == {
        "verificationTimestamp": "2026-11-20T12:00:00Z",
        "responderGLN": MAKER,
        "corrUUID": UUID,
        "data": {"verified": True},
    }
    never = "verified", "verificationFailureReason"
    assert asking.told("9") == dict(zip(never, (False, "No_match_GTIN_Serial"), strict=True))
    assert asking.told(lot="lot42") == dict(zip(never, (False, "No_match_GTIN_Serial_Lot"), strict=True))
    assert asking.told(exp="280501") == dict(zip(never, (False, "No_match_GTIN_Serial_Expiry"), strict=True))
    both = asking.told(lot="X", exp="280501")
    assert both == dict(zip(never, (False, "No_match_GTIN_Serial_Lot_Expiry"), strict=True))
    assert asking.told(exp="280500") == {"verified": True}
    assert asking.told(ODD) == {"verified": True}


def test_no_answer_has_the_recorded_lot_or_expiry(sqlite_asking):
    wrong = sqlite_asking.ask(lot="X", exp="280501").text
    assert "LOT42" not in wrong
    assert "280531" not in wrong
    assert "2028-05-31" not in wrong


def test_a_recalled_lot_is_verified_and_recalled_and_an_expired_pack_expired(asking):
    raw = recall_document(lot_of(GTIN, "LOT42"), asking.node.clock.now(), MAKER)
    assert asking.trade.post_epcis(raw).status_code == 202
    assert asking.told() == {"verified": True, "additionalInfo": "Recalled"}
    asking.node.clock.advance(timedelta(days=900))
    bearer = asking.node.bearer(Role.PARTNER_SYSTEM, party_gln=WHOLESALER)
    assert asking.told(headers=bearer) == {"verified": True, "additionalInfo": "Recalled"}


def test_what_the_maker_marks_is_not_for_redistribution(sqlite_asking):
    with sqlite_asking.services.database.writing() as connection:
        connection.execute(
            vrs_mark.insert().values(
                gtin=GTIN,
                lot="LOT42",
                serial="",
                mark="illegitimate",
                note="",
                since=sqlite_asking.node.clock.now(),
            )
        )
    assert sqlite_asking.told() == {
        "verified": False,
        "verificationFailureReason": "Not_for_re-distribution",
        "additionalInfo": "Illegitimate",
    }


def test_an_unknown_serial_costs_the_queries_and_the_bytes_of_an_unknown_lot(asking):
    asking.ask()  # opens connections
    costs = {}
    for name, serial, lot in (("serial", "9", "LOT42"), ("lot", "2", "NONE"), ("neither", "9", "NONE")):
        with counted(asking.services.database) as statements:
            response = asking.ask(serial, lot=lot)
        costs[name] = (
            [shape(text) for text in statements],
            len(response.data),
            sorted(response.headers.keys()),
        )
    assert costs["serial"] == costs["lot"] == costs["neither"]
    assert len(costs["lot"][0]) > 5


@contextmanager
def counted(database):
    """The statements that `database` is sent meanwhile."""
    engines = {database._current().writer, database._current().reader, database._current().snapshot}
    found = []

    def see(connection, cursor, statement, parameters, context, many):
        found.append(statement)

    for engine in engines:
        event.listen(engine, "before_cursor_execute", see)
    yield found
    for engine in engines:
        event.remove(engine, "before_cursor_execute", see)


def shape(statement):
    return " ".join(statement.split())


REFUSED = {
    "without a token": (401, "access.token", {"headers": {"Authorization": ""}}),
    "with another's GLN": (403, "vrs.gln", {"reqGLN": MAKER}),
    "about a GTIN of nobody here": (404, "not_found", {"gtin": OTHER_GTIN}),
    "in an unknown context": (400, "vrs.malformed", {"context": "curiosity"}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_request_is_refused(sqlite_asking, case):
    status, code, changed = REFUSED[case]
    if "headers" in changed:
        response = sqlite_asking.trade.node.visitor().client.get(f"/verify/gtin/{GTIN}/lot/L/ser/1")
        assert response.status_code == status
        return
    problem(sqlite_asking.ask(**changed), status, code)
    last = sqlite_asking.kept()[-1]
    assert (last.status, last.outcome, last.requester) == (status, code, WHOLESALER)


ODD_PATHS = {
    "/verify": "",
    "/verify/": "",
    "/verify/%0a": "\n",
    f"/verify/gtin/{GTIN}/lot/L/ser/1%0A": f"gtin/{GTIN}/lot/L/ser/1\n",
    f"/verify/gtin/{GTIN}/lot/L/ser/1%0D%0A": f"gtin/{GTIN}/lot/L/ser/1\r\n",
    f"/verify/gtin//{GTIN}": f"gtin//{GTIN}",
    "/verify//": "/",
    "/verify/%00": "�",
    "/verify/%E2%80%AE": "\u202e",
    "/verify/../verify": "../verify",
    "/verify/" + "x" * 3000: "x" * 200,
}


@pytest.mark.parametrize("path", ODD_PATHS, ids=lambda path: path[:40])
def test_an_odd_path_is_an_error_that_is_kept(sqlite_asking, path):
    problem(sqlite_asking.trade.client.get(path, headers=sqlite_asking.bearer), 400, "vrs.malformed")
    [row] = sqlite_asking.kept()
    assert (row.direction, row.requester, row.status, row.serial) == ("in", WHOLESALER, 400, ODD_PATHS[path])


def test_a_serial_with_two_slashes_arrives_whole(sqlite_asking):
    assert sqlite_asking.ask("a//b").status_code == 200
    assert [row.serial for row in sqlite_asking.kept()] == ["a//b"]


def test_other_methods_other_roles_other_scopes_and_other_nodes_parties_are_refused(sqlite_asking):
    node = sqlite_asking.node
    assert sqlite_asking.ask(method="post").status_code == 405
    device = node.bearer(Role.DEVICE, party_gln=WHOLESALER)
    assert sqlite_asking.ask(headers=device).status_code == 403
    narrow = node.bearer(Role.PARTNER_SYSTEM, party_gln=WHOLESALER, scopes={"capture"})
    assert sqlite_asking.ask(headers=narrow).status_code == 403
    unknown = node.bearer(Role.PARTNER_SYSTEM, party_gln=STRANGER)
    problem(sqlite_asking.ask(headers=unknown, reqGLN=STRANGER), 401, "vrs.requester")
    problem(
        sqlite_asking.ask(headers={**sqlite_asking.bearer, "GS1US-Version": "2.0.0"}), 400, "vrs.malformed"
    )


def test_connectivity_says_who_answers(asking):
    def check(headers=None, **query):
        return asking.trade.client.get(
            "/checkConnectivity", query_string=query, headers=headers or asking.bearer
        )

    good = check(gtin=GTIN, reqGLN=WHOLESALER, context="dscsaSaleableReturn")
    assert (good.status_code, good.get_json()) == (200, {"responderGLN": MAKER})
    problem(check(gtin=GTIN, reqGLN=MAKER), 403, "vrs.gln")
    problem(check(gtin=OTHER_GTIN, reqGLN=WHOLESALER), 404, "not_found")
    problem(check(gtin=GTIN), 400, "vrs.malformed")
    problem(check(gtin=GTIN, reqGLN=WHOLESALER, context="x"), 400, "vrs.malformed")
    unknown = asking.node.bearer(Role.PARTNER_SYSTEM, party_gln=STRANGER)
    problem(check(unknown, gtin=GTIN, reqGLN=STRANGER), 401, "vrs.requester")
    kept = [(row.direction, row.requester, row.gtin, row.status, row.outcome) for row in asking.kept()]
    assert kept == [
        ("check", WHOLESALER, GTIN, 200, "answers"),
        ("check", WHOLESALER, GTIN, 403, "vrs.gln"),
        ("check", WHOLESALER, OTHER_GTIN, 404, "not_found"),
        ("check", WHOLESALER, "", 400, "vrs.malformed"),
        ("check", WHOLESALER, "", 400, "vrs.malformed"),
        ("check", STRANGER, GTIN, 401, "vrs.requester"),
    ]


def test_every_request_is_kept_as_it_was_claimed(asking):
    asking.ask(ODD, lot="X", ctrlPossessAtt="true", email="ask@dock.example")
    [row] = asking.kept()
    assert (row.direction, row.requester, row.responder, row.gtin, row.lot, row.serial, row.expiry) == (
        "in", WHOLESALER, MAKER, GTIN, "X", ODD, "280531",
    )  # fmt: skip
    assert (row.context, row.corr_uuid, row.attested, row.contact) == (
        "dscsaSaleableReturn", UUID, True, "ask@dock.example",
    )  # fmt: skip
    assert (row.status, row.outcome, row.info) == (200, "No_match_GTIN_Serial_Lot", "")
    assert row.latency_us > 0
    with asking.services.database.reading() as connection:
        since = asking.node.clock.now() - timedelta(days=1)
        [kept] = requests.of_maker(connection, MAKER, since)
        [asker] = requests.askers_of(connection, MAKER, since)
    assert (kept.question.serial, kept.missed) == (ODD, True)
    assert (asker.gln, asker.asked, asker.missed) == (WHOLESALER, 1, 1)


def test_guessing_is_noticed_once_a_day_and_again_when_it_is_graver(asking):
    for serial in ("K7QX2M9", "P4WZ8RT", "B6HN3VC", "T9JL5YD", "G2SF7KA", "X8CD4PM"):
        asking.told(serial)
    [found] = asking.signals(SignalKind.SERIAL_GUESSING)
    assert (found.kind, found.requester, found.party) == (SignalKind.SERIAL_GUESSING, WHOLESALER, MAKER)
    assert found.severity is Severity.HOLD, "the wholesaler has never had a pack here"
    assert "never had a pack" in found.explanation
    assert found.innocent
    asking.node.clock.advance(timedelta(days=1))
    assert asking.signals(since=asking.node.clock.now()) == []


def test_a_requester_that_trades_here_is_met_with_more_patience(sqlite_asking):
    trade = sqlite_asking.trade
    assert trade.post_epcis(trade.document(trade.shipped(1))).status_code == 202
    for serial in ("K7QX2M9", "P4WZ8RT", "B6HN3VC", "T9JL5YD", "G2SF7KA"):
        sqlite_asking.told(serial)
    assert [each.severity for each in sqlite_asking.signals(SignalKind.SERIAL_GUESSING)] == [
        Severity.EXCEPTION
    ]


def test_a_serial_that_many_ask_about_is_noticed(sqlite_asking):
    services, clock = sqlite_asking.services, sqlite_asking.node.clock
    for number in range(3):
        gln = ("0614143000010", "0370000000011", WHOLESALER)[number]
        if gln != WHOLESALER:
            with services.database.writing() as connection:
                partners.register(connection, clock, gln, f"Party {number}", "dispenser")
        bearer = sqlite_asking.node.bearer(Role.PARTNER_SYSTEM, party_gln=gln)
        assert sqlite_asking.told(headers=bearer, reqGLN=gln) == {"verified": True}
        clock.advance(timedelta(hours=1))
    [found] = sqlite_asking.signals()
    assert (found.kind, found.about) == (SignalKind.VERIFICATION_HEAT, f"https://id.gs1.org/01/{GTIN}/21/1")
    assert sqlite_asking.signals(about=found.about) == [found]


def test_a_label_that_differs_is_noticed_for_the_maker(sqlite_asking):
    sqlite_asking.told(lot="X")
    [found] = sqlite_asking.signals()
    assert (found.kind, found.severity) == (SignalKind.NO_MATCH, Severity.EXCEPTION)
    assert "LOT42" not in found.explanation


def test_a_requester_asks_so_often_a_minute_by_all_its_tokens_and_addresses(make_app, tmp_path):
    asking = Asking(Trade(make_app(verifications_per_minute=3), tmp_path / "parties"))
    for _ in range(3):
        assert asking.ask().status_code == 200
    asking.trade.client.environ_base["REMOTE_ADDR"] = "192.0.2.77"
    second = asking.node.bearer(Role.PARTNER_SYSTEM, party_gln=WHOLESALER)
    found = asking.ask(headers=second)
    problem(found, 429, "limit.rate")
    assert int(found.headers["Retry-After"]) > 0
    others = asking.node.bearer(Role.PARTNER_SYSTEM, party_gln=MAKER)
    assert asking.ask(headers=others, reqGLN=MAKER).status_code == 200
    assert len(asking.kept()) == 4


def test_the_answer_is_json_for_whoever_reads_bytes(sqlite_asking):
    assert json.loads(sqlite_asking.ask().data)["data"] == {"verified": True}

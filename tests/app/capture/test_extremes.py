"""What a partner may write and nobody expects: very long names, odd lots, a document of very many parties."""

import random
from dataclasses import replace

import pytest

from app.capture import words
from app.custody import rebuild
from app.partners import service as partners
from app.products import service as products
from ledger.custody.event import EXPIRY, compact
from ledger.epcis.read import read
from tests.support.trade import problem

# Random, so that PostgreSQL cannot pack it into an index row after all.
LONG = random.Random(1).randbytes(1500).hex()


@pytest.mark.parametrize("where", ["lot", "id"])
def test_a_name_too_long_to_be_found_again_is_refused_with_what_it_is(trade, where):
    event = trade.begun(1, lot=LONG) if where == "lot" else trade.begun(1, event_id=f"urn:x:{LONG}")
    before = trade.counts()
    found = problem(trade.post_epcis(trade.document(event)), 400, "document.name_too_long")
    assert "event 1" in found["detail"]
    assert found["next"]
    assert trade.counts() == before


def test_the_longest_name_that_is_taken_fits_into_every_index(trade):
    event = trade.begun(1, lot=LONG[:600], event_id=f"urn:x:{LONG[:2042]}")
    epc = f"https://example.org/{LONG[:2028]}"
    assert trade.post_epcis(trade.document(replace(event, epcs=(*event.epcs, epc)))).status_code == 202
    trade.sweep()


def test_a_lot_may_hold_any_characters(trade):
    lots = ["ü/é?%41 #", "/21/", "/10/", "..", "a\tb", "%FF", "\U0001f600", " "]
    for number, lot in enumerate(lots):
        assert trade.post_epcis(trade.document(trade.begun(number, lot=lot))).status_code == 202
    with trade.node.services.database.snapshot() as connection:
        assert list(rebuild.differences(connection)) == []


def test_more_parties_and_products_than_a_query_takes_values_are_looked_up(trade):
    glns = [f"{number:013d}" for number in range(40_000)]
    with trade.node.services.database.writing() as connection:
        assert partners.owners_of(connection, glns) == {gln: gln for gln in glns}
        assert products.makers(connection, glns) == {}
        numbers = partners.ids(connection, trade.node.clock, dict.fromkeys(glns, ""))
        assert len(numbers) == len(glns)
        assert len(partners.glns(connection, numbers.values())) == len(glns)
        assert partners.names(connection, glns[:1]) == {glns[0]: f"Unverified partner {glns[0]}"}
        connection.rollback()


def test_an_expiry_that_is_no_date_is_not_said_to_have_passed(sqlite_trade):
    event = replace(sqlite_trade.begun(1), ilmd=((EXPIRY, compact("01/02/2030")),))
    document = read(sqlite_trade.document(event))
    assert words.expired(document, sqlite_trade.node.clock.now().date()) == ()

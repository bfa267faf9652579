"""The page of a package: who vouches for each step, how far it is sealed, and nothing for whom it does not concern."""

import re
from dataclasses import replace

from app.shared.actor import Role
from ledger.custody.event import ErrorDeclaration
from tests.support.counter import AT_ITS_MAKER, HERE, code, text_of
from tests.support.trade import WHEN
from tests.support.world import MAKER, package


def look(visitor, epc):
    return visitor.get("/package", query_string={"epc": epc})


def test_each_step_says_who_signed_it_or_from_whom_it_was_only_received(counter):
    visitor = counter.somebody("mary", Role.MANUFACTURER, MAKER)
    said = text_of(look(visitor, package(HERE)))
    assert re.search(r"Made and given its serial number North Pharma Entry \d+, signed by North Pharma", said)
    assert re.search(
        r"Shipped to Corner Pharmacy .*? Entry \d+, received from North Pharma, not signed by it",
        said,
    )
    assert "signed by the company that reports it" in said


def test_what_is_only_received_does_not_look_signed(counter):
    response = look(counter.pharmacist(), package(HERE))
    proofs = re.findall(r'<p class="(timeline__proof[^"]*)".*?<span>(.*?)</span>', response.text, re.DOTALL)
    assert len(proofs) == 3
    for style, said in proofs:
        assert ("--received" in style) == ("not signed by it" in said), said


def test_the_page_says_how_far_the_ledger_is_sealed(counter):
    with counter.services.node.ledger.reading() as reader:
        size = reader.head().size
    assert f"sealed at {size} entries" in text_of(look(counter.pharmacist(), package(HERE)))


def test_a_node_that_may_not_sign_says_that_it_proves_nothing_now(counter):
    visitor = counter.pharmacist()
    (counter.services.settings.data_dir / "mark").unlink()
    response = look(visitor, package(HERE))
    said = text_of(response)
    assert response.status_code == 200
    assert "This node cannot prove its records now." in said
    assert "sealed at" not in said
    assert "not proven now" in said


def test_every_spelling_finds_the_same_package(counter):
    visitor = counter.pharmacist()
    urn = "urn:epc:id:sgtin:0399999.000101.1"
    for typed in (package(HERE), urn, f"(01)00399999001014(21){HERE}", f"  {code(HERE)} "):
        assert "Made and given its serial number" in text_of(look(visitor, typed)), typed


def test_what_does_not_concern_the_reader_reads_like_what_there_is_not(counter):
    visitor = counter.stranger()
    theirs, none = look(visitor, package(HERE)), look(visitor, package("NONE"))
    assert theirs.status_code == none.status_code == 200

    def same(response, serial):
        # The token has the second in it.
        page = re.sub(r'name="csrf_token" value="[^"]+"', "", response.text)
        return page.replace(package(serial), "EPC")

    assert same(theirs, HERE) == same(none, "NONE")
    assert "There is no record of this package, or none that concerns you." in theirs.text


def test_a_pack_still_at_its_maker_is_not_the_pharmacys_to_read(counter):
    assert "Made and given" not in look(counter.pharmacist(), package(AT_ITS_MAKER)).text


def test_each_look_is_in_the_audit_trail_whatever_it_found(counter):
    visitor = counter.pharmacist()
    for epc in (package(HERE), package("NONE"), "rubbish"):
        look(visitor, epc)
    assert counter.trail("package.view") == [
        ("mia", "rubbish", "failed"),
        ("mia", package("NONE"), "nothing"),
        ("mia", package(HERE), "shown"),
    ]


def test_rubbish_is_told_kindly_and_kept_in_the_field(counter):
    response = look(counter.pharmacist(), '"><script>alert(1)</script>')
    assert "That names no package." in text_of(response)
    assert "<script>alert" not in response.text
    assert "&lt;script&gt;" in response.text


def test_a_corrected_step_stays_and_says_so(counter):
    counter.told(replace(counter.shipment, declaration=ErrorDeclaration(WHEN, "incorrect_data")), by=MAKER)
    said = text_of(look(counter.somebody("mary", Role.MANUFACTURER, MAKER), package(HERE)))
    assert "Shipped to Corner Pharmacy (declared wrong later)" in said
    assert "Declared wrong: shipped to Corner Pharmacy" in said


def test_a_container_s_move_is_marked_inferred(counter):
    counter.shortage()
    response = look(counter.node.sign_in("quinn"), package(8))
    said = text_of(response)
    assert "Its container was received inferred" in said
    assert "It was inside (00)103999990000000014 then." in said
    assert 'class="is-inferred"' in response.text

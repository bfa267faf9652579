"""The inspector reads everything, takes evidence that stands alone, leaves a trail, and is out in time."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.proofs.fsck import fsck
from app.regulator.models import disclosure
from app.shared.actor import Role
from ledger.evidence.verify import EvidenceRefused, Policy, verify
from ledger.log.note import NoteVerifier
from tests.support.counter import AT_ITS_MAKER, HERE, STRANGER, text_of
from tests.support.world import GTIN, package


@pytest.fixture
def inspector(counter):
    return counter.somebody("iris", Role.INSPECTOR)


def evidence(visitor, epc):
    return visitor.get("/inspector/evidence", query_string={"epc": epc})


def test_an_inspector_reads_what_every_party_did(counter, inspector):
    for number in (HERE, AT_ITS_MAKER):
        said = text_of(inspector.get("/inspector", query_string={"q": package(number)}))
        assert "Made and given its serial number North Pharma" in said
        assert "Earlier holder" not in said


def test_the_evidence_taken_verifies_without_the_node(counter, inspector):
    response = evidence(inspector, package(HERE))
    assert (response.status_code, response.content_type) == (200, "application/json")
    assert response.headers["Content-Disposition"] == 'attachment; filename="packproof-evidence.json"'
    log = NoteVerifier.parse(counter.services.node.verifier_key)
    report = verify(response.data, Policy((log,)))
    assert report.subject == package(HERE)
    assert len(report.events) == 3
    spoilt = bytearray(response.data)
    spoilt[len(spoilt) // 2] ^= 1
    with pytest.raises(EvidenceRefused):
        verify(bytes(spoilt), Policy((log,)))


def test_a_search_that_finds_nothing_is_recorded(counter, inspector):
    response = inspector.get("/inspector", query_string={"q": package("NONE")})
    assert "asked and not found is recorded" in text_of(response)
    assert counter.trail("package.view") == [("iris", package("NONE"), "nothing")]
    assert evidence(inspector, package("NONE")).status_code == 404
    assert counter.trail("evidence.export") == [("iris", package("NONE"), "nothing")]


def test_a_search_and_an_export_are_recorded(counter, inspector):
    inspector.get("/inspector", query_string={"q": package(HERE)})
    evidence(inspector, package(HERE))
    assert counter.trail("package.view") == [("iris", package(HERE), "shown")]
    assert counter.trail("evidence.export") == [("iris", package(HERE), "shown")]


def test_whatever_an_inspector_is_shown_is_an_entry_of_the_ledger(counter, inspector):
    def told():
        with counter.services.database.reading() as connection:
            rows = connection.execute(select(disclosure.c.manifest).order_by(disclosure.c.idx)).scalars()
            return [json.loads(manifest) for manifest in rows]

    inspector.get("/inspector", query_string={"q": package("NONE")})
    inspector.get("/inspector/search", query_string={"gln": STRANGER})
    assert told() == []  # nothing was disclosed: the trail has it
    inspector.get("/inspector", query_string={"q": package(HERE)})
    inspector.get("/inspector/search", query_string={"gtin": GTIN, "lot": "LOT42"})
    evidence(inspector, package(HERE))
    looked, searched, taken = told()
    assert (looked["reason"], looked["requester"], len(looked["event_ids"])) == ("look", "iris", 3)
    assert looked["event_ids"] == searched["event_ids"]
    assert (taken["reason"], [each["name"] for each in taken["files"]]) == ("evidence", ["evidence.json"])
    audited = fsck(counter.services.database, counter.services.node)
    assert (audited.findings, audited.counts["disclosures"]) == ([], 3)
    # A node that may not write is inspected all the same; then its trail alone has it.
    (counter.services.settings.data_dir / "mark").unlink()
    assert inspector.get("/inspector", query_string={"q": package(HERE)}).status_code == 200
    assert len(told()) == 3


def test_evidence_of_nothing_readable_is_asked_for_again(inspector):
    response = evidence(inspector, "rubbish")
    assert response.status_code == 400
    assert "That names no package" in text_of(response)


def test_an_expired_inspector_is_out_at_once(counter, inspector):
    # The session itself stays young: what ends is the account.
    counter.node.person("ivan", Role.INSPECTOR, expires_at=counter.node.clock.now() + timedelta(minutes=5))
    visitor = counter.node.sign_in("ivan")
    assert visitor.get("/inspector").status_code == 200
    counter.node.clock.advance(timedelta(minutes=6))
    response = visitor.get("/inspector", query_string={"q": package(HERE)})
    assert response.status_code == 303
    assert response.location.startswith("/sign-in")
    assert evidence(visitor, package(HERE)).status_code == 303
    assert visitor.sign_in("ivan").status_code == 401
    assert counter.trail("package.view") == []
    assert inspector.get("/inspector").status_code == 200


def test_nobody_else_reads_as_an_inspector(counter):
    for role in (Role.PHARMACIST, Role.QUALITY, Role.MANUFACTURER, Role.WAREHOUSE):
        visitor = counter.somebody(f"the.{role.value}", role)
        assert visitor.get("/inspector", query_string={"q": package(AT_ITS_MAKER)}).status_code == 403
        assert evidence(visitor, package(HERE)).status_code == 403


def test_a_node_that_may_not_sign_gives_no_evidence(counter, inspector):
    (counter.services.settings.data_dir / "mark").unlink()
    response = inspector.get("/inspector", query_string={"q": package(HERE)})
    assert "This node cannot prove its records now." in text_of(response)
    assert "/inspector/evidence" not in response.text
    assert evidence(inspector, package(HERE)).status_code == 503

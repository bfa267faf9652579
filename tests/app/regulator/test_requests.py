"""A request with its clock, answered with the company's own records; each answer is an entry of the ledger."""

import csv
import hashlib
import io
import json
import zipfile

import pytest
from werkzeug.test import TestResponse

from app.errors import Invalid
from app.proofs.fsck import fsck
from app.regulator import service, tables
from app.regulator.rules import Search
from app.shared.actor import Role
from app.shared.spreadsheet import safe
from ledger.log.entry import Entry, Kind
from tests.support.counter import AT_ITS_MAKER, HERE, PHARMACY, STRANGER, Counter, text_of
from tests.support.crook import tamper
from tests.support.world import GTIN, MAKER

ASKED = {
    "company": PHARMACY,
    "requester": "R. Doe, State Board",
    "standing": "state",
    "reason": "suspect",
    "reference": "2026-17",
    "gtin": GTIN,
    "serial": str(HERE),
}


def unzip(response: TestResponse) -> dict[str, bytes]:
    assert (response.status_code, response.content_type) == (200, "application/zip"), response.text
    with zipfile.ZipFile(io.BytesIO(response.data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def lines(files: dict[str, bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files["events.csv"].decode())))


@pytest.fixture
def inspector(counter: Counter):
    return counter.somebody("iris", Role.INSPECTOR)


@pytest.fixture
def quality(counter: Counter):
    return counter.somebody("quinn", Role.QUALITY, PHARMACY)


def asked(inspector, **changed: str) -> str:
    answer = inspector.post("/inspector/requests", {**ASKED, **changed}, form="/inspector/requests")
    assert answer.status_code == 303, text_of(answer)
    return answer.headers["Location"].rsplit("/", 1)[1]


def test_a_request_from_asking_to_its_answer(counter: Counter, inspector, quality) -> None:
    case_id = asked(inspector)
    assert "has not answered yet" in text_of(inspector.get(f"/inspector/requests/{case_id}"))
    assert inspector.get(f"/inspector/requests/{case_id}/answer").status_code == 404
    # Who has it: the company, and there nobody yet. There, who asks for it.
    assert "Corner Pharmacy, nobody there yet" in text_of(inspector.get("/inspector/requests"))
    waiting = text_of(quality.get("/requests"))
    assert "nobody yet: take it" in waiting
    assert "not known" not in waiting
    assert quality.post(f"/requests/{case_id}/take", form="/requests").status_code == 303
    assert "Corner Pharmacy, quinn" in text_of(inspector.get("/inspector/requests"))
    assert "R. Doe" in text_of(quality.get(f"/requests/{case_id}"))
    assert "What you would hand out" in text_of(quality.get(f"/requests/{case_id}"))
    quality.post(
        f"/requests/{case_id}/notes", {"text": "Between us: is it ours?"}, form=f"/requests/{case_id}"
    )
    done = quality.post(f"/requests/{case_id}/answer", form=f"/requests/{case_id}")
    assert done.status_code == 303, text_of(done)
    again = quality.post(f"/requests/{case_id}/answer", form=f"/requests/{case_id}")
    assert again.status_code == 409
    page = text_of(inspector.get(f"/inspector/requests/{case_id}"))
    assert "Entry" in page and "Between us" not in page
    files = unzip(inspector.get(f"/inspector/requests/{case_id}/answer"))
    assert set(files) == {
        "manifest.json",
        "events.csv",
        "events.pdf",
        "events.json",
        "evidence.json",
        "evidence.html",
    }
    manifest = json.loads(files["manifest.json"])
    for each in manifest["files"]:
        assert hashlib.sha256(files[each["name"]]).hexdigest() == each["sha256"]
    # The company hands out what names it: the shipment to it and its receipt, not its maker's commissioning.
    assert {line["step"] for line in lines(files)} == {"shipping", "receiving"}
    assert files["events.pdf"].startswith(b"%PDF-")
    assert counter.trail("request.answer") == [("quinn", case_id, "shown")]


def test_the_ledger_says_what_was_handed_out(counter: Counter, inspector, quality) -> None:
    case_id = asked(inspector)
    quality.post(f"/requests/{case_id}/answer", form=f"/requests/{case_id}")
    [handed] = counter.services.requests.handed_out(case_id)
    with counter.services.node.ledger.reading() as reader:
        entry = Entry.decode(reader.entry(handed.index))
    assert entry.kind is Kind.AUDIT
    audited = fsck(counter.services.database, counter.services.node)
    assert audited.findings == []
    assert audited.counts["disclosures"] == 1
    tamper(
        counter.services.database,
        "UPDATE disclosure SET manifest = ?",
        [handed.manifest.replace(b"suspect", b"recall!")],
    )
    [found] = fsck(counter.services.database, counter.services.node).findings
    assert (found.table, found.column) == ("disclosure", "manifest")


def test_only_who_is_asked_and_who_asked_see_a_request(counter: Counter, inspector) -> None:
    case_id = asked(inspector)
    stranger = counter.somebody("stan", Role.QUALITY, STRANGER)
    other = counter.somebody("ines", Role.INSPECTOR)
    assert stranger.get(f"/requests/{case_id}").status_code == 404
    assert other.get(f"/inspector/requests/{case_id}").status_code == 404
    assert "R. Doe" not in text_of(stranger.get("/requests"))
    assert "Nobody is waiting" in text_of(stranger.get("/requests"))


def test_an_inspector_takes_back_what_nobody_has_answered(counter: Counter, inspector, quality) -> None:
    case_id = asked(inspector)
    page = f"/inspector/requests/{case_id}"
    other = counter.somebody("ines", Role.INSPECTOR)
    assert other.post(f"{page}/withdraw", form="/inspector/requests").status_code == 404
    assert inspector.post(f"{page}/withdraw", form=page).status_code == 303
    assert "Withdrawn before it was answered" in text_of(inspector.get(page))
    assert quality.post(f"/requests/{case_id}/answer", form=f"/requests/{case_id}").status_code == 409
    assert inspector.post(f"{page}/withdraw", form="/inspector/requests").status_code == 409
    assert counter.services.requests.handed_out(case_id) == []


def test_nothing_found_is_an_answer_too(counter: Counter, inspector, quality) -> None:
    case_id = asked(inspector, serial="NONE")
    assert "'nothing was found' is an answer too" in text_of(quality.get(f"/requests/{case_id}"))
    quality.post(f"/requests/{case_id}/answer", form=f"/requests/{case_id}")
    files = unzip(quality.get(f"/requests/{case_id}/answer"))
    assert lines(files) == []
    assert json.loads(files["manifest.json"])["events"] == 0


def test_an_inspector_searches_by_lot_company_and_day(counter: Counter, inspector) -> None:
    def count(**asked: str) -> str:
        return text_of(inspector.get("/inspector/search", query_string=asked))

    assert "3 events" in count(gtin=GTIN, lot="LOT42")
    assert "1 event " in count(gtin=GTIN, serial=str(AT_ITS_MAKER), gln=MAKER)
    assert "Nothing was found" in count(gtin=GTIN, lot="LOT42", since="2027-01-01")
    assert "Nothing was found" in count(gln=STRANGER)
    assert "Give the GTIN too. A serial or lot is unique only with it." in count(lot="LOT42")
    assert "Name a GTIN with serial or lot" in count(gtin="", lot="", gln="")
    assert [outcome for *_, outcome in counter.trail("inspector.search")] == [
        "nothing",
        "nothing",
        "shown",
        "shown",
    ]


def test_what_an_inspector_takes_is_an_entry_and_on_no_companys_desk(
    counter: Counter, inspector, quality
) -> None:
    asked = {"gtin": GTIN, "serial": str(HERE), "standing": "fda", "reason": "inspection"}
    taken = inspector.post(
        "/inspector/take", asked, form="/inspector/search?gtin=" + GTIN + "&serial=" + str(HERE)
    )
    files = unzip(taken)
    as_partner = asked | {"standing": "partner", "reason": "suspect"}
    assert inspector.post("/inspector/take", as_partner, form="/inspector/search").status_code == 400
    assert {line["step"] for line in lines(files)} == {"commissioning", "shipping", "receiving"}
    with counter.services.node.ledger.reading() as reader:
        entry = Entry.decode(reader.entry(int(taken.headers["Packproof-Entry"])))
    assert entry.kind is Kind.AUDIT
    assert json.loads(files["manifest.json"])["standing"] == "fda"
    assert "Nobody is waiting" in text_of(quality.get("/requests"))


def test_a_companys_system_answers_over_the_wire(counter: Counter) -> None:
    client, bearer = (
        counter.node.app.test_client(),
        counter.node.bearer(Role.PARTNER_SYSTEM, party_gln=PHARMACY, scopes={"query", "desks"}),
    )
    body = {
        "requester": "R. Doe, FDA",
        "proof": "called back",
        "standing": "fda",
        "reason": "recall",
        "gtin": GTIN,
    }
    refused = client.post("/regulator/requests", json=body, headers=bearer)
    assert (refused.status_code, refused.json["code"]) == (400, "request.search")
    opened = client.post("/regulator/requests", json={**body, "lot": "LOT42"}, headers=bearer)
    assert opened.status_code == 201, opened.text
    path = f"/regulator/requests/{opened.json['id']}"
    assert [each["id"] for each in client.get("/regulator/requests", headers=bearer).json["requests"]] == [
        opened.json["id"]
    ]
    assert client.post(f"{path}/answer", headers=bearer).json["state"] == "answered"
    assert "events.csv" in unzip(client.get(f"{path}/answer", headers=bearer))
    reading = counter.node.bearer(Role.PARTNER_SYSTEM, party_gln=PHARMACY, scopes={"query"})
    # An answer discloses, and ends the request.
    assert client.post(f"{path}/answer", headers=reading).status_code == 403
    other = counter.node.bearer(Role.PARTNER_SYSTEM, party_gln=STRANGER)
    assert client.get(path, headers=other).status_code == 404


def test_no_cell_is_a_formula() -> None:
    assert [safe(cell) for cell in ("=1+1", "@x", "-1", "+1", "ok", "")] == [
        "'=1+1",
        "'@x",
        "'-1",
        "'+1",
        "ok",
        "",
    ]


def test_what_is_too_much_for_one_answer_is_refused(
    sqlite_counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests, search = sqlite_counter.services.requests, Search.parse({"gtin": GTIN, "lot": "LOT42"})
    found = requests.look(search, None)
    named = sum(len(each.event.all_epcs()) for each in found)
    for most, module, name in ((len(found), service, "MOST_EVENTS"), (named, tables, "MOST_LINES")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, most)
            assert requests.look(search, None) == found
            patch.setattr(module, name, most - 1)
            with pytest.raises(Invalid) as refused:
                requests.look(search, None)
            assert refused.value.code == "request.too_many"

"""The pages of quarantine, from the scan to the form as PDF; another company's case is as if it were not there."""

import json
import re
from datetime import timedelta

from app.shared.actor import Role
from tests.support.counter import AT_ITS_MAKER, HERE, PHARMACY, STRANGER, Counter, code, text_of
from tests.support.world import MAKER, package


def test_from_a_suspect_scan_to_the_form(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    quinn = counter.somebody("quinn", Role.QUALITY)
    answer = quinn.post("/scan", {"code": code("NEVER")})
    assert "Set it apart and investigate" in answer.text
    found = re.search(r'href="(/investigations/new[^"]+)"', answer.text)
    assert found
    new = found[1].replace("&amp;", "&")
    assert package("NEVER") in quinn.get(new).text
    given = {"packages": package(HERE), "ground": "counterfeit", "bin": "Cage 3", "text": "Blurred print."}
    opened = quinn.post("/investigations/new", given, form="/investigations/new")
    case = opened.location
    assert "Cage 3" in text_of(quinn.get(case))
    assert f"(01)00399999001014 (21){HERE}" in quinn.get("/investigations").text
    assert "on hold" in text_of(quinn.post("/scan", {"code": code(HERE)})).lower()
    counter.node.clock.advance(timedelta(minutes=1))
    assert quinn.post(f"{case}/move", {"move": "investigate"}, form=case).status_code == 303
    refused = quinn.post(f"{case}/move", {"move": "clear", "text": "Fine."}, form=case)
    assert (refused.status_code, "0 of 1 packages were inspected" in refused.text) == (400, True)
    counter.node.clock.advance(timedelta(minutes=1))
    quinn.post(
        f"{case}/move", {"move": "determine", "text": "Bad.", "maker_consulted": "North Pharma"}, form=case
    )
    form = quinn.get(f"{case}/form?kind=initial")
    assert "17. Description of event or issue" in form.text
    kept = quinn.post(
        f"{case}/form",
        {"kind": "initial", "serials": "1", "product_name": "S"},
        form=f"{case}/form?kind=initial",
    )
    assert kept.status_code == 303
    page = quinn.get(case).text
    assert "not complete" in page
    link = re.search(r'href="(/investigations/forms/[^"]+\.pdf)"', page)
    assert link
    pdf = quinn.get(link[1])
    assert (pdf.content_type, pdf.data[:5]) == ("application/pdf", b"%PDF-")
    data = json.loads(quinn.get(link[1].replace(".pdf", ".json")).data)
    assert (data["serials"], data["incident_number"]) == (["1"], "")
    export = json.loads(quinn.get(f"{case}/export").data)
    assert (export["state"], export["packages"][0]["epc"]) == ("illegitimate", package(HERE))
    sly = counter.somebody("sly", Role.QUALITY, STRANGER)
    for path in (case, f"{case}/export", link[1], f"{case}/form?kind=initial"):
        assert sly.get(path).status_code == 404
    assert counter.trail("investigation.form_view")[0][2] == "shown"
    assert PHARMACY in str(export["party"])


def test_its_maker_finds_a_high_risk_on_the_page_and_nobody_else_is_offered_it(
    sqlite_counter: Counter,
) -> None:
    counter = sqlite_counter
    given = {
        "packages": package(AT_ITS_MAKER),
        "ground": "stolen",
        "bin": "Cage 1",
        "text": "A lorry is gone.",
    }
    mona = counter.somebody("mona", Role.MANUFACTURER, MAKER)
    case = mona.post("/investigations/new", given, form="/investigations/new").location
    assert "There is a high risk" in text_of(mona.get(case))
    assert mona.post(f"{case}/risk", {"text": "The lorry is seen abroad."}, form=case).status_code == 303
    page = text_of(mona.get(case))
    assert "found by its manufacturer" in page
    assert "There is a high risk" not in page
    due = counter.node.clock.now() + timedelta(hours=24)
    assert f"Due {due:%Y-%m-%d %H:%M} UTC" in page
    quinn = counter.somebody("quinn", Role.QUALITY)
    other = quinn.post(
        "/investigations/new", {**given, "packages": package(HERE)}, form="/investigations/new"
    ).location
    assert "There is a high risk" not in text_of(quinn.get(other))

"""Recalls over pages and over REST: each party does its part, and reads its own."""

import re
from datetime import timedelta

from app.shared.actor import Role
from tests.support.counter import PHARMACY, STRANGER, Counter, text_of
from tests.support.delivery import ADVICE, Bay, case_label, cases_of, sscc
from tests.support.world import GTIN, MAKER


def test_a_recall_over_the_pages(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    max_ = counter.somebody("max", Role.MANUFACTURER, MAKER)
    given = {
        "gtin": GTIN,
        "lots": "LOT42\r\n",
        "class": "II",
        "reason": "Leaks.",
        "instruction": "Return it.",
    }
    case = max_.post("/recalls/new", given).location
    nothing = max_.post("/recalls/new", {**given, "lots": "NO"}, form="/recalls/new")
    assert (nothing.status_code, counter.trail("recall.search")[0][2]) == (404, "nothing")
    mia = counter.pharmacist()
    notice = re.search(r'href="(/recalls/case_[^"]+)"', mia.get("/recalls").text)
    assert notice
    page = text_of(mia.get(notice[1]))
    assert "(01)00399999001014 (21)3" in page
    assert mia.get(case).status_code == 404
    assert mia.get("/recalls/new").status_code == 403
    assert mia.post(f"{notice[1]}/acknowledge", form=notice[1]).status_code == 303
    assert mia.post(f"{notice[1]}/answer", {"quarantined": "many"}, form=notice[1]).status_code == 400
    assert (
        mia.post(f"{notice[1]}/answer", {"quarantined": "3", "gone": "1"}, form=notice[1]).status_code == 303
    )
    assert "4 of 4 (100 %)" in text_of(max_.get(case))
    assert 'data-label="Acknowledged"' in max_.get(case).text, "on a phone a column is a line with its name"
    assert "our own" in text_of(max_.get("/recalls"))
    counter.node.clock.advance(timedelta(minutes=1))
    assert max_.post(f"{case}/tell", form=case).status_code == 303
    assert max_.post(f"{case}/end", {"text": "No leak."}, form=case).status_code == 303
    assert "ended" in text_of(mia.get("/recalls"))


def test_who_is_to_get_recalled_packs_reads_what_is_under_way_and_from_whom(bay: Bay) -> None:
    bay.ship(cases_of(2))
    bay.node.clock.advance(timedelta(hours=1))
    max_ = bay.somebody("max", Role.MANUFACTURER, MAKER)
    given = {"gtin": GTIN, "lots": "LOT42", "class": "II", "reason": "Leaks.", "instruction": "Return it."}
    case = max_.post("/recalls/new", given).location
    mia = bay.pharmacist()
    found = re.search(r'href="(/recalls/case_[^"]+)"', mia.get("/recalls").text)
    assert found
    page = text_of(mia.get(found[1]))
    assert "By the record, none of it." not in page
    coming = page[page.index("On its way to you") : page.index("Your answer")]
    assert "4 packs from North Pharma" in coming
    for number in (1, 2):
        assert f"(00){sscc(number)[-18:]} : 2 packs of it inside" in coming
    assert "Set apart what arrives, then acknowledge and answer." in page
    assert "On its way to you" not in text_of(max_.get(case)), "it is on its way to somebody else"

    clerk = bay.clerk("wanda").begin(ADVICE).scan(case_label(1))
    assert clerk.act("apart", epc=sscc(1)) == 303
    clerk.finish()
    page = text_of(mia.get(found[1]))
    assert "2 packs from North Pharma" in page, "what has arrived is in hand"
    assert f"(00){sscc(1)[-18:]} : 2 packs" in page[: page.index("On its way to you")]


def test_a_recall_over_rest(sqlite_counter: Counter) -> None:
    counter, client = sqlite_counter, sqlite_counter.node.visitor().client
    maker, pharmacy, stranger = (
        counter.node.bearer(Role.PARTNER_SYSTEM, party_gln=gln) for gln in (MAKER, PHARMACY, STRANGER)
    )
    asked = {"gtin": GTIN, "lots": ["LOT42"], "class": "I", "reason": "Leaks.", "instruction": "Return it."}
    assert client.post("/api/recalls", json=asked, headers=pharmacy).json["code"] == "recall.maker"
    opened = client.post("/api/recalls", json=asked, headers=maker)
    assert (opened.status_code, opened.json["effect"]["told"]) == (201, 1)
    path = f"/api/recalls/{opened.json['id']}"
    [notice] = client.get("/api/recalls", headers=pharmacy).json["recalls"]
    assert (notice["kind"], notice["class"]) == ("notice", "I")
    own = f"/api/recalls/{notice['id']}"
    assert client.post(f"{own}/answer", json={"quarantined": -1}, headers=pharmacy).status_code == 422
    assert client.post(f"{own}/answer", json={"quarantined": 4}, headers=pharmacy).status_code == 200
    assert client.get(path, headers=maker).json["consignees"][0]["quarantined"] == 4
    for address in (path, own):
        assert client.get(address, headers=stranger).status_code == 404
    assert client.get("/api/recalls", headers=stranger).json == {"recalls": [], "next": None}
    counter.node.clock.advance(timedelta(minutes=1))
    assert client.post(f"{path}/end", json={"text": "Over."}, headers=maker).json["entry"] > 0
    assert client.post(f"{path}/end", json={"text": "Over."}, headers=maker).json["code"] == "case.closed"

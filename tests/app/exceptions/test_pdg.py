"""PDG's messages between partners: a report goes out, its answer comes back, and each counts once."""

from app.cases import service as cases
from app.cases.rules import Desk
from app.exceptions import messages
from app.exceptions.rules import ALL_REPORTED
from app.shared.actor import Role
from tests.app.exceptions.test_pdg_messages import GOOD, validator
from tests.support.counter import PHARMACY, STRANGER, text_of
from tests.support.delivery import ADVICE, ORDER, case_label, cases_of, pack_label
from tests.support.world import GTIN, MAKER

SCOPES = {"exceptions", "query"}


class Mail:
    """Two companies' systems, that exchange messages over the interface."""

    def __init__(self, bay):
        self.bay, self.client = bay, bay.node.visitor().client
        self.bearers = {
            gln: bay.node.bearer(Role.PARTNER_SYSTEM, party_gln=gln, scopes=SCOPES)
            for gln in (PHARMACY, MAKER, STRANGER)
        }

    def post(self, path, by, **kwargs):
        return self.client.post(path, headers=self.bearers[by], **kwargs)

    def thread(self, gln):
        with self.bay.services.database.reading() as connection:
            [one] = [
                each for each in cases.queue(connection, Desk.EXCEPTIONS, gln) if each.kind in ALL_REPORTED
            ]
            return cases.case(connection, Desk.EXCEPTIONS, one.case_id, gln)


def test_a_report_goes_to_the_seller_and_its_answer_comes_back(bay):
    bay.ship(cases_of(2))
    bay.clerk("wanda").begin(ADVICE).scan(case_label(1)).finish()
    [case] = bay.exceptions()
    mail = Mail(bay)

    sent = mail.post(f"/exceptions/{case.case_id}/reports", PHARMACY)
    assert sent.status_code == 201
    report = sent.get_json()
    validator("report").validate(report)
    # The case that is missing, package by package: PDG's report knows serial numbers alone.
    assert [
        (one["product_gtin"], one["product_serial"]) for one in report["exceptions"]["missing_product"]
    ] == [
        (GTIN, "201"),
        (GTIN, "202"),
    ]
    assert (report["po_number"], report["sender_information"]["gln"]) == (ORDER, PHARMACY)

    came = mail.post(f"/exceptions/reports?to={MAKER}", PHARMACY, json=report)
    assert came.status_code == 202, came.text
    assert mail.post(f"/exceptions/reports?to={MAKER}", PHARMACY, json=report).status_code == 202
    other = {**report, "po_number": "another"}
    assert mail.post(f"/exceptions/reports?to={MAKER}", PHARMACY, json=other).status_code == 409
    theirs = mail.thread(MAKER)
    assert [line.kind.value for line in theirs.thread] == ["state", "came"]
    assert f"order {ORDER}: 2 items." in theirs.thread[1].text
    shown = text_of(bay.somebody("mary", Role.QUALITY, MAKER).get(f"/exceptions/{theirs.case_id}"))
    # As a table, item by item; the same stands in the answer's form.
    assert (
        f"Data without product Data No Product Sonnenal 20 mg {GTIN} – 201 the product, by {ADVICE} Send product"
        in shown
    )
    assert f"Data without product: Sonnenal 20 mg {GTIN} serial 202" in shown

    first, second = (one["exception_item_uuid"] for one in report["exceptions"]["missing_product"])
    answers = [
        {"item": first, "accepted": True},
        {"item": second, "accepted": False, "alternative": "Credit account"},
    ]
    strange = mail.post(
        f"/exceptions/{theirs.case_id}/responses", MAKER, json={"answers": [{"item": "x", "accepted": True}]}
    )
    assert strange.status_code == 400
    answered = mail.post(f"/exceptions/{theirs.case_id}/responses", MAKER, json={"answers": answers})
    response = answered.get_json()
    validator("response").validate(response)
    assert mail.post(f"/exceptions/responses?to={PHARMACY}", STRANGER, json=response).status_code == 400
    assert mail.post(f"/exceptions/responses?to={PHARMACY}", MAKER, json=response).status_code == 202
    quinn = bay.somebody("quinn", Role.QUALITY)
    said = text_of(quinn.get(f"/exceptions/{case.case_id}"))
    assert "from the partner" in said
    assert f"Item {second}: rejected, instead: Credit account" in said
    assert "Send product rejected, instead: Credit account" in said, "beside its item"
    told = mail.client.get(f"/api/exceptions/{case.case_id}", headers=mail.bearers[PHARMACY]).get_json()[
        "reports"
    ]
    assert [(each["serial"], each["answer"]) for each in told[0]["items"]] == [
        ("201", "accepted"),
        ("202", "rejected, instead: Credit account"),
    ]

    resolved = mail.post(f"/exceptions/{case.case_id}/reports?resolved=true", PHARMACY).get_json()
    validator("report").validate(resolved)
    assert resolved["case_resolved"] is True
    assert mail.post(f"/exceptions/reports?to={MAKER}", PHARMACY, json=resolved).status_code == 202
    with bay.services.database.reading() as connection:
        closed = cases.case(connection, Desk.EXCEPTIONS, theirs.case_id, MAKER)
    assert closed.closed_by == "Corner Pharmacy"


def test_two_partners_that_choose_one_id_are_both_heard_and_each_once(bay):
    bay.ship(cases_of(2))
    bay.clerk("wanda").begin(ADVICE).scan(case_label(1)).finish()
    [case] = bay.exceptions()
    mail = Mail(bay)
    report = mail.post(f"/exceptions/{case.case_id}/reports", PHARMACY).get_json()
    squat = {
        **report,
        "exception_case_uuid": "squat",
        "sender_information": {"gln": STRANGER, "email": "a@b.c"},
    }
    assert mail.post(f"/exceptions/reports?to={MAKER}", STRANGER, json=squat).status_code == 202
    for _ in range(2):
        assert mail.post(f"/exceptions/reports?to={MAKER}", PHARMACY, json=report).status_code == 202
    other = {**report, "po_number": "another"}
    assert mail.post(f"/exceptions/reports?to={MAKER}", PHARMACY, json=other).status_code == 409
    with bay.services.database.reading() as connection:
        queue = cases.queue(connection, Desk.EXCEPTIONS, MAKER)
    assert sorted(each.partner_gln for each in queue if each.kind in ALL_REPORTED) == sorted(
        [PHARMACY, STRANGER]
    )


def test_reports_of_one_partner_are_bounded_however_urgent_the_rest_of_the_desk_is(sqlite_bay, monkeypatch):
    bay = sqlite_bay
    bay.ship(cases_of(2))
    bay.clerk("wanda").begin(ADVICE).scan(case_label(1)).finish()
    [case] = bay.exceptions()
    mail = Mail(bay)
    report = mail.post(f"/exceptions/{case.case_id}/reports", PHARMACY).get_json()
    assert (
        mail.post(f"/exceptions/reports?to={PHARMACY}", STRANGER, json=of(STRANGER, report, 0)).status_code
        == 202
    )
    monkeypatch.setattr(messages, "MOST_OPEN", 2)
    monkeypatch.setattr(cases, "MOST_SHOWN", 2)
    answers = []
    for number in range(1, 4):
        flood = of(MAKER, report, number)
        answers.append(mail.post(f"/exceptions/reports?to={PHARMACY}", MAKER, json=flood).status_code)
    assert answers == [202, 202, 409]


def of(sender, report, number):
    """`report` under other ids, from another party."""
    return {
        **report,
        "message_uuid": f"m{number}",
        "exception_case_uuid": f"c{number}",
        "sender_information": {"gln": sender, "email": "a@b.example"},
    }


def test_a_seller_that_answers_a_report_does_not_close_the_buyers_case_by_it(sqlite_bay):
    bay = sqlite_bay
    bay.ship(cases_of(2))
    bay.clerk("wanda").begin(ADVICE).scan(case_label(1)).finish()
    [case] = bay.exceptions()
    mail = Mail(bay)
    report = mail.post(f"/exceptions/{case.case_id}/reports", PHARMACY).get_json()
    head = {**report, "sender_information": {**report["sender_information"], "gln": MAKER}}
    response = {**head, "message_uuid": "answer", "response_items": [], "additional_notes": "On its way."}
    assert mail.post(f"/exceptions/responses?to={PHARMACY}", MAKER, json=response).status_code == 202
    resolved = {**head, "message_uuid": "resolved", "exceptions": {}, "case_resolved": True}
    answer = mail.post(f"/exceptions/reports?to={PHARMACY}", MAKER, json=resolved)
    assert answer.status_code == 404, answer.text
    [still] = bay.exceptions()
    assert still.is_open


def test_by_hand_a_message_is_taken_in_answered_and_a_group_reported(sqlite_bay):
    bay = sqlite_bay
    bay.ship(cases_of(3))
    wanda = bay.clerk("wanda").begin(ADVICE).scan(case_label(1))
    wanda.act("opened", epc=next(iter(cases_of(1))))
    wanda.scan(pack_label(101, lot="LOT43"), pack_label(102)).finish()
    quinn = bay.somebody("quinn", Role.QUALITY)
    group = quinn.post("/exceptions/report", {"partner": MAKER}, form="/exceptions")
    assert group.headers["Content-Disposition"].startswith('attachment; filename="pdg-report-')
    report = group.get_json()
    validator("report").validate(report)
    assert {name: len(found) for name, found in report["exceptions"].items()} == {
        "missing_product": 4,
        "data_misalignment": 1,
    }
    [differs] = report["exceptions"]["data_misalignment"]
    assert (differs["received_product_lot"], differs["product_data_lot"]) == ("LOT43", "LOT42")

    mary = bay.somebody("mary", Role.QUALITY, MAKER)
    opened = mary.post("/exceptions/import", {"message": group.text}, form="/exceptions")
    assert opened.status_code == 303, text_of(opened)
    page = mary.get(opened.location)
    assert "Answer their report" in page.text
    answer = mary.post(
        f"{opened.location}/response",
        {"answer-0": "Accept", "comments-0": "Our fault."},
        form=opened.location,
    )
    validator("response").validate(answer.get_json())
    back = quinn.post("/exceptions/import", {"message": answer.text}, form="/exceptions")
    assert "accepted (Our fault.)" in text_of(quinn.get(back.location))
    for nonsense in ("", "{", "[]", '{"sender_information": {"gln": "1"}}'):
        assert quinn.post("/exceptions/import", {"message": nonsense}, form="/exceptions").status_code == 400


def test_what_is_not_of_this_desk_is_refused(sqlite_bay):
    mail = Mail(sqlite_bay)
    to = f"/exceptions/reports?to={MAKER}"
    assert mail.post(to, PHARMACY, data=b"{", content_type="application/json").status_code == 400
    assert mail.post(to, STRANGER, json=GOOD).status_code == 400, "another sender than it names"
    assert mail.post("/exceptions/reports?to=0860000000017", PHARMACY, json=GOOD).status_code == 202
    assert mail.post("/exceptions/reports?to=0666000000019", PHARMACY, json=GOOD).status_code == 400
    assert mail.post(to, PHARMACY, data=b" " * 1_000_001, content_type="application/json").status_code == 413
    assert (
        mail.post(
            f"/exceptions/responses?to={MAKER}", PHARMACY, json={**GOOD, "response_items": []}
        ).status_code
        == 404
    )
    assert mail.post(to, PHARMACY, json={**GOOD, "case_resolved": True}).status_code == 404
    bare = sqlite_bay.node.bearer(Role.PARTNER_SYSTEM, party_gln=PHARMACY)
    assert mail.client.post(to, headers=bare, json=GOOD).status_code == 403
    listed = mail.client.get("/exceptions.json", headers=bare)
    assert listed.get_json() == {"cases": [], "next": None}

"""An investigation from the suspicion to its end: the verdict follows by itself, and partners are told."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.cases import service as cases
from app.cases.rules import Desk
from app.custody import loading
from app.errors import Conflict, Invalid, NotFound
from app.investigations import forms, partners_told
from app.investigations.form3911 import Form3911, FormKind
from app.investigations.rules import Ground, Move, State
from app.investigations.service import Suspicion
from app.shared.actor import Actor, Role
from ledger.custody.event import ErrorDeclaration, Event
from ledger.custody.verdict import Reason
from ledger.custody.vocabulary import Action, EventType
from tests.app.investigations.test_form3911 import FORM
from tests.support.app import NOON, OPERATOR
from tests.support.counter import AT_ITS_MAKER, HERE, ON_ITS_WAY, PHARMACY, Counter, code, text_of
from tests.support.world import GTIN, MAKER, PALLET, package


def somebody(gln: str = PHARMACY, role: Role = Role.QUALITY) -> Actor:
    return replace(OPERATOR, name="quinn", role=role, party_gln=gln)


def suspicion(*subjects: str) -> Suspicion:
    return Suspicion.parse("\n".join(subjects), Ground.COUNTERFEIT, "Cage 3", "The print is blurred.")


def reason(counter: Counter, number: int) -> Reason:
    found = counter.services.verification.check(code(number).encode(), None, OPERATOR, asker=PHARMACY)
    return found.verdict.reason


def later(counter: Counter) -> None:
    """Events of one moment have no order among them that means anything."""
    counter.node.clock.advance(timedelta(minutes=1))


def step(counter: Counter, case_id: str, move: Move, actor: Actor | None = None, **given: object) -> State:
    later(counter)
    return counter.services.investigations.move(actor or somebody(), case_id, move, **given)


def form_of(counter: Counter, case_id: str, kind: FormKind, gln: str = PHARMACY, **values: object) -> str:
    with counter.services.database.writing() as connection:
        case = cases.case(connection, Desk.INVESTIGATIONS, case_id, gln)
        begun = forms.begun(connection, case, kind, somebody(gln))
        assert begun.serials
        made = replace(FORM, kind=kind, determined_date=begun.determined_date, initial_date=begun.initial_date,
                       incident_number=begun.incident_number, **values)  # fmt: skip
        return forms.keep(connection, counter.node.clock, somebody(gln), case, made)


def test_what_is_cleared_is_free_again(counter: Counter) -> None:
    desk = counter.services.investigations
    case_id = desk.open(somebody(role=Role.PHARMACIST), suspicion(package(1), package(2), package(3)))
    assert [reason(counter, number) for number in (1, 2, 3)] == [Reason.HELD] * 3
    with pytest.raises(Conflict):
        desk.open(somebody(), suspicion(package(2)))
    step(counter, case_id, Move.INVESTIGATE)
    with pytest.raises(Invalid) as caught:
        step(counter, case_id, Move.CLEAR, text="Nothing is wrong.")
    assert caught.value.detail == "0 of 3 packages were inspected."
    with pytest.raises(Invalid):
        desk.inspect(somebody(), case_id, code(4).encode(), None)
    for number in (1, 2, 3):
        said = desk.inspect(somebody(), case_id, code(number).encode(), None)
        assert f"serial {number}, lot LOT42 and expiry 2028-05-31 are those on record" in said
    assert step(counter, case_id, Move.CLEAR, text="Nothing is wrong.") is State.CLEARED
    assert [reason(counter, number) for number in (1, 2, 3)] == [Reason.OK] * 3


def states(counter: Counter, case_id: str) -> list[str]:
    with counter.services.database.reading() as connection:
        return sorted(cases.case(connection, Desk.INVESTIGATIONS, case_id, PHARMACY).items.values())


@pytest.mark.parametrize(
    ("label", "lacks"),
    [
        (f"(01){GTIN}(21)1", "lot"),
        (f"(01){GTIN}(21)1(17)280531", "lot"),
        (f"(01){GTIN}(21)1(10)LOT42", "expiry"),
    ],
)
def test_an_inspection_compares_lot_and_expiry_or_does_not_count(
    sqlite_counter: Counter, label: str, lacks: str
) -> None:
    desk = sqlite_counter.services.investigations
    case_id = desk.open(somebody(), suspicion(package(1)))
    step(sqlite_counter, case_id, Move.INVESTIGATE)
    said = desk.inspect(somebody(), case_id, label.encode(), None)
    assert f"has no {lacks}" in said
    assert "verified" not in states(sqlite_counter, case_id)


def test_what_was_dispensed_here_a_minute_ago_differs_and_is_not_cleared_with_the_rest(
    sqlite_counter: Counter,
) -> None:
    counter, desk = sqlite_counter, sqlite_counter.services.investigations
    pharmacist = somebody(role=Role.PHARMACIST)
    counter.services.dispensing.dispense(code(1).encode(), None, pharmacist)
    later(counter)
    case_id = desk.open(pharmacist, suspicion(package(1), package(2)))
    step(counter, case_id, Move.INVESTIGATE)
    assert "ended here" in desk.inspect(somebody(), case_id, code(1).encode(), None)
    desk.inspect(somebody(), case_id, code(2).encode(), None)
    assert states(counter, case_id) == ["differs", "verified"]
    with pytest.raises(Invalid) as caught:
        step(counter, case_id, Move.CLEAR, text="Nothing is wrong.")
    assert caught.value.title == "What differs is not cleared"
    assert reason(counter, 2) is Reason.HELD


def test_from_determination_to_termination_with_forms_and_partners(counter: Counter) -> None:
    """The maker finds a fraud in its own lot: the pharmacy it shipped to is told, and told again when it is over."""
    maker, desk, database = (
        somebody(MAKER, Role.MANUFACTURER),
        counter.services.investigations,
        counter.services.database,
    )
    case_id = desk.open(maker, suspicion(package(AT_ITS_MAKER)))
    step(counter, case_id, Move.INVESTIGATE, maker)
    step(counter, case_id, Move.DETERMINE, maker, text="Its content is not ours.")
    with database.reading() as connection:
        case = cases.case(connection, Desk.INVESTIGATIONS, case_id, MAKER)
    assert case.due_at == counter.node.clock.now() + timedelta(hours=24)
    with pytest.raises(Invalid):
        step(counter, case_id, Move.NOTIFY, maker)
    form_id = form_of(counter, case_id, FormKind.INITIAL, MAKER)
    step(counter, case_id, Move.NOTIFY, maker)
    with database.reading() as connection:
        [told] = partners_told.told(connection, case_id)
        [notice] = cases.queue(connection, Desk.INVESTIGATIONS, PHARMACY)
        assert (told.gln, notice.kind, notice.partner_gln) == (PHARMACY, "notification", MAKER)
        assert "is illegitimate" in notice.data["message"]
        assert forms.one(connection, form_id, MAKER).form.incident_number == ""
        with pytest.raises(NotFound):
            forms.one(connection, form_id, PHARMACY)
    step(counter, case_id, Move.DISPOSE, maker, text="Destroyed by our own waste contractor.")
    with pytest.raises(Invalid) as caught:
        form_of(counter, case_id, FormKind.TERMINATION, MAKER, termination_reason="All is destroyed.")
        step(counter, case_id, Move.REQUEST_TERMINATION, maker)
    assert "incident number" in caught.value.detail
    form_of(counter, case_id, FormKind.FOLLOW_UP, MAKER)
    with database.writing() as connection:
        case = cases.case(connection, Desk.INVESTIGATIONS, case_id, MAKER)
        again = replace(forms.begun(connection, case, FormKind.TERMINATION, maker), incident_number="FDA-77",
                        termination_reason="All is destroyed.", ingredients="x", strength="50 mg",
                        dosage_form="tablet", ndc="9999-0101-1", company_address="1 Main Street",
                        contact_email="a@b.example", contact_phone="1")  # fmt: skip
        forms.keep(connection, counter.node.clock, maker, case, again)
    step(counter, case_id, Move.REQUEST_TERMINATION, maker)
    assert step(counter, case_id, Move.TERMINATE, maker, text="FDA agrees.") is State.TERMINATED
    with database.reading() as connection:
        assert cases.queue(connection, Desk.INVESTIGATIONS, None) == []
        done = cases.case(connection, Desk.INVESTIGATIONS, case_id, MAKER)
        assert (done.data["incident_number"], done.closed_by) == ("FDA-77", "quinn")
        assert cases.case(connection, Desk.INVESTIGATIONS, notice.case_id, PHARMACY).state == "terminated"
    found = counter.services.verification.check(code(AT_ITS_MAKER).encode(), None, OPERATOR, asker=MAKER)
    assert {found.verdict.reason, *found.verdict.others} >= {Reason.HELD, Reason.ENDED_HERE}


def test_a_makers_verification_answers_say_what_it_investigates(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    maker, desk = somebody(MAKER, Role.MANUFACTURER), counter.services.investigations

    def answered(number: int) -> str:
        client, asker = counter.node.app.test_client(), PHARMACY
        query = {"exp": "280531", "linkType": "verificationService", "context": "dscsaSaleableReturn",
                 "reqGLN": asker, "corrUUID": "0f8fad5b-d9cb-469f-a165-70867728950e"}  # fmt: skip
        bearer = counter.node.bearer(Role.PARTNER_SYSTEM, party_gln=asker)
        path = f"/verify/gtin/{GTIN}/lot/LOT42/ser/{number}"
        return (
            client.get(path, query_string=query, headers=bearer).get_json()["data"].get("additionalInfo", "")
        )

    assert answered(AT_ITS_MAKER) == ""
    case_id = desk.open(maker, suspicion(package(AT_ITS_MAKER)))
    assert (answered(AT_ITS_MAKER), answered(1)) == ("Suspect", "")
    step(counter, case_id, Move.INVESTIGATE, maker)
    step(counter, case_id, Move.DETERMINE, maker, text="Its content is not ours.")
    assert answered(AT_ITS_MAKER) == "Illegitimate"
    # A pharmacy's suspicion is not its maker's word.
    other = desk.open(somebody(), suspicion(package(1)))
    assert answered(1) == ""
    # What is cleared is answered as before.
    mine = desk.open(maker, suspicion(package(2)))
    assert answered(2) == "Suspect"
    step(counter, mine, Move.INVESTIGATE, maker)
    desk.inspect(maker, mine, code(2).encode(), None)
    step(counter, mine, Move.CLEAR, maker, text="Nothing is wrong.")
    assert (answered(2), other != mine) == ("", True)


def test_samples_are_kept_of_what_is_destroyed(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    case_id = counter.services.investigations.open(somebody(), suspicion(package(1), package(2)))
    step(counter, case_id, Move.INVESTIGATE)
    step(counter, case_id, Move.DETERMINE, text="Seen twice.", maker_consulted="North Pharma, J. Roe")
    form_of(counter, case_id, FormKind.INITIAL)
    step(counter, case_id, Move.NOTIFY)
    step(counter, case_id, Move.DISPOSE, text="One is kept.", retain=code(2))
    assert (reason(counter, 1), reason(counter, 2)) == (Reason.HELD, Reason.HELD)
    with counter.services.database.reading() as connection:
        world = loading.load(connection, [package(1), package(2)]).world
    assert [world.item(package(number)).ended for number in (1, 2)] == [True, False]


def test_what_somebody_else_has_by_the_record_is_set_apart_without_claiming_it(
    sqlite_counter: Counter,
) -> None:
    counter = sqlite_counter
    before = counter.trade.counts()
    case_id = counter.services.investigations.open(somebody(), suspicion(package(AT_ITS_MAKER)))
    assert counter.trade.counts() == before
    with counter.services.database.reading() as connection:
        case = cases.case(connection, Desk.INVESTIGATIONS, case_id, PHARMACY)
    assert "not on hold in the ledger" in case.thread[0].text
    assert case.due_at == NOON + timedelta(days=3)


def test_a_serial_that_nobody_knows_is_on_hold_too(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    counter.services.investigations.open(somebody(), suspicion(package("NEVER")))
    found = counter.services.verification.check(code("NEVER").encode(), None, OPERATOR, asker=PHARMACY)
    assert found.verdict.reason is Reason.NEVER_MADE


def test_the_form_begins_with_what_the_record_knows(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    case_id = counter.services.investigations.open(somebody(), suspicion(package(HERE)))
    with counter.services.database.reading() as connection:
        case = cases.case(connection, Desk.INVESTIGATIONS, case_id, PHARMACY)
        form = forms.begun(connection, case, FormKind.INITIAL, somebody())
    assert isinstance(form, Form3911)
    assert (form.serials, form.lots, form.expiries) == (("1",), ("LOT42",), ("2028-05-31",))
    assert (form.product_name, form.company_name, form.classification) == (
        "Sonnenal",
        "Corner Pharmacy",
        "counterfeit",
    )


def notified(counter: Counter, number: int, **given: object) -> tuple[str, str]:
    """The maker finds this pack illegitimate and notifies its partners: its case, and the pharmacy's."""
    maker = somebody(MAKER, Role.MANUFACTURER)
    case_id = counter.services.investigations.open(maker, suspicion(package(number)))
    step(counter, case_id, Move.INVESTIGATE, maker)
    step(counter, case_id, Move.DETERMINE, maker, text="Its content is not ours.")
    form_of(counter, case_id, FormKind.INITIAL, MAKER)
    assert stopping(counter, 1) == ()
    step(counter, case_id, Move.NOTIFY, maker, **given)
    with counter.services.database.reading() as connection:
        [notice] = cases.queue(connection, Desk.INVESTIGATIONS, PHARMACY)
    return case_id, notice.case_id


def stopping(counter: Counter, number: int) -> tuple[str, ...]:
    """The cases that stop the pharmacy's dispensing of this pack."""
    found = counter.services.verification.check(code(number).encode(), None, OPERATOR, asker=PHARMACY)
    return tuple(each.case_id for each in found.blocked_by)


def received(counter: Counter, number: int) -> Event:
    """The pharmacy receives, now, what the maker has shipped to it."""
    later(counter)
    ends = counter.shipment
    event = counter.event("receiving", number, hours=0, sources=ends.sources, destinations=ends.destinations)
    event = replace(event, event_time=counter.node.clock.now())
    counter.told(event, by=PHARMACY)
    return event


def packed(counter: Counter, *numbers: int) -> None:
    """The pharmacy packs, now, what it has into a case of its own."""
    later(counter)
    event = counter.event(
        "packing", hours=0, epcs=(), type=EventType.AGGREGATION, action=Action.ADD,
        parent=PALLET, children=tuple(package(number) for number in numbers),
    )  # fmt: skip
    counter.told(replace(event, event_time=counter.node.clock.now()), by=PHARMACY)


def test_a_notification_of_a_package_stops_that_package_and_no_other_of_its_lot(
    sqlite_counter: Counter,
) -> None:
    counter = sqlite_counter
    _, notice = notified(counter, ON_ITS_WAY)
    with counter.services.database.reading() as connection:
        told = cases.case(connection, Desk.INVESTIGATIONS, notice, PHARMACY)
    assert f"(21){ON_ITS_WAY}" in told.data["message"]
    assert "everything of lot" not in told.data["message"]
    assert stopping(counter, ON_ITS_WAY) == (notice,)
    assert [stopping(counter, number) for number in (1, 2, 3)] == [()] * 3
    received(counter, ON_ITS_WAY)
    assert stopping(counter, ON_ITS_WAY) == (notice,)
    page = text_of(counter.somebody("quinn", Role.QUALITY).get(f"/investigations/{notice}"))
    assert "By the record you have this of what it names." in page
    assert f"(21){ON_ITS_WAY}" in page
    assert "(21)1 " not in page


def test_a_notification_of_a_lot_stops_what_is_on_hand_and_after_the_answer_what_is_received_later(
    sqlite_counter: Counter,
) -> None:
    counter = sqlite_counter
    case_id, notice = notified(counter, AT_ITS_MAKER, whole_lots=True)
    page = text_of(counter.somebody("quinn", Role.QUALITY).get(f"/investigations/{notice}"))
    assert "everything of lot LOT42" in page
    assert all(f"(21){number}" in page for number in (1, 2, 3))
    found = counter.services.verification.check(code(1).encode(), None, OPERATOR, asker=PHARMACY)
    [blocking] = found.blocked_by
    assert blocking.title == "Notified as illegitimate by North Pharma: Sonnenal"
    assert "Set it aside" in found.next_step
    later(counter)
    counter.services.investigations.answer(somebody(), notice, "set_apart", "In the cage.")
    assert [stopping(counter, number) for number in (1, 2, 3)] == [()] * 3, "dealt with by the answer"
    assert stopping(counter, ON_ITS_WAY) == (notice,), "it was not here when that was answered"
    packed(counter, 1, 2)
    assert [stopping(counter, number) for number in (1, 2, 3)] == [()] * 3, "packing is no arrival"
    mistaken = received(counter, 3)
    assert stopping(counter, 3) == (notice,)
    wrong = ErrorDeclaration(counter.node.clock.now(), "did_not_occur", ())
    counter.told(replace(mistaken, declaration=wrong), by=PHARMACY)
    assert stopping(counter, 3) == (), "nor is what was declared wrong"
    received(counter, ON_ITS_WAY)
    assert stopping(counter, ON_ITS_WAY) == (notice,)
    maker = somebody(MAKER, Role.MANUFACTURER)
    step(counter, case_id, Move.DISPOSE, maker, text="Destroyed.")
    with counter.services.database.writing() as connection:
        case = cases.case(connection, Desk.INVESTIGATIONS, case_id, MAKER)
        cases.keep(connection, case_id, {**case.data, "incident_number": "FDA-1"})
    form_of(counter, case_id, FormKind.TERMINATION, MAKER, termination_reason="All is destroyed.")
    step(counter, case_id, Move.REQUEST_TERMINATION, maker)
    step(counter, case_id, Move.TERMINATE, maker, text="FDA agreed.")
    assert stopping(counter, ON_ITS_WAY) == ()
    with counter.services.database.reading() as connection:
        ended = cases.case(connection, Desk.INVESTIGATIONS, notice, PHARMACY)
    assert (ended.state, ended.root_cause, ended.is_open) == ("terminated", "set_apart", False)

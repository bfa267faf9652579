"""Form FDA 3911: every item by its name, what is missing said, and a PDF that says the same each time."""

from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest

from app.investigations.form3911 import ITEMS, LONGEST_TEXT, Form3911, FormKind, problems, shown
from app.investigations.pdf import _fonts, _styles, _table, render

FORM = Form3911(
    kind=FormKind.INITIAL,
    determined_date="2026-11-20",
    classification="counterfeit",
    product_name="Sonnenal",
    ingredients="Sonnenalum chloratum",
    drug_use="human",
    drug_description="finished_prescription",
    strength="50 mg",
    dosage_form="Multiple",
    quantity="2",
    quantity_unit="packages",
    ndc="9999-0101-1",
    serials=("1", "2"),
    lots=("LOT42",),
    expiries=("2028-05-31",),
    event_description="The serial was dispensed elsewhere.",
    other_reports=("none",),
    company_name="Corner Pharmacy",
    company_address="1 Main Street\nSpringfield",
    contact_name="Quinn",
    contact_email="quinn@pharmacy.example",
    contact_phone="+1 555 0100",
)


def test_every_item_of_the_form_is_a_field_and_every_field_an_item() -> None:
    assert [name for name, _, _ in ITEMS] == [each.name for each in fields(Form3911)]
    numbers = [int(number) for _, number, _ in ITEMS]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, 25))


def test_a_complete_initial_notification_has_no_incident_number() -> None:
    assert problems(FORM) == {}
    assert list(problems(replace(FORM, incident_number="X1"))) == ["incident_number"]


def test_a_follow_up_and_a_termination_need_the_number_and_the_latter_its_reason() -> None:
    follow_up = replace(FORM, kind=FormKind.FOLLOW_UP)
    assert problems(follow_up).keys() == {"incident_number", "initial_date"}
    numbered = replace(follow_up, incident_number="X1", initial_date="2026-11-21")
    assert problems(numbered) == {}
    termination = replace(numbered, kind=FormKind.TERMINATION)
    assert problems(termination).keys() == {"termination_reason"}
    assert problems(replace(termination, termination_reason="All is destroyed.")) == {}
    assert problems(replace(numbered, termination_reason="x")).keys() == {"termination_reason"}


def test_a_program_may_send_lists_as_lists_or_as_text_and_anything_else_is_text() -> None:
    raw = {"kind": "initial", "serials": ["1", 2, "1"], "lots": "A\n B \n", "expiries": 5, "strength": 50}
    form = Form3911.parse(raw)
    assert (form.serials, form.lots, form.expiries, form.strength) == (("1", "2"), ("A", "B"), ("5",), "50")


WRONG = [
    ("classification", "several"),
    ("drug_use", "fish"),
    ("determined_date", "20 Nov 2026"),
    ("determined_date", "20261120"),
    ("expiries", ("2028-05",)),
    ("quantity", "two"),
    ("other_reports", ("letter",)),
    ("event_description", "x" * (LONGEST_TEXT + 1)),
    ("serials", tuple(map(str, range(3000)))),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_what_is_malformed_is_named(name: str, value: object) -> None:
    assert problems(replace(FORM, **{name: value})).keys() == {name}


@pytest.mark.parametrize("name", ["product_name", "ndc", "lots", "event_description", "contact_email"])
def test_what_is_missing_is_named_with_its_item(name: str) -> None:
    [found] = problems(replace(FORM, **{name: type(getattr(FORM, name))()})).values()
    assert "missing (item " in found


def test_a_form_is_kept_and_read_back_and_typed_lists_are_lines() -> None:
    assert Form3911.from_json(FORM.as_json()) == FORM
    typed = Form3911.parse({"kind": "initial", "serials": "a1/B%\r\n\r\n a1/B% \r\nABC", "unknown": "x"})
    assert typed.serials == ("a1/B%", "ABC")
    with pytest.raises(ValueError, match="letter"):
        Form3911.parse({"kind": "letter"})


def test_the_pdf_is_the_same_each_time_and_takes_any_text() -> None:
    hostile = replace(
        FORM,
        product_name="<b>&amp;</para> \u0000\u202e",
        event_description="\n".join(["line <i>"] * 400) + "x" * 3000,
        serials=tuple(f"A1B2C3D4{number:012}" for number in range(1500)),
    )
    for form in (FORM, hostile):
        made = [
            render(form, case_id="case_x", made_at=datetime(2026, 11, 20, tzinfo=UTC), made_by="q<uinn")
            for _ in range(2)
        ]
        assert made[0] == made[1]
        assert made[0].startswith(b"%PDF-")
    rows = {number: value for number, _, value in shown(FORM)}
    assert (rows["5"], rows["1"], rows["2"]) == ("Counterfeit", "Initial notification", "")


def test_who_sends_the_form_stays_on_one_page() -> None:
    table = _table(FORM, _styles(*_fonts()))
    _, height = table.wrap(500, 5_000)
    first, second = table.split(500, height - 10)  # room for all but the last line
    assert (first._nrows, second._nrows) == (len(ITEMS) - 6, 6)
    # What does not fit on a page is split all the same.
    long = _table(replace(FORM, company_address="x\n" * 100), _styles(*_fonts()))
    _, height = long.wrap(500, 5_000)
    assert long.split(500, height - 10)[1]._nrows == 1

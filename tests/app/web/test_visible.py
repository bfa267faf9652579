"""What cannot be seen is shown by its number, on any page, and nothing else is touched."""

import pytest
from markupsafe import Markup

from app.partners import service as partners
from app.shared.actor import Role
from app.web.visible import shown
from tests.support.app import GLN_B

SPOOFS = {
    "pay\u202eload": "pay[U+202E]load",
    "\u2066in\u2069": "[U+2066]in[U+2069]",
    "a\x00b\x1bc\x7f\x9b": "a[U+0000]b[U+001B]c[U+007F][U+009B]",
    "zero\u200bwidth\ufeff": "zero[U+200B]width[U+FEFF]",
    "two\u2028lines": "two[U+2028]lines",
    "\u200fshort": "[U+200F]short",
    "Ac\u200dme": "Ac[U+200D]me",
    "Acme\u200c": "Acme[U+200C]",
    "Ac\ufe0fme\U000e0101": "Ac[U+FE0F]me[U+E0101]",
    "Ac\u034fme\u2800": "Ac[U+034F]me[U+2800]",
}


@pytest.mark.parametrize("text", SPOOFS)
def test_it_is_shown_by_its_number(text):
    assert shown(text) == SPOOFS[text]


@pytest.mark.parametrize(
    "text",
    [
        "Zürich",
        "صيدلية",
        "薬局",
        "می\u200cخواهم",
        "❤\ufe0f",
        "👩\u200d🔬 葛\U000e0100",
        "a\tb\nc\r\n",
        "01\x1d17\x1e\x04",
        "",
    ],
)
def test_words_of_any_script_and_separators_of_barcodes_stay(text):
    assert shown(text) is text


def test_markup_stays_markup():
    made = shown(Markup("<b>\u202e</b>"))
    assert (made, type(made)) == ("<b>[U+202E]</b>", Markup)


def test_a_partners_name_that_turns_the_text_about_is_seen_on_a_page(sqlite_node):
    with sqlite_node.services.database.writing() as connection:
        partners.register(connection, sqlite_node.clock, GLN_B, "Middle\u202eelaselohW", "wholesaler")
    page = sqlite_node.signed_in_as(Role.WAREHOUSE).get("/ship")
    assert page.status_code == 200
    assert "Middle[U+202E]elaselohW" in page.text
    assert "\u202e" not in page.text

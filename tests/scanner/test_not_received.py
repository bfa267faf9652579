"""A container that a bench does not receive by its label: the reason it gives is the one there is."""

from dataclasses import replace

import pytest

from ledger.custody.verdict import Reason, Word
from scanner.commands.receive import _not_received
from scanner.lookup.port import Contents
from scanner.ui.words import REASONS
from tests.scanner.test_plain import ANSWER

HELD = replace(ANSWER, word=Word.DO_NOT_USE, reason=Reason.HELD.value)


@pytest.mark.parametrize(
    ("by_word", "investigations", "why"),
    [
        ({}, (), f"{REASONS[Reason.HELD]}."),  # of what is in it nothing is a package
        ({}, ("Blurred print",), "something in it is being investigated."),
        ({Word.DO_NOT_USE.value: 1}, ("Blurred print",), "1 of 2 packages in it is to be set apart."),
    ],
)
def test_it_says_why(by_word: dict[str, int], investigations: tuple[str, ...], why: str) -> None:
    before = replace(HELD, contents=Contents(2, by_word, 0, 0), investigations=investigations)
    told = _not_received(before, "https://id.gs1.org/00/003999990000000017", "pallet.png", quiet=True)["told"]
    assert told == f"Not received: {why} Nothing was reported."

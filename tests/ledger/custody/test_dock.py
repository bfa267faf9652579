"""Whether a container's label takes in what is in it: the table of the page and of the bench."""

import pytest

from ledger.custody.dock import is_taken_whole, needs_hold
from ledger.custody.verdict import Word


@pytest.mark.parametrize(
    ("word", "whole", "hold"),
    [
        (Word.OK, True, False),
        (Word.CANNOT_CONFIRM, True, False),
        (Word.DETAILS_DIFFER, False, True),
        (Word.DO_NOT_USE, False, False),
        (Word.SUSPECT, False, True),
        (Word.COULD_NOT_READ, False, True),
    ],
)
def test_what_is_set_apart_is_not_taken_whole_and_is_held_where_nothing_stops_it(word, whole, hold):
    assert is_taken_whole(word) is whole
    assert needs_hold(word) is hold


def test_what_is_being_investigated_is_never_taken_whole():
    assert not any(is_taken_whole(word, investigated=True) for word in Word)

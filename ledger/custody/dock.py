"""Whether the label of a container may take in all that is in it: one rule for the page, the interface and the bench.

Whoever takes a container by its label takes what nobody looks at. That is right where nothing in it has to be set
apart, and where something has, somebody decides first: open it, or set it apart as it is::

    is_taken_whole(Word.OK)                            True: one scan receives it
    is_taken_whole(Word.DO_NOT_USE)                    False: a package in it is recalled, expired, on hold
    is_taken_whole(Word.OK, investigated=True)         False: one in it is being looked into

The word is the worst of the container's own and of all packages in it (`ledger.custody.verdict.worst`). Pure.
"""

from ledger.custody.verdict import Word

MOST_APART = 500
"""Packages of a container that are named one by one: of more, all of it is set apart, or each is scanned."""

_TAKEN = frozenset({Word.OK, Word.CANNOT_CONFIRM})
# The record itself stops what is recalled, expired, held or used up: nothing need be said about it.
_STOPPED = frozenset({Word.DO_NOT_USE})


def is_taken_whole(word: Word, *, investigated: bool = False) -> bool:
    """Whether one scan takes a container of which this is the worst word. `investigated`: something in it, or around
    it, is at the desk of investigations of who takes it."""
    return word in _TAKEN and not investigated


def needs_hold(word: Word) -> bool:
    """Whether a package of which this is the word, and which is set apart, has to be put on hold: nothing in the record
    would stop it."""
    return word not in _TAKEN and word not in _STOPPED

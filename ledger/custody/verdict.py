"""The answer to a scan: one of six words, why, and what to do next.

A table and nothing else: `Facts` are what is known, each `Reason` is a test on them, in order of precedence.
The first that applies is the verdict, the others stand below it. Causes are never merged: a clerical mismatch
must not look like a fake. Every reason has its heading in docs/reference/verdicts.md, in this order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from ledger.custody.event import time_of
from ledger.custody.state import CONSUMED, Item, World, lot_key

RESCAN_WINDOW = timedelta(hours=24)
"""How long after dispensing a scan at the same place counts as a rescan (needs page)."""


class Word(StrEnum):
    """The six verdicts, the gravest first."""

    COULD_NOT_READ = "COULD NOT READ"
    SUSPECT = "SUSPECT"
    DO_NOT_USE = "GENUINE, DO NOT USE"
    DETAILS_DIFFER = "DETAILS DIFFER"
    CANNOT_CONFIRM = "CANNOT CONFIRM YET"
    OK = "OK"


class Reason(StrEnum):
    """Why; in order of precedence."""

    NOTHING_DECODED = "nothing_decoded"
    SEPARATOR_LOST = "separator_lost"
    NAMES_NO_PACKAGE = "names_no_package"
    UNREADABLE = "unreadable"
    TWO_CUSTODIANS = "two_custodians"
    IMPOSSIBLE_TRAVEL = "impossible_travel"
    SEEN_AFTER_END = "seen_after_end"
    NEVER_MADE = "never_made"
    RECALLED = "recalled"
    EXPIRED = "expired"
    HELD = "held"
    DECOMMISSIONED = "decommissioned"
    ENDED_HERE = "ended_here"
    LOT_DIFFERS = "lot_differs"
    EXPIRY_DIFFERS = "expiry_differs"
    SHIPPED_ELSEWHERE = "shipped_elsewhere"
    NOT_OURS = "not_ours"
    NOT_FOUND_IN_CONTAINER = "not_found_in_container"
    IN_PROGRESS = "in_progress"
    NO_RECORD = "no_record"
    NOT_COMMISSIONED = "not_commissioned"
    MAKER_NOT_VOUCHED = "maker_not_vouched"
    OFFLINE_TOO_OLD = "offline_too_old"
    OK = "ok"


class MakerSays(StrEnum):
    """What the maker of a package answers about it from a node of its own (GS1 product verification)."""

    CONFIRMS = "confirms"
    LOT_DIFFERS = "lot_differs"
    EXPIRY_DIFFERS = "expiry_differs"
    RECALLED = "recalled"
    EXPIRED = "expired"
    NOT_FOR_USE = "not_for_use"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when somebody scans. `item` is the record (None: no record).

    `around` are the containers of `World.around`, the nearest first: a hold, a recall and an end of any of them
    count for what is inside. Nobody gets a verdict without having said what is around: `Facts.of` reads it, and
    whether the lot is recalled, out of a world.
    `asker` is the GLN of the party that scans, None for somebody who holds nothing (an inspector). `label_lot` and
    `label_expiry` are what the label says, None where it does not. `unreadable` is why nothing could be
    identified. `maker_denies`: the party that makes this GTIN answers, here or from its own node, that it has never
    made this serial. `maker_says`: what else it answered from its own node, asked where there is no record here; no
    answer is no fact. `site`: the GLN of the asker's site where the scan is made, `ended_site`: of that where it was
    dispensed or destroyed; None where nobody said. `vouched`: whether somebody vouches that the party that commissioned
    it makes this product.
    """

    now: datetime
    item: Item | None
    around: tuple[Item, ...]
    asker: str | None = None
    label_lot: str | None = None
    label_expiry: date | None = None
    unreadable: Reason | None = None
    maker_denies: bool = False
    maker_says: frozenset[MakerSays] = frozenset()
    lot_recalled: bool = False
    impossible_travel: bool = False
    in_progress: bool = False
    offline_too_old: bool = False
    site: str | None = None
    ended_site: str | None = None
    vouched: bool = True

    @classmethod
    def of(cls, world: World, item: Item | None, now: datetime, **known: Any) -> Facts:
        """What `world` knows of `item` (None: no record), and what else is `known`. `world` has to have in it what is
        around the item, and its lot."""
        if item is None:
            return cls(now, None, (), **known)
        recalled = item.lot is not None and world.item(lot_key(item)).recalled
        return cls(now, item, world.around(item), lot_recalled=recalled, **known)

    @property
    def outer(self) -> Item | None:
        """The outermost object around the record, or the record: the one whose custody and ownership count."""
        return self.around[-1] if self.around else self.item


@dataclass(frozen=True, slots=True)
class Verdict:
    """The word shown, its reason, the other reasons that hold, and the next step in words."""

    word: Word
    reason: Reason
    others: tuple[Reason, ...]
    next_step: str


def _known(facts: Facts) -> Item | None:
    """The record where its maker has told of it: what nobody has made is never called genuine."""
    return facts.item if facts.item is not None and facts.item.maker is not None else None


def _with_containers(facts: Facts) -> tuple[Item, ...]:
    """The record and what stands for it: a hold of a pallet holds what is in it."""
    return (facts.item, *facts.around) if facts.item is not None else ()


def _gone(facts: Facts) -> Item | None:
    """What was dispensed or destroyed: the package itself, or a container with it inside."""
    return next((each for each in _with_containers(facts) if each.status in CONSUMED), None)


def _ended_here(facts: Facts) -> bool:
    gone = _gone(facts)
    if gone is None or gone.ended_at is None:
        return False
    here = facts.asker is None or facts.asker == gone.ended_by
    if None not in (facts.site, facts.ended_site):
        here = here and facts.site == facts.ended_site  # a company has many sites: a rescan is at the same
    return here and facts.now - time_of(gone.ended_at) <= RESCAN_WINDOW


def _seen_after_end(facts: Facts) -> bool:
    return _gone(facts) is not None and not _ended_here(facts)


def _decommissioned(facts: Facts) -> bool:
    item = _known(facts)
    return item is not None and item.ended and item.status not in CONSUMED


def _overlaid(test: Callable[[Item], bool]) -> Callable[[Facts], bool]:
    return lambda facts: _known(facts) is not None and any(test(each) for each in _with_containers(facts))


def _expired(facts: Facts) -> bool:
    item = _known(facts)
    if item is None or item.expiry is None:
        return MakerSays.EXPIRED in facts.maker_says
    return date.fromisoformat(item.expiry) < facts.now.date()


def _lot_differs(facts: Facts) -> bool:
    item = _known(facts)
    if item is None:
        return MakerSays.LOT_DIFFERS in facts.maker_says
    return None not in (facts.label_lot, item.lot) and facts.label_lot != item.lot


def _expiry_differs(facts: Facts) -> bool:
    item = _known(facts)
    if item is None:
        return MakerSays.EXPIRY_DIFFERS in facts.maker_says
    if item.expiry is None or facts.label_expiry is None:
        return False
    return facts.label_expiry != date.fromisoformat(item.expiry)


def _with_asker(facts: Facts) -> Item | None:
    """The outermost object where 'is it ours?' makes sense: somebody has it, and the one who asks could."""
    outer = facts.outer
    if facts.asker is None or outer is None or outer.holder is None or facts.item is None:
        return None
    return None if facts.item.ended or _gone(facts) else outer


def _shipped_elsewhere(facts: Facts) -> bool:
    outer = _with_asker(facts)
    return outer is not None and outer.in_transit and outer.bound_for != facts.asker


def _not_ours(facts: Facts) -> bool:
    outer = _with_asker(facts)
    return outer is not None and not outer.in_transit and outer.holder != facts.asker


_is_recalled = _overlaid(lambda item: item.recalled)
_is_held = _overlaid(lambda item: item.held is not None)


def _item(test: Callable[[Item], bool]) -> Callable[[Facts], bool]:
    return lambda facts: facts.item is not None and test(facts.item)


_UNREADABLE = (Reason.NOTHING_DECODED, Reason.SEPARATOR_LOST, Reason.NAMES_NO_PACKAGE)

# Reason, word, test, next step. The order is the precedence.
TABLE: tuple[tuple[Reason, Word, Callable[[Facts], bool], str], ...] = (
    (
        Reason.NOTHING_DECODED,
        Word.COULD_NOT_READ,
        lambda f: f.unreadable is Reason.NOTHING_DECODED,
        "Scan again: turn the pack, wipe the label, or type what is printed below the code.",
    ),
    (
        Reason.SEPARATOR_LOST,
        Word.COULD_NOT_READ,
        lambda f: f.unreadable is Reason.SEPARATOR_LOST,
        "Scan again. If it stays, the scanner drops the group separator: switch on GS (ASCII 29), or type the label.",
    ),
    (
        Reason.NAMES_NO_PACKAGE,
        Word.COULD_NOT_READ,
        lambda f: f.unreadable is Reason.NAMES_NO_PACKAGE,
        "This code names a product, not a pack. Scan the square code with the serial number.",
    ),
    (
        Reason.UNREADABLE,
        Word.COULD_NOT_READ,
        lambda f: f.unreadable is not None and f.unreadable not in _UNREADABLE,
        "Scan again, or type what is printed below the code. The raw text is shown.",
    ),
    (
        Reason.TWO_CUSTODIANS,
        Word.SUSPECT,
        _item(lambda item: item.disputed),
        "Potential suspect: set it apart and tell quality. "
        "Two parties that no shipment links have both had this serial.",
    ),
    (
        Reason.IMPOSSIBLE_TRAVEL,
        Word.SUSPECT,
        lambda f: f.impossible_travel or any(each.travelled for each in _with_containers(f)),
        "Potential suspect: set it apart and tell quality. It was seen too far away too recently.",
    ),
    (
        Reason.SEEN_AFTER_END,
        Word.SUSPECT,
        _seen_after_end,
        "Potential suspect: set it apart and tell quality. This serial was dispensed or destroyed before, "
        "at another place or more than 24 hours ago.",
    ),
    (
        Reason.NEVER_MADE,
        Word.SUSPECT,
        lambda f: f.maker_denies and (_known(f) is None or not f.vouched),
        "Potential suspect: set it apart and tell quality. The maker of this product says it never made this serial.",
    ),
    (
        Reason.RECALLED,
        Word.DO_NOT_USE,
        lambda f: (
            MakerSays.RECALLED in f.maker_says
            or (_known(f) is not None and (f.lot_recalled or _is_recalled(f)))
        ),
        "Put it in the recall bin: its maker has recalled it.",
    ),
    (Reason.EXPIRED, Word.DO_NOT_USE, _expired, "Put it in the expired bin."),
    (
        Reason.HELD,
        Word.DO_NOT_USE,
        lambda f: MakerSays.NOT_FOR_USE in f.maker_says or _is_held(f),
        "Leave it in quarantine: it is on hold.",
    ),
    (
        Reason.DECOMMISSIONED,
        Word.DO_NOT_USE,
        _decommissioned,
        "Set it apart and tell quality: its serial number was taken out of use.",
    ),
    (
        Reason.ENDED_HERE,
        Word.DO_NOT_USE,
        lambda f: _known(f) is not None and _ended_here(f),
        "It was dispensed or destroyed here within the last 24 hours. If this is a rescan, nothing is to do; "
        "do not give it out again.",
    ),
    (
        Reason.LOT_DIFFERS,
        Word.DETAILS_DIFFER,
        _lot_differs,
        "Set it aside and open an exception: the lot on the label differs from the record.",
    ),
    (
        Reason.EXPIRY_DIFFERS,
        Word.DETAILS_DIFFER,
        _expiry_differs,
        "Set it aside and open an exception: the expiry on the label differs from the record.",
    ),
    (
        Reason.SHIPPED_ELSEWHERE,
        Word.DETAILS_DIFFER,
        _shipped_elsewhere,
        "Set it aside and open an exception: it was shipped to somebody else.",
    ),
    (
        Reason.NOT_OURS,
        Word.DETAILS_DIFFER,
        _not_ours,
        "Set it aside and open an exception: by the record, you are not its holder.",
    ),
    (
        Reason.NOT_FOUND_IN_CONTAINER,
        Word.DETAILS_DIFFER,
        lambda f: any(each.missing for each in _with_containers(f)),
        "Set it aside and add it to the open shortage: it was missing when its case was opened.",
    ),
    (
        Reason.IN_PROGRESS,
        Word.CANNOT_CONFIRM,
        lambda f: f.in_progress,
        "Wait a moment: the document that names it is still being taken in.",
    ),
    (
        Reason.NO_RECORD,
        Word.CANNOT_CONFIRM,
        lambda f: f.item is None and f.unreadable is None,
        "Set it aside. Ask the seller for the data of this delivery; it is checked again by itself.",
    ),
    (
        Reason.NOT_COMMISSIONED,
        Word.CANNOT_CONFIRM,
        lambda f: f.item is not None and _known(f) is None,
        "Set it aside. It was shipped, but its maker's data has not arrived: ask the seller for it.",
    ),
    (
        Reason.MAKER_NOT_VOUCHED,
        Word.CANNOT_CONFIRM,
        lambda f: _known(f) is not None and not f.vouched and MakerSays.CONFIRMS not in f.maker_says,
        "Set it aside. Nobody vouches that who commissioned it makes this product: ask the seller who made it, and the "
        "node's operator to enter its maker.",
    ),
    (
        Reason.OFFLINE_TOO_OLD,
        Word.CANNOT_CONFIRM,
        lambda f: f.offline_too_old,
        "Set it aside until you are online: what is known here is too old.",
    ),
    (Reason.OK, Word.OK, lambda f: True, "Continue."),
)


def judge(facts: Facts) -> Verdict:
    """The verdict on `facts`."""
    holding = [(reason, word, step) for reason, word, test, step in TABLE if test(facts)]
    reason, word, step = holding[0]
    others = tuple(other for other, _, _ in holding[1:] if other is not Reason.OK)
    return Verdict(word, reason, others, step)


def worst(words: list[Word]) -> Word:
    """The gravest of some verdicts: what a container's scan shows."""
    order = list(Word)
    return min(words, key=order.index)

"""What stands against shipping something: every reason at once, each with how often and the first examples. Pure.

    against_contents(world, subjects, inside, asker, now, ...)    custody: held by us, nothing wrong with it, any depth
    collect([(code, message, epc), ...])                          [Obstacle(code, message, count, examples), ...]

A command is refused with reasons before any event exists. Which ones there are stands in docs/reference/api.md.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.transactions.rules import shown
from ledger.custody.state import Item, World
from ledger.custody.verdict import Facts, Reason, judge

MOST_EXAMPLES = 3
MOST_CODES = 500  # scanned into one shipment
MOST_OBJECTS = 20_000  # with all that is in them


class Purpose(StrEnum):
    """Why something is shipped."""

    SALE = "sale"  # a change of ownership: transaction information and statement go with it
    MOVE = "move"  # to an own site or to a logistics provider: custody alone


class Code(StrEnum):
    """Why a shipment is refused, in the order in which it is told."""

    NOTHING = "nothing"
    TOO_MANY = "too_many"
    UNREADABLE = "unreadable"
    NAMES_NO_PACKAGE = "names_no_package"
    TWICE = "twice"
    CUSTOMER = "customer"
    CUSTOMER_NOT_AUTHORIZED = "customer_not_authorized"
    SELLER_NOT_AUTHORIZED = "seller_not_authorized"
    RECIPIENT_NOT_AUTHORIZED = "recipient_not_authorized"
    OUTSIDE_MARKET = "outside_market"
    NO_ORDER = "no_order"
    NOT_HELD = "not_held"
    IN_TRANSIT = "in_transit"
    STILL_PACKED = "still_packed"
    NOT_OWNED = "not_owned"
    SUSPECT = "suspect"
    RECALLED = "recalled"
    EXPIRED = "expired"
    HELD = "held"
    ENDED = "ended"
    MISSING = "missing"
    NOT_CONFIRMED = "not_confirmed"
    OPEN_CASE = "open_case"
    INFORMATION = "information"
    NOT_AFFIRMED = "not_affirmed"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One reason. `count` objects are concerned, of which `examples` are the first (as people write them)."""

    code: Code
    message: str
    count: int = 0
    examples: tuple[str, ...] = ()


Found = tuple[Code, str, str]
"""(code, message, canonical EPC or "")."""

# What the table of verdicts says of a package, as a reason not to ship it. What is not here does not hinder it.
REASONS: Mapping[Reason, tuple[Code, str]] = {
    Reason.TWO_CUSTODIANS: (Code.SUSPECT, "potential suspect: seen by two parties that no shipment links"),
    Reason.IMPOSSIBLE_TRAVEL: (Code.SUSPECT, "potential suspect: seen too far away too recently"),
    Reason.SEEN_AFTER_END: (Code.ENDED, "dispensed or destroyed before"),
    Reason.ENDED_HERE: (Code.ENDED, "dispensed or destroyed here"),
    Reason.DECOMMISSIONED: (Code.ENDED, "its serial number was taken out of use"),
    Reason.RECALLED: (Code.RECALLED, "recalled by its maker"),
    Reason.EXPIRED: (Code.EXPIRED, "past its expiry date"),
    Reason.HELD: (Code.HELD, "on hold"),
    Reason.SHIPPED_ELSEWHERE: (Code.IN_TRANSIT, "under way already"),
    Reason.NOT_OURS: (Code.NOT_HELD, "not in your hands, by the record"),
    Reason.NOT_FOUND_IN_CONTAINER: (Code.MISSING, "missing when its container was opened"),
    Reason.IN_PROGRESS: (Code.NOT_CONFIRMED, "named by a document that is still being taken in"),
    Reason.NO_RECORD: (Code.NOT_HELD, "not in your hands: there is no record of it, or none for you"),
    Reason.NOT_COMMISSIONED: (Code.NOT_CONFIRMED, "its maker's data has not arrived"),
}
_OF_ITS_CUSTODY = frozenset({Reason.SHIPPED_ELSEWHERE, Reason.NOT_OURS})


def collect(found: Iterable[Found]) -> list[Obstacle]:
    """What was found, one obstacle for each message, in the order of their codes."""
    grouped: dict[tuple[Code, str], dict[str, None]] = {}
    for code, message, epc in found:
        grouped.setdefault((code, message), {})[epc] = None
    order = list(Code)
    obstacles = []
    for (code, message), epcs in sorted(grouped.items(), key=lambda entry: order.index(entry[0][0])):
        named = [shown(epc) for epc in sorted(epc for epc in epcs if epc)]
        obstacles.append(Obstacle(code, message, len(named), tuple(named[:MOST_EXAMPLES])))
    return obstacles


def against_contents(
    world: World,
    subjects: Collection[str],
    asker: str,
    now: datetime,
    *,
    sells: bool,
    pending: Collection[str] = (),
) -> Iterator[Found]:
    """What stands against shipping `subjects` (canonical EPCs), and what is inside them at any depth.

    `pending`: those that a document names which is being applied.
    """
    chosen = frozenset(subjects)
    for key in sorted(chosen):
        item = world.items.get(key)
        if item is None or not concerns(world, key, asker):
            # What is not this party's cannot be told from what there is not.
            yield (*REASONS[Reason.NO_RECORD], key)
            continue
        yield from _against_subject(world, item, chosen, asker, sells)
        for each in _with_contents(world, item):
            yield from _against_one(world, each, key, asker, now, each.key in pending)


def concerns(world: World, key: str, asker: str) -> bool:
    """Whether the object `key` is anything of this party's: it has it, had it last, made it, or gets it."""
    item = world.items.get(key)
    if item is None:
        return False
    outer = world.outer(item)
    return asker in (item.maker, item.ended_by, outer.holder, outer.owner, outer.bound_for, outer.sender)


def _against_subject(
    world: World, item: Item, chosen: frozenset[str], asker: str, sells: bool
) -> Iterator[Found]:
    around = world.around(item)
    outer = around[-1] if around else item
    if around and chosen.isdisjoint(box.key for box in around):
        yield (
            Code.STILL_PACKED,
            f"still packed in {shown(around[0].key)}: take it out, or ship that",
            item.key,
        )
    elif around:
        yield Code.TWICE, "in a container that is in this shipment too", item.key
    if outer.in_transit and outer.bound_for == asker:
        yield Code.IN_TRANSIT, "on its way to you: receive it first", item.key
    if sells and outer.holder == asker and outer.owner not in (None, asker):
        yield Code.NOT_OWNED, "in your hands, but its title is another's: only its owner sells it", item.key


def _with_contents(world: World, item: Item) -> Iterator[Item]:
    waiting = [item]
    seen = {item.key}
    while waiting:
        each = waiting.pop()
        yield each
        for key in sorted(world.contents(each.key) - seen):
            seen.add(key)
            waiting.append(world.item(key))


def _against_one(
    world: World, item: Item, subject: str, asker: str, now: datetime, pending: bool
) -> Iterator[Found]:
    verdict = judge(
        Facts.of(world, item, now, asker=asker, in_progress=pending),
    )
    for reason in (verdict.reason, *verdict.others):
        if reason is Reason.OK or reason not in REASONS:
            continue
        if reason in _OF_ITS_CUSTODY and item.key != subject:
            continue  # it shares its container's custody: told once, of that
        if reason is Reason.NOT_COMMISSIONED and world.contents(item.key):
            continue  # nobody has to commission a pallet (CBV 2.0, 7.1)
        yield (*REASONS[reason], item.key)

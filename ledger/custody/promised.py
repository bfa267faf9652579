"""To whom one sender has promised one object, beside the shipment that counts.

A sender may tell of two shipments of one object, by mistake or to lead it away from whoever has got it: a report may
be dated back. His own word cannot decide which is true, so the first that vouches for receiving decides, and until then
all of them are remembered (`ledger.custody.promise`), in custody's order, whatever order they came in.
"""

from __future__ import annotations

from ledger.custody.promise import ANYBODY, Promise, remembered
from ledger.custody.run import Run
from ledger.custody.state import Item


def promised(item: Item) -> list[Promise]:
    """What is remembered with one object, in the order in which it happened."""
    return [Promise.parse(text) for text in item.also_to.split()]


def with_promise(item: Item, promise: Promise) -> str:
    """What to remember of `item` with one more. Of too many, that its sender told of more: else he would lead it away
    from whom he sold it to by telling of so many others first."""
    return remembered([*item.also_to.split(), promise.text()])


def kept_of(item: Item, sender: str) -> str:
    """What is remembered of `sender`'s shipments alone."""
    return " ".join(each.text() for each in promised(item) if each.sender == sender)


def kept_for_others(item: Item, outer: Item, by: str) -> str:
    """What is remembered of the sender's shipments to others than `by`, who has received `item` out of `outer`: another
    that vouches for a receipt too has one as good, and where the sender received it himself, a better one."""
    if outer.sender is None:
        return ""
    known = [each for each in promised(item) if (each.sender, each.recipient) != (outer.sender, by)]
    if outer.bound_for not in (None, by, outer.sender):
        sold = outer.offered_to if outer.owner == outer.sender else None
        known.append(Promise(outer.sender, outer.bound_for, sold))
    return remembered([each.text() for each in known if each.sender == outer.sender])


def _is_to(each: Promise, run: Run, sender: str | None) -> bool:
    """Whether this promise of `sender` is one to the party that reports; a forgotten one is where it names him."""
    if each.sender != sender:
        return False
    return each.recipient == run.act.by or (each.recipient == ANYBODY and run.act.sender == sender)


def double(run: Run, item: Item) -> bool:
    """Whether who reports the receipt of `item` was promised it by the very sender from whom its holder has it: two
    shipments of one object by one sender, and both received."""
    outer, by = run.outer(item), run.act.by
    is_with_another = not outer.in_transit and outer.holder not in (None, by, outer.sender)
    return is_with_another and any(
        _is_to(each, run, outer.sender) for box in (item, *run.around(item)) for each in promised(box)
    )


def to_receiver(run: Run, item: Item) -> list[Promise]:
    """What its present sender has promised of `item`, or of what it is in, to the party that reports its receipt.

    What the sender has taken back counts too, where the receiver names him: both ends then tell of one shipment."""
    outer, by = run.outer(item), run.act.by
    if outer.sender is None or (not outer.in_transit and run.act.sender != outer.sender):
        return []
    if not outer.in_transit and outer.holder != outer.sender:
        return []
    return [
        Promise(each.sender, by, by if each.buyer == ANYBODY else each.buyer)
        for box in dict.fromkeys((item, *run.around(item)))
        for each in promised(box)
        if _is_to(each, run, outer.sender)
    ]

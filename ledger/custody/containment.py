"""What is inside what: packing, unpacking, and counting what is there."""

from __future__ import annotations

from ledger.custody.findings import FindingCode
from ledger.custody.run import Run, each_once
from ledger.custody.state import CONSUMED, Item, is_inferred, replace


def pack(run: Run) -> None:
    """Put into a container, by whoever holds both. What is refused stays where it is."""
    parent = run.item(run.act.event.parent or "")
    if not run.may_act(parent) or not run.alive(parent):
        return
    closed = {parent.key, *(container.key for container in run.around(parent))}
    named = frozenset(run.act.event.children)
    for key in sorted(named):
        child = run.item(key)
        if child.parent == parent.key or not named.isdisjoint(box.key for box in run.around(child)):
            continue  # it is there already, or comes along in another one of the list
        if key in closed:
            run.find(FindingCode.CONTAINMENT_CYCLE, "a container cannot be inside itself", key, parent.key)
            continue
        if not run.may_act(child) or not run.alive(child):
            continue
        parent = _put_in(run, child, parent)


def _put_in(run: Run, child: Item, parent: Item) -> Item:
    """The container with `child` in it. A container that nobody holds yet is held by whoever packs it, and an
    empty one belongs to whom its first content belongs to: what is inside inherits from it, so packing must not
    change whose something is."""
    was_in = child.parent
    child = run.take_out(child)
    outer = run.outer(parent)
    if outer.key == parent.key and run.is_empty(parent.key):
        parent = replace(
            parent,
            owner=child.owner or parent.owner or run.act.by,
            past_owners=child.past_owners,
            offered_to=child.offered_to,
        )
        if parent.holder is None:
            parent = replace(parent, holder=run.act.by, custody_since=run.at)
    elif child.owner is not None and child.owner != outer.owner:
        run.find(FindingCode.MIXED_OWNERS, "belongs to another than its container", child.key, parent.key)
        return parent
    elif child.offered_to != outer.offered_to:
        message = "its title is offered to another than that of its container"
        run.find(FindingCode.MIXED_OWNERS, message, child.key, parent.key)
        return parent
    else:
        _know_less(run, outer, child)
        parent = run.item(parent.key)
    if was_in is not None:
        run.find(
            FindingCode.TWO_PARENTS,
            "packed again without being unpacked from its container",
            child.key,
            was_in,
        )
    run.set(child, parent=parent.key, inside_since=run.at)
    return run.set(parent)


def _know_less(run: Run, outer: Item, child: Item) -> None:
    """A container remembers of its past owners those that all of its contents had: what it says of each must be so."""
    past = [gln for gln in outer.past_owners.split() if gln in child.past_owners.split()]
    if len(past) < len(outer.past_owners.split()):
        run.set(replace(outer, past_owners=" ".join(past)))


def unpack(run: Run) -> None:
    """Take children out of their container; a list without children means all of them (EPCIS 2.0, 7.4.3)."""
    event = run.act.event
    parent = run.item(event.parent or "")
    if not run.may_act(parent) or (parent.status in CONSUMED and not run.alive(parent)):
        return
    for key in each_once(event.children) or sorted(run.contents(parent.key)):
        child = run.item(key)
        if child.parent == parent.key:
            run.set(run.take_out(child))
        else:
            run.find(FindingCode.NOT_INSIDE, "unpacked from a container it was not in", key, parent.key)


def count(run: Run) -> None:
    """An observed aggregation. It says what is missing only where its writer says that he counted (CBV 2.0,
    dispositions mismatch_* and persistent completeness_verified): an ordinary observation may be incomplete
    (EPCIS 2.0, 7.4.2)."""
    parent = run.item(run.act.event.parent or "")
    if run.may_act(parent) and run.alive(parent):
        compare(run, parent)


def compare(run: Run, parent: Item) -> None:
    """What a count found in `parent` against what should be in it."""
    event = run.act.event
    if (
        event.disposition not in ("mismatch_quantity", "mismatch_instance")
        and "completeness_verified" not in event.persistent_set
    ):
        return
    inside = run.contents(parent.key)
    for key in each_once(event.children):
        if key not in inside:
            run.find(FindingCode.OVER, "found in a container that should not hold it", key, parent.key)
    for key in sorted(inside.difference(event.children)):
        _lose(run, run.item(key), parent)


def _lose(run: Run, child: Item, parent: Item) -> None:
    """Not found where its container was opened. Had its holder never named it since it came, then it never came:
    it is still under way from whoever sent the container, and the title with it. Else its holder has lost it."""
    run.find(FindingCode.SHORT, "not found when its container was opened", child.key, parent.key)
    outer = run.outer(child)
    never_came = outer.sender not in (None, run.act.by) and is_inferred(child, outer)
    child = replace(run.take_out(child), missing=True)
    if never_came:
        bought = outer.owner == run.act.by
        child = replace(
            child,
            holder=outer.sender,
            owner=outer.sender if bought else outer.owner,
            in_transit=True,
            bound_for=run.act.by,
            offered_to=run.act.by if bought else outer.offered_to,
        )
    run.set(child)

"""What is inside what: packing, unpacking, and counting what is there."""

from __future__ import annotations

from dataclasses import replace

from ledger.custody.findings import FindingCode
from ledger.custody.run import Run
from ledger.custody.state import Item


def pack(run: Run) -> None:
    act = run.act
    parent = run.item(act.event.parent or "")
    if not run.may_act(parent) or not run.alive(parent):
        return
    around = {parent.key, *run.world.path(parent)}
    for key in act.event.children:
        child = run.item(key)
        if child.parent == parent.key:
            run.set(child)
            continue
        if key in around:
            run.find(FindingCode.CONTAINMENT_CYCLE, "a container cannot be inside itself", key, parent.key)
            continue
        if not run.may_act(child) or not run.alive(child):
            continue
        if child.parent is not None:
            run.find(
                FindingCode.TWO_PARENTS,
                "packed again without being unpacked from its container",
                key,
                child.parent,
            )
            child = run.take_out(child)
        parent = _join_custody(run, parent, child)
        run.set(replace(child, parent=parent.key, inside_since=run.at))
    run.set(parent)


def _join_custody(run: Run, parent: Item, child: Item) -> Item:
    """A container that nobody holds yet is held by whoever packs it; contents of another owner are said."""
    outer = run.outer(parent)
    if outer.holder is None:
        return replace(parent, holder=run.act.by, owner=child.owner or run.act.by, custody_since=run.at)
    if child.owner is not None and outer.owner is not None and child.owner != outer.owner:
        run.find(FindingCode.MIXED_OWNERS, "packed with objects of another owner", child.key, parent.key)
    return parent


def unpack(run: Run) -> None:
    event = run.act.event
    parent = run.item(event.parent or "")
    if not run.may_act(parent):
        return
    for key in event.children or sorted(run.contents(parent.key)):
        child = run.item(key)
        if child.parent == parent.key:
            run.set(run.take_out(child))
        else:
            run.find(FindingCode.NOT_INSIDE, "unpacked from a container it was not in", key, parent.key)
    run.set(parent)


def count(run: Run) -> None:
    """An observed aggregation. It says what is missing only where its writer says that he counted (CBV 2.0,
    dispositions mismatch_* and persistent completeness_verified): an ordinary observation may be incomplete
    (EPCIS 2.0, 7.4.2)."""
    event = run.act.event
    parent = run.item(event.parent or "")
    if not run.may_act(parent):
        return
    counted = (
        event.disposition in ("mismatch_quantity", "mismatch_instance")
        or "completeness_verified" in event.persistent_set
    )
    inside = run.contents(parent.key)
    for key in event.children:
        child = run.item(key)
        if key not in inside and counted:
            run.find(FindingCode.OVER, "found in a container that should not hold it", key, parent.key)
        elif key in inside:
            run.set(child)
    if counted:
        for key in sorted(inside.difference(event.children)):
            _lose(run, run.item(key), parent)
    run.set(parent)


def _lose(run: Run, child: Item, parent: Item) -> None:
    """Not found where its container was opened: it never arrived, so it is still under way from whoever sent
    the container."""
    run.find(FindingCode.SHORT, "not found when its container was opened", child.key, parent.key)
    child = replace(run.take_out(child), missing=True)
    if child.sender is not None:
        child = replace(child, holder=child.sender, owner=child.sender, in_transit=True, bound_for=run.act.by)
    run.set(child)

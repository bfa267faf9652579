"""Who has it and whose it is: shipping, its voiding, receiving, accepting."""

from __future__ import annotations

from dataclasses import replace

from ledger.custody.containment import count
from ledger.custody.findings import FindingCode
from ledger.custody.run import Run, subjects
from ledger.custody.state import Item
from ledger.custody.vocabulary import EventType


def ship(run: Run) -> None:
    """Sent by its holder: under way until somebody receives it. Title is offered only with a transaction statement."""
    act = run.act
    for item in subjects(run):
        outer = run.outer(item)
        if not run.alive(item):
            continue
        if outer.in_transit and outer.sender == act.by:
            run.find(FindingCode.SHIPPED_TWICE, "it is under way already", item.key)
        elif run.may_act(item):
            _send(run, item, outer)
    if act.recipient is None:
        run.find(FindingCode.NO_RECIPIENT, "the shipment does not say whom it goes to (destinationList)")
    if act.moves_title and not act.statement:
        run.find(FindingCode.NO_STATEMENT, "no affirmed transaction statement came with it: title stays")


def _send(run: Run, item: Item, outer: Item) -> None:
    act = run.act
    if item.parent is not None:
        run.find(FindingCode.MOVED_ALONE, "shipped on its own while packed", item.key, item.parent)
    if outer.holder is None:
        run.find(FindingCode.NEVER_COMMISSIONED, "shipped, but its maker has not told of it", item.key)
    if item.held or item.recalled:
        run.find(FindingCode.MOVED_ON_HOLD, "shipped while held or recalled", item.key)
    run.set(
        replace(
            run.take_out(item),
            holder=act.by,
            owner=outer.owner or act.by,
            sender=act.by,
            in_transit=True,
            bound_for=act.recipient,
            offered_to=act.buyer if act.moves_title and act.statement else None,
            custody_since=run.at,
            missing=False,
        )
    )


def void(run: Run) -> None:
    act = run.act
    for item in subjects(run):
        outer = run.outer(item)
        if outer.in_transit and outer.sender == act.by:
            kept = replace(
                run.take_out(item),
                holder=act.by,
                in_transit=False,
                bound_for=None,
                offered_to=None,
                custody_since=run.at,
                missing=False,
            )
            run.set(kept)
        elif outer.holder == act.by:
            run.set(replace(item, missing=False))
        else:
            run.find(FindingCode.VOID_AFTER_RECEIPT, "declared not shipped after it was received", item.key)


def receive(run: Run) -> None:
    act = run.act
    for item in subjects(run):
        if not run.alive(item):
            continue
        outer = run.outer(item)
        if outer.holder == act.by and not outer.in_transit:
            run.set(replace(item, missing=False))
        elif outer.in_transit and outer.bound_for in (act.by, None):
            _take_over(run, run.take_out(item), outer)
        elif outer.in_transit:
            run.find(
                FindingCode.WRONG_RECEIVER, f"received by {act.by}, shipped to {outer.bound_for}", item.key
            )
        elif outer.holder is None:
            run.find(FindingCode.NEVER_COMMISSIONED, "received, but its maker has not told of it", item.key)
            run.set(replace(item, holder=act.by, sender=act.sender, custody_since=run.at))
        else:
            run.find(
                FindingCode.RECEIVED_WITHOUT_SHIPPING, "its holder has not told of shipping it", item.key
            )
            run.set(replace(item, claimed_by=act.by))
    if act.event.type is EventType.AGGREGATION:
        count(run)


def _take_over(run: Run, item: Item, outer: Item) -> None:
    """Receipt of what was under way to this party: custody moves, and title where it was offered with a
    statement."""
    run.set(
        replace(
            item,
            holder=run.act.by,
            owner=run.act.by if outer.offered_to == run.act.by else item.owner,
            in_transit=False,
            bound_for=None,
            offered_to=None,
            custody_since=run.at,
            missing=False,
            claimed_by=None if item.claimed_by == run.act.by else item.claimed_by,
        )
    )


def accept(run: Run) -> None:
    for item in subjects(run):
        if run.may_act(item):
            outer = run.outer(item)
            if run.act.statement and outer.owner != run.act.by:
                run.set(replace(outer, owner=run.act.by))
            run.set(run.item(item.key))

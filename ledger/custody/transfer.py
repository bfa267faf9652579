"""Who has it and whose it is: shipping, its voiding, receiving, accepting."""

from __future__ import annotations

from ledger.custody.containment import compare
from ledger.custody.findings import FindingCode
from ledger.custody.run import Run, subjects
from ledger.custody.state import Item, owned_by, replace
from ledger.custody.vocabulary import EventType

RETURNED = "returned"


def ship(run: Run) -> None:
    """Sent by its holder: under way until somebody receives it. Title is offered only with a transaction statement,
    and only by its owner, whom a logistics provider may ship for: to others, for nobody buys by his own word."""
    act = run.act
    goes_back: list[bool] = []
    for item in subjects(run):
        outer = run.outer(item)
        if not run.alive(item):
            continue
        if outer.in_transit and outer.sender == act.by:
            run.find(FindingCode.SHIPPED_TWICE, "it is under way already", item.key)
        elif run.may_act(item):
            goes_back.append(_goes_back(run, outer))
            _send(run, item, outer)
    if act.recipient is None:
        run.find(FindingCode.NO_RECIPIENT, "the shipment does not say whom it goes to (destinationList)")
    if act.moves_title and not act.statement and not (goes_back and all(goes_back)):
        run.find(FindingCode.NO_STATEMENT, "no affirmed transaction statement came with it: title stays")


def _goes_back(run: Run, outer: Item) -> bool:
    """Whether it is returned to whom it came from: that needs no transaction statement (domain reference, 1.5)."""
    act = run.act
    return act.event.disposition == RETURNED and act.buyer is not None and act.buyer == outer.sender


def _send(run: Run, item: Item, outer: Item) -> None:
    act = run.act
    seller = act.seller or act.by
    owner = outer.owner or seller
    free = run.take_out(item)
    if item.parent is not None:
        run.find(FindingCode.MOVED_ALONE, "shipped on its own while packed", item.key, item.parent)
    if outer.holder is None:
        run.find(FindingCode.NEVER_COMMISSIONED, "shipped, but its maker has not told of it", item.key)
    if act.event.disposition != RETURNED:
        _sold_as_it_should_not(run, free)
    if act.moves_title and owner != seller:
        run.find(FindingCode.NOT_OWNER, f"sold by {seller}, who does not own it: title stays", item.key)
    to_himself = act.moves_title and act.buyer == act.by
    if to_himself:
        run.find(FindingCode.NOT_OWNER, f"sold by {act.by} to itself for {seller}: title stays", item.key)
    stated = act.statement or _goes_back(run, outer)
    offered = act.moves_title and stated and owner == seller and not to_himself
    run.set(
        replace(
            free,
            holder=act.by,
            owner=owner,
            sender=act.by,
            in_transit=True,
            bound_for=act.recipient,
            offered_to=act.buyer if offered else None,
            custody_since=run.at,
            missing=False,
        )
    )


def _sold_as_it_should_not(run: Run, item: Item) -> None:
    """What must not be sold on, as it was when it was shipped. A return is what should happen to such goods."""
    act = run.act
    if item.held or item.recalled:
        run.find(FindingCode.MOVED_ON_HOLD, "shipped while held or recalled", item.key)
    if item.expiry is not None and item.expiry < act.event.event_time.date().isoformat():
        run.find(FindingCode.MOVED_EXPIRED, f"shipped after its expiry {item.expiry}", item.key)
    if act.moves_title and act.buyer in item.past_owners.split():
        run.find(
            FindingCode.CIRCULAR_RESALE, f"sold to {act.buyer}, whose it was before: no return", item.key
        )


def void(run: Run) -> None:
    """Not shipped after all (CBV 2.0, void_shipping): what is still under way is with its sender again."""
    act = run.act
    for item in subjects(run):
        outer = run.outer(item)
        if outer.in_transit and outer.sender == act.by:
            run.set(
                replace(
                    run.take_out(item),
                    in_transit=False,
                    bound_for=None,
                    offered_to=None,
                    custody_since=run.at,
                )
            )
        elif outer.sender == act.by != outer.holder:
            run.find(FindingCode.VOID_AFTER_RECEIPT, "declared not shipped after it was received", item.key)
        else:
            run.may_act(item)


def receive(run: Run) -> None:
    """Arrived. Custody moves where both ends tell of it: the shipper who sent it here, and the receiver."""
    act = run.act
    for item in subjects(run):
        if not run.alive(item):
            continue
        outer = run.outer(item)
        if outer.in_transit and _is_expected(run, outer):
            _take_over(run, run.take_out(item), outer)
        elif _comes_back(run, outer):
            run.find(
                FindingCode.RETURN_NOT_TOLD,
                f"taken back from {outer.holder}, who has not told of it",
                item.key,
            )
            _take_back(run, run.take_out(item), outer)
        elif outer.in_transit:
            run.find(
                FindingCode.WRONG_RECEIVER, f"received by {act.by}, shipped to {outer.bound_for}", item.key
            )
        elif outer.holder is None and run.is_foreign(item, outer):
            continue
        elif outer.holder is None:
            run.find(FindingCode.NEVER_COMMISSIONED, "received, but its maker has not told of it", item.key)
            run.set(replace(item, holder=act.by, custody_since=run.at))
        elif outer.holder != act.by:
            run.find(
                FindingCode.RECEIVED_WITHOUT_SHIPPING, "its holder has not told of shipping it", item.key
            )
            run.claim(item, outer)
    _count_contents(run)


def _is_expected(run: Run, outer: Item) -> bool:
    """Whether it was shipped to this party: by the shipper's word, or, where he does not say to whom, by the
    receiver naming that very shipper."""
    if outer.bound_for is None:
        return run.act.sender == outer.sender
    return outer.bound_for == run.act.by


def _take_over(run: Run, item: Item, outer: Item) -> None:
    """Receipt of what was under way to this party: custody moves, and title where it was offered with a
    statement. An offer to another (a drop shipment) stands until he accepts it."""
    sold = outer.offered_to == run.act.by
    bought = _given_back if run.act.event.disposition == RETURNED else owned_by
    run.set(
        replace(
            bought(item, run.act.by) if sold else item,
            holder=run.act.by,
            in_transit=False,
            bound_for=None,
            offered_to=None if sold else item.offered_to,
            custody_since=run.at,
            claimed_by=None if item.claimed_by == run.act.by else item.claimed_by,
        )
    )


def _comes_back(run: Run, outer: Item) -> bool:
    """Whether its receiver takes back what it sold or sent out itself, by the record to whoever is to have it now: its
    customer need not tell of a return (domain reference, 1.5). Of nothing else does a receipt alone move custody: who
    has it next by a sale of somebody else's has not had it from this party, and who got it back itself sold it."""
    by, owner, past = run.act.by, outer.owner, outer.past_owners.split()
    if run.act.event.disposition != RETURNED or (outer.holder in (None, by) and not outer.in_transit):
        return False
    sold = owner != by and past[-1:] == [by] and owner not in past
    if outer.in_transit or not sold:
        return outer.sender == by and (sold or owner == by)
    return outer.sender == by or outer.holder == owner


def _take_back(run: Run, item: Item, outer: Item) -> None:
    """A return that its receiver alone tells of: custody is its own again, and so is the title."""
    by = run.act.by
    run.set(
        replace(
            item if outer.owner == by else _given_back(item, by),
            holder=by,
            sender=outer.bound_for if outer.in_transit else outer.holder,
            in_transit=False,
            bound_for=None,
            offered_to=None,
            custody_since=run.at,
            claimed_by=None if item.claimed_by == by else item.claimed_by,
        )
    )


def _given_back(item: Item, to: str) -> Item:
    """The title with whom it was before: a return undoes the sale, so that the next is none in a circle."""
    past = item.past_owners.split()
    if to not in past:
        return owned_by(item, to)
    return replace(item, owner=to, past_owners=" ".join(past[: past.index(to)]))


def _count_contents(run: Run) -> None:
    """A receipt that lists what was inside may be a count, of what the receiver now holds."""
    event = run.act.event
    if event.type is EventType.AGGREGATION and event.parent:
        parent = run.item(event.parent)
        outer = run.outer(parent)
        if outer.holder == run.act.by and not outer.in_transit:
            compare(run, parent)


def accept(run: Run) -> None:
    """Title taken by whom it was offered to: the buyer of a drop shipment, or of goods still under way."""
    for item in subjects(run):
        outer = run.outer(item)
        if run.act.by == outer.owner:
            continue
        if outer.offered_to != run.act.by:
            if run.may_act(item):
                run.find(
                    FindingCode.NOT_OFFERED, "accepted, but its title was not offered: title stays", item.key
                )
        elif item.parent is not None:
            run.find(
                FindingCode.MOVED_ALONE,
                "its title cannot pass alone while it is packed: unpack it, or accept its container",
                item.key,
                item.parent,
            )
        else:
            run.set(replace(owned_by(item, run.act.by), offered_to=None))

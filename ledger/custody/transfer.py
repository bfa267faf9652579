"""Who has it and whose it is: shipping, its voiding, receiving, accepting."""

from __future__ import annotations

from ledger.custody.containment import compare
from ledger.custody.findings import FindingCode
from ledger.custody.promise import Promise
from ledger.custody.promised import double, kept_for_others, kept_of, to_receiver, with_promise
from ledger.custody.run import Run, subjects
from ledger.custody.state import Item, owned_by, replace
from ledger.custody.vocabulary import EventType

RETURNED = "returned"


def ship(run: Run) -> None:
    """Sent by its holder: under way until somebody receives it. Title is offered only by its owner's own word and with
    his transaction statement (FD&C Act 581(27): a statement by the entity transferring ownership), wherever the goods
    are: whoever only has them moves them, and leaves the owner's offer as it stands."""
    act = run.act
    needs_no_statement: list[bool] = []
    for item in subjects(run):
        outer = run.outer(item)
        if not run.alive(item):
            continue
        if outer.in_transit and outer.sender == act.by:
            _ship_again(run, item, outer)
        elif _sells_from_elsewhere(run, outer):
            _offer(run, item)
        elif run.may_act(item):
            needs_no_statement.append(_goes_back(run, outer) or act.buyer == _standing(run, outer))
            _send(run, item, outer)
        elif outer.sender == act.by and act.recipient not in (None, outer.holder):
            # It has arrived at another already: remembered, for if this one vouches for a receipt too.
            _promise(run, item, outer)
    if act.recipient is None:
        run.find(FindingCode.NO_RECIPIENT, "the shipment does not say whom it goes to (destinationList)")
    if act.moves_title and not act.statement and not (needs_no_statement and all(needs_no_statement)):
        run.find(FindingCode.NO_STATEMENT, "no affirmed transaction statement came with it: title stays")


def _goes_back(run: Run, outer: Item) -> bool:
    """Whether it is returned to whom it came from: that needs no transaction statement (domain reference, 1.5)."""
    act = run.act
    return act.event.disposition == RETURNED and act.buyer is not None and act.buyer == outer.sender


def _standing(run: Run, outer: Item) -> str | None:
    """To whom the owner has offered the title, where another has the goods: that is not his to take back."""
    return outer.offered_to if outer.owner not in (None, run.act.by) else None


def _sells_himself(run: Run, owner: str | None) -> bool:
    """Whether the act is its owner's own word that he sells."""
    act = run.act
    return act.moves_title and owner == act.by == (act.seller or act.by)


def _sells_from_elsewhere(run: Run, outer: Item) -> bool:
    """Whether an owner sells what another has for him: in a logistics provider's warehouse, or under way."""
    return (
        outer.holder not in (None, run.act.by)
        and bool(run.act.statement)
        and _sells_himself(run, outer.owner)
    )


def _offer(run: Run, item: Item) -> None:
    """Title offered, and nothing moved: who has the goods tells where they go."""
    if item.parent is not None:
        run.find(
            FindingCode.MOVED_ALONE,
            "its title cannot pass alone while it is packed: unpack it, or sell its container",
            item.key,
            item.parent,
        )
        return
    _sold_as_it_should_not(run, item)
    run.set(replace(item, offered_to=run.act.buyer))


def _send(run: Run, item: Item, outer: Item) -> None:
    act = run.act
    seller = act.seller or act.by
    owner = outer.owner or seller
    standing = _standing(run, outer)
    free = run.take_out(item)
    if item.parent is not None:
        run.find(FindingCode.MOVED_ALONE, "shipped on its own while packed", item.key, item.parent)
    if outer.holder is None:
        run.find(FindingCode.NEVER_COMMISSIONED, "shipped, but its maker has not told of it", item.key)
    if act.event.disposition != RETURNED:
        _sold_as_it_should_not(run, free)
    if act.moves_title and owner != seller:
        run.find(FindingCode.NOT_OWNER, f"sold by {seller}, who does not own it: title stays", item.key)
    elif act.moves_title and owner != act.by and act.buyer != standing:
        message = f"sold by {act.by} for its owner, who has not told of that sale himself: title stays"
        run.find(FindingCode.NOT_OWNER, message, item.key)
    offered = _offers(run, outer, owner)
    run.set(
        replace(
            free,
            holder=act.by,
            owner=owner,
            sender=act.by,
            in_transit=True,
            bound_for=act.recipient,
            offered_to=act.buyer if offered else standing,
            custody_since=run.at,
            missing=False,
            also_to=kept_of(free, act.by),
        )
    )


def _offers(run: Run, outer: Item, owner: str | None) -> bool:
    """Whether the shipment offers the title that `owner` has."""
    return _sells_himself(run, owner) and (bool(run.act.statement) or _goes_back(run, outer))


def _ship_again(run: Run, item: Item, outer: Item) -> None:
    """Told by its sender of what is under way already. Where he says that it goes to somebody else, or that another
    buys it, his word alone does not tell which is so: whoever vouches for its receipt does."""
    act = run.act
    to, buyer = act.recipient, act.buyer if _offers(run, outer, outer.owner) else None
    if to is None or (to, buyer) == (outer.bound_for, outer.offered_to):
        run.find(FindingCode.SHIPPED_TWICE, "it is under way already", item.key)
        return
    message = f"under way to {_somebody(outer)} already, and told to go to {to} too"
    run.find(FindingCode.TWO_RECIPIENTS, message, item.key)
    _promise(run, item, outer)


def _promise(run: Run, item: Item, outer: Item) -> None:
    act = run.act
    assert act.recipient is not None
    buyer = act.buyer if _offers(run, outer, outer.owner) else None
    run.set(replace(run.item(item.key), also_to=with_promise(item, Promise(act.by, act.recipient, buyer))))


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
                    offered_to=_standing(run, outer),
                    custody_since=run.at,
                    also_to=_voided(outer),
                )
            )
        elif outer.sender == act.by != outer.holder:
            run.find(FindingCode.VOID_AFTER_RECEIPT, "declared not shipped after it was received", item.key)
        else:
            run.may_act(item)


def _voided(outer: Item) -> str:
    """What is remembered of a shipment that its sender takes back: its recipient may have it all the same."""
    if outer.sender is None or outer.bound_for is None:
        return outer.also_to
    sold = outer.offered_to if outer.owner == outer.sender else None
    return with_promise(outer, Promise(outer.sender, outer.bound_for, sold))


def receive(run: Run) -> None:
    """Arrived. Custody moves where both ends tell of it: the shipper who sent it here, and the receiver. Of two
    shipments of which one sender tells, that one happened which was received."""
    act = run.act
    for item in subjects(run):
        if not run.alive(item):
            continue
        outer = run.outer(item)
        promises = to_receiver(run, item)
        if outer.in_transit and (promises or _is_expected(run, outer)):
            if promises and outer.bound_for != act.by:
                message = f"its sender has told of sending it to {_somebody(outer)}: it came here"
                run.find(FindingCode.TWO_RECIPIENTS, message, item.key)
            _take_over(run, run.take_out(item), outer, promises)
        elif promises:
            run.find(
                FindingCode.VOID_AFTER_RECEIPT, "declared not shipped, and received all the same", item.key
            )
            _take_over(run, run.take_out(item), outer, promises)
        elif _comes_back(run, outer):
            run.find(
                FindingCode.RETURN_NOT_TOLD,
                f"taken back from {outer.holder}, who has not told of it",
                item.key,
            )
            _take_back(run, run.take_out(item), outer)
        elif outer.in_transit:
            message = f"received by {act.by}, shipped to {_somebody(outer)}"
            run.find(FindingCode.WRONG_RECEIVER, message, item.key)
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
            if double(run, item) and not item.disputed:
                message = f"received from {outer.sender} by {act.by} and by another, and sent to both"
                run.find(FindingCode.TWO_CUSTODIANS, message, item.key)
                run.set(replace(run.item(item.key), disputed=True))
    _count_contents(run)


def _somebody(outer: Item) -> str:
    """Whom it was sent to, for who reports of it or gets it: anybody may report of any serial, and one customer is
    nothing to another."""
    return "nobody named" if outer.bound_for is None else "another"


def _is_expected(run: Run, outer: Item) -> bool:
    """Whether it was shipped to this party: by the shipper's word, or, where he does not say to whom, by the
    receiver naming that very shipper."""
    if outer.bound_for is None:
        return run.act.sender == outer.sender
    return outer.bound_for == run.act.by


def _take_over(run: Run, item: Item, outer: Item, promises: list[Promise]) -> None:
    """Receipt of what was under way to this party: custody moves, and title where it was offered with a
    statement. An offer to another (a drop shipment) stands until he accepts it."""
    by = run.act.by
    offer = outer.offered_to
    if promises and outer.owner == outer.sender:  # what is another's, its sender has not offered
        buyers = [each.buyer for each in promises] + ([offer] if outer.bound_for == by else [])
        offer = by if by in buyers else buyers[-1]
    sold = offer == by
    bought = _given_back if run.act.event.disposition == RETURNED else owned_by
    run.set(
        replace(
            bought(item, by) if sold else item,
            holder=by,
            in_transit=False,
            bound_for=None,
            offered_to=None if sold else offer,
            custody_since=run.at,
            claimed_by=None if item.claimed_by == by else item.claimed_by,
            also_to=kept_for_others(item, outer, by),
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
            sender=by if outer.in_transit else outer.holder,
            in_transit=False,
            bound_for=None,
            offered_to=None,
            custody_since=run.at,
            claimed_by=None if item.claimed_by == by else item.claimed_by,
            also_to=_voided(outer) if outer.in_transit else "",
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

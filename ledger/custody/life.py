"""An object's life: commissioned, repackaged, dispensed, destroyed; and what stands over it: held, recalled."""

from __future__ import annotations

import re
from datetime import date

from ledger.custody.event import EXPIRY, LOT, Event
from ledger.custody.findings import FindingCode
from ledger.custody.lineage import Side, link
from ledger.custody.run import Run, each_once, step, subjects
from ledger.custody.state import UNHEARD_OF, Item, Status, replace
from ledger.custody.vocabulary import Step

_END_STATUS: dict[Step | None, Status] = {
    Step.DISPENSING: Status.DISPENSED,
    Step.DESTROYING: Status.DESTROYED,
}
RELEASES = ("sellable_accessible", "sellable_not_accessible", "active")

# xsd:date and xsd:dateTime begin alike; a time zone or a time of day does not change an expiry date.
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:$|[TZ+-])", re.ASCII)


def expiry_of(event: Event) -> str | None:
    """The expiry in the event's ILMD as YYYY-MM-DD; None where there is none, or what is there is no date."""
    found = _DATE.match(event.ilmd_text(EXPIRY) or "")
    try:
        return date.fromisoformat(found[1]).isoformat() if found else None
    except ValueError:
        return None


def commission(run: Run) -> None:
    """Serial numbers begin. The lot is an item too: whoever commissions first from it is its maker."""
    _begin_each(run, run.act.event.epcs)
    _begin_lots(run)


def _begin_each(run: Run, keys: tuple[str, ...], owner: str | None = None) -> None:
    event = run.act.event
    lot, expiry = event.ilmd_text(LOT) or None, expiry_of(event)  # read once for all of them
    for key in each_once(keys):
        item = run.item(key)
        if item.maker is not None:
            run.find(FindingCode.COMMISSIONED_TWICE, "a serial number is given once", key)
        elif not run.is_foreign(item, item):
            _begin(run, item, lot, expiry, owner or run.act.by)
            link(run.links, event, key, Side.NEW)


def _begin(run: Run, item: Item, lot: str | None, expiry: str | None, owner: str) -> None:
    """What happened before the beginning counts only where it leads back to the maker, whose clock may be wrong.
    Else anybody could date an event early enough and take what is not made yet."""
    act = run.act
    outer = run.outer(item)
    if outer.holder is not None or item.status is not Status.UNKNOWN:
        run.find(FindingCode.NEVER_COMMISSIONED, "something happened to it before it began", item.key)
    if act.by not in (outer.holder, outer.sender) or not _was_owned_by(outer, act.by):
        # What somebody has put into a container is his: a label that another begins does not take it along.
        for key in sorted(run.contents(item.key)):
            run.set(run.take_out(run.item(key)))
        item = replace(UNHEARD_OF, key=item.key, holder=act.by, owner=owner, custody_since=run.at)
    status = Status.ACTIVE if item.status is Status.UNKNOWN else item.status
    run.set(item, status=status, maker=act.by, lot=lot, expiry=expiry)


def _was_owned_by(outer: Item, party: str) -> bool:
    """Whether it is, or was, `party`'s. Who sent a container did not send what somebody packed into it afterwards; a
    container remembers those past owners alone that all of its contents had."""
    return party == outer.owner or party in outer.past_owners.split()


def _begin_lots(run: Run) -> None:
    for key in run.act.event.lots():
        known = run.item(key)
        if known.maker is None:
            run.set(replace(known, maker=run.act.by))


def end(run: Run) -> None:
    """Dispensed, decommissioned or destroyed by its holder: nothing may happen to it afterwards, but that what was
    taken out of use is destroyed.

    Whoever hands one pack out of a case of his has opened it, and says so with this: nobody reports an unpacking beside
    every dispensing. What goes to somebody else while it is packed is another matter (D14).
    """
    event = run.act.event
    what = step(event.biz_step)
    for item in subjects(run):
        if item.status is Status.DISPENSED and what is Step.DISPENSING:
            run.find(FindingCode.DISPENSED_TWICE, "dispensed once already", item.key)
            continue
        if what is Step.DESTROYING and item.status is Status.DECOMMISSIONED:
            if run.may_act(item):
                _finish(run, item, Status.DESTROYED)
            continue
        if not run.alive(item) or not run.may_act(item):
            continue
        if what is Step.DISPENSING and event.disposition == "partially_dispensed":
            run.set(replace(run.take_out(item), status=Status.PARTIALLY_DISPENSED))
        else:
            _finish(run, item, _END_STATUS.get(what, Status.DECOMMISSIONED))
            link(run.links, event, item.key, Side.OLD)


def _finish(run: Run, item: Item, status: Status) -> None:
    run.set(replace(run.take_out(item), status=status, ended_by=run.act.by, ended_at=run.at))


def hold(run: Run) -> None:
    """Set apart by its holder; or recalled by its maker, by lot or by serial, wherever it is."""
    event = run.act.event
    recalls = event.disposition == "recalled"
    for item in subjects(run):
        if recalls and item.maker == run.act.by:
            run.set(replace(item, recalled=True))
        elif recalls and run.outer(item).holder != run.act.by:
            run.find(FindingCode.NOT_MAKER, "recalled by another than its maker", item.key)
        elif run.may_act(item):
            run.set(replace(item, held=event.disposition or "held"))
    if recalls:
        _recall_lots(run, recalled=True)


def _recall_lots(run: Run, *, recalled: bool) -> None:
    for key in run.act.event.lots():
        lot = run.item(key)
        if lot.maker == run.act.by:
            run.set(replace(lot, recalled=recalled))
        else:
            what = "recalled" if recalled else "its recall ended"
            run.find(FindingCode.NOT_MAKER, f"{what} by another than its maker", key)


def ends_recall(event: Event) -> bool:
    """Whether the event takes a recall back: a persistent disposition `recalled` that it unsets (EPCIS 2.0, 7.4.2).

    Its disposition alone does not say so: a maker's stock-taking names lots as sellable too."""
    return "recalled" in event.persistent_unset


def observe(run: Run) -> None:
    """Seen, and nothing else. By its holder: a sellable disposition ends a hold. By its maker: a recall may end,
    wherever it is. By a stranger: a claim that it is there."""
    releases = run.act.event.disposition in RELEASES
    lifts = ends_recall(run.act.event)
    for item in subjects(run):
        if lifts and item.maker == run.act.by:
            run.set(replace(item, recalled=False))
        if lifts and run.outer(item).holder != run.act.by:
            if item.maker != run.act.by:
                run.find(FindingCode.NOT_MAKER, "its recall ended by another than its maker", item.key)
        elif run.alive(item) and run.may_act(item) and releases:
            run.set(replace(run.item(item.key), held=None))
    if lifts:
        _recall_lots(run, recalled=False)


def transform(run: Run) -> None:
    """Repackaging: the old serials end, the new ones begin, and the event itself is the link between them. They
    belong to whom the old ones belonged to: who only has these does not get their title by giving them new numbers."""
    others: set[str] = set()
    for key in each_once(run.act.event.inputs):
        item = run.item(key)
        if run.alive(item) and run.may_act(item):
            if (owner := run.outer(item).owner) not in (None, run.act.by):
                others.add(owner)
            _finish(run, item, Status.DECOMMISSIONED)
            link(run.links, run.act.event, key, Side.OLD)
    if len(others) > 1:
        run.find(FindingCode.MIXED_OWNERS, f"made of the goods of {' and '.join(sorted(others))}")
    _begin_each(run, run.act.event.outputs, min(others, default=None))
    _begin_lots(run)

"""An object's life: commissioned, repackaged, dispensed, destroyed; and what stands over it: held, recalled."""

from __future__ import annotations

from dataclasses import replace

from ledger.custody.event import EXPIRY, LOT
from ledger.custody.findings import FindingCode
from ledger.custody.run import Run, step, subjects
from ledger.custody.state import Status
from ledger.custody.vocabulary import Step

_END_STATUS: dict[Step | None, Status] = {
    Step.DISPENSING: Status.DISPENSED,
    Step.DECOMMISSIONING: Status.DECOMMISSIONED,
    Step.DESTROYING: Status.DESTROYED,
}


def commission(run: Run) -> None:
    """A serial number begins. The lot is an item too: whoever commissions first from it is its maker."""
    act, event = run.act, run.act.event
    lot, expiry = event.ilmd_text(LOT), event.ilmd_text(EXPIRY)
    for key in event.epcs:
        item = run.item(key)
        if item.maker is not None:
            run.find(FindingCode.COMMISSIONED_TWICE, "a serial number is given once", key)
            continue
        if item.holder is not None or item.parent is not None:
            run.find(FindingCode.NEVER_COMMISSIONED, "it was moved before it was commissioned", key)
        new = replace(item, status=Status.ACTIVE, maker=act.by, lot=lot, expiry=expiry)
        if item.holder is None and item.parent is None:
            new = replace(new, holder=act.by, owner=act.by, custody_since=run.at)
        run.set(new)
    _begin_lots(run)


def _begin_lots(run: Run) -> None:
    for key in run.act.event.lots():
        known = run.item(key)
        if known.maker is None:
            run.set(replace(known, maker=run.act.by))


def end(run: Run) -> None:
    """Dispensed, decommissioned or destroyed by its holder: nothing may happen to it afterwards."""
    event = run.act.event
    what = step(event.biz_step)
    for item in subjects(run):
        if item.status is Status.DISPENSED and what is Step.DISPENSING:
            run.find(FindingCode.DISPENSED_TWICE, "dispensed once already", item.key)
            continue
        if not run.alive(item) or not run.may_act(item):
            continue
        if item.parent is not None:
            run.find(
                FindingCode.MOVED_ALONE, "left its container without being unpacked", item.key, item.parent
            )
        free = run.take_out(item)
        if event.disposition == "partially_dispensed":
            run.set(replace(free, status=Status.PARTIALLY_DISPENSED))
        else:
            status = _END_STATUS.get(what, Status.DECOMMISSIONED)
            run.set(replace(free, status=status, ended_by=run.act.by, ended_at=run.at))


def hold(run: Run) -> None:
    """Set apart by its holder; or recalled by its maker, by lot or by serial, wherever it is."""
    event = run.act.event
    if event.disposition == "recalled":
        _recall(run)
        return
    for item in subjects(run):
        if run.may_act(item):
            run.set(replace(item, held=event.disposition or "held"))


def _recall(run: Run) -> None:
    for key in (*run.act.event.lots(), *run.act.event.epcs):
        item = run.item(key)
        if item.maker not in (None, run.act.by):
            run.find(FindingCode.NOT_MAKER, "only its maker recalls a lot or a package", key)
        else:
            run.set(replace(item, recalled=True))


def observe(run: Run) -> None:
    """Seen, and nothing else. By its holder: a sellable disposition ends a hold. By a stranger: a claim that
    it is there."""
    event = run.act.event
    releases = event.disposition in ("sellable_accessible", "sellable_not_accessible", "active")
    for item in subjects(run):
        if run.alive(item) and run.may_act(item):
            run.set(replace(item, held=None) if releases else item)


def transform(run: Run) -> None:
    """Repackaging: the old serials end, the new ones begin, and the event itself is the link between them."""
    event = run.act.event
    for key in event.inputs:
        item = run.item(key)
        if run.alive(item) and run.may_act(item):
            run.set(
                replace(
                    run.take_out(item), status=Status.DECOMMISSIONED, ended_by=run.act.by, ended_at=run.at
                )
            )
    lot, expiry = event.ilmd_text(LOT), event.ilmd_text(EXPIRY)
    for key in event.outputs:
        item = run.item(key)
        if item.maker is not None:
            run.find(FindingCode.COMMISSIONED_TWICE, "a serial number is given once", key)
            continue
        run.set(
            replace(
                item,
                status=Status.ACTIVE,
                maker=run.act.by,
                lot=lot,
                expiry=expiry,
                holder=run.act.by,
                owner=run.act.by,
                custody_since=run.at,
            )
        )
    _begin_lots(run)

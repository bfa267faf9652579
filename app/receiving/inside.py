"""What is wrong in a container that is set apart without being opened: each cause is an exception of its own.

A clerk reads one word for a pallet; an exception has to say which packages of which lots it is about, and why. So what
is in it is judged once more, package by package, as a scan of each would be::

    discrepancies(connection, "https://id.gs1.org/00/...", GLN, now)
    [Discrepancy(OwnKind.RECALLED, (container, package, package), "Inside (00)...: 2 packages of lot LOT42.")]
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection

from app.custody import loading
from app.custody.items import item_name
from app.exceptions.rules import OwnKind
from app.history.rules import shown
from app.receiving.kept import MOST_LINES
from app.receiving.outcomes import KIND_OF, STOPPED_BY
from app.receiving.rules import Discrepancy
from ledger.custody.dock import is_taken_whole
from ledger.custody.state import Item
from ledger.custody.verdict import Facts, Verdict, Word, judge

_MOST_LOTS = 10  # named in the text of a case


def discrepancies(connection: Connection, container: str, asker: str, now: datetime) -> Iterator[Discrepancy]:
    """What opens for a container that the party `asker` (GLN) sets apart: a discrepancy for each cause that its
    contents have; one of the container alone, where what was wrong is put right by now."""
    loaded, inside = loading.load_contents(connection, container, MOST_LINES)
    found: dict[OwnKind, list[Item]] = {}
    for key in [container, *inside]:
        item = loaded.world.item(key)
        verdict = judge(Facts.of(loaded.world, item, now, asker=asker))
        if is_taken_whole(verdict.word) or (key == container and inside) or item_name(key).ns == "00":
            continue
        found.setdefault(kind_of(verdict), []).append(item)
    for kind, items in sorted(found.items()):
        yield Discrepancy(kind, (container, *(item.key for item in items)), _detail(container, items))
    if not found:
        yield Discrepancy(OwnKind.UNUSABLE, (container,), f"{shown(container)} was set apart as it is.")


def kind_of(verdict: Verdict) -> OwnKind:
    """Which kind of case a package inside opens, that is neither OK nor unconfirmed."""
    if verdict.word is Word.SUSPECT:
        return OwnKind.SUSPECT_INSIDE
    stopped = STOPPED_BY.get(verdict.reason)
    return KIND_OF[stopped] if stopped else OwnKind.UNUSABLE


def _detail(container: str, items: list[Item]) -> str:
    lots = sorted({item.lot for item in items if item.lot})
    more = f" and {len(lots) - _MOST_LOTS} more" if len(lots) > _MOST_LOTS else ""
    of = f" of lot {', '.join(lots[:_MOST_LOTS])}{more}" if lots else ""
    return f"Inside {shown(container)}: {len(items)} package{'s' if len(items) != 1 else ''}{of}."

"""In what an item ever was, and when: what was told of a container then was told of the item.

spans(connection, [7])      {7: [(7, always), (21, since it was packed, until it was unpacked), ...]}
"""

from sqlalchemy import Connection, select

from app.custody.models import contained
from app.shared.chunks import chunks
from ledger.custody.state import MAX_DEPTH

Span = tuple[int, int, int]
"""(number of an item, from position, to below position)."""
_MOST = 4 * MAX_DEPTH


def spans(connection: Connection, items: list[int]) -> dict[int, list[Span]]:
    """Each item with every container that was ever around it, at any depth, and when."""
    parents: dict[int, list[Span]] = {}
    todo = set(items)
    for _ in range(MAX_DEPTH):
        new: set[int] = set()
        for chunk in chunks(sorted(todo)):
            columns = (contained.c.child, contained.c.parent, contained.c.f, contained.c.t)
            for child, *span in connection.execute(select(*columns).where(contained.c.child.in_(chunk))):
                parents.setdefault(child, []).append((span[0], span[1], span[2]))
                new.add(span[0])
        todo = new - parents.keys()
        if not todo:
            break
    found: dict[int, list[Span]] = {}
    for number in items:
        around: list[Span] = [(number, -(2**63), 2**63 - 1)]
        for outer, since, until in around:  # it grows while it is gone through: containers of containers
            for parent, f, t in parents.get(outer, ()):
                begins, ends = max(since, f), min(until, t)
                if begins < ends and len(around) < _MOST:
                    around.append((parent, begins, ends))
        found[number] = around
    return found

"""What happens when: things to do, in the order of their times, each of which may put more on the agenda."""

import heapq
from collections.abc import Callable, Iterator
from datetime import datetime

Deed = Callable[[], None]


class Agenda:
    """Deeds by time; those of one time in the order in which they were put on it."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Deed]] = []
        self._count = 0

    def at(self, when: datetime, deed: Deed) -> None:
        """Do `deed` at `when`."""
        heapq.heappush(self._heap, (when, self._count, deed))
        self._count += 1

    def until(self, end: datetime) -> Iterator[tuple[datetime, Deed]]:
        """Take the deeds off, up to `end`, also those that are put on meanwhile."""
        while self._heap and self._heap[0][0] <= end:
            when, _, deed = heapq.heappop(self._heap)
            yield when, deed

"""What should be in a container, for whoever opens it and counts.

Only the party that has it, or that gets it, is told: to everybody else a container is not found, as if there were none.
"""

from dataclasses import dataclass

from app.custody import loading
from app.custody.loading import Loaded
from app.errors import NotFound
from app.history.rules import subject_of
from ledger.custody.state import Item
from ledger.store.sql.engine import Database

MOST_CONTENTS = 20_000


@dataclass(frozen=True, slots=True)
class Child:
    """One thing directly inside. `count_inside`: the packages in it at any depth, 1 for a package."""

    epc: str
    kind: str
    count_inside: int


@dataclass(frozen=True, slots=True)
class Inside:
    """A container and what is in it by the record. `packages`: at any depth."""

    epc: str
    children: tuple[Child, ...]
    packages: int
    holder: str | None


def inside(database: Database, epc: str, *, asker: str | None) -> Inside:
    """What is in the container `epc` (any spelling), for the party `asker` (GLN; None: an inspector).

    Raises `Invalid` for what is no EPC, `NotFound` where there is nothing that this party has or gets.
    """
    key = subject_of(epc)
    with database.snapshot() as connection:
        # What is in a stranger's container is not even read: its size must not show in the time of the answer.
        loaded = loading.load(connection, [key])
        item = loaded.world.items.get(key)
        if item is None or not _is_concerned(item, loaded, asker):
            raise NotFound("No such container", "There is no record of it, or none for you.")
        loaded, _ = loading.load_contents(connection, key, MOST_CONTENTS)
    children = tuple(_child(loaded, each) for each in sorted(loaded.world.contents(key)))
    return Inside(
        key, children, sum(child.count_inside for child in children), loaded.world.outer(item).holder
    )


def _is_concerned(item: Item, loaded: Loaded, asker: str | None) -> bool:
    outer = loaded.world.outer(item)
    # Under way, its sender still answers for it.
    return asker is None or asker in (
        (outer.bound_for, outer.sender) if outer.in_transit else (outer.holder,)
    )


def _child(loaded: Loaded, key: str) -> Child:
    within = loaded.world.contents(key)
    if not within:
        # An empty container is none of the packages: an SSCC never is one.
        package = "/01/" in key
        return Child(key, "package" if package else "container", 1 if package else 0)
    return Child(key, "container", sum(_child(loaded, each).count_inside for each in within))

"""What of a package's story an evidence file shows, and to whom. Pure.

Whoever makes a file chooses; whoever reads it sees that something is hidden, and cannot be shown anything else in its
place. Other packages' numbers are never shown.

    Disclosure()                                    all: every field of every event
    Disclosure(Profile.REGULATOR)                   what regulation asks for; no extensions and free text
    Disclosure(Profile.HOLDER)                      lot, expiry and maker; the others are 'earlier holder, proven'
    Disclosure(reader="0399999000017")              what that party may read; the others unnamed
    Disclosure(hide=("bizTransactionList",))        ... but for this field
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.errors import Invalid
from ledger.custody.erasable import is_erasable
from ledger.evidence.bundle import EPC_LISTS
from ledger.signing.commitment import Leaf, Record

UNNAMED_FIELDS: Final = frozenset(("type", "action", "bizStep", "eventTime", "parentID", *EPC_LISTS))
"""Of an earlier holder's event: that it happened to the package, and when. No id, place, party or document."""

NEEDED: Final = frozenset(("type", "action", "eventTime", "eventID", "parentID", *EPC_LISTS))
"""Without these nobody could tell whether an event is about the package (docs/formats/evidence.md, step 8)."""

MAKER_FIELDS: Final = frozenset(
    (
        "type",
        "action",
        "bizStep",
        "disposition",
        "eventID",
        "eventTime",
        "epcList",
        "ilmd/urn:epcglobal:cbv:mda#lotNumber",
        "ilmd/urn:epcglobal:cbv:mda#itemExpirationDate",
    )
)
"""Of the event that begins a package's life: what it is, its lot and expiry, and that its maker says so."""

_ERROR: Final = "errorDeclaration/"


class Profile(StrEnum):
    """A named choice of fields."""

    ALL = "all"
    REGULATOR = "regulator"
    HOLDER = "holder"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """The choice. `reader` is the GLN of the party it is for, None for somebody who may read everything.

    `show` (where given) and `hide` are fields: a whole path, one of its first parts (``ilmd``) or the last part of its
    name (``lotNumber``).
    """

    profile: Profile = Profile.ALL
    reader: str | None = None
    show: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for pattern in self.hide:
            if any(_fits(path, pattern) for path in NEEDED) or pattern == _ERROR.rstrip("/"):
                raise Invalid(
                    "evidence.field",
                    "That field cannot be hidden",
                    f"Without {pattern} nobody could tell that an event is about this package.",
                    f"These are always shown: {', '.join(sorted(NEEDED))} and errorDeclaration.",
                )

    def hidden(self, record: Record, *, named: bool, shown_parents: Collection[str]) -> set[str]:
        """The paths of `record` that stay hidden.

        `named`: its party may be named to the reader. A container of an unnamed event is shown if it is one of
        `shown_parents`.
        """
        paths = {item.path for item in record}
        if not named:
            parents = {
                item.value.decode() for item in record if isinstance(item, Leaf) and item.path == "parentID"
            }
            foreign = set() if parents <= set(shown_parents) else {"parentID"}
            return {path for path in paths if path not in UNNAMED_FIELDS} | foreign
        return {path for path in paths if not self._shows(path)}

    def _shows(self, path: str) -> bool:
        if path in NEEDED or path.startswith(_ERROR):
            return True
        if any(_fits(path, pattern) for pattern in self.hide):
            return False
        if self.show:
            return any(_fits(path, pattern) for pattern in self.show)
        if self.profile is Profile.HOLDER and self.reader is None:
            return path in MAKER_FIELDS
        return self.profile is Profile.ALL or not is_erasable(path)

    def unknown(self, paths: Collection[str]) -> list[str]:
        """What was asked to be shown or hidden and fits none of `paths`: most likely a slip."""
        asked = (*self.show, *self.hide)
        return [pattern for pattern in asked if not any(_fits(path, pattern) for path in paths)]


def _fits(path: str, pattern: str) -> bool:
    return path == pattern or path.startswith(f"{pattern.rstrip('/')}/") or path.endswith(f"#{pattern}")

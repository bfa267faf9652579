"""An event between document and value: its members sorted by kind, texts still as they were written.

Readers of JSON and XML make a `RawEvent` each in their own way; ledger.epcis.assemble makes the event, in one way
for all.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from ledger.epcis.trees import Tree


@dataclass(slots=True)
class RawQuantity:
    """A quantityElement as written."""

    epc_class: str
    quantity: str | None = None
    uom: str | None = None


@dataclass(slots=True)
class RawDeclaration:
    """An errorDeclaration as written."""

    time: str | None = None
    reason: str | None = None
    correctives: list[str] = field(default_factory=list)
    extras: dict[str, Tree] = field(default_factory=dict)


@dataclass(slots=True)
class RawEvent:
    """An event's members by kind, texts as written. `locate` tells where a member (``epcList/3``) stands."""

    type: str
    locate: Callable[[str], str]
    word: Callable[[str], str]
    """Writes out a vocabulary value that is abbreviated with a declared prefix."""
    texts: dict[str, str] = field(default_factory=dict)
    epcs: dict[str, list[str]] = field(default_factory=dict)
    quantities: dict[str, list[RawQuantity]] = field(default_factory=dict)
    linked: dict[str, list[tuple[str | None, str]]] = field(default_factory=dict)
    persistent: dict[str, list[str]] = field(default_factory=dict)
    declaration: RawDeclaration | None = None
    sensors: list[Tree] = field(default_factory=list)
    ilmd: dict[str, Tree] | None = None
    extensions: dict[str, Tree] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    """The standard members that are there."""

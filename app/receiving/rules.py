"""What receiving a delivery comes to: expected against seen, and what is to be recorded of it. Pure.

A delivery is a tree of lines (pallets, cases, packages, as the partner's document has them) and a list of acts at the
dock. From the two follows everything: how far it is, what the one document says, which exceptions open::

    tally = Tally.of(lines, acts)
    tally.text(live=True)            # 17 of 24, 1 short, 6 to come: somebody has said of one that it is not there
    tally.text()                     # 17 of 24, 7 short: when it is finished
    plan(lines, acts)                # what was received, what was counted, what is held, what does not fit

Cases come before units: the label of an intact container accepts all that is in it, as inferred. Who opens one counts
what is inside, and then only what is seen counts.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from app.custody.items import item_name
from app.exceptions.rules import OwnKind
from app.receiving.outcomes import (
    APART_AS,
    DAMAGED_AS,
    DAMAGES,
    HELD_AS,
    KIND_OF,
    OVER,
    STOPPED_BY,
    THERE,
    Outcome,
)
from ledger.custody.dock import is_taken_whole
from ledger.custody.verdict import Reason, Word


class ActKind(StrEnum):
    """What was done at the dock."""

    SCAN = "scan"
    OPEN = "open"  # a container was opened: its contents are counted one by one
    DAMAGED = "damaged"
    APART = "apart"  # a container with something in it that is not OK was set apart as it is
    MISSING = "missing"  # it is not there, or of what is in it the rest is not


@dataclass(frozen=True, slots=True)
class Line:
    """One thing on the partner's document, or in one. `parent_id` None: it lies on the dock by itself."""

    item_id: int
    parent_id: int | None
    epc: str
    package: bool
    lot: str | None = None
    expiry: str | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """One thing done at the dock that was not undone. `lot`, `expiry`: as on the label."""

    kind: ActKind
    epc: str
    outcome: Outcome
    note: str = ""
    lot: str | None = None
    expiry: str | None = None


class Seen(StrEnum):
    """How far a line is."""

    AWAITED = "awaited"
    SEEN = "seen"
    INFERRED = "inferred"
    OPENED = "opened"


@dataclass(frozen=True, slots=True)
class Row:
    """A line with how far it is. `found` of `units` packages in it (itself, where it holds none) are there; of `missed`
    somebody said that they are not."""

    line: Line
    seen: Seen
    depth: int
    units: int
    found: int
    container: bool
    damaged: str = ""
    outcome: Outcome | None = None
    apart: bool = False
    missed: int = 0

    @property
    def undecided(self) -> bool:
        """Whether something in it is not OK, and it was neither opened nor set apart."""
        return self.outcome is Outcome.CONTENTS and self.seen is Seen.SEEN and not self.apart

    @property
    def complete(self) -> bool:
        return self.found == self.units


@dataclass(frozen=True, slots=True)
class Tally:
    """A delivery as it stands. `rows`: every line, containers before what is in them, cases before units."""

    rows: tuple[Row, ...]
    over: tuple[Act, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def expected(self) -> int:
        return sum(row.units for row in self.rows if row.depth == 0)

    @property
    def found(self) -> int:
        return sum(row.found for row in self.rows if row.depth == 0)

    @property
    def short(self) -> int:
        return self.expected - self.found

    @property
    def missed(self) -> int:
        return sum(row.missed for row in self.rows if row.depth == 0)

    @property
    def cases(self) -> tuple[int, int]:
        """How many of the outermost containers are there, of how many."""
        outer = [row for row in self.rows if row.depth == 0 and row.container]
        return sum(row.seen is not Seen.AWAITED or row.complete for row in outer), len(outer)

    @property
    def undecided(self) -> tuple[str, ...]:
        """Containers with something in them that is not OK, about which nobody has decided."""
        return tuple(row.line.epc for row in self.rows if row.undecided)

    @property
    def apart(self) -> tuple[str, ...]:
        """Containers that were set apart as they are."""
        return tuple(row.line.epc for row in self.rows if row.apart)

    def text(self, *, live: bool = False) -> str:
        """What it came to: ``17 of 24, 7 short``; ``24 of 24, all there``; ``24 of 24, 1 too many, 10 set apart``.
        `live`: how far it is; short is then what somebody said is not there, and the rest to come."""
        words = [f"{self.found} of {self.expected}"]
        short = self.missed if live else self.short
        if short:
            words.append(f"{short} short")
        if self.short > short:
            words.append(f"{self.short - short} to come")
        if self.over:
            words.append(f"{len(self.over)} too many")
        if held := sum(row.found for row in self.rows if row.apart):
            words.append(f"{held} set apart")
        return ", ".join(words if len(words) > 1 else [*words, "all there"])

    @classmethod
    def of(cls, lines: Sequence[Line], acts: Sequence[Act]) -> "Tally":
        """How far a delivery is."""
        listed = {line.epc for line in lines}
        over = {act.epc: act for act in acts if _is_over(act, listed)}
        return cls(
            tuple(_rows(lines, _Dock.of(acts))),
            tuple(over.values()),
            tuple(dict.fromkeys(act.epc for act in acts if act.outcome is Outcome.OTHER_DELIVERY)),
        )


def _is_over(act: Act, listed: set[str]) -> bool:
    return act.outcome in OVER or (act.outcome is Outcome.DOUBTFUL and act.epc not in listed)


@dataclass(frozen=True, slots=True)
class _Dock:
    """What the acts say of each thing."""

    scanned: dict[str, Outcome]
    opened: frozenset[str]
    damaged: dict[str, str]
    apart: frozenset[str]
    missing: frozenset[str]

    @classmethod
    def of(cls, acts: Iterable[Act]) -> "_Dock":
        listed = list(acts)
        return cls(
            {act.epc: act.outcome for act in listed if act.kind is ActKind.SCAN and act.outcome in THERE},
            frozenset(act.epc for act in listed if act.kind is ActKind.OPEN),
            {act.epc: act.note for act in listed if act.kind is ActKind.DAMAGED},
            frozenset(act.epc for act in listed if act.kind is ActKind.APART),
            frozenset(act.epc for act in listed if act.kind is ActKind.MISSING),
        )


def _children(lines: Iterable[Line]) -> dict[int | None, list[Line]]:
    """What is in what: containers before packages, each by its number."""
    found: dict[int | None, list[Line]] = {}
    for line in lines:
        found.setdefault(line.parent_id, []).append(line)
    for inside in found.values():
        inside.sort(key=lambda line: (line.package, line.epc))
    return found


def _rows(lines: Sequence[Line], dock: _Dock) -> list[Row]:
    children = _children(lines)

    def walk(line: Line, depth: int, covered: bool, gone: bool) -> list[Row]:
        inside = children.get(line.item_id, [])
        opened, gone = line.epc in dock.opened, gone or line.epc in dock.missing
        if opened:
            seen = Seen.OPENED
        elif line.epc in dock.scanned:
            seen = Seen.SEEN
        else:
            seen = Seen.INFERRED if covered else Seen.AWAITED
        below: list[Row] = []
        for child in inside:
            below += walk(child, depth + 1, seen in (Seen.SEEN, Seen.INFERRED), gone)
        direct = [row for row in below if row.depth == depth + 1]
        units = sum(row.units for row in direct) if inside else 1
        found = sum(row.found for row in direct) if inside else int(seen is not Seen.AWAITED)
        container = bool(inside) or not line.package
        damaged, outcome = dock.damaged.get(line.epc, ""), dock.scanned.get(line.epc)
        apart = seen is Seen.SEEN and line.epc in dock.apart
        missed = sum(row.missed for row in direct) if inside else int(gone and not found)
        return [Row(line, seen, depth, units, found, container, damaged, outcome, apart, missed), *below]

    return [row for root in children.get(None, []) for row in walk(root, 0, False, False)]


def judge(word: Word, reason: Reason, line: Line | None, label: tuple[str | None, str | None], *, again: bool,
          contents: bool, coming: bool, ours: bool) -> Outcome:  # fmt: skip
    """What a scan is answered with. `line`: what the document has of it; `label`: lot and expiry as read; `contents`:
    it is a container with something in it; `coming`, `ours`: by the record it is on its way here, or here."""
    if word is Word.COULD_NOT_READ:
        return Outcome.UNREAD
    if again:
        return Outcome.AGAIN
    if line is None:
        if ours:
            return Outcome.RECEIVED_BEFORE
        if word is Word.SUSPECT:
            return Outcome.DOUBTFUL
        if coming:
            return Outcome.OTHER_DELIVERY
        if reason in (Reason.NO_RECORD, Reason.NOT_COMMISSIONED, Reason.IN_PROGRESS):
            return Outcome.NO_DATA
        return Outcome.FOR_ANOTHER if reason is Reason.SHIPPED_ELSEWHERE else Outcome.NOT_ON_DOCUMENT
    if contents:
        return Outcome.MATCH if is_taken_whole(word) else Outcome.CONTENTS
    if word is Word.SUSPECT:
        return Outcome.DOUBTFUL
    lot, expiry = label
    if lot and line.lot and lot != line.lot:
        return Outcome.LOT_DIFFERS
    if expiry and line.expiry and expiry != line.expiry:
        return Outcome.EXPIRY_DIFFERS
    return STOPPED_BY.get(reason, Outcome.UNUSABLE) if word is Word.DO_NOT_USE else Outcome.MATCH


def stopped(outcome: Outcome, *, is_container: bool) -> Outcome:
    """What a scan comes to of what is being investigated, or notified as illegitimate by a partner."""
    if outcome is not Outcome.MATCH:
        return outcome
    return Outcome.CONTENTS if is_container else Outcome.DOUBTFUL


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One exception that finishing opens: like things together."""

    kind: OwnKind
    epcs: tuple[str, ...]
    detail: str = ""
    lot: str = ""
    expiry: str = ""


@dataclass(slots=True)
class Plan:
    """What finishing records. `received`: the outermost things that are there; `counted`: an opened container, what
    of its direct contents was there, and whether that is all; `held`: disposition, and what is held under it."""

    received: list[str] = field(default_factory=list)
    counted: list[tuple[str, tuple[str, ...], bool]] = field(default_factory=list)
    held: dict[str, list[str]] = field(default_factory=dict)
    discrepancies: list[Discrepancy] = field(default_factory=list)


def plan(lines: Sequence[Line], acts: Sequence[Act]) -> Plan:
    """What finishing this delivery records: what is there, and nothing else.

    What lacks in a container that was opened is said by its count, and the finding opens that exception.
    """
    tally, made = Tally.of(lines, acts), Plan()
    rows = {row.line.item_id: row for row in tally.rows}
    children = _children(lines)
    missing: list[Line] = []

    def take(line: Line, inside: bool) -> None:
        row, within = rows[line.item_id], children.get(line.item_id, [])
        unlabelled = row.seen is Seen.AWAITED and bool(within) and row.found > 0
        if row.seen is Seen.AWAITED and not unlabelled:
            if not inside:
                missing.append(line)
            return
        if unlabelled and not inside and not row.complete:
            # Its label was not seen, and not all that is in it: what came is taken by itself.
            for child in within:
                take(child, inside=False)
            return
        if not inside:
            made.received.append(line.epc)
        if row.seen is Seen.OPENED or unlabelled:
            there = tuple(child.epc for child in within if _is_there(rows[child.item_id]))
            made.counted.append((line.epc, there, len(there) == len(within)))
        for child in within if row.seen is not Seen.INFERRED else ():
            take(child, inside=True)

    for root in children.get(None, []):
        take(root, inside=False)
    made.received += tally.others
    _hold(made, tally)
    made.discrepancies += _discrepancies(tally, acts, missing, nothing=not made.received)
    return made


def _is_there(row: Row) -> bool:
    return row.seen is not Seen.AWAITED or row.found > 0


def _hold(made: Plan, tally: Tally) -> None:
    for row in tally.rows:
        disposition = DAMAGED_AS if row.damaged else HELD_AS.get(row.outcome or Outcome.MATCH)
        disposition = APART_AS if row.apart and not row.damaged else disposition
        if disposition and row.seen is not Seen.AWAITED:
            made.held.setdefault(disposition, []).append(row.line.epc)


def _discrepancies(
    tally: Tally, acts: Sequence[Act], missing: Sequence[Line], *, nothing: bool
) -> Iterator[Discrepancy]:
    if nothing and missing:
        yield Discrepancy(OwnKind.LOST, tuple(line.epc for line in missing))
    else:
        yield from _missing(missing)
    grouped: dict[tuple[OwnKind, str, str, str], list[str]] = {}
    for act in acts:
        kind = KIND_OF.get(act.outcome)
        if kind is None or act.kind is not ActKind.SCAN:
            continue
        gtin = item_name(act.epc).gtin or act.epc
        found = grouped.setdefault((kind, gtin, act.lot or "", act.expiry or ""), [])
        if act.epc not in found:
            found.append(act.epc)
    opened = {row.line.epc for row in tally.rows if row.seen is Seen.OPENED}
    for (kind, _, lot, expiry), epcs in grouped.items():
        left = tuple(epc for epc in epcs if epc not in opened)
        if left:
            yield Discrepancy(kind, left, _label(lot, expiry), lot, expiry)
    damaged: dict[tuple[str, str], list[str]] = {}
    for row in tally.rows:
        if row.damaged and row.seen is not Seen.AWAITED:
            key = (row.damaged, item_name(row.line.epc).gtin or row.line.epc)
            damaged.setdefault(key, []).append(row.line.epc)
    for (reason, _), epcs in damaged.items():
        yield Discrepancy(OwnKind.DAMAGED, tuple(epcs), f"Damage: {DAMAGES.get(reason, reason)}.")


def withheld(made: Plan, incomplete: Sequence[object]) -> list[Discrepancy]:
    """The exception of what is received though information of it is withheld: of these of its shipments. Where there is
    no affirmed statement either, that has its own."""
    detail = (
        "The seller's record has gaps, which the seller alone reads: nothing of it is released to its buyer."
    )
    if not (incomplete and made.received):
        return []
    return [Discrepancy(OwnKind.INFORMATION_WITHHELD, tuple(made.received), detail)]


def _missing(missing: Sequence[Line]) -> Iterator[Discrepancy]:
    """Each container by itself; packages of one product and lot together."""
    loose: dict[tuple[str, str], list[str]] = {}
    for line in missing:
        if line.package:
            loose.setdefault((item_name(line.epc).gtin or "", line.lot or ""), []).append(line.epc)
        else:
            yield Discrepancy(OwnKind.NOT_RECEIVED, (line.epc,))
    for (_, lot), epcs in loose.items():
        yield Discrepancy(OwnKind.NOT_RECEIVED, tuple(epcs), lot=lot)


def _label(lot: str, expiry: str) -> str:
    said = ", ".join(f"{name} {value}" for name, value in (("lot", lot), ("expiry", expiry)) if value)
    return f"The label says {said}." if said else ""

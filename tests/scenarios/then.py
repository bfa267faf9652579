"""What must be so in the end: the lines that begin with *then*, held against what came out, by kernel or node alike."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from ledger.custody.findings import FindingCode
from ledger.custody.state import Item, Status, World, is_inferred
from ledger.custody.verdict import Reason, Word
from tests.scenarios.sentences import EXPIRY, LOT, PARTIES, Names, Unclear, party, time_of
from tests.scenarios.story import Scenario


@dataclass(frozen=True, slots=True)
class Label:
    """What is printed on a package: canonical EPC, lot and expiry."""

    key: str
    lot: str | None
    expiry: date | None


class Outcome(Protocol):
    """What a play of a scenario came to."""

    world: World
    findings: Sequence[tuple[FindingCode, str | None]]

    def scan(self, asker: str | None, label: Label, at: datetime) -> tuple[Word, Reason]: ...

    def made_of(self, key: str) -> set[str]: ...

    def desk(self, gln: str) -> list[tuple[FindingCode, str | None]]: ...

    def outstanding(self, at: datetime) -> list[tuple[FindingCode, str | None]]: ...


def differences(scenario: Scenario, outcome: Outcome) -> list[str]:
    """The expectations of `scenario` that `outcome` does not meet, each with what is so instead."""
    wrong: list[str] = []
    told_of_findings = False
    for line in scenario.then:
        told_of_findings = told_of_findings or line.startswith("found:")
        for pattern, test in _THEN:
            found = pattern.fullmatch(line)
            if found:
                so = test(scenario, outcome, found)
                wrong += [f"{scenario.where} ({scenario.title}): then {line}. But {so}."] if so else []
                break
        else:
            raise Unclear(f"{scenario.where}: no expectation of README.md: {line!r}")
    if not told_of_findings:
        raise Unclear(f"{scenario.where}: what was found is always said, be it 'then found: nothing'")
    return wrong


_Test = Callable[[Scenario, Outcome, "re.Match[str]"], str | None]


def _each(test: Callable[[Names, World, Item, str], str | None]) -> _Test:
    """A test of every thing that the line names, one after the other."""

    def tested(scenario: Scenario, outcome: Outcome, found: re.Match[str]) -> str | None:
        names = scenario.names
        for name in found["things"].split():
            so = test(names, outcome.world, outcome.world.item(names.key(name)), found["what"])
            if so:
                return f"{name} is {so}"
        return None

    return tested


def _who(gln: str | None) -> str:
    return next(
        (name for name, (known, _) in PARTIES.items() if known == gln), "nobody" if gln is None else gln
    )


def _held(_names: Names, world: World, item: Item, who: str) -> str | None:
    outer = world.outer(item)
    held = f"under way from {_who(outer.holder)}" if outer.in_transit else f"held by {_who(outer.holder)}"
    return None if held == f"held by {who}" else held


def _owned(_names: Names, world: World, item: Item, who: str) -> str | None:
    owner = _who(world.outer(item).owner)
    return None if owner == who else f"owned by {owner}"


def _under_way(_names: Names, world: World, item: Item, who: str) -> str | None:
    outer = world.outer(item)
    bound = _who(outer.bound_for) if outer.in_transit else "not under way"
    return None if bound == who else f"bound for {bound}"


def _inside(names: Names, _world: World, item: Item, box: str) -> str | None:
    return None if item.parent == names.key(box) else f"inside {names.name(item.parent)}"


def _state(names: Names, world: World, item: Item, what: str) -> str | None:
    if what == "loose":
        return None if item.parent is None else f"inside {names.name(item.parent)}"
    if what in ("inferred", "seen"):
        inferred = is_inferred(item, world.outer(item))
        return None if inferred == (what == "inferred") else ("inferred" if inferred else "seen")
    if what not in list(Status):
        raise Unclear(f"{what!r} is no state of README.md")
    return None if item.status == what else item.status


def _made_of(scenario: Scenario, outcome: Outcome, found: re.Match[str]) -> str | None:
    names = scenario.names
    old = {names.name(key) for key in outcome.made_of(names.key(found["new"]))}
    return None if old == set(found["old"].split()) - {"nothing"} else f"of {sorted(old)}"


def _scan(scenario: Scenario, outcome: Outcome, found: re.Match[str]) -> str | None:
    names, name = scenario.names, found["thing"]
    lot, expiry = names.printed.get(name, (names.lot(LOT), EXPIRY))
    if found["lot"]:
        lot = names.lot(found["lot"])
    expiry = found["expiry"] or expiry
    at = time_of(f"{found['when']} ") if found["when"] else scenario.ends
    assert at is not None
    label = Label(names.key(name), lot, date.fromisoformat(expiry) if expiry else None)
    asker = None if found["who"] == "inspector" else party(found["who"])
    word, reason = outcome.scan(asker, label, at)
    seen = f"{word}: {reason}"
    return None if seen == f"{Word(found['word'])}: {Reason(found['reason'])}" else f"the scan says {seen}"


def _listed(names: Names, text: str) -> Counter[str]:
    return Counter() if text == "nothing" else Counter(part.strip() for part in text.split(","))


def _codes(names: Names, found: Sequence[tuple[FindingCode, str | None]]) -> Counter[str]:
    return Counter(f"{code} on {names.name(key)}" if key else str(code) for code, key in found)


def _found(scenario: Scenario, outcome: Outcome, found: re.Match[str]) -> str | None:
    so = _codes(scenario.names, outcome.findings)
    return (
        None
        if so == _listed(scenario.names, found["what"])
        else ", ".join(sorted(so.elements())) or "nothing"
    )


def _desk(scenario: Scenario, outcome: Outcome, found: re.Match[str]) -> str | None:
    so = _codes(scenario.names, outcome.desk(party(found["who"])))
    return (
        None
        if so == _listed(scenario.names, found["what"])
        else ", ".join(sorted(so.elements())) or "nothing"
    )


def _outstanding(scenario: Scenario, outcome: Outcome, found: re.Match[str]) -> str | None:
    at = time_of(f"{found['when']} ")
    assert at is not None
    so = _codes(scenario.names, outcome.outstanding(at))
    return (
        None
        if so == _listed(scenario.names, found["what"])
        else ", ".join(sorted(so.elements())) or "nothing"
    )


_THINGS = r"(?P<things>\S+(?: \S+)*?) (?:is|are)"
_WHEN = r"(?P<when>day \d+(?: \d\d:\d\d)?)"
_THEN: list[tuple[re.Pattern[str], _Test]] = [
    (re.compile(r"found: (?P<what>.+)"), _found),
    (re.compile(r"the desk of (?P<who>\S+) has: (?P<what>.+)"), _desk),
    (re.compile(rf"on {_WHEN} outstanding: (?P<what>.+)"), _outstanding),
    (
        re.compile(
            rf"(?P<who>\S+) scanning (?P<thing>\S+)(?: on {_WHEN})?"
            r"(?: labelled(?: lot (?P<lot>\S+))?(?: expiring (?P<expiry>\S+))?)?"
            r" sees (?P<word>[A-Z, ]+): (?P<reason>\S+)"
        ),
        _scan,
    ),
    (re.compile(r"(?P<new>\S+) was made of (?P<old>.+)"), _made_of),
    (re.compile(rf"{_THINGS} held by (?P<what>\S+)"), _each(_held)),
    (re.compile(rf"{_THINGS} owned by (?P<what>\S+)"), _each(_owned)),
    (re.compile(rf"{_THINGS} on (?:its|their) way to (?P<what>\S+)"), _each(_under_way)),
    (re.compile(rf"{_THINGS} inside (?P<what>\S+)"), _each(_inside)),
    (re.compile(rf"{_THINGS} (?P<what>\S+)"), _each(_state)),
]

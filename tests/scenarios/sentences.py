"""From a line of a scenario to an event, by the words of README.md.

    read(names, "maker packs P1 P2 into C1")  ->  the act of an AggregationEvent by the maker

What a line means is built by `tests.support.world`, where the tests of single rules have their words from too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import quote

from ledger.custody.act import Act
from ledger.custody.event import ErrorDeclaration, Linked
from ledger.gs1.check_digit import check_digit
from tests.support import world
from tests.support.world import sgln

DAY_ONE = datetime.fromisoformat("2026-06-01T00:00:00+00:00")

PARTIES = {
    "maker": ("0399999000017", "maker"),
    "second-maker": ("0614141000012", "maker"),
    "repackager": ("0305000000013", "repackager"),
    "wholesaler": ("0860000000017", "wholesaler"),
    "second-wholesaler": ("0200000000011", "wholesaler"),
    "pharmacy": ("0370000000011", "dispenser"),
    "hospital": ("0200000000028", "dispenser"),
    "carrier": ("0810000000012", "3pl"),
    "stranger": ("0666000000015", "wholesaler"),
}
# Where each town's site is; its number stands for the read point.
TOWNS = {
    "New-York": ("0200000000035", (40.7128, -74.0060)),
    "Newark": ("0200000000042", (40.7357, -74.1724)),
    "Chicago": ("0200000000059", (41.8781, -87.6298)),
    "Los-Angeles": ("0200000000066", (34.0522, -118.2437)),
}
# P: a product of which nobody has said who makes it; Q: one whose maker answers on the node; H: a case with its own
# number. C, T: containers numbered by nobody knows whom; K: with the maker's company prefix, which the node knows.
GTINS = {"P": "00399999001014", "Q": "00399999002011", "H": "50399999001019"}
MAKERS_PREFIX, UNKNOWN_PREFIX = "0399999", "0999777"
LOT, EXPIRY = "L1", "2028-05-31"


class Unclear(Exception):
    """A line that is no sentence of README.md."""


@dataclass(slots=True)
class Names:
    """What one scenario calls its things: each has numbers of its own, so that all scenarios fit in one node."""

    number: int
    keys: dict[str, str] = field(default_factory=dict)
    printed: dict[str, tuple[str | None, str | None]] = field(
        default_factory=dict
    )  # lot and expiry on the label

    def key(self, name: str) -> str:
        """The canonical EPC of a thing."""
        if name not in self.keys:
            self.keys[name] = self._new(name)
        return self.keys[name]

    def name(self, key: str | None) -> str:
        """What the scenario calls the thing with this canonical EPC."""
        return next((name for name, known in self.keys.items() if known == key), str(key))

    def lot(self, name: str) -> str:
        """A lot's number."""
        return f"{name}-{self.number}"

    def lot_key(self, name: str, of: str = "P") -> str:
        """A lot's canonical EPC."""
        key = f"https://id.gs1.org/01/{GTINS[of]}/10/{self.lot(name)}"
        self.keys.setdefault(name, key)
        return key

    def serial(self, name: str) -> str:
        return f"{self.number}{name}"

    def _new(self, name: str) -> str:
        if name[0] in GTINS:
            return f"https://id.gs1.org/01/{GTINS[name[0]]}/21/{quote(self.serial(name), safe='')}"
        if name[0] not in "CTK":
            raise Unclear(f"{name!r} is no thing: packages begin with P, Q or H, containers with C, T or K")
        prefix = MAKERS_PREFIX if name[0] == "K" else UNKNOWN_PREFIX
        digits = f"0{prefix}{self.number * 100 + len(self.keys):09d}"
        return f"https://id.gs1.org/00/{digits}{check_digit(digits)}"


@dataclass(frozen=True, slots=True)
class Told:
    """What happened, in the words of a scenario: `late` is told after everything else, `beside` in the document of what
    stands before it."""

    line: str
    act: Act
    town: str | None
    late: bool
    beside: bool = False


def party(name: str) -> str:
    """The GLN of a party."""
    if name not in PARTIES:
        raise Unclear(f"{name!r} is no party of README.md")
    return PARTIES[name][0]


_TIME = re.compile(r"day (-?\d+)(?: (\d\d):(\d\d))?\s+")
_Made = Callable[[Names, "re.Match[str]"], Act]


def time_of(text: str) -> datetime | None:
    """The moment at the beginning of a line: ``day 3 08:30``; noon where no time is given."""
    found = _TIME.match(text)
    if found is None:
        return None
    day, hour, minute = int(found[1]), int(found[2] or 12), int(found[3] or 0)
    return DAY_ONE + timedelta(days=day - 1, hours=hour, minutes=minute)


def without_time(text: str) -> str:
    return _TIME.sub("", text, count=1)


def read(names: Names, sentence: str, called: dict[str, Act]) -> Act:
    """The act that a sentence tells. Its time and id are given by the caller."""
    who, _, what = sentence.partition(" ")
    wrong = re.fullmatch(r"declares (\S+) (wrong|never-happened)(?: instead (.+))?", what)
    if wrong:
        return _declared(called, who, wrong)
    for pattern, made in _SENTENCES:
        found = pattern.fullmatch(what)
        if found:
            return replace(made(names, found), by=party(who)) if who != "?" else made(names, found)
    raise Unclear(f"no sentence of README.md: {sentence!r}")


def _declared(called: dict[str, Act], who: str, found: re.Match[str]) -> Act:
    if found[1] not in called:
        raise Unclear(f"nothing was called {found[1]!r} before")
    wrong = called[found[1]]
    reason = "did_not_occur" if found[2] == "never-happened" else "incorrect_data"
    instead = tuple(called[name].event.id for name in (found[3] or "").split())
    declaration = ErrorDeclaration(world.minutes(100_000), reason, instead)
    return replace(wrong, by=party(who), event=replace(wrong.event, declaration=declaration))


def _keys(names: Names, text: str) -> list[str]:
    return [names.key(name) for name in text.split()]


def _commissions(names: Names, found: re.Match[str]) -> Act:
    lot = None if found["no_lot"] else names.lot(found["lot"] or LOT)
    expiry = None if found["no_lot"] else (found["expiry"] or EXPIRY)
    for name in found["things"].split():
        names.printed.setdefault(name, (lot, expiry))
        names.lot_key(found["lot"] or LOT, name[0]) if name[0] in GTINS else None
    made = world.commission(*_keys(names, found["things"]), lot=lot, expiry=expiry)
    return _ordered(names, made, found["order"], "repackaging")


def _ordered(names: Names, made: Act, order: str | None, step: str) -> Act:
    if not order:
        return made
    order = f"urn:epcglobal:cbv:bt:0399999000017:{order}-{names.number}"
    return replace(made, event=replace(made.event, biz_step=step, transactions=(Linked("prodorder", order),)))


def _sells(names: Names, found: re.Match[str]) -> Act:
    return world.ship(
        *_keys(names, found["things"]),
        by="?",
        to=party(found["place"] or found["to"]),
        sold_to=party(found["to"]),
        sold_by=party(found["owner"]) if found["owner"] else None,
        statement=None if found["bare"] else True,
    )


def _by_itself(step: str, disposition: str | None = "in_progress") -> _Made:
    def made(names: Names, found: re.Match[str]) -> Act:
        act = world.observe(*_keys(names, found["things"]), by="?", disposition=disposition)
        return replace(act, event=replace(act.event, biz_step=step))

    return made


def _returns(names: Names, found: re.Match[str]) -> Act:
    to = party(found["to"])
    statement = True if found["with"] else None
    return world.ship(
        *_keys(names, found["things"]), by="?", to=to, statement=statement, disposition="returned"
    )


def _ends_recall(names: Names, found: re.Match[str]) -> Act:
    act = world.observe(*_keys(names, found["things"]), by="?", disposition="sellable_accessible")
    return replace(act, event=replace(act.event, biz_step="inspecting", persistent_unset=("recalled",)))


def _takes_back(names: Names, found: re.Match[str]) -> Act:
    act = world.receive(*_keys(names, found["things"]), by="?", from_=party(found["from"]))
    return replace(act, event=replace(act.event, disposition="returned"))


def _repackages(names: Names, found: re.Match[str]) -> Act:
    made = world.repackage(_keys(names, found["old"]), _keys(names, found["new"]), "?")
    for name in found["new"].split():
        names.printed.setdefault(name, ("NEW7", "2027-01-31"))
    return made


def _S(pattern: str) -> re.Pattern[str]:
    """A pattern in which THINGS is one thing or more, separated by blanks."""
    return re.compile(pattern.replace("THINGS", r"(?P<things>\S+(?: \S+)*?)"))


_SENTENCES: list[tuple[re.Pattern[str], _Made]] = [
    (
        _S(
            r"commissions THINGS(?: in lot (?P<lot>\S+))?(?: expiring (?P<expiry>\S+))?(?P<no_lot> without lot)?"
            r"(?: under order (?P<order>\S+))?"
        ),
        _commissions,
    ),
    (
        _S(r"packs THINGS into (?P<into>\S+)"),
        lambda n, m: world.pack(n.key(m["into"]), *_keys(n, m["things"])),
    ),
    (
        _S(r"unpacks THINGS from (?P<box>\S+)"),
        lambda n, m: world.unpack(n.key(m["box"]), *_keys(n, m["things"])),
    ),
    (_S(r"empties (?P<box>\S+)"), lambda n, m: world.unpack(n.key(m["box"]))),
    (
        _S(
            r"sells THINGS(?: of (?P<owner>\S+))? to (?P<to>\S+?)(?: delivered to (?P<place>\S+))?"
            r"(?P<bare> without statement)?"
        ),
        _sells,
    ),
    (
        _S(r"moves THINGS to (?P<to>\S+)"),
        lambda n, m: world.ship(*_keys(n, m["things"]), by="?", to=party(m["to"]), sold_to=None),
    ),
    (
        _S(r"ships THINGS to nobody"),
        lambda n, m: world.ship(*_keys(n, m["things"]), by="?", to=None, sold_to=None),
    ),
    (_S(r"returns THINGS to (?P<to>\S+?)(?P<with> with statement)?"), _returns),
    (_S(r"takes back THINGS from (?P<from>\S+)"), _takes_back),
    (
        _S(r"receives THINGS from (?P<from>\S+)"),
        lambda n, m: world.receive(*_keys(n, m["things"]), by="?", from_=party(m["from"])),
    ),
    (_S(r"receives THINGS"), lambda n, m: world.receive(*_keys(n, m["things"]), by="?", from_=None)),
    (_S(r"voids THINGS"), lambda n, m: world.void_shipping(*_keys(n, m["things"]), by="?")),
    (_S(r"accepts THINGS"), lambda n, m: world.accept(*_keys(n, m["things"]), by="?")),
    (
        _S(r"counts THINGS in (?P<box>\S+)"),
        lambda n, m: world.count(n.key(m["box"]), *_keys(n, m["things"]), by="?"),
    ),
    (_S(r"inspects THINGS"), _by_itself("inspecting")),
    (_S(r"stores THINGS"), _by_itself("storing")),
    (_S(r"stocks THINGS"), _by_itself("stocking")),
    (_S(r"picks THINGS"), _by_itself("picking")),
    (_S(r"releases THINGS"), _by_itself("inspecting", "sellable_accessible")),
    (
        _S(r"holds THINGS as (?P<why>\S+)"),
        lambda n, m: world.hold(*_keys(n, m["things"]), by="?", disposition=m["why"]),
    ),
    (
        _S(r"recalls lot (?P<lot>\S+)(?: of (?P<product>[PQ]))?"),
        lambda n, m: world.recall(by="?", lots=[n.lot_key(m["lot"], m["product"] or "P")]),
    ),
    (_S(r"ends the recall of THINGS"), _ends_recall),
    (_S(r"recalls THINGS"), lambda n, m: world.recall(*_keys(n, m["things"]), by="?")),
    (_S(r"dispenses part of THINGS"), lambda n, m: world.dispense(*_keys(n, m["things"]), partly=True)),
    (_S(r"dispenses THINGS"), lambda n, m: world.dispense(*_keys(n, m["things"]))),
    (
        _S(r"decommissions THINGS(?: under order (?P<order>\S+))?"),
        lambda n, m: _ordered(n, world.decommission(*_keys(n, m["things"])), m["order"], "repackaging"),
    ),
    (_S(r"destroys THINGS"), lambda n, m: world.destroy(*_keys(n, m["things"]), by="?")),
    (_S(r"repackages (?P<old>\S+(?: \S+)*?) into (?P<new>\S+(?: \S+)*)"), _repackages),
]


def placed(act: Act, who: str, town: str | None) -> Act:
    """The act with what depends on who tells it: source and read point."""
    event = act.event
    sources = tuple(
        Linked(each.type, sgln(party(who))) if each.id == sgln("?") else each for each in event.sources
    )
    destinations = tuple(
        Linked(each.type, sgln(party(who))) if each.id == sgln("?") else each for each in event.destinations
    )
    read_point = sgln(TOWNS[town][0]) if town else event.read_point
    return replace(
        act, event=replace(event, sources=sources, destinations=destinations, read_point=read_point)
    )

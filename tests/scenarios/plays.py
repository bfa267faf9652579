"""Playing scenarios twice: by the rules alone, and through a node that takes documents in.

Both begin with the same: the parties of README.md, the towns, the maker's company prefix, and who makes product Q.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from urllib.parse import unquote

from sqlalchemy import select

from app.capture import prepare
from app.cases.models import desk_case
from app.custody import loading, rebuild
from app.custody import service as custody
from app.custody.outstanding import outstanding as stored_outstanding
from app.exceptions.models import exception_case
from app.exceptions.rules import FINDING_KINDS
from app.partners import service as partners
from app.partners.licences import NewLicence
from app.partners.models import party
from app.partners.places import Position
from app.prefixes import service as prefixes
from app.products import service as products
from app.shared.actor import command_line
from app.shared.clock import ManualClock
from app.verification.service import Verification
from ledger.custody.act import Act
from ledger.custody.asked import of_recalled_lots, of_stopped_contents, told_late
from ledger.custody.event import Event
from ledger.custody.findings import Finding, FindingCode
from ledger.custody.lineage import Link, Side
from ledger.custody.order import TOLD_AGAIN, declared_by_others, ordered
from ledger.custody.outstanding import UnderWay, outstanding
from ledger.custody.rules import apply
from ledger.custody.state import Item, World
from ledger.custody.travel import place_text
from ledger.custody.verdict import Facts, Reason, Word, judge
from ledger.epcis.document import Document, Form, TransactionStatement
from ledger.epcis.jsonwriter import write
from tests.scenarios.sentences import GTINS, MAKERS_PREFIX, PARTIES, TOWNS, Told
from tests.scenarios.story import Scenario
from tests.scenarios.then import Label
from tests.support.app import NOON, Node
from tests.support.world import START

MAKER = PARTIES["maker"][0]
PLACES = {gln: place_text(*degrees) for gln, degrees in TOWNS.values()}
MAKERS = {GTINS["Q"]: MAKER}
TOLERANCE = timedelta(minutes=5)


def _issuer(number: str) -> str | None:
    """Whose company prefix an SSCC or a GTIN-14 has."""
    return MAKER if number[1:].startswith(MAKERS_PREFIX) else None


LOOKUPS = prepare.Lookups(
    party_of=lambda gln: gln,
    maker_of=MAKERS.get,
    place_of=PLACES.get,
    issuer_of=_issuer,
)
Arrivals = Callable[[Scenario], Sequence[Sequence[Told]]]
"""The documents of a scenario, in the order in which they come."""


# By the rules alone.


@dataclass(slots=True)
class ByRules:
    """What the kernel makes of a scenario."""

    world: World
    findings: list[tuple[FindingCode, str | None]]
    links: list[tuple[str, Link]]
    acts: list[Act] = field(default_factory=list)
    shipped: dict[tuple[str, int, str], set[str]] = field(default_factory=dict)
    work: list[tuple[str, FindingCode, str | None]] = field(default_factory=list)

    def note(self, act: Act, found: Iterable[Finding]) -> None:
        """Keep what was found about an act, and whose work it is: its reporter's, or whom the act goes to."""
        for each in found:
            self.findings.append((each.code, each.item))
            kind = FINDING_KINDS.get(each.code)
            if kind is not None:
                to_recipient = kind.to_recipient and act.recipient is not None
                self.work.append((act.recipient if to_recipient else act.by, each.code, each.item))

    def desk(self, gln: str) -> list[tuple[FindingCode, str | None]]:
        return [(code, key) for whose, code, key in self.work if whose == gln]

    def scan(self, asker: str | None, label: Label, at: datetime) -> tuple[Word, Reason]:
        item = self.world.items.get(label.key)
        gtin = label.key.split("/01/")[1][:14]
        verdict = judge(
            Facts.of(
                self.world,
                item,
                at,
                asker=asker,
                label_lot=label.lot,
                label_expiry=label.expiry,
                maker_denies=gtin in MAKERS and (item is None or item.maker is None),
                vouched=item is None or item.maker in (None, MAKERS.get(gtin), _issuer(gtin)),
            )
        )
        return verdict.word, verdict.reason

    def made_of(self, key: str) -> set[str]:
        new = {(by, link.reference) for by, link in self.links if (link.item, link.side) == (key, Side.NEW)}
        return {link.item for by, link in self.links if link.side is Side.OLD and (by, link.reference) in new}

    def outstanding(self, at: datetime) -> list[tuple[FindingCode, str | None]]:
        under_way = [
            UnderWay(
                each, bool(self._received(each) & self.shipped[each.sender, each.custody_since, each.key])
            )
            for each in self.world.items.values()
            if each.parent is None and each.in_transit and each.sender
        ]
        return [(found.code, found.item) for found in outstanding(under_way, at)]

    def _received(self, item: Item) -> set[str]:
        """What the party for which `item` is bound has received since it was shipped."""
        return {
            key
            for act in self.acts
            if act.event.biz_step == "receiving"
            and act.by == item.bound_for
            and act.event.position > item.custody_since
            for key in act.event.all_epcs()
        }

    def _load(self, act: Act) -> None:
        """Remember what each object of a shipment was shipped with, and what was in it."""
        if act.event.biz_step == "shipping":
            for key in act.event.all_epcs():
                inside = {each for each in self.world.items if key in self.world.path(self.world.item(each))}
                self.shipped[act.by, act.event.position, key] = inside | set(act.event.all_epcs()) - {key}


def by_rules(scenario: Scenario) -> ByRules:
    """Play a scenario through the rules. What a node finds before it asks them is found as a node does."""
    played = ByRules(World(), [], [])
    acts: list[Act] = []
    for told in chain.from_iterable(scenario.arrivals):
        act = prepare.act_of(told.act.event, told.act.by, LOOKUPS, told.act.statement)
        before = (
            *prepare.future(act.event, NOON, TOLERANCE),
            *prepare.not_maker(act.event, act.by, MAKERS.get),
        )
        played.note(act, before)
        if not before:
            acts.append(act)
        if act.event.declaration is None and (late := told_late(act.event.event_time, NOON)):
            played.note(act, [late])
    counting, again = ordered(acts)
    for act in again:
        played.note(act, [TOLD_AGAIN])
    for act in counting:
        played.note(act, of_recalled_lots(played.world, act))
        played.note(act, of_stopped_contents(played.world, act))
        outcome = apply(played.world, act)
        played.world.update(outcome.changed)
        played.acts.append(act)
        played._load(act)
        played.note(act, outcome.findings)
        played.links += [(act.by, link) for link in outcome.links]
    for act, found in declared_by_others(acts):
        played.note(act, [found])
    return played


# Through a node.


def begin(node: Node) -> None:
    """Tell a node of the parties, the towns, the prefix and the product."""
    services = node.services
    services.node.initialise()
    sites = [
        partners.NewSite(gln, town, position=Position.parse(",".join(map(str, degrees))))
        for town, (gln, degrees) in TOWNS.items()
    ]
    with services.database.writing() as connection:
        for name, (gln, kind) in PARTIES.items():
            at = sites if name == "carrier" else []
            licence = NewLicence("State board", f"{name}-1", START - timedelta(days=1000))
            partners.register(
                connection, services.clock, gln, f"the {name}", kind, sites=at, licences=[licence]
            )
        prefixes.add(connection, MAKERS_PREFIX, MAKER)
        products.register(connection, services.clock, GTINS["Q"], MAKER, name="Quietol")


def tell(node: Node, scenarios: Sequence[Scenario], arrivals: Arrivals = lambda each: each.arrivals) -> None:
    """Send everything: of all scenarios what came first, then what came second. One document a party and round, to
    whomever its events go; with another transaction statement it is another document."""
    told = [list(arrivals(scenario)) for scenario in scenarios]
    for number in range(max(map(len, told))):
        documents: dict[tuple[str, bool | None], list[Event]] = defaultdict(list)
        for some in told:
            for each in some[number] if number < len(some) else ():
                documents[each.act.by, each.act.statement].append(each.act.event)
        for (by, statement), events in documents.items():
            send(node, by, statement, events)


def send(node: Node, by: str, affirmed: bool | None, events: Iterable[Event]) -> None:
    statement = (
        None if affirmed is None else TransactionStatement(affirmed=affirmed, legal_notice="as the law asks")
    )
    document = Document(Form.JSON20, tuple(events), created=START, statement=statement)
    node.services.capture.receive(
        write(document), "application/json", by=by, channel="file", actor=command_line("scenario")
    )


@dataclass(slots=True)
class ByNode:
    """What a node answers about a scenario."""

    node: Node
    world: World
    findings: list[tuple[FindingCode, str | None]]
    keys: list[str]
    work: list[tuple[str, FindingCode, str | None]]

    def desk(self, gln: str) -> list[tuple[FindingCode, str | None]]:
        return [(code, key) for whose, code, key in self.work if whose == gln]

    def scan(self, asker: str | None, label: Label, at: datetime) -> tuple[Word, Reason]:
        gtin, serial = unquote(label.key.split("/01/")[1]).split("/21/", 1)
        raw = f"01{gtin}21{serial}\x1d"
        raw += f"17{label.expiry:%y%m%d}" if label.expiry else ""
        raw += f"10{label.lot}" if label.lot else ""
        checks = Verification(self.node.services.database, ManualClock(at))
        verdict = checks.check(raw.encode(), "]d2", command_line("scenario"), asker=asker).verdict
        return verdict.word, verdict.reason

    def made_of(self, key: str) -> set[str]:
        with self.node.services.database.reading() as connection:
            number = loading.find_ids(connection, [key])[key]
            return {each.key for each in custody.repacked_from(connection, number)}

    def outstanding(self, at: datetime) -> list[tuple[FindingCode, str | None]]:
        with self.node.services.database.reading() as connection:
            numbers = loading.find_ids(connection, self.keys)
            found = stored_outstanding(connection, at, item_ids=list(numbers.values()))
            names = custody.keys_of(connection, [each.item_id for each in found])
        return [(each.code, names.get(each.item_id or 0)) for each in found]


_WORK = (
    select(party.c.gln, exception_case.c.kind, exception_case.c.seq, exception_case.c.item_id)
    .join(desk_case, desk_case.c.case_id == exception_case.c.case_id)
    .join(party, party.c.party_id == desk_case.c.party_id)
    .where(exception_case.c.standing)
)


def by_node(node: Node, scenarios: Sequence[Scenario]) -> Mapping[str, ByNode]:
    """What a node came to, by where each scenario stands, read in one go."""
    found: dict[str, ByNode] = {}
    with node.services.database.snapshot() as connection:
        assert list(rebuild.differences(connection)) == []
        rows = connection.exec_driver_sql("SELECT seq, event_id FROM event").all()
        numbers = {seq: int(event_id.split(":")[2][:8], 16) for seq, event_id in rows}
        keys = [key for scenario in scenarios for key in scenario.names.keys.values()]
        world = loading.load(connection, keys).world
        names = {number: key for key, number in loading.find_ids(connection, keys).items()}
        about: dict[int, list[tuple[FindingCode, str | None]]] = defaultdict(list)
        for each in custody.findings_of(connection, numbers):
            about[numbers[each.seq]].append((each.code, names.get(each.item_id or 0)))
        work: dict[int, list[tuple[str, FindingCode, str | None]]] = defaultdict(list)
        for gln, code, seq, item_id in connection.execute(_WORK):
            work[numbers[seq]].append((gln, FindingCode(code), names.get(item_id)))
        for scenario in scenarios:
            number, things = scenario.names.number, list(scenario.names.keys.values())
            found[scenario.where] = ByNode(node, world, about[number], things, work[number])
    return found

"""What a node has of each scenario in the tables that are projected, under the scenario's own names: to be compared.

Some things depend on the order of arrival because they say what it was, and are left out for that reason alone:
numbers (of items and events, given as they are first heard of), when and in which document something came, and of the
work at the exceptions desk what has passed: which cases were opened for a while, which findings of one document and
kind one case gathers, when. Which findings make work now, and at whose desk, does not depend on it, but for those that
are asked and not written (`app.exceptions.rules.COMPUTED`): what was known when they were asked last is what their
work rests on.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, select

from app.cases.models import desk_case
from app.custody import loading
from app.custody.models import contained, finding, lineage
from app.events.models import event
from app.exceptions.models import exception_case
from app.exceptions.rules import COMPUTED
from tests.scenarios.story import Scenario
from tests.support.app import Node

Rows = Counter[tuple[object, ...]]


def tables(node: Node, scenarios: Sequence[Scenario]) -> Mapping[str, Rows]:
    """The rows of items, containment, findings and links, which events count, and which findings make work: by where
    each scenario stands."""
    found: dict[str, Rows] = defaultdict(Counter)
    with node.services.database.snapshot() as connection:
        known = {key: (each, name) for each in scenarios for name, key in each.names.keys.items()}
        loaded = loading.load(connection, known)
        for key, item in loaded.world.items.items():
            if key in known:
                scenario, name = known[key]
                inside = known[item.parent][1] if item.parent else None
                plain = replace(item, key=name, parent=inside, lot=_plain(scenario, item.lot))
                found[scenario.where]["item", plain] += 1
        numbers = {number: known[key] for number, key in loaded.keys.items() if key in known}
        _contained(connection, numbers, found)
        _said(connection, scenarios, numbers, found)
    return found


def _contained(
    connection: Connection, numbers: Mapping[int, tuple[Scenario, str]], found: dict[str, Rows]
) -> None:
    query = select(contained.c.child, contained.c.f, contained.c.t, contained.c.parent)
    for child, since, until, parent in connection.execute(query):
        if child in numbers:
            scenario, name = numbers[child]
            found[scenario.where]["contained", name, since, until, numbers[parent][1]] += 1


def _said(
    connection: Connection,
    scenarios: Sequence[Scenario],
    numbers: Mapping[int, tuple[Scenario, str]],
    found: dict[str, Rows],
) -> None:
    by_number = {each.names.number: each for each in scenarios}
    named = {number: name for number, (_, name) in numbers.items()}
    for row in connection.execute(
        select(finding, event.c.event_id).join(event, event.c.seq == finding.c.seq)
    ):
        scenario = by_number.get(_number(row.event_id))
        if scenario:
            about = (row.code, row.severity, row.message, named.get(row.item_id), named.get(row.container_id))
            found[scenario.where]["finding", _plain(scenario, row.event_id), *about] += 1
    for row in connection.execute(select(event.c.event_id, event.c.declared_at, event.c.effective)):
        scenario = by_number.get(_number(row.event_id))
        if scenario:
            about = (_plain(scenario, row.event_id), row.declared_at, row.effective)
            found[scenario.where]["event", *about] += 1
    work = select(exception_case, event.c.event_id, desk_case.c.party_id.label("desk"))
    work = work.join(event, event.c.seq == exception_case.c.seq)
    work = work.join(desk_case, desk_case.c.case_id == exception_case.c.case_id)
    work = work.where(exception_case.c.standing, exception_case.c.kind.not_in(sorted(COMPUTED)))
    for row in connection.execute(work):
        scenario = by_number.get(_number(row.event_id))
        if scenario:
            about = (row.kind, row.party_id, row.desk, named.get(row.item_id), named.get(row.container_id))
            found[scenario.where]["exception", _plain(scenario, row.event_id), *about] += 1
    for row in connection.execute(
        select(lineage, event.c.event_id).join(event, event.c.seq == lineage.c.seq)
    ):
        scenario = by_number.get(_number(row.event_id))
        if scenario:
            about = (named.get(row.item_id), row.side, _plain(scenario, row.reference))
            found[scenario.where]["lineage", _plain(scenario, row.event_id), *about] += 1


def _number(event_id: str) -> int:
    return int(event_id.split(":")[2][:8], 16)


def _plain(scenario: Scenario, text: str | None) -> str | None:
    """The text without the scenario's number."""
    number = scenario.names.number
    return text and text.replace(f"urn:uuid:{number:08x}", "").removesuffix(f"-{number}")

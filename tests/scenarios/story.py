"""A scenario as it is read from its file: what happened, in order, and what must be so in the end."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from ledger.custody.act import Act
from tests.scenarios.sentences import (
    DAY_ONE,
    TOWNS,
    Names,
    Told,
    Unclear,
    placed,
    read,
    time_of,
    without_time,
)

FOLDER = Path(__file__).parent
_TITLE = "Scenario:"
_THEN = re.compile(r"then\s+(.*)")
_TOWN = re.compile(r" at ({})$".format("|".join(TOWNS)))
_HOUR = timedelta(hours=1)
_LATE, _BESIDE = ", told late", ", in the same document"


@dataclass(slots=True)
class Scenario:
    """One scenario. `then` are its expectations as they are written, each with its line."""

    title: str
    where: str
    names: Names
    told: list[Told] = field(default_factory=list)
    then: list[str] = field(default_factory=list)

    @property
    def documents(self) -> list[list[Told]]:
        """What was told, by the documents in which it was."""
        found: list[list[Told]] = []
        for each in self.told:
            if each.beside:
                found[-1].append(each)
            else:
                found.append([each])
        return found

    @property
    def arrivals(self) -> list[list[Told]]:
        """The documents in the order in which they came."""
        return sorted(self.documents, key=lambda each: each[0].late)

    @property
    def ends(self) -> datetime:
        """An hour after the last thing that happened."""
        return max(each.act.event.event_time for each in self.told) + _HOUR


def scenarios(first: int = 1) -> list[Scenario]:
    """Every scenario of this folder, numbered from `first`: under other numbers all things are other things."""
    found: list[Scenario] = []
    for path in sorted(FOLDER.glob("*.txt")):
        found += read_lines(path.name, path.read_text(encoding="utf-8"), first + len(found))
    return found


def read_lines(called: str, lines: str, first: int = 1) -> list[Scenario]:
    """The scenarios in a file. Raises `Unclear` with the line that is none of README.md's."""
    found: list[Scenario] = []
    reader: _Reader | None = None
    for number, line in enumerate(lines.splitlines(), 1):
        text = " ".join(line.partition("#")[0].split())
        where = f"{called}:{number}"
        try:
            if text.startswith(_TITLE):
                scenario = Scenario(text[len(_TITLE) :].strip(), where, Names(len(found) + first))
                found.append(scenario)
                reader = _Reader(scenario)
            elif text and reader is None:
                raise Unclear("a file begins with a scenario")
            elif text and reader is not None:
                reader.line(text)
        except (Unclear, ValueError) as error:
            raise Unclear(f"{where}: {error}") from error
    return found


@dataclass(slots=True)
class _Reader:
    scenario: Scenario
    at: datetime = DAY_ONE + timedelta(hours=7)
    called: dict[str, Act] = field(default_factory=dict)

    def line(self, text: str) -> None:
        then = _THEN.fullmatch(text)
        if then:
            self.scenario.then.append(then[1])
            return
        if self.scenario.then:
            raise Unclear("what happened stands before what must be so then")
        beside = text.endswith(_BESIDE)
        late = text.endswith(_LATE)
        if beside and not self.scenario.told:
            raise Unclear("no document comes before the first line")
        sentence = text.removesuffix(_LATE).removesuffix(_BESIDE)
        at = time_of(sentence)
        self.at = at or self.at + _HOUR
        name, equals, rest = without_time(sentence).partition(" = ")
        sentence = rest if equals else name
        town = _TOWN.search(sentence)
        sentence = _TOWN.sub("", sentence)
        who = sentence.partition(" ")[0]
        act = read(self.scenario.names, sentence, self.called)
        if act.event.declaration is None:
            act = placed(act, who, town[1] if town else None)
            number = len(self.scenario.told)
            act = replace(
                act,
                event=replace(
                    act.event,
                    event_id=f"urn:uuid:{self.scenario.names.number:08x}-0000-4000-8000-{number:012x}",
                    event_time=self.at,
                ),
            )
        if equals:
            self.called[name] = act
        told = Told(text, act, town[1] if town else None, late, beside)
        self.scenario.told.append(told)
        first = self.scenario.documents[-1][0].act
        if (first.by, first.statement) != (act.by, act.statement):
            raise Unclear("a document is of one party, with one transaction statement or none")

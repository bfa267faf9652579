"""A legal hold keeps an event from being redacted, until it is lifted or named as one that yields."""

from dataclasses import replace

import pytest
from sqlalchemy import event as sql_events

from app.cli import Context, _parser
from app.errors import AppError, Conflict
from app.retention.rules import About
from app.retention.service import keeping
from app.shared.audit import entries
from ledger.custody.event import compact
from ledger.custody.vocabulary import Action, EventType
from tests.support.app import OPERATOR
from tests.support.dock import Dock
from tests.support.world import GTIN, LOT_KEY, MAKER, PALLET, WHOLESALER, package

NOTE = ("http://example.com/ns#note", compact("call Annabel"))
BASIS = "GDPR Art. 17(1)(a)"


def held(dock: Dock, kind: About, about: str) -> str:
    return dock.services.retention.hold(OPERATOR, kind, about, "Civil action 26-cv-1234").hold_id


def test_what_a_hold_keeps_is_erased_when_it_is_lifted_or_named(sqlite_dock: Dock) -> None:
    dock, redactions = sqlite_dock, sqlite_dock.services.redactions
    dock.made(1, 2)
    dock.packed(PALLET, 1)
    # What was shipped names the pallet alone; the hold is over a package in it.
    sale = dock.sold(PALLET, by=MAKER, to=WHOLESALER, extensions=(NOTE,)).events[0].event_id
    other = dock.sold(package(2), by=MAKER, to=WHOLESALER, extensions=(NOTE,)).events[0].event_id
    action, recall = held(dock, About.PACKAGE, package(1)), held(dock, About.LOT, LOT_KEY)
    with pytest.raises(Conflict, match="A legal hold keeps this") as refused:
        redactions.redact(sale, None, BASIS, OPERATOR)
    assert (refused.value.code, set(refused.value.extra["holds"])) == ("redaction.held", {action, recall})
    assert "Civil action 26-cv-1234" in refused.value.detail
    with pytest.raises(Conflict) as refused:
        redactions.redact(sale, None, BASIS, OPERATOR, despite=[recall])
    assert refused.value.extra["holds"] == [action], "each is named"
    with pytest.raises(Conflict) as refused:
        redactions.redact(other, None, BASIS, OPERATOR)
    assert refused.value.extra["holds"] == [recall], "of the other package's lot alone"
    assert [erased for each in (sale, other) for _, erased in redactions.fields_of(each)] == [False, False]
    done = redactions.redact(sale, None, BASIS, OPERATOR, despite=[action, recall, "hold_of_another"])
    assert done.fields
    dock.services.retention.lift(OPERATOR, recall, "It was settled")
    assert redactions.redact(other, None, BASIS, OPERATOR).fields
    assert redactions.redact(sale, None, BASIS, OPERATOR).known, "what was erased before stays so"
    with dock.services.database.reading() as connection:
        trail = [each.detail for each in entries(connection, action="event.redact")]
    said = [set(filter(None, detail.partition(", despite ")[2].split(", "))) for detail in reversed(trail)]
    assert said == [{action, recall}, set(), set()]


def test_which_events_a_hold_keeps(sqlite_dock: Dock) -> None:
    dock = sqlite_dock
    dock.made(1)
    dock.packed(PALLET, 1)
    receipt = dock.sold(PALLET, by=MAKER, to=WHOLESALER)
    about = {
        About.EVERYTHING: ("", True),
        About.PARTY: (WHOLESALER, True),
        About.GTIN: (GTIN, True),
        About.LOT: (LOT_KEY, True),
        About.PACKAGE: (PALLET, True),
    }
    strangers = {
        About.PARTY: "0370000000011",
        About.GTIN: "00399999002011",
        About.LOT: LOT_KEY.replace("LOT42", "LOT43"),
        About.PACKAGE: package(9),
    }
    for kind, other in strangers.items():
        held(dock, kind, other)
    made = {held(dock, kind, what) for kind, (what, _) in about.items()}
    with dock.services.database.reading() as connection:
        kept = keeping(connection, [receipt.events[0].seq])
        assert {each.hold_id for each in kept} == made
        assert len(keeping(connection, None)) == len(made) + len(strangers)


def test_what_was_taken_out_by_an_event_is_what_it_is_about(sqlite_dock: Dock) -> None:
    """An event that empties a pallet names the pallet alone."""
    dock = sqlite_dock
    dock.made(1)
    dock.packed(PALLET, 1)
    emptied = dock.bare(
        type=EventType.AGGREGATION,
        action=Action.DELETE,
        biz_step="unpacking",
        parent=PALLET,
        extensions=(NOTE,),
    )
    dock.told(emptied, by=MAKER)
    action = held(dock, About.PACKAGE, package(1))
    with pytest.raises(Conflict) as refused:
        dock.services.redactions.redact(emptied.event_id or "", None, BASIS, OPERATOR)
    assert refused.value.extra["holds"] == [action]


def test_more_events_of_a_document_ask_no_more_statements(sqlite_dock: Dock) -> None:
    dock = sqlite_dock
    dock.made(*range(1, 13))
    events = [dock.bare(biz_step="inspecting", epcs=(package(number),)) for number in range(1, 13)]
    seqs = [each.seq for each in dock.told(*events, by=MAKER).events]
    keeps = held(dock, About.PACKAGE, package(12))
    held(dock, About.PACKAGE, package(99))
    statements: list[object] = []
    with dock.services.database.snapshot() as connection:
        sql_events.listen(connection, "before_cursor_execute", lambda *told: statements.append(told[2]))
        assert keeping(connection, seqs[:1]) == []
        few = len(statements)
        assert [each.hold_id for each in keeping(connection, seqs)] == [keeps]
    assert len(statements) == 2 * few


def test_the_command_says_what_stands_against_it(
    sqlite_dock: Dock, capsys: pytest.CaptureFixture[str]
) -> None:
    dock = sqlite_dock
    event = replace(dock.trade.begun(1), extensions=(NOTE,))
    dock.told(event, by=MAKER)
    hold = held(dock, About.EVERYTHING, "")

    def run(*more: str) -> None:
        context = Context(as_json=False)
        context.bare = dock.services
        words = ["redact", event.id, "--all", "--basis", BASIS, "--yes", *more]
        arguments = _parser("redact").parse_args(words)
        arguments.run(arguments, context)

    with pytest.raises(AppError) as refused:
        run()
    assert hold in refused.value.detail
    run("--despite", hold)
    assert "erased; entry" in capsys.readouterr().out

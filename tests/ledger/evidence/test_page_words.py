"""The page tells what the verifier in Python tells, in the same words, and a stranger's text as a stranger's."""

from typing import TYPE_CHECKING

from ledger.evidence.policy import Policy
from ledger.evidence.verify import verify
from tests.ledger.evidence.test_doubt import by_the_thief, down_the_chain
from tests.ledger.evidence.test_forged import LABEL, PINNED, labelled, saying
from tests.ledger.evidence.test_page import files, opened, story, world  # noqa: F401 - fixtures
from tests.ledger.evidence.test_retraction import DECLARED, retracted, shown
from tests.ledger.evidence.verifiers import compare, encoded, in_browser
from tests.ledger.evidence.world import MAKER, PACK, World, shipped

if TYPE_CHECKING:
    from playwright.sync_api import Page


def drop(opened: "Page", data: bytes) -> None:  # noqa: F811
    dropped = opened.evaluate_handle(
        "text => { const t = new DataTransfer();"
        " t.items.add(new File([packproof.fromBase64(text)], 'dropped.json')); return t; }",
        encoded(data),
    )
    opened.dispatch_event("main", "drop", {"dataTransfer": dropped})


def test_both_verifiers_tell_a_strangers_label_as_his(opened: "Page") -> None:  # noqa: F811
    made, index = labelled(LABEL)
    case, mine = made.bundle([index], [PACK]), files(made)
    assert compare(opened, [case], *mine) == {0: 1}
    told = in_browser(opened, [case], *mine)[0]["told"]
    found = verify(case, Policy.parse(*mine))
    assert told["events"][0]["vouched"] == {"kind": "word", "text": found.events[0].vouched()}
    assert {key["who"] for key in told["keys"]} == {key.who() for key in found.keys}


def test_both_verifiers_tell_a_strangers_fields_as_his(opened: "Page") -> None:  # noqa: F811
    names = ("vouched for", "ext/x#lotNumber", "ilmd/x#key valid then")
    made, index = saying(**dict.fromkeys(names, PINNED), bizStep="a b'", eventTime="2026T c.0Z")
    told = in_browser(opened, [made.bundle([index], [PACK])])[0]["told"]["events"][0]
    assert {name for name, _ in told["rows"]} == {"packages", *(f"'{name}'" for name in names)}
    assert (told["step"], told["time"]) == ("'a b\\''", "'2026T c.0Z'")


def test_both_verifiers_refuse_what_no_node_notes(opened: "Page") -> None:  # noqa: F811
    cases = []
    for noted in ({"onBehalfOf": "950600013435"}, {"onBehalfOf": f"{MAKER}\n"}, {"channel": "signed"}, {}):
        made = World()
        cases.append(made.bundle([made.capture(shipped(PACK, 5), received=True, noted=noted)], [PACK]))
    assert compare(opened, cases) == {0: 1, 7: 3}


def test_the_page_shows_what_an_event_says_apart_from_what_is_said_of_it(opened: "Page") -> None:  # noqa: F811
    made, index = saying(**{"ext/x#vouched for": PINNED})
    drop(opened, made.bundle([index], [PACK]))
    opened.locator("#events", has_text="ext/x#vouched for").wait_for()
    own, said = opened.locator("#events > li > dl").all_inner_texts()
    assert "NOT signed by it" in own
    assert PINNED not in own
    assert PINNED in said
    assert opened.inner_text("#events > li > h4") == "What it says"


def test_both_verifiers_doubt_what_goes_back_to_a_stolen_root(opened: "Page") -> None:  # noqa: F811
    worlds = [by_the_thief(5), by_the_thief(6), down_the_chain()]
    cases = [each.bundle([index], [PACK]) for each, index in worlds]
    assert compare(opened, cases) == {0: 3}
    reports = [verify(case) for case in cases]
    shown = [found["told"] for found in in_browser(opened, cases)]
    assert [report.events[0].in_doubt for report in reports] == [True, False, True]
    for report, seen in zip(reports, shown, strict=True):
        [event] = report.events
        words = {"text": event.signed_by[0].valid(event.index), "doubt": event.in_doubt}
        assert seen["events"][0]["valid"] == [words]
        assert sorted(key["life"] for key in seen["keys"]) == sorted(key.life() for key in report.keys)


def test_both_verifiers_tell_what_may_be_a_retraction(opened: "Page") -> None:  # noqa: F811
    wrong, act = retracted(shipped(PACK, 3)), shipped(PACK, 3)
    hidden = [(), ("eventID",), ("eventID", "type"), ("bizStep", "eventID", "action")]
    cases = [shown(record, *DECLARED, *hide) for record in (wrong, act) for hide in hidden]
    cases += [shown(wrong, *(DECLARED.keys() - {path})) for path in DECLARED]
    assert compare(opened, cases) == {0: 11}
    for case, found in zip(cases, in_browser(opened, cases), strict=True):
        [event], [seen] = verify(case).events, found["told"]["events"]
        assert ("OR ITS RETRACTION: what would tell is hidden" in seen["step"]) is event.may_retract
        assert ("declared to be wrong" in seen["step"]) is event.declared_wrong

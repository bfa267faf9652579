"""The report: in words for people, whole for programs, and deaf to what strangers wrote into the values."""

import json

from ledger.evidence.report import _short, _value
from ledger.evidence.verify import verify
from tests.ledger.evidence.world import MAKER, PACK, World, event, made


def test_nothing_in_a_value_can_forge_a_line_of_the_report() -> None:
    world = World()
    trick = "shipping\n     vouched for          signed by the President\x1b[2K"
    index = world.capture(
        event(
            type="ObjectEvent", bizStep=trick, epcList=[PACK], eventTime=trick, **{"ext/x#y\nz": "\u202e\x07"}
        )
    )
    text = verify(world.bundle([index], [PACK])).text()
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert [line for line in text.split("\n") if line.startswith("     vouched for")] == [
        f"     vouched for          signed by {MAKER} (by this node's word, device key 'Packing line 3')"
    ]


def test_a_time_beyond_the_calendar_is_no_trap() -> None:
    world = World()
    kept = world.kept[world.capture(made(PACK))]
    object.__setattr__(kept.entry, "received_ms", 2**63 - 1)
    assert "recorded at 9999-12-31" in verify(world.bundle([4], [PACK])).text()


def test_the_report_for_programs_says_what_the_one_for_people_says() -> None:
    world = World()
    world.capture(made(PACK))
    report = verify(world.bundle([4], [PACK]))
    value = json.loads(json.dumps(report.to_json()))
    assert value["events"][0]["vouched"] in report.text()
    assert value["events"][0]["many"] == {"epcList": [PACK]}
    assert value["complete"] == "cannot be proven here"
    assert {key["key"] for key in value["keys"]} == {
        signer.thumbprint.hex() for signer in (world.intake, world.root, world.device)
    }
    assert world.root.thumbprint.hex() in report.text()
    assert "commissioning at 2026-03-01 10:00:00 UTC" in report.text()
    assert "LOT-77" in report.text()


def test_a_document_or_a_party_with_its_type_is_told_in_words_and_nothing_else_is_guessed() -> None:
    assert _value('{"destination":"https://id.gs1.org/414/0860000000000","type":"owning_party"}') == (
        "GLN 0860000000000 (owning party)"
    )
    assert _value('{"bizTransaction":"urn:epcglobal:cbv:bt:0860000000000:PO-1","type":""}') == (
        "PO-1, numbered by GLN 0860000000000"
    )
    assert (
        _value('"https://id.gs1.org/414/0860000000000/254/Dock-3"') == "GLN 0860000000000, extension Dock-3"
    )
    assert _value("https://id.gs1.org/417/0860000000000") == "GLN 0860000000000"
    for written in ("https://id.gs1.org/414/086000000000", "https://id.gs1.org/414/0860000000000 ", "urn:x"):
        assert _value(written) == written, "what is no GLN is not made to look like one"
    for other in (
        '{"source":"a","type":"b","x":"c"}',
        '{"source":"a\\"","type":"b"}',
        '{"type":"b"}',
        "{" * 9999,
    ):
        assert _value(other) == other


def test_of_a_key_that_fills_the_screen_what_is_compared_is_shown() -> None:
    small = "log.example/x+c32dd067+AdNZ6AT7kQW+mA36ANahvUwoIO3IWbnTrhiOrGPWX2uA"
    assert _short(small) == small
    told = _short("log.example/x+dd9668f9+" + "Bqw+" * 400)
    assert told == "log.example/x+dd9668f9+Bqw+Bqw+Bqw+... (ML-DSA-44; --json gives it whole)"


def test_whose_root_it_is_is_asked_of_the_company_and_given_by_authors() -> None:
    world = World()
    world.capture(made(PACK))
    assert "name it in an author policy (--authors)" in verify(world.bundle([4], [PACK])).text()

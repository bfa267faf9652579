"""An event that was declared wrong, or signed later, stands in several entries: its own is given, the others named."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from app.cli import main
from ledger.custody.event import ErrorDeclaration
from ledger.log.entry import Entry, Kind
from ledger.log.logproof import LogProof
from tests.app.proofs.test_evidence_cli import trade  # noqa: F401 - a fixture
from tests.support.trade import WHEN, Trade


def placed(response: TestResponse) -> int:
    found = response.get_json()
    return int(found.get("receipt", found)["index"])


def test_the_events_own_entry_is_given_and_the_others_are_named(
    trade: Trade,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = trade.begun(30)
    raw = trade.document(made)
    own = placed(trade.post_epcis(raw))
    wrong = replace(made, declaration=ErrorDeclaration(WHEN + timedelta(hours=2), "did_not_occur"))
    declared = placed(trade.post_signed(trade.document(wrong)))
    signed = placed(trade.post_signed(raw))
    assert own < declared < signed
    also = [
        {"index": declared, "what": "declaration that it was wrong"},
        {"index": signed, "what": "later signature over it"},
    ]
    file = tmp_path / "out"
    for what in ("proof", "entry", "receipt"):
        assert main(["ledger", what, made.event_id, "-o", str(file)]) == 0
        told = capsys.readouterr().err
        assert f"this is entry {own} (event); it stands in {declared} (declaration that it was wrong)" in told
        if what == "proof":
            assert LogProof.parse(file.read_bytes()).index == own
        elif what == "entry":
            entry = Entry.decode(file.read_bytes())
            assert (entry.index, entry.kind) == (own, Kind.RECEIVED)
        assert main(["ledger", what, made.event_id, "-o", str(file), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["also"] == also
        assert main(["ledger", what, str(signed), "-o", str(file)]) == 0
        assert "stands in" not in capsys.readouterr().err

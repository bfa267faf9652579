"""The audit asks who could sign where: what an operator records past the rules is named, though all fits together.

The operator is played by a node from whose program a check was taken out. The audit is the program as it is.
"""

from unittest import mock

import pytest

from app.devices import audit_signers
from app.devices import service as devices
from app.proofs.fsck import fsck
from ledger.evidence.steps import EvidenceRefused, Step
from ledger.evidence.verify import verify
from ledger.signing.client import KeyFolder, make_device, make_root
from ledger.signing.keylife import end_key
from ledger.signing.keyrecord import Action
from ledger.signing.keyring import Keyring
from ledger.signing.signers import SignerCode
from ledger.store.findings import FsckFinding
from tests.app.devices.keys import another, audit, known, root
from tests.support.crook import tamper
from tests.support.trade import Trade
from tests.support.world import MAKER, package


def revoked(trade: Trade, folder: KeyFolder) -> int:
    """The index at which the key of `folder` was revoked."""
    ended = end_key(root(trade), Action.REVOKE, known(folder), suspect_since=2)
    key = trade.node.services.keys.apply(ended.envelope, ended.document, ended.seed)
    assert key.ended_idx is not None
    return key.ended_idx


def past_its_end(trade: Trade, folder: KeyFolder, *numbers: int) -> list[int]:
    """Entries of acts that an ended key signed, taken in by an operator who asks no rule."""
    with mock.patch.object(devices, "require_valid"):
        answers = [trade.post_signed(trade.document(trade.begun(number)), folder) for number in numbers]
    assert [answer.status_code for answer in answers] == [201] * len(numbers)
    return [answer.get_json()["index"] for answer in answers]


def named(found: list[FsckFinding]) -> list[tuple[str, str, int]]:
    return [(each.invariant, each.table, int(each.key)) for each in found]


def test_an_act_of_a_revoked_key_is_named(trade: Trade) -> None:
    at = revoked(trade, trade.device)
    [index, *_] = past_its_end(trade, trade.device, 1, 2)
    report = audit(trade)
    assert named(report.findings) == [("signer_not_valid", "entry", index)]
    assert f"was revoked at {at}, and so it is with 1 more" in report.findings[0].message
    assert refused(trade) is Step.SIGNATURES


def refused(trade: Trade) -> Step:
    """The step at which evidence of package 1 is refused."""
    with pytest.raises(EvidenceRefused) as error:
        verify(trade.node.services.evidence.of_package(package(1), reader=None))
    return error.value.step


def test_a_root_of_the_operators_own_is_named_and_what_it_signed(sqlite_trade: Trade) -> None:
    trade, origin = sqlite_trade, sqlite_trade.node.services.node.origin
    with mock.patch.object(Keyring, "_may_register", return_value=True):
        rogue = make_root(trade.folder / "rogue", MAKER, origin)
        first = trade.node.services.keys.register(rogue.envelope, rogue.document, rogue.seed).registered_idx
        made = make_device(trade.folder / "line", trade.folder / "rogue", "Line 1")
        trade.node.services.keys.register(made.envelope, made.document, made.seed)
    answer = trade.post_signed(trade.document(trade.begun(1)), KeyFolder.open(trade.folder / "line"))
    assert answer.status_code == 201
    report = audit(trade)
    assert named(report.findings) == [
        ("key_not_allowed", "entry", first),
        ("key_not_allowed", "entry", first + 1),
        ("signer_not_valid", "entry", first + 2),
    ]
    assert f"may not register a root key for {MAKER}" in report.findings[0].message
    assert refused(trade) is Step.KEYS
    assert fsck(trade.node.services.database, trade.node.services.node, ledger_only=True).ok


def test_a_record_whose_row_is_gone_is_named_and_its_keys_acts_are_not(sqlite_trade: Trade) -> None:
    trade = sqlite_trade
    for number in (1, 2):
        assert trade.post_signed(trade.document(trade.begun(number))).status_code == 201
    with trade.node.services.database.reading() as connection:
        [(at, _)] = devices.records(connection, [trade.device.signer.thumbprint])
    assert tamper(trade.node.services.database, "DELETE FROM party_key WHERE idx = ?", [at]) == 1
    found = audit(trade).findings
    assert [each.key for each in found if each.table == "party_key"] == [f"entry {at}"]
    assert not {each.invariant for each in found} & set(SignerCode)


def test_no_more_is_named_than_a_report_keeps(sqlite_trade: Trade, monkeypatch: pytest.MonkeyPatch) -> None:
    trade = sqlite_trade
    monkeypatch.setattr(audit_signers, "MAX_FINDINGS", 1)
    other = another(trade, "other")
    for folder in (trade.device, other):
        revoked(trade, folder)
    past_its_end(trade, trade.device, 1, 2)
    past_its_end(trade, other, 3, 4)
    report = audit(trade)
    assert len(report.findings) == 1
    assert report.suppressed == 2

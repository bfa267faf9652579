"""What is recorded between the signing of the head and the answer to a scan."""

from ledger.log.encoding import to_base64
from tests.support.world import GTIN


def test_a_package_made_after_the_head_was_signed_is_answered_without_evidence(sqlite_trade, monkeypatch):
    node = sqlite_trade.node.services.node
    earlier = node.checkpoint()
    assert sqlite_trade.post_epcis(sqlite_trade.document(sqlite_trade.begun(1))).status_code == 202
    asked = {
        "data": to_base64(f"01{GTIN}211".encode()),
        "symbology": "]d2",
        "known_size": 0,
        "evidence": True,
    }

    def answer():
        return sqlite_trade.client.post("/verification/checks", json=asked, headers=sqlite_trade.bearer)

    with monkeypatch.context() as patch:
        patch.setattr(node, "checkpoint", lambda: earlier)
        early = answer()
    assert early.status_code == 200, early.text
    assert early.get_json()["evidence"] is None
    assert answer().get_json()["evidence"] is not None

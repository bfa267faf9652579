"""What only repeated an event that stood before, in a document that was encrypted and then erased as a whole."""

import pytest

from app.errors import NotFound
from app.events.models import document, endorsement, event
from ledger.custody.event import Event
from ledger.epcis import xml12
from ledger.epcis.document import Document, Form
from ledger.epcis.read import read
from ledger.evidence.verify import verify
from ledger.signing.client import SignedCapture, sign_capture
from tests.app.redaction.private import BASIS, NAME, audited, evidence, noted, redactions, rows, told
from tests.support.app import OPERATOR
from tests.support.crook import flipped, tamper
from tests.support.trade import WHEN, Trade


def unmarkable(*events: Event) -> bytes:
    """A document in which no spans can be found: it is encrypted as a whole."""
    text = xml12.write(Document(Form.XML12, events, created=WHEN)).decode()
    return text[text.index("?>") + 2 :].encode("utf-16")


def signed(trade: Trade, raw: bytes) -> SignedCapture:
    fields = [each.fields() for each in read(raw).events]
    return sign_capture(trade.device, raw, "application/xml", fields)


def endorsed(trade: Trade, *events: Event) -> None:
    """Received unsigned, then signed: the second entry has no event of its own."""
    raw = unmarkable(*events)
    assert trade.post_epcis(raw, "application/xml").status_code == 202
    mine = signed(trade, raw)
    trade.node.services.capture.take_signed(mine.envelope, mine.seed, mine.document, mine.content_type)
    assert len(rows(trade, event.c.seq)) == len(events)


def test_a_signature_stands_when_the_document_that_it_was_over_is_gone(trade: Trade) -> None:
    made, other = noted(trade, 1), trade.begun(2)
    endorsed(trade, made, other)
    assert audited(trade) == []
    before = evidence(trade)
    redactions(trade).redact(made.id, None, BASIS, OPERATOR)
    assert NAME not in told(trade)
    assert audited(trade) == []
    assert verify(before).events
    after = verify(evidence(trade))
    assert len({each.index for each in after.events}) == 2, "the signature is proven too"
    assert verify(evidence(trade, 2)).events


def test_what_is_changed_of_it_is_still_named(trade: Trade) -> None:
    made = noted(trade, 1)
    endorsed(trade, made)
    redactions(trade).redact(made.id, None, BASIS, OPERATOR)
    database = trade.node.services.database
    [(index, ev_no)] = rows(trade, endorsement.c.idx, endorsement.c.ev_no)
    assert tamper(database, "UPDATE endorsement SET ev_no = ? WHERE idx = ?", [ev_no + 1, index]) == 1
    assert audited(trade)
    assert tamper(database, "UPDATE endorsement SET ev_no = ? WHERE idx = ?", [ev_no, index]) == 1
    digest = dict(rows(trade, document.c.idx, document.c.sha256))[index]  # type: ignore[arg-type, var-annotated]
    changed = flipped(bytes(digest), 3)
    assert tamper(database, "UPDATE document SET sha256 = ? WHERE idx = ?", [changed, index]) == 1
    assert any("document" in message for message in audited(trade))


def test_what_was_signed_before_is_found_by_what_is_kept_of_it(trade: Trade) -> None:
    made = noted(trade, 1)
    assert trade.post_signed(trade.document(made)).status_code == 201
    raw = unmarkable(made, trade.begun(2))
    assert trade.post_epcis(raw, "application/xml").status_code == 202
    redactions(trade).redact(made.id, None, BASIS, OPERATOR)
    assert audited(trade) == []
    assert verify(evidence(trade)).events
    assert verify(evidence(trade, 2)).events


def test_where_no_row_says_what_it_repeated_it_is_left_out(trade: Trade) -> None:
    """The plain event stood signed before: of the erased document, which said so, nothing can be proven."""
    made, plain = noted(trade, 1), trade.begun(2)
    assert trade.post_signed(trade.document(plain)).status_code == 201
    assert trade.post_epcis(unmarkable(made, plain), "application/xml").status_code == 202
    redactions(trade).redact(made.id, None, BASIS, OPERATOR)
    assert audited(trade) == []
    assert verify(evidence(trade, 2)).events
    with pytest.raises(NotFound):
        evidence(trade)


def test_where_nothing_can_be_proven_any_more_no_salt_is_kept(trade: Trade) -> None:
    """The document went as a whole with its first erasure; what else it had must not be guessed by the salts that were
    kept for proofs."""
    made, plain, other = noted(trade, 1), trade.begun(2), noted(trade, 3)
    assert trade.post_signed(trade.document(plain)).status_code == 201
    answer = trade.post_epcis(unmarkable(made, plain, other), "application/xml")
    index = answer.get_json()["receipt"]["index"]

    def seed() -> bytes | None:
        with trade.node.services.node.ledger.reading() as reader:
            return reader.seed(index)

    redactions(trade).redact(made.id, None, BASIS, OPERATOR)
    assert seed() is not None and audited(trade) == []
    redactions(trade).redact(other.id, None, BASIS, OPERATOR)
    assert seed() is None
    assert audited(trade) == []
    assert verify(evidence(trade, 2)).events

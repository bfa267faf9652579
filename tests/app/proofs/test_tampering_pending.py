"""A long document whose entry stands and whose events are not all applied: what waits of it is audited too."""

import pytest

from app.proofs.fsck import fsck
from tests.app.capture.long_documents import audited, job_of, many, short, slices  # noqa: F401 - a fixture
from tests.support.crook import tamper
from tests.support.trade import Trade


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE inbox_event SET body = (SELECT body FROM inbox_event AS o WHERE o.ev_no = inbox_event.ev_no - 1) "
        "WHERE ev_no = (SELECT max(ev_no) FROM inbox_event)",
        "UPDATE inbox_event SET ev_no = ev_no + 7 WHERE ev_no = (SELECT max(ev_no) FROM inbox_event)",
        "DELETE FROM inbox_event WHERE ev_no = (SELECT max(ev_no) FROM inbox_event)",
        "UPDATE inbox SET mark = mark - 1",
        "UPDATE inbox SET mark = mark + 1",
        "UPDATE inbox SET state = 'done'",
        "UPDATE inbox SET doc_id = doc_id + 1",
    ],
)
def test_what_waits_of_a_document_that_stands_is_audited(short: Trade, change: str) -> None:  # noqa: F811
    job_id = job_of(short.post_epcis(short.document(*many(short))))
    slices(short, job_id, 1)
    audited(short)
    services = short.node.services
    assert tamper(services.database, change) == 1
    report = fsck(services.database, services.node)
    assert not report.ok, "nothing was found"
    assert report.findings[0].table in ("document", "event", "inbox_event"), report.findings[0].message

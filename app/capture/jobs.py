"""How a long document's way in is told: as the capture job of EPCIS 2.0, and as the receipt once it is done.

{"captureID": "9f2c...", "createdAt": "...", "running": true, "success": true, "captureErrorBehaviour": "rollback",
 "errors": [], "progress": {"events": 40000, "applied": 12000}}
"""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from app.capture.inbox import DONE, FAILED, Job
from app.custody.models import finding
from app.devices import chains
from app.events.models import document, event
from app.partners import service as partners
from ledger.log.entry import Entry
from ledger.store.sql.reader import SqlReader

ROLLBACK = "rollback"
MOST_FINDINGS = 100


def told(connection: Connection, reader: SqlReader, job: Job) -> dict[str, Any]:
    """The job as data; with its receipt, once there is one."""
    answer: dict[str, Any] = {
        "captureID": job.job_id,
        "createdAt": moment(job.created_at),
        "running": job.running,
        "success": job.state != FAILED,
        "captureErrorBehaviour": ROLLBACK,
        "errors": [dict(job.problem)] if job.problem else [],
        "progress": {"events": job.events, "applied": job.mark},
    }
    if job.finished_at is not None:
        answer["finishedAt"] = moment(job.finished_at)
    if job.state == DONE:
        answer["receipt"] = receipt(connection, reader, job)
    return answer


def receipt(connection: Connection, reader: SqlReader, job: Job) -> dict[str, Any]:
    """The receipt of a document that was taken in: as of a short one, with its events counted and not listed.

    What does not fit in its device's chain is asked of the entries anew: it is true of the entry, whenever one asks.
    """
    assert job.index is not None
    chained: tuple[dict[str, Any], ...] = ()
    if job.signer is not None and not job.known:
        chained = chains.misfits(connection, reader, Entry.decode(reader.entry(job.index)))
    own = finding.join(event, event.c.seq == finding.c.seq)
    of_it = event.c.doc_id == (job.doc_id if job.doc_id is not None else -1)
    found = connection.execute(
        select(finding.c.code, finding.c.severity, finding.c.message)
        .select_from(own)
        .where(of_it)
        .order_by(finding.c.finding_id)
        .limit(MOST_FINDINGS)
    ).all()
    counted = connection.execute(select(func.count()).select_from(own).where(of_it)).scalar_one()
    notes = connection.execute(select(document.c.notes).where(document.c.idx == job.index)).scalar()
    return {
        "index": job.index,
        "leaf": reader.leaf(job.index).hex(),
        "by": partners.glns(connection, [job.by_id])[job.by_id],
        "signed": job.signer is not None,
        "known": job.known,
        "events": [],
        "event_count": job.events,
        "findings": [*chained, *(row._asdict() for row in found)][:MOST_FINDINGS],
        "finding_count": len(chained) + counted,
        "notes": json.loads(notes) if notes else [],
    }


def moment(at: datetime) -> str:
    """A time as EPCIS writes it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

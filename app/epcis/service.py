"""The use cases behind the EPCIS interface: capture jobs, and events that name the caller's party."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from app.custody.loading import find_ids
from app.epcis import rules
from app.epcis.rules import EventQuery
from app.erasable.vault import Vault
from app.errors import NotFound
from app.events import query as recorded
from app.partners import service as partners
from app.shared.clock import Clock
from ledger.epcis import jsonwriter
from ledger.epcis.document import Document, Form
from ledger.errors import VerificationError
from ledger.log.encoding import from_hex
from ledger.store.sql.engine import Database
from ledger.store.sql.reader import SqlReader

QUERY_NAME = "SimpleEventQuery"
ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Page:
    """An EPCISQueryDocument in JSON, how many events it has, and where the next page begins."""

    body: bytes
    count: int
    next_token: int | None


@dataclass
class Epcis:
    """The interface's use cases. One a process."""

    database: Database
    origin: str
    clock: Clock
    vault: Vault | None = None

    def job(self, capture_id: str, party_gln: str | None) -> Mapping[str, Any]:
        """The job of a capture of this party's. Raises `NotFound`, also for another party's.

        Documents are taken in before the answer is sent, and one that is not leaves no job: every job has succeeded.
        Its id is the leaf of its entry.
        """
        try:
            leaf = from_hex(capture_id, length=32)
        except VerificationError as error:
            raise NotFound("No such capture", capture_id[:100]) from error
        with self.database.reading() as connection:
            owner = partners.by_gln(connection, party_gln or "")
            index = SqlReader(connection, self.origin).find_leaf(leaf)
            found = None
            if owner is not None and index is not None:
                found = recorded.brought_by(connection, owner.party_id, index)
        if found is None:
            raise NotFound("No such capture", capture_id)
        return job(capture_id, found.received_at)

    def events(self, query: EventQuery, party_gln: str | None, asked_format: str) -> Page:
        """The events that name the party, as `query` asks for them. Raises `NotAcceptable`."""
        with self.database.reading() as connection:
            found = self._find(connection, query, party_gln)
            shown = found[: query.limit]
            raws = []
            if asked_format == "Always_EPC_URN":
                raws = recorded.raw_documents(connection, {each.doc_id for each in shown})
        body = jsonwriter.write(
            Document(Form.JSON20, tuple(each.event for each in shown), created=self.clock.now()),
            rules.spelling(asked_format, raws),
            query_name=QUERY_NAME,
            record_times=[each.recorded_at for each in shown],
        )
        return Page(body, len(shown), shown[-1].seq if len(found) > query.limit else None)

    def _find(self, connection: Connection, query: EventQuery, party_gln: str | None) -> list[recorded.Found]:
        owner = partners.by_gln(connection, party_gln or "")
        if owner is None:
            return []
        items = None
        if query.epcs is not None:
            items = list(find_ids(connection, query.epcs).values())
            if not items:
                return []
        return recorded.naming_party(
            connection, owner.party_id, items, after=query.after, limit=query.limit + 1, vault=self.vault
        )


def job(capture_id: str, at: datetime) -> dict[str, Any]:
    """The capture job resource (EPCIS 2.0, 9.4) of a capture that was taken in."""
    moment = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "captureID": capture_id,
        "createdAt": moment,
        "finishedAt": moment,
        "running": False,
        "success": True,
        "captureErrorBehaviour": ROLLBACK,
        "errors": [],
    }

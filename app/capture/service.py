"""Capture: the one way in, for REST, file, scan and page; for what is unsigned and for what a party signed."""

from dataclasses import dataclass
from datetime import timedelta

from app.capture import prepare
from app.capture.committer import Committer
from app.capture.prepared import PreparedCapture, PreparedEvent, Receipt
from app.devices import service as devices
from app.devices.parking import Parking
from app.devices.service import KeyEnded
from app.devices.parking import Parking
from app.devices.service import KeyEnded
from app.node.service import Node
from app.partners import service as partners
from app.products import service as products
from app.shared.actor import Actor
from app.shared.clock import Clock
from ledger.epcis.document import Document
from ledger.store.sql.engine import Database


@dataclass
class Capture:
    """Takes documents in. One a process."""

    database: Database
    node: Node
    clock: Clock
    committer: Committer
    most_events: int
    most_bytes: int
    tolerance: timedelta
    parking: Parking

    def receive(
        self, raw: bytes, content_type: str | None, *, by: str, channel: str, actor: Actor
    ) -> Receipt:
        """Record an unsigned document on behalf of the party `by` (its GLN, or that of a site of its), as it came over
        `channel`.

        Raises `AppError`: the document cannot be used (400, 413, 415), an id stands with other content (409), or the
        node takes nothing in (503, 507). Then nothing of it is stored.
        """
        document = prepare.read_document(raw, content_type, self.most_events, self.most_bytes)
        with self.database.reading() as connection:
            by = partners.owners_of(connection, [by])[by]
        return self.submit(
            prepare.receive(
                document=document,
                raw=raw,
                events=self.events(document, by),
                by=by,
                channel=channel,
                origin=self.node.origin,
                intake_key=self.node.intake_key,
                account=actor.id,
                session=actor.session_id,
            )
        )

    def take_signed(self, envelope: bytes, seed: bytes, raw: bytes, content_type: str | None) -> Receipt:
        """Record a document that a registered device or person signed. Raises as `receive` does, and for signatures."""
        opened, statement = prepare.open_envelope(envelope, self.node.origin)
        with self.database.reading() as connection:
            by, verifiers = devices.signer_of(connection, statement, [s.key for s in opened.signatures])
        # Before the document is read: nobody without a key makes the node parse anything large.
        statement = prepare.verified(opened, verifiers)
        document = prepare.read_document(raw, content_type, self.most_events, self.most_bytes)
        prepared = prepare.signed(
            document=document,
            raw=raw,
            events=self.events(document, by),
            by=by,
            envelope=opened,
            statement=statement,
            seed=seed,
            verifiers=verifiers,
        )
        try:
            return self.submit(prepared)
        except KeyEnded as ended:
            raise self.parking.park(by, envelope, seed, raw, content_type or "", ended) from ended

    def submit(self, capture: PreparedCapture) -> Receipt:
        """The seam itself: give a prepared capture its place; returns when it is durable."""
        return self.committer.submit(capture)

    def events(self, document: Document, by: str) -> tuple[PreparedEvent, ...]:
        """The document's events as the party `by` (GLN) reports them, its parties resolved."""
        with self.database.reading() as connection:
            owners = partners.owners_of(connection, prepare.glns_in(document) | {by})
            makers = products.makers(connection, prepare.gtins_begun(document))
        return prepare.prepare_events(
            document, by, lambda gln: owners.get(gln, gln), makers.get, self.clock.now(), self.tolerance
        )

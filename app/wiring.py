"""The one composition root: what the node is made of, made in one place.

`Services` is built once by `create_app`, by the command line and by tests. A feature adds its service here as a
`cached_property`, so that what nobody uses is never opened, and takes what it needs as arguments::

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(self.database, self.clock, ...)

Views reach it by `services()`; use cases never do.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import cast

from flask import current_app

from app.adoption.service import Adoption
from app.capture.committer import Committer
from app.capture.long import LongDocuments
from app.capture.service import Capture
from app.capture.worker import Worker
from app.config import Settings
from app.db import open_database
from app.devices.challenges import Challenges
from app.devices.parking import Parking
from app.devices.registry import Keys
from app.dispensing.service import Dispensing
from app.epcis.service import Epcis
from app.investigations.holds import Holds
from app.investigations.service import Investigations
from app.log.handover import Handovers
from app.log.keep import Keeper
from app.log.keeping import Keeping
from app.log.policy import OwnPolicy
from app.log.service import Log
from app.log.stamping import Stamping
from app.node.keys import passphrase_of
from app.node.service import Node
from app.overrides.service import Overrides
from app.people.service import People
from app.people.sessions import Sessions
from app.people.tokens import Tokens
from app.proofs.evidence import Evidence
from app.recalls.service import Recalls
from app.recalls.sweep import Sweep
from app.receiving.service import Receiving
from app.redaction.service import Redactions
from app.regulator.service import Requests
from app.retention.service import Retention
from app.returns.service import Returns
from app.returns.verifying import MakersWord
from app.shared.clock import Clock, SystemClock
from app.shipping.service import Shipping
from app.transactions.service import Transactions
from app.verification.service import Verification
from app.vrs.asking import Asking
from app.vrs.outward import Policy, Timeouts
from app.vrs.service import Responder
from app.witness.background import Background
from app.witness.service import CosignedHeads, NodeWitness
from ledger.store.sql.engine import Database
from ledger.witness.state import origin_hash

EXTENSION = "packproof"


@dataclass
class Services:
    """Everything a use case may be handed."""

    settings: Settings
    database: Database
    clock: Clock

    @cached_property
    def sessions(self) -> Sessions:
        return Sessions(self.database, self.clock, self.settings.session_idle, self.settings.session_absolute)

    @cached_property
    def people(self) -> People:
        return People(self.database, self.clock, self.sessions)

    @cached_property
    def tokens(self) -> Tokens:
        return Tokens(self.database, self.clock)

    @cached_property
    def node(self) -> Node:
        given = self.settings
        return Node(self.database, given.ledger_origin, given.data_dir, self.clock, self._key_passphrase)

    def _key_passphrase(self) -> bytes | None:
        return passphrase_of(self.settings.key_passphrase, self.settings.key_passphrase_file)

    @cached_property
    def keys(self) -> Keys:
        return Keys(self.node.origin, self.clock, self.committer.run)

    @cached_property
    def challenges(self) -> Challenges:
        return Challenges(self.database, self.node.origin, self.clock, self.settings.secret_key)

    @cached_property
    def committer(self) -> Committer:
        node = self.node
        return Committer(
            self.database, node.origin, self.clock, node.may_write, lambda: node.intake_key.thumbprint
        )

    @cached_property
    def worker(self) -> Worker:
        documents = LongDocuments(
            self.database,
            self.node,
            self.clock,
            self.committer,
            self.settings.max_document_events,
            self.settings.max_body_bytes,
            timedelta(seconds=self.settings.clock_tolerance_seconds),
            self.parking,
        )
        return Worker(self.database, self.clock, self.committer, documents)

    @cached_property
    def capture(self) -> Capture:
        return Capture(
            self.database,
            self.node,
            self.clock,
            self.committer,
            self.worker,
            self.settings.max_capture_events,
            self.settings.max_document_events,
            self.settings.max_body_bytes,
            timedelta(seconds=self.settings.clock_tolerance_seconds),
            self.parking,
        )

    @cached_property
    def adoption(self) -> Adoption:
        return Adoption(self.database, self.clock, self.capture)

    @cached_property
    def parking(self) -> Parking:
        node = self.node
        run = self.committer.run
        return Parking(self.database, node.origin, self.clock, run, lambda: node.intake_key, node.vault)

    @cached_property
    def verification(self) -> Verification:
        return Verification(self.database, self.clock, self.asking)

    @cached_property
    def handovers(self) -> Handovers:
        return Handovers(self.node)

    @cached_property
    def responder(self) -> Responder:
        return Responder(self.database, self.clock)

    @cached_property
    def asking(self) -> Asking:
        given = self.settings
        private = tuple(filter(None, given.vrs_private_networks.split(",")))
        return Asking(
            self.database,
            self.clock,
            given.data_dir,
            Policy(plain_http=not given.is_production, private=private),
            Timeouts(given.vrs_connect_ms / 1000, given.vrs_answer_ms / 1000),
            tuple(given.vrs_contexts.split(",")),
        )

    @cached_property
    def cosigned(self) -> CosignedHeads:
        return CosignedHeads(self.node, self.settings.witnesses)

    @cached_property
    def witness(self) -> NodeWitness:
        given = self.settings
        return NodeWitness(
            self.node.origin, given.data_dir, given.witnessed_logs, self.clock, self._key_passphrase
        )

    @cached_property
    def cosigning(self) -> Background:
        return Background(self.node, self.cosigned, self.settings.cosign_seconds)

    @cached_property
    def stamping(self) -> Stamping:
        given = self.settings
        return Stamping(self.database, self.node, self.clock, given.tsa_url, given.tsa_certificates)

    @cached_property
    def keeping(self) -> Keeping:
        keeper = Keeper(self.node, self.committer, self.clock)
        folder = self.witness.folder
        return Keeping(keeper, self.settings.kept_logs, lambda origin: folder.cosigned(origin_hash(origin)))

    @cached_property
    def evidence(self) -> Evidence:
        return Evidence(self.database, self.node, self.cosigned, self.own_policy.encode)

    @cached_property
    def own_policy(self) -> OwnPolicy:
        given, witness = self.settings, self.witness
        return OwnPolicy(
            Log(self.database, self.node),
            f"{given.public_url}/ledger",
            given.witnesses,
            lambda: [signer.verifier for signer in witness.signers] if given.witnessed_logs else [],
        )

    @cached_property
    def epcis(self) -> Epcis:
        return Epcis(self.database, self.node.origin, self.clock, self.node.vault)

    @cached_property
    def requests(self) -> Requests:
        return Requests(self.database, self.node, self.clock, self.evidence, self.transactions)

    @cached_property
    def redactions(self) -> Redactions:
        return Redactions(self.database, self.node, self.clock, self.committer.run)

    @cached_property
    def investigations(self) -> Investigations:
        return Investigations(self.database, self.clock, self.capture, self.verification)

    @cached_property
    def holds(self) -> Holds:
        return Holds(self.database, self.clock, self.capture)

    @cached_property
    def returns(self) -> Returns:
        verifier = MakersWord(self.database, self.asking)
        return Returns(self.database, self.clock, self.capture, self.verification, verifier)

    @cached_property
    def recalls(self) -> Recalls:
        return Recalls(self.database, self.clock, self.capture)

    @cached_property
    def recall_sweep(self) -> Sweep:
        return Sweep(self.database, self.clock, self.settings.data_dir, self.settings.recall_seconds)

    @cached_property
    def dispensing(self) -> Dispensing:
        return Dispensing(self.database, self.clock, self.verification, self.capture)

    @cached_property
    def overrides(self) -> Overrides:
        return Overrides(
            self.database, self.clock, self.verification, self.dispensing, self.people, self.sessions
        )

    @cached_property
    def transactions(self) -> Transactions:
        return Transactions(self.database, self.clock)

    @cached_property
    def retention(self) -> Retention:
        return Retention(self.database, self.clock)

    @cached_property
    def shipping(self) -> Shipping:
        return Shipping(self.database, self.clock, self.capture)

    @cached_property
    def receiving(self) -> Receiving:
        return Receiving(self.database, self.clock, self.verification, self.capture)


def build(settings: Settings, clock: Clock | None = None) -> Services:
    """The services of a node with these `settings`. Nothing is connected yet."""
    return Services(settings=settings, database=open_database(settings), clock=clock or SystemClock())


def services() -> Services:
    """The services of the app that answers the present request."""
    return cast(Services, current_app.extensions[EXTENSION])

"""A node with a maker and a wholesaler on it, and what they send: for tests of whatever takes documents in.

``trade`` runs a test on SQLite and PostgreSQL. The maker's keys lie in a folder of its own, never below the node's::

    def test_...(trade):
        raw = trade.document(trade.begun(1, 2))
        answer = trade.post_epcis(raw)                   # unsigned, by the maker's token
        answer = trade.post_signed(raw)                  # signed by the maker's device
"""

import io
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.events.models import document, event
from app.partners import service as partners
from app.products import service as products
from app.proofs.fsck import fsck
from app.shared.actor import Role
from ledger.custody.event import EXPIRY, LOT, Event, Linked, compact
from ledger.custody.vocabulary import Action, EventType
from ledger.epcis import jsonwriter
from ledger.epcis.document import Document, Form
from ledger.epcis.read import read
from ledger.signing.client import KeyFolder, Registration, SignedCapture, make_device, make_root, sign_capture
from ledger.signing.enrolment import answer
from ledger.signing.keys import Signer, generate
from ledger.store.findings import FsckFinding
from tests.support.app import Node
from tests.support.sweep import sweep
from tests.support.world import GTIN, MAKER, WHOLESALER, package, sgln

WHEN = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
PLACE = sgln(MAKER)


def licence(gln: str) -> partners.NewLicence:
    """What authorizes a party of these tests, for ever; of the kind that it needs."""
    return partners.NewLicence("Board", f"L-{gln}", datetime(2000, 1, 1, tzinfo=UTC))


@dataclass
class Trade:
    """The node, the maker's folders, and short ways to send."""

    node: Node
    folder: Path
    device: KeyFolder = field(init=False)
    root: Registration = field(init=False)

    def __post_init__(self) -> None:
        services = self.node.services
        services.node.initialise()
        with services.database.writing() as connection:
            for gln, name, kind in (
                (MAKER, "North Pharma", "maker"),
                (WHOLESALER, "Dock Street", "wholesaler"),
            ):
                partners.register(connection, services.clock, gln, name, kind, licences=[licence(gln)])
            products.register(connection, services.clock, GTIN, MAKER, name="Sonnenal")
        self.root = make_root(self.folder / "root", MAKER, services.node.origin)
        services.keys.register(self.root.envelope, self.root.document, self.root.seed)
        device = make_device(self.folder / "device", self.folder / "root", "Line 1")
        services.keys.register(device.envelope, device.document, device.seed)
        self.device = KeyFolder.open(self.folder / "device")
        self.client = self.node.visitor().client
        self.bearer = self.node.bearer(Role.PARTNER_SYSTEM, party_gln=MAKER)

    # Documents.

    def begun(self, *numbers: int, event_id: str | None = "", lot: str = "LOT42") -> Event:
        """The maker commissions these packages; a fresh id unless one is given, or none for None."""
        return Event(
            type=EventType.OBJECT,
            event_time=WHEN,
            time_zone_offset="+00:00",
            event_id=f"urn:uuid:{uuid.uuid4()}" if event_id == "" else event_id,
            action=Action.ADD,
            biz_step="commissioning",
            disposition="active",
            epcs=tuple(package(number) for number in numbers),
            read_point=PLACE,
            biz_location=PLACE,
            ilmd=((EXPIRY, compact("2028-05-31")), (LOT, compact(lot))),
        )

    def shipped(self, *numbers: int, to: str = WHOLESALER) -> Event:
        """The maker ships these packages, an hour later."""
        return replace(
            self.begun(*numbers),
            action=Action.OBSERVE,
            biz_step="shipping",
            disposition="in_transit",
            event_time=WHEN + timedelta(hours=1),
            biz_location=None,
            ilmd=(),
            sources=(Linked("owning_party", sgln(MAKER)), Linked("possessing_party", sgln(MAKER))),
            destinations=(Linked("owning_party", sgln(to)), Linked("possessing_party", sgln(to))),
        )

    def document(self, *events: Event) -> bytes:
        """The events as 2.0 JSON. One without an id is written without one."""
        value = json.loads(jsonwriter.write(Document(Form.JSON20, events, created=WHEN)))
        for written, each in zip(value["epcisBody"]["eventList"], events, strict=True):
            if each.event_id is None:
                written.pop("eventID", None)
        return json.dumps(value).encode()

    # Sending.

    def post_epcis(
        self,
        raw: bytes,
        content_type: str | None = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """POST /epcis/capture with the maker's token."""
        return self.client.post(
            "/epcis/capture", data=raw, content_type=content_type, headers={**self.bearer, **(headers or {})}
        )

    def signed(self, raw: bytes, device: KeyFolder | None = None) -> SignedCapture:
        """The document signed by the maker's device; nothing is sent."""
        return sign_capture(
            device or self.device,
            raw,
            "application/json",
            [each.fields() for each in read(raw).events],
        )

    def post_parts(self, path: str, **parts: bytes) -> TestResponse:
        """A form of parts, each a file."""
        return self.client.post(
            path,
            data={name: (io.BytesIO(data), name) for name, data in parts.items()},
            content_type="multipart/form-data",
        )

    def post_signed(self, raw: bytes, device: KeyFolder | None = None) -> TestResponse:
        """POST /ledger/captures, without a token."""
        capture = self.signed(raw, device)
        return self.post_parts(
            "/ledger/captures",
            envelope=capture.envelope,
            seed=capture.seed,
            document=capture.document,
        )

    def challenge(self) -> str:
        """POST /devices/challenges."""
        return str(self.client.post("/devices/challenges").get_json()["challenge"])

    def enrol(
        self, registration: Registration, *, challenge: str | None = None, signer: Signer | None = None
    ) -> TestResponse:
        """POST /devices, the challenge answered by the key in whose folder the registration lies, or by `signer`."""
        given = challenge or self.challenge()
        folders = [path.parent for path in self.folder.glob("*/registration.json")]
        mine = [path for path in folders if KeyFolder.open(path).registration == registration]
        by = signer or (KeyFolder.open(mine[0]).signer if mine else generate())
        return self.post_parts(
            "/devices",
            envelope=registration.envelope,
            document=registration.document,
            seed=registration.seed,
            challenge=given.encode(),
            proof=answer(by, self.node.services.node.origin, given),
        )

    # What stands.

    def counts(self) -> tuple[int, int, int]:
        """How many entries, documents and events there are."""
        with self.node.services.database.reading() as connection:
            documents, events = (
                connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (document, event)
            )
        with self.node.services.node.ledger.reading() as reader:
            return reader.head().size, documents, events

    def sweep(self, acknowledged: Mapping[int, bytes] | None = None) -> None:
        """Assert the ledger's invariants, and that all projections equal what its events give."""
        services = self.node.services

        def differing() -> list[FsckFinding]:
            report = fsck(services.database, services.node, signatures=False)
            return [each for each in report.findings if each.invariant == "I9"]

        mark = services.settings.data_dir / "mark"
        sweep(services.node.ledger, acknowledged, mark_path=mark, differing=differing)


@pytest.fixture
def trade(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Trade:
    """A node with two parties, on SQLite and PostgreSQL."""
    return Trade(node, tmp_path_factory.mktemp("parties"))


@pytest.fixture
def sqlite_trade(sqlite_node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """The same on SQLite alone."""
    yield Trade(sqlite_node, tmp_path_factory.mktemp("parties"))


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """The problem document of an answer, after checking that it is this one."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    found = response.get_json() if hasattr(response, "get_json") else response.json()
    assert found["code"] == code, found
    assert found["status"] == status
    assert found["title"]
    return found

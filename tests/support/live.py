"""A node as a process of its own, on a port of its own, as its users meet it.

``live_node`` is started for a test and gone after it; parties and people are added by the same use cases that the
operator's commands call, and parties sign with keys of their own, in folders of their own::

    def test_...(live_node, tmp_path):
        maker = live_node.party(MAKER, "North Pharma", "maker")
        live_node.capture(maker, commissioning)
        packproof_scan("enrol", "--node", live_node.url, "--root-key", maker.root, "--home", tmp_path / "bench")
"""

import os
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from app import wiring
from app.config import Settings
from app.partners import service as partners
from app.products import service as products
from app.wiring import Services
from ledger.custody.event import Event
from ledger.epcis.document import Document, Form
from ledger.epcis.json20 import write
from ledger.signing.client import KeyFolder, make_device, make_root, sign_capture
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port
from tests.support.postgres import migrated
from tests.support.programs import Program, start

ROOT = Path(__file__).resolve().parents[2]
ORIGIN = "packproof.example/live"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LiveParty:
    """A party with its root and a signing key, each in a folder of its own."""

    gln: str
    name: str
    root: Path
    device: Path


@dataclass
class LiveNode:
    """A node's folder, and its server while it runs."""

    folder: Path
    origin: str = ORIGIN
    port: int = 0
    log: Path = field(init=False)
    _process: Program | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "server.log"
        self.port = self.port or free_port()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """The settings of this node as environment variables, and nothing that another one left behind."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PACKPROOF_")}
        return kept | {
            "PACKPROOF_ENVIRONMENT": "test",
            "PACKPROOF_DATABASE_URL": f"sqlite:///{self.folder / 'packproof.db'}",
            "PACKPROOF_DATA_DIR": str(self.folder / "data"),
            "PACKPROOF_LEDGER_ORIGIN": self.origin,
            "PACKPROOF_PUBLIC_URL": self.url,
            "PACKPROOF_ENROLMENTS_PER_MINUTE": "1000",
        }

    def services(self) -> Services:
        """The node's use cases, in this process, beside the running server. Dispose of its database afterwards."""
        return wiring.build(Settings.from_env(self.environment()))

    def initialise(self) -> None:
        """Schema, keys, ledger."""
        shutil.copy(migrated(), self.folder / "packproof.db")
        node = self.services()
        with closing_database(node):
            node.node.initialise()

    def start(self, *, threads: int = 8) -> None:
        """Serve, as ``packproof serve`` does; returns when it answers."""
        options = {
            "--worker-class": "app.serving.Worker",
            "--bind": f"127.0.0.1:{self.port}",
            "--workers": "1",
            "--threads": str(threads),
            "--pythonpath": str(ROOT),
            "--log-level": "warning",
        }
        words = [word for option in options.items() for word in option]
        with self.log.open("ab") as log:
            self._process = start(
                *("-m", "gunicorn", *words, "--no-control-socket", "wsgi:application"),
                cwd=self.folder,
                env=self.environment(),
                stdout=log.fileno(),
                stderr=log.fileno(),
                new_session=True,
            )
        give_up = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up and self._process.poll() is None:
            try:
                if requests.get(f"{self.url}/healthz", timeout=1).status_code == 200:
                    return
            except requests.RequestException:
                pass
            time.sleep(0.05)
        self.kill()
        pytest.fail(f"the node's server did not start: {self.log.read_text(errors='replace')[-2000:]}")

    def kill(self) -> None:
        """End the server at once, as a plug pulled would."""
        if self._process is not None:
            # The workers too: a worker whose master died goes on answering for a while.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(PATIENCE_S)
            self._process = None

    def twin(self, folder: Path) -> "LiveNode":
        """A copy of this node as it lies on the disk, with its keys, for the same address. Only while it is down."""
        assert self._process is None, "a running node cannot be copied"
        shutil.copytree(self.folder, folder)
        return LiveNode(folder, self.origin, self.port)

    def party(
        self, gln: str, name: str, kind: str, *, makes: Sequence[str] = (), licensed: bool = True
    ) -> LiveParty:
        """Register a party with its root; make it a signing key that is enrolled too. `makes`: its GTINs."""
        keys = self.folder / "parties" / gln
        root = make_root(keys / "root", gln, self.origin, f"{name} root")
        device = make_device(keys / "device", keys / "root", f"{name} line 1")
        node = self.services()
        with closing_database(node):
            licence = partners.NewLicence("State board", f"L-{gln}", LONG_AGO)
            with node.database.writing() as connection:
                partners.register(
                    connection, node.clock, gln, name, kind, licences=[licence] if licensed else []
                )
                for gtin in makes:
                    products.register(
                        connection,
                        node.clock,
                        gtin,
                        gln,
                        name="Sonnenal",
                        strength="20 mg",
                        manufacturer=name,
                    )
            node.keys.register(root.envelope, root.document, root.seed)
            node.keys.register(device.envelope, device.document, device.seed)
        return self.known(gln, name)

    def known(self, gln: str, name: str = "") -> LiveParty:
        """A party that `party` registered, on this node or the one it is a twin of."""
        keys = self.folder / "parties" / gln
        return LiveParty(gln, name, keys / "root", keys / "device")

    def capture(self, by: LiveParty, *events: Event, statement: object = None) -> dict[str, object]:
        """Sign the events as the party `by`, and send them over HTTP. The receipt."""
        document = Document(Form.JSON20, events, created=events[0].event_time, statement=statement)
        raw = write(document)
        folder = KeyFolder.open(by.device)
        signed = sign_capture(folder, raw, "application/json", [event.fields() for event in events])
        answer = requests.post(
            f"{self.url}/ledger/captures",
            files={
                "envelope": ("envelope.json", signed.envelope, "application/json"),
                "seed": ("seed", signed.seed, "application/octet-stream"),
                "document": ("document", signed.document, signed.content_type),
            },
            timeout=PATIENCE_S,
        )
        assert answer.status_code == 201, answer.text
        folder.acknowledged(signed, answer.json())
        return answer.json()


@contextmanager
def closing_database(node: Services) -> Iterator[None]:
    """Close the connections of `node` afterwards."""
    try:
        yield
    finally:
        node.database.dispose()


@pytest.fixture
def live_node(tmp_path: Path) -> Iterator[LiveNode]:
    """A node that serves, with an empty ledger."""
    node = LiveNode(tmp_path / "node")
    node.initialise()
    node.start()
    yield node
    node.kill()

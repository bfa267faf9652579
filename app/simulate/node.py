"""The node that a simulation plays against: the real application, spoken to over its interfaces, on a clock that the
simulation moves.

Parties, products and tokens are made as an operator makes them; from then on everything goes by HTTP requests with the
companies' own tokens.
"""

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask.testing import FlaskClient

from app import create_app
from app.config import Settings
from app.errors import AppError
from app.migrate import upgrade
from app.partners import service as partners
from app.partners.service import NewLicence
from app.products import service as products
from app.shared.actor import Role, command_line
from app.shared.clock import ManualClock
from app.simulate.world import Company, World
from app.wiring import EXTENSION, Services

_LONG_AGO = timedelta(days=1000)


class Refused(AppError):
    """The node refused what a simulated company sent: the simulation is broken, or the node is."""

    def __init__(self, what: str, told: str) -> None:
        super().__init__(
            "simulate.refused", 500, what, told[:500], "This is a fault of Packproof's: please report it."
        )


@dataclass
class SimulatedNode:
    """A node with the companies of `world` on it, at `start`."""

    settings: Settings
    world: World
    start: datetime
    clock: ManualClock = field(init=False)
    services: Services = field(init=False)
    _client: FlaskClient = field(init=False)
    _tokens: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = ManualClock(self.start)
        app = create_app(self.settings, self.clock)
        self.services = app.extensions[EXTENSION]
        upgrade(self.services.database)
        self.services.node.initialise()
        self._client = app.test_client()
        self._settle()

    def _settle(self) -> None:
        services, operator = self.services, command_line("simulate")
        since = self.start - _LONG_AGO
        with services.database.writing() as connection:
            for company in self.world.companies:
                licence = NewLicence(
                    "State board", f"SIM-{company.gcp}", since, evidence="made up for a simulation"
                )
                partners.register(
                    connection,
                    services.clock,
                    company.gln,
                    company.name,
                    company.kind,
                    address="1 Main Street\nTrenton\nNJ\n08601\nUS",
                    licences=(licence,),
                )
                for gtin in company.gtins:
                    products.register(
                        connection, services.clock, gtin, company.gln, name=f"Product {gtin[-4:]}"
                    )
        for company in self.world.companies:
            made = services.tokens.create(operator, "simulate", Role.PARTNER_SYSTEM, party_gln=company.gln)
            self._tokens[company.gln] = made.secret

    def move_to(self, at: datetime) -> None:
        """Let time pass; it never goes back."""
        self.clock.advance(max(at - self.clock.now(), timedelta(0)))

    def capture(self, company: Company, document: bytes) -> dict[str, Any]:
        """Send a document as the company's system does."""
        answer = self._client.post(
            "/epcis/capture", data=document, content_type="application/json", headers=self._bearer(company)
        )
        if answer.status_code != 202:
            raise Refused(f"{company.name}'s document was refused", answer.text)
        return dict(json.loads(answer.text))

    def check(self, company: Company, scanned: bytes, symbology: str = "]d2") -> dict[str, Any]:
        """Scan at the company's bench."""
        asked = {"data": base64.b64encode(scanned).decode(), "symbology": symbology, "evidence": False}
        answer = self._client.post("/verification/checks", json=asked, headers=self._bearer(company))
        if answer.status_code != 200:
            raise Refused(f"{company.name}'s scan was refused", answer.text)
        return dict(json.loads(answer.text))

    def _bearer(self, company: Company) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._tokens[company.gln]}"}

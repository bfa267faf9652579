"""A company's own system at the desks: what it asks over REST, with its token, and how it must be answered.

here = Rest(counter, PHARMACY)
case = here.post("/api/returns", {"customer": MAKER}, 201)
here.post(f"/api/returns/{case['id']}/scans", scanned(code(1)))
"""

import base64
from collections.abc import Set
from typing import Any

from flask.testing import FlaskClient

from app.shared.actor import Role
from tests.support.counter import Counter

SCOPES = frozenset({"query", "desks", "capture", "receive"})


def scanned(label: str) -> dict[str, str]:
    return {"data": base64.b64encode(label.encode()).decode()}


class Rest:
    """A company's own system: what it asks, with its token."""

    def __init__(self, counter: Counter, gln: str, scopes: Set[str] = SCOPES) -> None:
        self.client: FlaskClient = counter.node.visitor().client
        self.bearer = counter.node.bearer(Role.PARTNER_SYSTEM, party_gln=gln, scopes=scopes)

    def get(self, path: str, status: int = 200) -> dict[str, Any]:
        answer = self.client.get(path, headers=self.bearer)
        assert answer.status_code == status, (path, answer.text)
        return answer.json

    def post(self, path: str, body: dict[str, Any] | None = None, status: int = 200) -> dict[str, Any]:
        answer = self.client.post(path, json=body, headers=self.bearer)
        assert answer.status_code == status, (path, answer.text)
        return answer.json

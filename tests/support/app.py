"""The real app on a real migrated database, with a clock that the test moves.

``node`` runs a test on SQLite and PostgreSQL, ``sqlite_node`` on SQLite alone (for what does not touch SQL)::

    def test_...(node):
        node.person("mia", Role.PHARMACIST, party_gln=GLN_A)
        page = node.sign_in("mia").get("/")

Passwords are hashed by argon2 as ever, with parameters that take no time.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from app.config import Settings
from app.people.service import People, User
from app.shared.actor import Role, command_line
from app.shared.clock import ManualClock
from app.wiring import Services
from ledger.store.sql.engine import Database
from tests.support.postgres import as_node

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PASSWORD = "a long walk by the sea"
GLN_A = "0399999000017"
GLN_B = "0614141000012"
OPERATOR = command_line("tester")
HTML = {"Accept": "text/html"}


class Visitor:
    """A browser without a screen: keeps cookies, reads the CSRF token from the page it posts from."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **kwargs: object) -> TestResponse:
        kwargs.setdefault("headers", HTML)
        return self.client.get(path, **kwargs)

    def token(self, path: str = "/sign-in") -> str:
        """The CSRF token in the page at `path`."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(path).text)
        assert found, f"no CSRF token in {path}"
        return found[1]

    def post(
        self, path: str, data: dict[str, object] | None = None, *, form: str | None = None, **kwargs: object
    ):
        """Fill in the form of the page `form` (default: the same path) and send it to `path`."""
        kwargs.setdefault("headers", HTML)
        return self.client.post(path, data={"csrf_token": self.token(form or path), **(data or {})}, **kwargs)

    def sign_in(self, name: str, password: str = PASSWORD, **data: str) -> TestResponse:
        """Send the sign-in form."""
        return self.post("/sign-in", {"name": name, "password": password, **data})


@dataclass
class Node:
    """An app under test, what it is made of, and its clock."""

    app: Flask
    services: Services
    clock: ManualClock
    _names: dict[Role, str] = field(default_factory=dict)

    def visitor(self, address: str = "192.0.2.1") -> Visitor:
        """Somebody with a fresh browser."""
        client = self.app.test_client()
        client.environ_base["REMOTE_ADDR"] = address
        return Visitor(client)

    def person(self, name: str, role: Role, **kwargs: object) -> User:
        """Add an account; an inspector's ends in 30 days unless told otherwise."""
        if role is Role.INSPECTOR:
            kwargs.setdefault("expires_at", self.clock.now() + timedelta(days=30))
        elif role is not Role.OPERATOR:
            kwargs.setdefault("party_gln", GLN_A)
        return self.services.people.add(OPERATOR, name, PASSWORD, role, **kwargs)

    def sign_in(self, name: str) -> Visitor:
        """A fresh browser in which `name` has signed in."""
        visitor = self.visitor()
        response = visitor.sign_in(name)
        assert response.status_code == 303, response.text
        return visitor

    def signed_in_as(self, role: Role) -> Visitor:
        """A fresh browser in which somebody of `role` has signed in."""
        if role not in self._names:
            self._names[role] = self.person(f"the.{role.value}", role).name
        return self.sign_in(self._names[role])

    def bearer(self, role: Role, **kwargs: object) -> dict[str, str]:
        """Headers with a fresh token of `role`."""
        if role is Role.INSPECTOR:
            kwargs.setdefault("expires_at", self.clock.now() + timedelta(days=30))
        else:
            kwargs.setdefault("party_gln", GLN_A)
        made = self.services.tokens.create(OPERATOR, "test", role, **kwargs)
        return {"Authorization": f"Bearer {made.secret}"}


def make_node(database: Database, **settings: object) -> Node:
    """The app over a migrated `database`, at noon, with these settings beside the defaults."""
    clock = ManualClock(NOON)
    settings.setdefault("environment", "test")
    app = create_app(
        Settings(database_url=database.url.render_as_string(hide_password=False), **settings), clock
    )
    services = app.extensions["packproof"]
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    services.people = People(services.database, clock, services.sessions, quick)
    return Node(app, services, clock)


@pytest.fixture
def make_app(sqlite_database: Database, tmp_path: Path) -> Iterator[Callable[..., Node]]:
    """Makes apps over one migrated SQLite database, with settings of the test's choice."""
    made: list[Node] = []

    def _make(**settings: object) -> Node:
        settings.setdefault("sign_in_per_minute", 1000)
        settings.setdefault("data_dir", tmp_path / "var")
        made.append(make_node(sqlite_database, **settings))
        return made[-1]

    yield _make
    for item in made:
        item.services.database.dispose()


@pytest.fixture
def sqlite_node(make_app: Callable[..., Node]) -> Node:
    """The app on SQLite."""
    return make_app()


@pytest.fixture
def node(database: Database, tmp_path: Path) -> Iterator[Node]:
    """The app on SQLite and on PostgreSQL, there as the role that owns nothing."""
    found = make_node(as_node(database), sign_in_per_minute=1000, data_dir=tmp_path / "var")
    yield found
    found.services.database.dispose()

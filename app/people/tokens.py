"""Bearer tokens of partner systems, devices and inspectors' tools: ``pp_`` and 256 random bits in base32.

Shown once, kept as SHA-256. The prefix lets secret scanners find one that was published. A token speaks for one party
(an inspector's for none), within its scopes, until it expires or is revoked; a device's also only while its key is
valid::

    made = tokens.create(by, "erp", Role.PARTNER_SYSTEM, party_gln="0614141000012", scopes={"capture", "query"})
    made.secret   # the only time anybody sees it
"""

import base64
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from app.devices import service as devices
from app.errors import Invalid, NotFound
from app.people import rules
from app.people.models import api_token
from app.shared.actor import BEARERS, Actor, Role
from app.shared.audit import record
from app.shared.clock import Clock
from app.shared.ids import digest, new_id
from ledger.store.sql.engine import Database

PREFIX = "pp_"
LONGEST_NAME = 100
# What a token of each kind may do unless told otherwise; the table of permissions names the scope each route needs.
SCOPES: dict[Role, frozenset[str]] = {
    Role.PARTNER_SYSTEM: frozenset({"capture", "query", "verify"}),
    Role.DEVICE: frozenset({"capture", "query", "verify"}),
    Role.INSPECTOR: frozenset({"query"}),
}
# Beyond the defaults a token may be given these: `enrol` lets a bench fetch its own device token, `entries` lets an
# auditor read the log's entries, which show everybody's authors and times; `receive` lets a bench receive deliveries,
# `exceptions` a system exchange reports of exceptions, `desks` a company's own system work at its desks.
ALL_SCOPES = frozenset().union(*SCOPES.values(), {"enrol", "entries", "receive", "exceptions", "desks"})


# Made once: it is asked at every request, and to make it takes longer than to run it.
_VALID = select(api_token).where(
    api_token.c.secret_hash == bindparam("digest"),
    api_token.c.revoked_at.is_(None),
    or_(api_token.c.expires_at.is_(None), api_token.c.expires_at > bindparam("now")),
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as its operator sees it: everything but the secret."""

    token_id: str
    name: str
    kind: Role
    party_gln: str | None
    subject: str | None
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made, with the secret that nobody sees again."""

    token: Token
    secret: str = field(repr=False)


class Tokens:
    """The use cases of bearer tokens."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def create(
        self,
        by: Actor,
        name: str,
        kind: Role,
        *,
        party_gln: str | None = None,
        scopes: Iterable[str] | None = None,
        subject: str | None = None,
        expires_at: datetime | None = None,
        replace_older: bool = False,
    ) -> NewToken:
        """Make a token. `subject` is what it stands for beyond its party, such as a device's key thumbprint.

        `replace_older` revokes the tokens that the same subject of the same party has: one key, one token.
        Raises `Invalid` on a kind that bears no token, a bad GLN, an unknown scope or an expiry that does not fit.
        """
        now = self._clock.now()
        granted = frozenset(SCOPES.get(kind, ()) if scopes is None else scopes)
        if kind not in BEARERS:
            raise Invalid("token.kind", "This role bears no token", kind.value)
        if unknown := granted - ALL_SCOPES:
            raise Invalid("token.scope", "No such scope", ", ".join(sorted(unknown)))
        if (kind is Role.INSPECTOR) != (party_gln is None):
            raise Invalid("token.party", "An inspector's token has no party, every other has one", kind.value)
        rules.check_expiry(kind, expires_at, now)
        name = name.strip() or kind.value
        if len(name) > LONGEST_NAME:
            raise Invalid("token.name", "This name is too long", f"at most {LONGEST_NAME} characters")
        gln = None if party_gln is None else rules.parse_gln(party_gln)
        token = Token(new_id("tok"), name, kind, gln, subject, granted, now, expires_at, None)
        secret = PREFIX + base64.b32encode(secrets.token_bytes(32)).decode().rstrip("=").lower()
        with self._database.writing() as connection:
            if replace_older:
                self._revoke_all(connection, by, gln, subject)
            connection.execute(
                insert(api_token).values(
                    token_id=token.token_id,
                    secret_hash=digest(secret),
                    name=name,
                    kind=kind.value,
                    party_gln=gln,
                    subject=subject,
                    scopes=" ".join(sorted(granted)),
                    created_at=now,
                    created_by=by.id,
                    expires_at=expires_at,
                )
            )
            record(
                connection,
                self._clock,
                by,
                "token.create",
                subject=token.token_id,
                whose=gln or "",
                detail=name,
            )
        return NewToken(token, secret)

    def verify(self, secret: str, *, address: str = "", request_id: str = "") -> Actor | None:
        """Whom `secret` speaks for now, or None."""
        if not secret.startswith(PREFIX) or len(secret) > 100:
            return None
        asked = {"digest": digest(secret), "now": self._clock.now()}
        with self._database.reading() as connection:
            row = connection.execute(_VALID, asked).one_or_none()
            if row is None or not _stands(connection, row.kind, row.subject):
                return None
        return Actor(
            kind="token",
            id=row.token_id,
            name=row.name,
            role=Role(row.kind),
            party_gln=row.party_gln,
            scopes=frozenset(row.scopes.split()),
            address=address,
            request_id=request_id,
        )

    def _revoke_all(
        self, connection: Connection, by: Actor, party_gln: str | None, subject: str | None
    ) -> None:
        older = (
            api_token.c.subject == subject,
            api_token.c.party_gln == party_gln,
            api_token.c.revoked_at.is_(None),
        )
        for token_id in connection.execute(select(api_token.c.token_id).where(*older)).scalars().all():
            record(connection, self._clock, by, "token.revoke", subject=token_id, whose=party_gln or "")
        connection.execute(update(api_token).where(*older).values(revoked_at=self._clock.now()))

    def revoke(self, by: Actor, token_id: str) -> None:
        """Stop a token at once; nothing happens if it is stopped already. Raises `NotFound`."""
        with self._database.writing() as connection:
            row = connection.execute(select(api_token).where(api_token.c.token_id == token_id)).one_or_none()
            if row is None:
                raise NotFound("No such token", token_id)
            if row.revoked_at is None:
                connection.execute(
                    update(api_token)
                    .where(api_token.c.token_id == token_id)
                    .values(revoked_at=self._clock.now())
                )
                record(
                    connection, self._clock, by, "token.revoke", subject=token_id, whose=row.party_gln or ""
                )

    def of_party(self, party_gln: str) -> Sequence[Token]:
        """The tokens of a party, the newest first."""
        query = (
            select(api_token)
            .where(api_token.c.party_gln == party_gln)
            .order_by(api_token.c.created_at.desc())
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [
            Token(
                row.token_id,
                row.name,
                Role(row.kind),
                row.party_gln,
                row.subject,
                frozenset(row.scopes.split()),
                row.created_at,
                row.expires_at,
                row.revoked_at,
            )
            for row in rows
        ]


def _stands(connection: Connection, kind: str, subject: str | None) -> bool:
    """Whether what a token stands for still does: that of a device ends, and rests, with its key.

    Whoever has stolen a bench has its token too.
    """
    if kind != Role.DEVICE.value or subject is None:
        return True
    thumbprint = bytes.fromhex(subject)
    key = devices.keys(connection, [thumbprint]).get(thumbprint)
    return key is not None and key.state == "valid"

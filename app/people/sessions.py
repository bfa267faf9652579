"""Sessions of people, kept on the server: the browser holds a random secret and nothing else.

The database holds the secret's SHA-256, so that a stolen backup opens nothing. A session ends when nobody used it for a
while, when it is too old, when its person signs out, and at once when the account is disabled or expires: it is checked
against the account at every request.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, insert, or_, select, update

from app.people.models import user_account, web_session
from app.shared.actor import Actor, Role
from app.shared.clock import Clock
from app.shared.ids import digest, new_id, new_secret
from ledger.store.sql.engine import Database

# How stale `seen_at` may be: a write at every request would make every page wait for the write lock.
SEEN_EVERY = timedelta(minutes=1)


class Sessions:
    """Opens, finds and ends sessions. `idle` and `absolute` are how long one lasts unused and at all."""

    def __init__(self, database: Database, clock: Clock, idle: timedelta, absolute: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._idle = idle
        self._absolute = absolute

    def open(self, connection: Connection, user_id: str, address: str) -> tuple[str, str]:
        """A new session of `user_id` in the caller's transaction: its secret (for the cookie) and its id."""
        secret, session_id, now = new_secret(), new_id("ses"), self._clock.now()
        connection.execute(
            insert(web_session).values(
                session_id=session_id,
                secret_hash=digest(secret),
                user_id=user_id,
                created_at=now,
                seen_at=now,
                expires_at=now + self._absolute,
                address=address,
            )
        )
        return secret, session_id

    def resolve(self, secret: str, *, address: str = "", request_id: str = "") -> Actor | None:
        """The person whose living session `secret` opens, or None."""
        now = self._clock.now()
        query = (
            select(
                web_session.c.session_id,
                web_session.c.seen_at,
                user_account.c.user_id,
                user_account.c.name,
                user_account.c.role,
                user_account.c.party_gln,
            )
            .join(user_account, user_account.c.user_id == web_session.c.user_id)
            .where(
                web_session.c.secret_hash == digest(secret),
                web_session.c.ended_at.is_(None),
                web_session.c.expires_at > now,
                web_session.c.seen_at > now - self._idle,
                living_account(now),
            )
        )
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        if now - row.seen_at >= SEEN_EVERY:
            self._touch(row.session_id, now)
        return Actor(
            kind="person",
            id=row.user_id,
            name=row.name,
            role=Role(row.role),
            party_gln=row.party_gln,
            session_id=row.session_id,
            address=address,
            request_id=request_id,
        )

    def end(self, connection: Connection, secret: str) -> None:
        """End the session that `secret` opens, if there is one, in the caller's transaction."""
        self._end(connection, web_session.c.secret_hash == digest(secret))

    def end_all(self, connection: Connection, user_id: str) -> None:
        """End every session of `user_id` in the caller's transaction."""
        self._end(connection, web_session.c.user_id == user_id)

    def _end(self, connection: Connection, which: ColumnElement[bool]) -> None:
        connection.execute(
            update(web_session)
            .where(which, web_session.c.ended_at.is_(None))
            .values(ended_at=self._clock.now())
        )

    def _touch(self, session_id: str, now: datetime) -> None:
        with self._database.writing() as connection:
            connection.execute(
                update(web_session)
                .where(and_(web_session.c.session_id == session_id, web_session.c.seen_at < now))
                .values(seen_at=now)
            )


def living_account(now: datetime) -> ColumnElement[bool]:
    """The SQL condition of an account that may be used at `now`."""
    return and_(
        user_account.c.disabled_at.is_(None),
        or_(user_account.c.expires_at.is_(None), user_account.c.expires_at > now),
    )

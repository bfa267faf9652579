"""People: adding them, signing them in, stopping them.

Signing in tells nothing to who guesses. A wrong password, an unknown name, a disabled and an expired account get one
answer, after one argon2 computation and the same writes; and names that do not exist back off like those that do.

Failures are counted twice: for who tries this name, who then waits up to five minutes, and for the name wherever it is
tried, which is then slowed down by two seconds and not shut out. So nobody locks another out, and guessing stays slow.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Row, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from app.errors import AppError, Conflict, NotFound
from app.people import rules
from app.people.models import sign_in_failure, user_account
from app.people.sessions import Sessions
from app.shared.actor import Actor, Role
from app.shared.audit import Outcome, disclose, record
from app.shared.clock import Clock
from app.shared.ids import digest, new_id, new_secret
from ledger.store.sql.engine import Database


class SignInFailed(AppError):
    """The one answer to every failed attempt."""

    def __init__(self) -> None:
        super().__init__(
            "people.sign_in",
            401,
            "That did not work",
            "The name or the password is wrong, or the account is closed.",
            "Try again, or ask whoever runs this node.",
        )


class TooSoon(AppError):
    """Too many failures for this name, whether it exists or not."""

    def __init__(self, wait: timedelta) -> None:
        seconds = max(1, int(wait.total_seconds() + 0.999))
        super().__init__(
            "people.wait",
            429,
            "Wait before the next attempt",
            f"There were too many failed attempts for this name. Wait {seconds} seconds.",
            "Then try again. If it was not you, tell whoever runs this node.",
            headers={"Retry-After": str(seconds)},
        )


@dataclass(frozen=True, slots=True)
class Source:
    """Who tries a password: an address, a browser, a person or a program that is signed in. `known`: a browser in which
    the same name has signed in before, or who is signed in, which strangers' failures do not slow down."""

    name: str
    known: bool = False

    def counts(self, name: str) -> bytes:
        """Under what the failures of this source with an account's name are counted."""
        return digest(f"{self.name}\n{name}")


@dataclass(frozen=True, slots=True)
class User:
    """An account as its operator sees it."""

    user_id: str
    name: str
    display_name: str
    role: Role
    party_gln: str | None
    created_at: datetime
    expires_at: datetime | None
    disabled_at: datetime | None


class People:
    """The use cases of accounts. Every one leaves its row in the audit trail."""

    def __init__(
        self, database: Database, clock: Clock, sessions: Sessions, hasher: PasswordHasher | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._sessions = sessions
        self._hasher = hasher or PasswordHasher()  # RFC 9106, the second recommended choice: 64 MiB, 3 passes

    @cached_property
    def _nobodys_hash(self) -> str:
        return self._hasher.hash(new_secret())

    def add(
        self,
        by: Actor,
        name: str,
        password: str,
        role: Role,
        *,
        party_gln: str | None = None,
        display_name: str = "",
        expires_at: datetime | None = None,
    ) -> User:
        """Add an account. Raises `Invalid` on a bad name, password, party or expiry, `Conflict` on a name taken."""
        now = self._clock.now()
        name = rules.parse_name(name)
        rules.check_password(password, name)
        party_gln = rules.check_party(role, party_gln)
        rules.check_expiry(role, expires_at, now)
        user = User(new_id("usr"), name, display_name.strip() or name, role, party_gln, now, expires_at, None)
        try:
            with self._database.writing() as connection:
                connection.execute(
                    insert(user_account).values(
                        user_id=user.user_id,
                        name=user.name,
                        display_name=user.display_name,
                        password_hash=self._hasher.hash(password),
                        role=role.value,
                        party_gln=party_gln,
                        created_at=now,
                        password_at=now,
                        expires_at=expires_at,
                    )
                )
                record(
                    connection,
                    self._clock,
                    by,
                    "people.add",
                    subject=name,
                    whose=party_gln or "",
                    detail=role.value,
                )
        except IntegrityError as error:
            raise Conflict("people.taken", "This name is taken", name, "Choose another name.") from error
        return user

    def all(self) -> Sequence[User]:
        """Every account, by name."""
        columns = [user_account.c[name] for name in User.__slots__]
        with self._database.reading() as connection:
            rows = connection.execute(select(*columns).order_by(user_account.c.name)).all()
        return [User(**{**row._asdict(), "role": Role(row.role)}) for row in rows]

    def set_password(self, by: Actor, name: str, password: str) -> None:
        """Give the account another password and end its sessions. Raises `NotFound`, `Invalid`."""
        name = rules.canonical_name(name)
        rules.check_password(password, name)
        changes = {"password_hash": self._hasher.hash(password), "password_at": self._clock.now()}
        self._change(by, name, "people.password", changes)

    def disable(self, by: Actor, name: str) -> None:
        """Close the account and end its sessions at once. Raises `NotFound`."""
        self._change(by, rules.canonical_name(name), "people.disable", {"disabled_at": self._clock.now()})

    def sign_in(
        self,
        name: str,
        password: str,
        *,
        by: Actor,
        old_secret: str | None = None,
        source: Source | None = None,
    ) -> tuple[str, Actor]:
        """Open a session: its secret and who it is. A session that `old_secret` opened ends.

        `by` is the anonymous actor of the request, with where it comes from; `source` is who tries, its address if
        nothing else. Raises `SignInFailed`, `TooSoon`.
        """
        name = rules.canonical_name(name)[: rules.LONGEST_NAME]
        now = self._clock.now()
        source = source or Source(f"address {by.address}")
        nobodys = self._nobodys_hash  # made with the first attempt, whose ever: it takes as long as a check
        if wait := self._wait(name, source, now):
            disclose(self._database, self._clock, by, "people.sign_in", subject=name, outcome=Outcome.REFUSED)
            raise TooSoon(wait)
        with self._database.reading() as connection:
            row = connection.execute(select(user_account).where(user_account.c.name == name)).one_or_none()
        fits = self._verify(row.password_hash if row else nobodys, password)
        closed = row is not None and (
            row.disabled_at is not None or (row.expires_at is not None and row.expires_at <= now)
        )
        with self._database.writing() as connection:
            if not fits or row is None or closed:
                self._count_failure(connection, source.counts(name), now, rules.wait_after)
                self._count_failure(connection, digest(name), now, rules.slowed_after)
                record(connection, self._clock, by, "people.sign_in", subject=name, outcome=Outcome.FAILED)
                failed = True
            else:
                failed = False
                secret, actor = self._admit(connection, row, password, by, old_secret, source)
        # Raised outside: an exception inside would roll back the count and the audit row.
        if failed:
            raise SignInFailed
        return secret, actor

    def sign_out(self, by: Actor, secret: str) -> None:
        """End the session that `secret` opens."""
        with self._database.writing() as connection:
            self._sessions.end(connection, secret)
            record(connection, self._clock, by, "people.sign_out", subject=by.name)

    def _admit(
        self,
        connection: Connection,
        row: Row[tuple[object, ...]],
        password: str,
        by: Actor,
        old_secret: str | None,
        source: Source,
    ) -> tuple[str, Actor]:
        if old_secret:
            self._sessions.end(connection, old_secret)
        secret, session_id = self._sessions.open(connection, row.user_id, by.address)
        actor = Actor(
            "person",
            row.user_id,
            row.name,
            Role(row.role),
            row.party_gln,
            session_id,
            frozenset(),
            by.address,
            by.request_id,
        )
        counted = (digest(row.name), source.counts(row.name))
        connection.execute(delete(sign_in_failure).where(sign_in_failure.c.name_hash.in_(counted)))
        if self._hasher.check_needs_rehash(row.password_hash):
            stronger = self._hasher.hash(password)
            connection.execute(
                update(user_account)
                .where(user_account.c.user_id == row.user_id)
                .values(password_hash=stronger)
            )
        record(connection, self._clock, actor, "people.sign_in", subject=row.name)
        return secret, actor

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    def _wait(self, name: str, source: Source, now: datetime) -> timedelta | None:
        """How long this attempt has to wait; None where it may be made. It has then taken its turn: of those that come
        at the same moment, before any has failed, a name that is slowed down lets one through."""
        rule = {source.counts(name): rules.wait_after}
        if not source.known:
            rule[digest(name)] = rules.slowed_after
        query = select(sign_in_failure).where(sign_in_failure.c.name_hash.in_(rule))
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        longest = max((row.blocked_until for row in rows if row.blocked_until is not None), default=now)
        if longest > now:
            return longest - now
        turns = {bytes(row.name_hash): rule[bytes(row.name_hash)](row.failures) for row in rows}
        turns = {key: wait for key, wait in turns.items() if wait}
        if not turns:
            return None
        free = or_(sign_in_failure.c.blocked_until.is_(None), sign_in_failure.c.blocked_until <= now)
        with self._database.writing() as connection:
            for key, wait in sorted(turns.items()):
                mine = sign_in_failure.c.name_hash == key
                taken = connection.execute(
                    update(sign_in_failure).where(mine, free).values(blocked_until=now + wait)
                )
                if not taken.rowcount and connection.execute(select(sign_in_failure).where(mine)).first():
                    return wait
        return None

    def _count_failure(
        self, connection: Connection, key: bytes, now: datetime, wait: Callable[[int], timedelta]
    ) -> None:
        connection.execute(
            delete(sign_in_failure).where(sign_in_failure.c.last_at < now - rules.FAILURES_FORGOTTEN_AFTER)
        )
        # One statement counts, so that guesses made at the same moment are all counted.
        make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        counted = connection.execute(
            make(sign_in_failure)
            .values(name_hash=key, failures=1, last_at=now)
            .on_conflict_do_update(
                index_elements=[sign_in_failure.c.name_hash],
                set_={"failures": sign_in_failure.c.failures + 1, "last_at": now},
            )
            .returning(sign_in_failure.c.failures)
        ).scalar_one()
        connection.execute(
            update(sign_in_failure)
            .where(sign_in_failure.c.name_hash == key)
            .values(blocked_until=now + wait(counted))
        )

    def _change(self, by: Actor, name: str, action: str, changes: dict[str, object]) -> None:
        with self._database.writing() as connection:
            row = connection.execute(
                select(user_account.c.user_id, user_account.c.party_gln).where(user_account.c.name == name)
            ).one_or_none()
            if row is None:
                raise NotFound("No such account", name, "List them: packproof user list")
            connection.execute(
                update(user_account).where(user_account.c.user_id == row.user_id).values(**changes)
            )
            self._sessions.end_all(connection, row.user_id)
            record(connection, self._clock, by, action, subject=name, whose=row.party_gln or "")

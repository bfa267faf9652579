"""Challenges for who enrols: each good for five minutes, once, and for a key that is in hand.

A challenge is 16 random bytes, the second at which it ends, and a MAC over both by the node's secret, in hex: any
process of the node knows it again and nothing is stored for who only asks. What was answered is kept until it would
have ended, so that the same answer again is refused.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError

from app.devices.models import challenge_used
from app.errors import Refused
from app.shared.clock import Clock
from ledger.errors import VerificationError
from ledger.signing.enrolment import check
from ledger.signing.keys import Verifier
from ledger.store.sql.engine import Database

LIFE: Final = timedelta(minutes=5)
_RANDOM, _SECONDS, _MAC = 16, 8, 32
_LENGTH: Final = 2 * (_RANDOM + _SECONDS + _MAC)
_NEXT: Final = (
    "Ask POST /devices/challenges for a new one and answer it at once. packproof-scan enrol does both."
)


@dataclass(frozen=True, slots=True)
class Challenges:
    """Gives challenges and takes answers. `secret` is the node's own, the same in each of its processes."""

    database: Database
    origin: str
    clock: Clock
    secret: str

    def new(self) -> tuple[str, datetime]:
        """A challenge, and when it ends (aware UTC)."""
        ends = int((self.clock.now() + LIFE).timestamp())
        body = secrets.token_bytes(_RANDOM) + ends.to_bytes(_SECONDS, "big")
        return (body + self._mac(body)).hex(), datetime.fromtimestamp(ends, UTC)

    def require_fresh(self, challenge: bytes) -> str:
        """The challenge as text, if this node gave it and it has not ended. Raises `Refused`."""
        try:
            raw = bytes.fromhex(challenge.decode("ascii")) if len(challenge) == _LENGTH else b""
        except ValueError:
            raw = b""
        body, mac = raw[: _RANDOM + _SECONDS], raw[_RANDOM + _SECONDS :]
        if raw.hex().encode() != challenge or not hmac.compare_digest(self._mac(body), mac):
            raise Refused("enrolment.challenge", "This challenge is not of this node", "", _NEXT)
        if int.from_bytes(body[_RANDOM:], "big") < self.clock.now().timestamp():
            raise Refused("enrolment.expired", "This challenge has ended", "", _NEXT)
        return raw.hex()

    def answered(self, challenge: str, proof: bytes, key: Verifier) -> None:
        """Take the answer of `key`; never again. Raises `Refused` for one that does not fit, or a second time."""
        try:
            check(key, self.origin, challenge, proof)
        except VerificationError as error:
            raise Refused(
                "enrolment.proof", "The challenge was not answered by this key", error.message, _NEXT
            ) from error
        now = self.clock.now()
        ends = int.from_bytes(bytes.fromhex(challenge)[_RANDOM : _RANDOM + _SECONDS], "big")
        row = {
            "challenge": sha256(bytes.fromhex(challenge)).digest(),
            "ends_at": datetime.fromtimestamp(ends, UTC),
        }
        try:
            with self.database.writing() as connection:
                connection.execute(delete(challenge_used).where(challenge_used.c.ends_at < now - LIFE))
                connection.execute(insert(challenge_used).values(**row))
        except IntegrityError as error:
            raise Refused(
                "enrolment.replayed", "This challenge was answered before", "No token was given.", _NEXT
            ) from error

    def _mac(self, body: bytes) -> bytes:
        key = sha256(b"packproof enrolment v1\x00" + self.secret.encode()).digest()
        return hmac.new(key, self.origin.encode() + b"\x00" + body, sha256).digest()

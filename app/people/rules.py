"""Pure rules of people: how a name is spelt, what a password must be, how long a guesser waits.

A name is compared in canonical form (NFKC, case folded), so that nobody signs in as ``mıa`` beside ``mia``.
"""

import re
import unicodedata
from datetime import datetime, timedelta

from app.errors import Invalid
from app.shared.actor import PARTYLESS, PEOPLE, Role
from ledger.gs1.errors import Gs1Error
from ledger.gs1.gln import Gln

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1024
LONGEST_NAME = 64
FREE_FAILURES = 5
LONGEST_WAIT = timedelta(minutes=5)
SLOW_AFTER = 20
SLOWED = timedelta(seconds=2)
FAILURES_FORGOTTEN_AFTER = timedelta(hours=24)
LONGEST_INSPECTION = timedelta(days=366)

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")


def canonical_name(text: str) -> str:
    """The form in which names are kept and compared."""
    return unicodedata.normalize("NFKC", text.strip()).casefold()


def parse_name(text: str) -> str:
    """The canonical form of a new name. Raises `Invalid` if it is not 2 to 64 of ``a-z 0-9 . _ @ -``."""
    name = canonical_name(text)
    if not _NAME.fullmatch(name):
        raise Invalid(
            "people.name",
            "This name cannot be used",
            f"{text!r} is not 2 to {LONGEST_NAME} letters (a-z), digits, or . _ @ -, beginning with a letter or digit",
        )
    return name


def check_password(password: str, name: str) -> None:
    """Raise `Invalid` unless `password` is long enough to guard the account `name` (NIST SP 800-63B, 3.1.1)."""
    if len(password) < SHORTEST_PASSWORD:
        problem = f"it has {len(password)} characters, at least {SHORTEST_PASSWORD} are needed"
    elif len(password) > LONGEST_PASSWORD:
        problem = f"it has more than {LONGEST_PASSWORD} characters"
    elif len(set(password)) < 5:
        problem = "it repeats fewer than five different characters"
    elif name in password.casefold() and len(password) - len(name) < SHORTEST_PASSWORD // 2:
        problem = "it is hardly more than the account's name"
    else:
        return
    raise Invalid("people.password", "This password is too weak", problem, "Choose a longer phrase.")


def check_party(role: Role, party_gln: str | None) -> str | None:
    """The GLN of the party that somebody in `role` belongs to, or None where the role has none. Raises `Invalid`."""
    if role not in PEOPLE:
        raise Invalid("people.role", "A person cannot have this role", f"{role.value} is for tokens")
    if role in PARTYLESS:
        if party_gln is not None:
            raise Invalid("people.party", f"The role {role.value} belongs to no party", "it was given a GLN")
        return None
    if party_gln is None:
        raise Invalid(
            "people.party", f"The role {role.value} belongs to a party", "no GLN was given", "Give its GLN."
        )
    return parse_gln(party_gln)


def parse_gln(text: str) -> str:
    """The 13 digits of a GLN with a valid check digit. Raises `Invalid`."""
    try:
        return str(Gln.parse(text))
    except Gs1Error as error:
        raise Invalid("party.gln", "This is no GLN", str(error), "Give the party's 13 digits.") from error


def check_expiry(role: Role, expires_at: datetime | None, now: datetime) -> None:
    """Raise `Invalid` unless the account's end fits: an inspector's must have one, and none lies in the past."""
    if expires_at is None:
        if role is Role.INSPECTOR:
            raise Invalid(
                "people.expiry", "An inspector's account needs a last day", "", "Give an expiry date."
            )
        return
    if expires_at <= now:
        raise Invalid("people.expiry", "The expiry lies in the past", expires_at.isoformat())
    if role is Role.INSPECTOR and expires_at - now > LONGEST_INSPECTION:
        raise Invalid("people.expiry", "An inspector's account ends within a year", expires_at.isoformat())


def wait_after(failures: int) -> timedelta:
    """How long one who tries a name waits after so many failures: nothing for five, then doubling from 2 s to 5 min."""
    if failures < FREE_FAILURES:
        return timedelta()
    return min(timedelta(seconds=2 ** min(failures - FREE_FAILURES + 1, 20)), LONGEST_WAIT)


def slowed_after(failures: int) -> timedelta:
    """How long a name waits after so many failures from anywhere: slowed down, never shut out.

    Two seconds between guesses leave 43,200 a day to all strangers together, and twenty more each time that somebody
    signs in with the name, which forgets its failures. Who is known (`app.people.service.Source`) is not slowed down by
    this, and waits by `wait_after`: some 290 guesses a day each. A password has twelve characters at least.
    """
    return SLOWED if failures >= SLOW_AFTER else timedelta()

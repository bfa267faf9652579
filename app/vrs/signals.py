"""Signs noticed at verification, kept for whoever they concern: read by any desk, acted on by people.

    signals.note(connection, database_is_sqlite, noticed)          # in the transaction that keeps the request
    signals.signals(connection, party="0399999000017", since=yesterday)

The same sign on the same occasion (a requester, a package, a day) is noted once, when it is first seen.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from app.vrs.models import signal
from app.vrs.rules import Sign, SignalKind
from ledger.custody.findings import Severity

MOST_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Noticed:
    """A sign: about what (canonical EPC or GTIN), whom it concerns and who asked (GLNs), when."""

    sign: Sign
    about: str
    party: str
    requester: str
    at: datetime

    @property
    def occasion(self) -> str:
        """What makes this sign the same as another: noted once a day, and once more when it has become graver."""
        kind, severity = self.sign.kind, self.sign.severity
        about = "" if kind is SignalKind.SERIAL_GUESSING else self.about
        return "|".join((kind, severity, about, self.party, self.requester, f"{self.at:%Y-%m-%d}"))


@dataclass(frozen=True, slots=True)
class Signal:
    """A sign as it is kept. `innocent` is its usual innocent cause."""

    kind: SignalKind
    severity: Severity
    about: str
    party: str
    requester: str
    at: datetime
    explanation: str
    innocent: str


def note(connection: Connection, found: Iterable[Noticed]) -> None:
    """Keep what was noticed, in the caller's transaction."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    for each in found:
        values = {
            "kind": each.sign.kind.value,
            "severity": each.sign.severity.value,
            "about": each.about,
            "party": each.party,
            "requester": each.requester,
            "at": each.at,
            "explanation": each.sign.explanation,
            "innocent": each.sign.innocent,
            "occasion": each.occasion,
        }
        connection.execute(insert(signal).values(**values).on_conflict_do_nothing())


def signals(
    connection: Connection, party: str | None, since: datetime | None = None, *, about: str | None = None
) -> list[Signal]:
    """The signs that concern `party` (GLN; None: everybody's), the newest first, since `since`, at most 500.

    `about`: only those about this canonical EPC or GTIN.
    """
    query = select(signal).order_by(signal.c.at.desc(), signal.c.signal_no.desc()).limit(MOST_SHOWN)
    if party is not None:
        query = query.where(signal.c.party == party)
    if since is not None:
        query = query.where(signal.c.at >= since)
    if about is not None:
        query = query.where(signal.c.about == about)
    return [
        Signal(
            SignalKind(row.kind),
            Severity(row.severity),
            row.about,
            row.party,
            row.requester,
            row.at,
            row.explanation,
            row.innocent,
        )
        for row in connection.execute(query)
    ]

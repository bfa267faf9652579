"""Requests for verification as they were asked and answered: every one is kept, and shown to the maker it was about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, insert, select

from app.shared.chunks import chunks
from app.vrs.messages import Failure, Question
from app.vrs.models import vrs_request
from app.vrs.rules import GUESSING_WINDOW, HEAT_WINDOW, Asked

MOST_LOOKED_AT = 200
"""How many of a requester's last questions are looked at for guessing."""

IN, CHECK = "in", "check"

MISSES = frozenset({Failure.SERIAL, Failure.LOT, Failure.EXPIRY, Failure.LOT_EXPIRY})


@dataclass(frozen=True, slots=True)
class Kept:
    """One request. `direction`: in (a maker here was asked), check (somebody asked who answers for a GTIN here) or out
    (this node asked another's)."""

    at: datetime
    direction: str
    question: Question
    responder: str
    actor_id: str
    status: int
    outcome: str
    info: str
    latency_us: int

    @property
    def missed(self) -> bool:
        """Whether GTIN, serial, lot and expiry did not go together."""
        return self.outcome in MISSES


def keep(connection: Connection, request: Kept) -> None:
    """Write one request down, in the caller's transaction."""
    asked = request.question
    connection.execute(
        insert(vrs_request).values(
            at=request.at,
            direction=request.direction,
            requester=asked.requester,
            responder=request.responder,
            actor_id=request.actor_id,
            gtin=asked.gtin,
            lot=asked.lot,
            serial=asked.serial,
            expiry=asked.expiry,
            context=asked.context,
            corr_uuid=asked.corr_uuid,
            attested=asked.attested,
            contact=asked.contact,
            status=request.status,
            outcome=request.outcome,
            info=request.info,
            latency_us=request.latency_us,
        )
    )


def last_of(connection: Connection, requester: str, now: datetime) -> list[Asked]:
    """The last questions that `requester` put to makers here, within the window of rule D16."""
    query = (
        select(vrs_request.c.at, vrs_request.c.gtin, vrs_request.c.serial, vrs_request.c.outcome)
        .where(
            vrs_request.c.requester == requester,
            vrs_request.c.at > now - GUESSING_WINDOW,
            vrs_request.c.direction == "in",
        )
        .order_by(vrs_request.c.at.desc())
        .limit(MOST_LOOKED_AT)
    )
    return [Asked(row.at, row.gtin, row.serial, row.outcome in MISSES) for row in connection.execute(query)]


def requesters_of(connection: Connection, gtin: str, serial: str, now: datetime) -> list[str]:
    """The GLNs that asked about this serial within the window of rule D17."""
    query = (
        select(vrs_request.c.requester)
        .where(
            vrs_request.c.gtin == gtin,
            vrs_request.c.serial == serial,
            vrs_request.c.at > now - HEAT_WINDOW,
            vrs_request.c.direction == "in",
        )
        .distinct()
        .limit(50)
    )
    return list(connection.execute(query).scalars())


@dataclass(frozen=True, slots=True)
class Last:
    """What came of the last question about a package."""

    at: datetime
    outcome: str
    info: str


def asked_by(
    connection: Connection, requester: str, packages: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], Last]:
    """What came of the last question of `requester` (GLN) to other companies' makers about each of these packages
    (GTIN and serial) that it asked about."""
    wanted = set(packages)
    serials: dict[str, list[str]] = {}
    for gtin, serial in sorted(wanted):
        serials.setdefault(gtin, []).append(serial)
    found: dict[tuple[str, str], Last] = {}
    columns = (vrs_request.c.serial, vrs_request.c.at, vrs_request.c.outcome, vrs_request.c.info)
    for gtin, listed in serials.items():
        for chunk in chunks(listed):
            query = select(*columns).where(
                vrs_request.c.gtin == gtin,
                vrs_request.c.serial.in_(chunk),
                vrs_request.c.requester == requester,
                vrs_request.c.direction == "out",
            )
            for serial, at, outcome, info in connection.execute(
                query.order_by(vrs_request.c.at, vrs_request.c.request_no)
            ):
                found[gtin, serial] = Last(at, outcome, info)
    return found


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asked a maker about its products since a time: how often, and how often nothing matched."""

    gln: str
    asked: int
    missed: int
    last: datetime


def of_maker(connection: Connection, maker: str, since: datetime, most: int = 100) -> list[Kept]:
    """The requests about a maker's products, the newest first."""
    query = (
        select(vrs_request)
        .where(vrs_request.c.responder == maker, vrs_request.c.at >= since, vrs_request.c.direction == "in")
        .order_by(vrs_request.c.at.desc(), vrs_request.c.request_no.desc())
        .limit(most)
    )
    return [
        Kept(
            row.at,
            row.direction,
            Question(
                row.gtin,
                row.lot,
                row.serial,
                row.expiry,
                row.context,
                row.requester,
                row.corr_uuid,
                row.attested,
                row.contact,
            ),
            row.responder,
            row.actor_id,
            row.status,
            row.outcome,
            row.info,
            row.latency_us,
        )
        for row in connection.execute(query)
    ]


def askers_of(connection: Connection, maker: str, since: datetime, most: int = 50) -> Sequence[Asker]:
    """Who asked about a maker's products, those with the most that missed first."""
    missed = func.sum(case((vrs_request.c.outcome.in_(sorted(MISSES)), 1), else_=0))
    query = (
        select(
            vrs_request.c.requester,
            func.count().label("asked"),
            missed.label("missed"),
            func.max(vrs_request.c.at).label("last"),
        )
        .where(vrs_request.c.responder == maker, vrs_request.c.at >= since, vrs_request.c.direction == "in")
        .group_by(vrs_request.c.requester)
        .order_by(missed.desc(), func.count().desc(), vrs_request.c.requester)
        .limit(most)
    )
    return [Asker(row.requester, row.asked, int(row.missed), row.last) for row in connection.execute(query)]

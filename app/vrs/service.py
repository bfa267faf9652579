"""A maker's verification responder: other companies ask whether a pack in their hands is one that the maker made.

The maker answers for the GTINs that it makes on this node and for no others. Every question is kept for it, whatever
came of it, and what looks like guessing is noted; an unknown serial costs the same queries and bytes as an unknown lot.
"""

import time
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, and_, or_, select

from app.custody.standing import Standing, has_anything, standing
from app.errors import AppError, NotFound, Refused
from app.events import pending as documents
from app.partners import service as partners
from app.products import service as products
from app.shared.actor import Actor
from app.shared.clock import Clock
from app.vrs import requests, rules, signals
from app.vrs.answers import Made, Mark, answer
from app.vrs.messages import Answer, Failure, Question, write_answer
from app.vrs.models import vrs_mark
from app.vrs.requests import Kept
from app.vrs.signals import Noticed
from ledger.custody.state import ENDED
from ledger.gs1.dates import from_yymmdd
from ledger.gs1.epc import Sgtin
from ledger.gs1.gtin import Gtin
from ledger.store.sql.engine import Database

OK = 200
VERIFIED = "verified"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as it is sent: its body, and the GLN of the maker that gives it."""

    body: bytes
    responder: str
    answer: Answer


class Responder:
    """Answers for the makers on this node. One a process."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def verify(self, question: Question, actor: Actor) -> Answered:
        """The maker's answer to `question`, asked by whoever holds the token of `actor`.

        Raises `AppError`: 401 ``vrs.requester`` for a party that this node does not know, 403 ``vrs.gln`` where
        reqGLN is not the token's party, 404 where the maker of the GTIN is not here, 503 ``vrs.in_progress`` while a
        document that names the pack is being taken in.
        """
        started = time.perf_counter()
        now = self._clock.now()
        responder = ""
        try:
            requester = self._admit(question.requester, actor)
            with self._database.snapshot() as connection:
                responder = _maker_of(connection, question.gtin)
                found = self._answer(connection, question, responder, now)
                noticed = _noticed(connection, question, responder, requester, found, now)
        except AppError as error:
            # What was refused is kept too: who tries GTINs shows by it.
            self._keep(question, responder, actor, now, started, error.status, error.code)
            raise
        outcome = VERIFIED if found.failure is None else found.failure.value
        info = found.info.value if found.info else ""
        self._keep(question, responder, actor, now, started, OK, outcome, info, noticed)
        return Answered(write_answer(found, question, responder, now), responder, found)

    def refused(
        self, question: Question, actor: Actor, error: AppError, direction: str = requests.IN
    ) -> None:
        """Keep a question that could not be read: `question` has what of it could."""
        now, started = self._clock.now(), time.perf_counter()
        self._keep(question, "", actor, now, started, error.status, error.code, direction=direction)

    def connectivity(self, gtin: str, requester: str, actor: Actor) -> str:
        """The GLN that answers for this GTIN here. Raises as `verify` does."""
        started, now, responder = time.perf_counter(), self._clock.now(), ""
        question = Question(gtin, "", "", "", "", requester, "")
        status, outcome = OK, "answers"
        try:
            self._admit(requester, actor)
            with self._database.reading() as connection:
                responder = _maker_of(connection, gtin)
        except AppError as error:
            status, outcome = error.status, error.code
            raise
        finally:
            # Who tries GTINs shows by it too. It is no question about a pack, and counts as none.
            self._keep(question, responder, actor, now, started, status, outcome, direction=requests.CHECK)
        return responder

    def _admit(self, requester: str, actor: Actor) -> int:
        """The number of the party that asks."""
        with self._database.reading() as connection:
            known = partners.by_gln(connection, actor.party_gln or "")
        if known is None:
            raise AppError(
                "vrs.requester",
                401,
                "This node does not know the requester",
                "The token's party is not registered here.",
                "Ask the node's operator: packproof party add",
            )
        if requester != actor.party_gln:
            raise Refused(
                "vrs.gln",
                "reqGLN is not yours",
                "The token belongs to another party than the one that reqGLN names.",
                "Ask with the GLN that the token was made for.",
            )
        return known.party_id

    def _answer(self, connection: Connection, question: Question, responder: str, now: datetime) -> Answer:
        key = epc_of(question)
        maker = partners.by_gln(connection, responder)
        found = standing(connection, key)
        marks = _marks(connection, question)
        if documents.named(connection, [key]):
            raise AppError(
                "vrs.in_progress",
                503,
                "This cannot be answered yet",
                "A document that names this pack is still being taken in.",
                "Ask again in a minute. It is neither verified nor denied.",
                headers={"Retry-After": "60"},
            )
        assert maker is not None
        today = now.date()
        on_label = from_yymmdd(question.expiry, today)
        return answer(_made(found, maker.party_id), question.lot, on_label, marks, today)

    def _keep(
        self,
        question: Question,
        responder: str,
        actor: Actor,
        now: datetime,
        started: float,
        status: int,
        outcome: str,
        info: str = "",
        noticed: tuple[Noticed, ...] = (),
        direction: str = requests.IN,
    ) -> None:
        latency_us = int((time.perf_counter() - started) * 1_000_000)
        kept = Kept(now, direction, question, responder, actor.id, status, outcome, info, latency_us)
        if actor.party_gln is not None:
            # Whose token it was, whatever GLN it named.
            kept = replace(kept, question=replace(question, requester=actor.party_gln))
        with self._database.writing() as connection:
            requests.keep(connection, kept)
            signals.note(connection, noticed)


def epc_of(question: Question) -> str:
    """The canonical EPC of the package that is asked about."""
    return Sgtin(Gtin.parse(question.gtin), question.serial).canonical


def _maker_of(connection: Connection, gtin: str) -> str:
    maker = products.makers(connection, [gtin]).get(gtin)
    if maker is None:
        raise NotFound(
            "Nobody here answers for this GTIN",
            "Its maker is not on this node.",
            "Look the responder up again; the maker's entry in the directory may have changed.",
        )
    return maker


def _made(found: Standing | None, maker_id: int) -> Made | None:
    """The pack in its maker's record; None where that maker has not commissioned it, whoever else names it."""
    if found is None or found.maker_id != maker_id:
        return None
    return Made(found.lot, found.expiry, found.status in ENDED, found.recalled, found.disputed)


def _marks(connection: Connection, question: Question) -> frozenset[Mark]:
    """What the maker has said of the serial, or of the lot on the label, and not taken back."""
    of_lot = and_(vrs_mark.c.serial == "", vrs_mark.c.lot == question.lot)
    query = select(vrs_mark.c.mark).where(
        vrs_mark.c.gtin == question.gtin,
        vrs_mark.c.ended_at.is_(None),
        or_(vrs_mark.c.serial == question.serial, of_lot),
    )
    return frozenset(map(Mark, connection.execute(query).scalars()))


def _noticed(
    connection: Connection, question: Question, responder: str, requester: int, found: Answer, now: datetime
) -> tuple[Noticed, ...]:
    """What this question adds up to with those before it: the same queries for everything that did not match."""
    others = requests.requesters_of(connection, question.gtin, question.serial, now)
    signs = [rules.heat([question.requester, *others])]
    if found.failure in requests.MISSES:
        present = rules.Asked(now, question.gtin, question.serial, missed=True)
        asked = [present, *requests.last_of(connection, question.requester, now)]
        has_traded = has_anything(connection, requester)
        lot = found.failure in (Failure.LOT, Failure.LOT_EXPIRY)
        expiry = found.failure in (Failure.EXPIRY, Failure.LOT_EXPIRY)
        signs.append(rules.guessing(asked, now, has_traded=has_traded))
        signs.append(rules.no_match(serial=found.failure is Failure.SERIAL, lot=lot, expiry=expiry))
    about = epc_of(question)
    return tuple(Noticed(sign, about, responder, question.requester, now) for sign in signs if sign)

"""Asking another company's maker about a pack: through the directory, within time-outs, every question kept.

said = asking.ask("0614141000012", "00312345678906", "A1", "11", "280531", actor)
said.answer      # None: nobody could be asked or nothing came. That is *unknown*, never suspect
said.why         # no_entry, no_credential, timeout, unreachable, http_404, unreadable ...
"""

import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.shared.actor import Actor
from app.shared.clock import Clock
from app.vrs import directory, requests
from app.vrs.directory import Entry
from app.vrs.messages import (
    MOST_ANSWER_BYTES,
    VERSION,
    VERSION_HEADER,
    Answer,
    Question,
    read_answer,
    target,
)
from app.vrs.outward import Address, NoAnswer, Policy, Timeouts, fetch
from app.vrs.requests import Kept
from ledger.store.sql.engine import Database

OK = 200
VERIFIED = "verified"


@dataclass(frozen=True, slots=True)
class Said:
    """What became of a question. `why` is "" where an answer came, else a code, and `message` says it in words."""

    at: datetime
    answer: Answer | None
    why: str = ""
    message: str = ""
    responder: str = ""
    corr_uuid: str = ""
    latency_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks makers that are not on this node. One a process. `contexts`: those of this node, the first for scans."""

    database: Database
    clock: Clock
    data_dir: Path
    policy: Policy
    timeouts: Timeouts
    contexts: tuple[str, ...]

    def ask(
        self,
        requester: str,
        gtin: str,
        lot: str,
        serial: str,
        expiry: str,
        actor: Actor,
        *,
        context: str | None = None,
    ) -> Said:
        """What the maker of `gtin` says of this pack to `requester` (GLN). Raises nothing for what others do."""
        with self.database.reading() as connection:
            entry = directory.look_up(connection, gtin)
        now = self.clock.now()
        if entry is None:
            return Said(now, None, "no_entry", "nobody is known to ask about this GTIN")
        question = Question(
            gtin,
            lot,
            serial,
            expiry,
            context or self.contexts[0],
            requester,
            str(uuid.uuid4()),
            attested=True,
        )
        started = time.perf_counter()
        status, answer, why, message = self._get(entry, question)
        latency_s = time.perf_counter() - started
        outcome = why or (VERIFIED if answer is None or answer.failure is None else answer.failure.value)
        kept = Kept(
            at=now,
            direction="out",
            question=question,
            responder=entry.responder,
            actor_id=actor.id,
            status=status,
            outcome=outcome,
            info=answer.info.value if answer and answer.info else "",
            latency_us=int(latency_s * 1_000_000),
        )
        with self.database.writing() as connection:
            requests.keep(connection, kept)
        return Said(now, answer, why, message, entry.responder, question.corr_uuid, latency_s * 1000)

    def _get(self, entry: Entry, question: Question) -> tuple[int, Answer | None, str, str]:
        """(HTTP status, answer, why there is none, that in words)."""
        address = Address.parse(entry.url, self.policy)
        secret = directory.secret_of(self.data_dir, question.requester, address)
        if secret is None:
            return 0, None, "no_credential", f"{question.requester} has no credential for {address.host}"
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {secret}",
            VERSION_HEADER: VERSION,
        }
        try:
            reply = fetch(address, target(question), headers, self.timeouts, MOST_ANSWER_BYTES)
        except NoAnswer as error:
            return 0, None, error.code, error.message
        if reply.status != OK:
            return reply.status, None, f"http_{reply.status}", f"it answered with status {reply.status}"
        try:
            return reply.status, read_answer(reply.body, question, entry.responder), "", ""
        except ValueError as error:
            return reply.status, None, "unreadable", str(error)

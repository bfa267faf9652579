"""A long document's events as rows of the inbox, committed to on the way: one copy of each, a slice at a time."""

import json
from collections.abc import Sequence
from typing import Any

from app.capture import prepare
from app.capture.inbox import Job
from app.capture.known import declared_at
from app.events.pending import name_of, party_name
from app.events.resolved import parties_of, written
from app.events.roles import roles_of
from ledger.custody.event import Event, digest_of
from ledger.custody.stored import pack_fields
from ledger.signing.stream import CommitmentStream


class Rows:
    """Events as rows of the inbox, committed to on the way."""

    def __init__(
        self,
        job: Job,
        by: str,
        lookups: prepare.Lookups,
        stream: CommitmentStream,
    ) -> None:
        self._job = job
        self._by = by
        self._lookups = lookups
        self._stream = stream
        self._named: set[int] = set()
        self.glns: set[str] = set()

    def of(self, events: Sequence[Event], first: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The rows of these events, numbered from `first`, and of the names that none before had."""
        rows, names = [], {name_of(party_name(self._by))}
        for number, read_event in enumerate(events, first):
            each = prepare.with_id(read_event)
            fields = each.fields()
            self._stream.add(fields)
            act = prepare.act_of(each, self._by, self._lookups)
            glns = {gln for gln in parties_of(act).values() if gln}
            self.glns |= glns
            names |= {name_of(party_name(gln)) for gln in glns}
            names |= {name_of(key) for key, _ in roles_of(each)}
            found = prepare.not_maker(each, self._by, self._lookups.maker_of)
            rows.append(
                {
                    "job_no": self._job.job_no,
                    "ev_no": number,
                    "by_id": self._job.by_id,
                    "event_id": each.id,
                    "declared_at": declared_at(each),
                    "digest": digest_of(fields),
                    "parties": written(act),
                    "found": json.dumps([[f.code.value, f.message] for f in found]),
                    "body": pack_fields(fields),
                }
            )
        fresh = sorted(names - self._named)
        self._named |= names
        return rows, [{"name": name, "job_no": self._job.job_no} for name in fresh]

"""What a bench reports, as EPCIS 2.0 events that it signs: received, set apart, counted, unpacked.

    receiving   ObjectEvent OBSERVE receiving in_progress, of the container alone: its contents come along
    holding     ObjectEvent OBSERVE holding non_sellable_other, what was set apart of it, a microsecond later
    counting    AggregationEvent OBSERVE inspecting, the children seen; mismatch_quantity or mismatch_instance where
                something lacks or is too much, persistent completeness_verified where all is there (CBV 2.0, 7.2)
    unpacking   AggregationEvent DELETE unpacking, the children taken out; none listed means all (EPCIS 2.0, 7.4.3)

The event's id is made here, before anything is sent, so that sending twice is telling once. Pure: the time is given.
"""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from ledger.custody.event import Event, Linked
from ledger.custody.vocabulary import Action, EventType
from ledger.epcis.document import Document, Form
from ledger.epcis.json20 import write
from ledger.signing.client import KeyFolder, SignedCapture, sign_capture

CONTENT_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Tally:
    """A count as it stands: what should be in the container, and what was seen so far."""

    expected: frozenset[str]
    seen: tuple[str, ...] = ()

    def with_seen(self, key: str) -> "Tally":
        """The tally after one more thing was seen; a second look at the same thing changes nothing."""
        return self if key in self.seen else Tally(self.expected, (*self.seen, key))

    @property
    def found(self) -> int:
        """How many of the expected were seen."""
        return len(self.expected.intersection(self.seen))

    @property
    def missing(self) -> tuple[str, ...]:
        """What was expected and not seen."""
        return tuple(sorted(self.expected.difference(self.seen)))

    @property
    def over(self) -> tuple[str, ...]:
        """What was seen and not expected."""
        return tuple(key for key in self.seen if key not in self.expected)

    @property
    def is_complete(self) -> bool:
        """Whether exactly what should be there is there."""
        return not self.missing and not self.over

    def text(self) -> str:
        """``9 of 10, 1 short``."""
        words = [f"{self.found} of {len(self.expected)}"]
        if self.missing:
            words.append(f"{len(self.missing)} short")
        if self.over:
            words.append(f"{len(self.over)} too many")
        return ", ".join(words if len(words) > 1 else [*words, "all there"])


def received(container: str, party: str, now: datetime) -> Event:
    """The party has received a container, and with it all that is inside."""
    return _event(
        EventType.OBJECT,
        Action.OBSERVE,
        "receiving",
        "in_progress",
        party,
        now,
        epcs=(container,),
        destinations=(Linked("possessing_party", _party(party)),),
    )


def held(epcs: Iterable[str], party: str, now: datetime) -> Event:
    """The party has set these apart, and nothing of them is to be used before somebody has looked into it."""
    return _event(
        EventType.OBJECT, Action.OBSERVE, "holding", "non_sellable_other", party, now, epcs=tuple(epcs)
    )


def counted(container: str, tally: Tally, party: str, now: datetime) -> Event:
    """The party has opened a container and counted what is directly inside."""
    disposition = None
    if not tally.is_complete:
        disposition = "mismatch_quantity" if tally.missing else "mismatch_instance"
    return _event(
        EventType.AGGREGATION,
        Action.OBSERVE,
        "inspecting",
        disposition,
        party,
        now,
        parent=container,
        children=tally.seen,
        persistent_set=("completeness_verified",) if tally.is_complete else (),
    )


def unpacked(container: str, children: Collection[str], party: str, now: datetime) -> Event:
    """The party has taken `children` out of a container; all there is where none are named."""
    return _event(
        EventType.AGGREGATION,
        Action.DELETE,
        "unpacking",
        "in_progress",
        party,
        now,
        parent=container,
        children=tuple(children),
    )


def signed(
    keys: KeyFolder, events: Iterable[Event], now: datetime, refs: tuple[bytes, ...] = ()
) -> SignedCapture:
    """The events as one document, signed and in the key's outbox. Raises `LedgerError`.

    `refs` are leaves of the ledger that it refers to: a receiving names the shipper's statement.
    """
    told = tuple(events)
    raw = write(Document(Form.JSON20, told, created=now))
    return sign_capture(keys, raw, CONTENT_TYPE, [event.fields() for event in told], refs)


def _event(
    kind: EventType,
    action: Action,
    step: str,
    disposition: str | None,
    party: str,
    now: datetime,
    *,
    epcs: tuple[str, ...] = (),
    parent: str | None = None,
    children: tuple[str, ...] = (),
    destinations: tuple[Linked, ...] = (),
    persistent_set: tuple[str, ...] = (),
) -> Event:
    place = f"https://id.gs1.org/414/{party}"
    return Event(
        type=kind,
        event_time=now.astimezone(UTC),
        time_zone_offset=_offset(now),
        event_id=f"urn:uuid:{uuid.uuid4()}",
        action=action,
        biz_step=step,
        disposition=disposition,
        persistent_set=persistent_set,
        read_point=place,
        biz_location=place,
        parent=parent,
        epcs=epcs,
        children=children,
        destinations=destinations,
    )


def _party(gln: str) -> str:
    return f"https://id.gs1.org/417/{gln}"


def _offset(now: datetime) -> str:
    """The bench's own offset from UTC, as EPCIS writes it; whatever zone `now` is in, the machine's counts."""
    text = now.astimezone().strftime("%z")
    return f"{text[:3]}:{text[3:5]}"

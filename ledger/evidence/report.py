"""What verified evidence proves, for people and for programs.

`Report.text()` is written for somebody who has never heard of hashes: what happened, who signed it, since when it has
stood there, and what the file cannot tell. `Report.to_json()` has the same for programs.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ledger.evidence.words import field_name, moment, plain, quoted
from ledger.log.cosigned import split_time
from ledger.log.note import NoteSignature, NoteVerifier

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 253_402_300_799_000  # the end of year 9999: a node may write any number, a calendar ends there
_WIDTH = 20
_MANY = 5
_SAID_ELSEWHERE = frozenset(("bizStep", "eventTime", "eventTimeZoneOffset", "type", "eventID", "action"))
# A document, sender or receiver with its type, as docs/formats/event.md writes it. JCS has one form, so that a pattern
# finds it, and nothing of a stranger's is parsed for the sake of looks.
_TYPED = re.compile(r'\{"(?:bizTransaction|source|destination)":"([^"\\]+)","type":"([^"\\]*)"\}')
# A place or party, and a document's number under the GLN of who gave it: people read the digits; `to_json` has the URI.
_GLN = re.compile(r"https://id\.gs1\.org/41[47]/([0-9]{13})(?:/254/([!-~]{1,80}))?")
_NUMBERED = re.compile(r"urn:epcglobal:cbv:bt:([0-9]{13}):(.{1,200})")
_SHOWN_KEY = 200  # characters of base64: an Ed25519 key has 44, an ML-DSA-44 key 1,752


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A key that the evidence rests on. `pinned`: its party's root is named by the verifier's own policy.

    `registered_in_doubt` is the index since which the key that registered it, or one that this one's registration goes
    back to, is suspected, where that was registered at or above it; None where nothing is in doubt.
    """

    key: str
    role: str
    party: str | None
    label: str
    registered: int
    ended: int | None
    revoked: bool
    suspect_since: int | None
    pinned: bool
    registered_in_doubt: int | None = None

    def who(self) -> str:
        """The key's holder in words, and whose word that is before the label, which is the holder's own text."""
        if self.party is None:
            return f"this node ({self.role} key {quoted(self.label)})"
        trust = "root pinned by your policy" if self.pinned else "by this node's word"
        return f"{self.party} ({trust}, {self.role} key {quoted(self.label)})"

    def in_doubt(self, index: int) -> bool:
        """Whether its owner suspects signatures at `index`, which counted, to be somebody else's.

        So they are where the key itself may be somebody else's: registered by a key that was in doubt then.
        """
        own = self.suspect_since is not None and index >= self.suspect_since
        return own or self.registered_in_doubt is not None

    def valid(self, index: int) -> str:
        """How its signature at `index` counted, in words."""
        words = f"yes: registered in entry {self.registered}"
        if self.ended is None:
            words += ", not shown to be revoked"
        else:
            words += f", {'revoked' if self.revoked else 'suspended'} later, in entry {self.ended}"
        if self.suspect_since is not None and index >= self.suspect_since:
            words += f"; IN DOUBT: its owner suspects it since entry {self.suspect_since}"
        if self.registered_in_doubt is not None:
            words += f"; IN DOUBT: {self._by_suspect()}"
        return words

    def life(self) -> str:
        """From when to when it counted, and since when it is suspected, in words."""
        words = f"registered in entry {self.registered}"
        if self.ended is None:
            words += ", not shown to be revoked"
        else:
            words += f", {'revoked' if self.revoked else 'suspended'} in entry {self.ended}"
        if self.suspect_since is not None:
            words += f", suspect since entry {self.suspect_since}"
        return words if self.registered_in_doubt is None else f"{words}, IN DOUBT: {self._by_suspect()}"

    def _by_suspect(self) -> str:
        return f"it was registered by a key that is suspected since entry {self.registered_in_doubt}"


@dataclass(frozen=True, slots=True)
class WitnessLine:
    """A witness of the verifier's policy that cosigned the checkpoint, and when it says it did, seconds since 1970.

    `seconds` is 0 where it does not say when. The time is the witness's word, as everything it signs.
    """

    name: str
    key: str
    seconds: int

    @classmethod
    def of(cls, key: NoteVerifier, lines: Sequence[NoteSignature]) -> "WitnessLine":
        """The witness with `key` and its signature lines, already verified; the earliest time counts."""
        return cls(key.name, str(key), min(split_time(line.sig)[0] for line in lines))

    @staticmethod
    def told(lines: Sequence["WitnessLine"]) -> Iterator[str]:
        """Who saw it and when, in words: each name once, however many keys (Ed25519, ML-DSA-44) it cosigned by."""
        for name in dict.fromkeys(line.name for line in lines):
            mine = [line.seconds for line in lines if line.name == name]
            keys = f", by {len(mine)} keys" if len(mine) > 1 else ""
            seconds = min(filter(None, mine), default=0)
            moment = _EPOCH + timedelta(seconds=min(seconds, _LAST_MS // 1000))
            when = f", by its clock at {moment:%Y-%m-%d %H:%M:%S} UTC" if seconds else ", without a time"
            yield f"{name}{when}{keys}"


@dataclass(frozen=True, slots=True)
class EventLine:
    """One proven event: where it stands, who vouches for it, and what is shown of it.

    `hidden` counts fields of which only a seal is given, `unshown` elements by list. `unnamed` are the thumbprints of
    an author whom the file does not name; then `signed_by` is empty. `refers_to` are the entries of this file that its
    statement refers to: a receiving names the shipping. `declared_wrong`: it carries an error declaration;
    `may_retract`: it may, in a field that is hidden.
    """

    index: int
    record: int
    received_ms: int
    leaf: str
    type: str
    signed_by: tuple[KeyLine, ...]
    intake: Mapping[str, str]
    document_sha256: str | None
    one: Mapping[str, str]
    many: Mapping[str, Sequence[str]]
    hidden: int
    unshown: Mapping[str, int] = field(default_factory=dict)
    unnamed: tuple[str, ...] = ()
    refers_to: tuple[int, ...] = ()
    declared_wrong: bool = False
    may_retract: bool = False

    @property
    def in_doubt(self) -> bool:
        """Whether a key that signed it is in doubt at this entry."""
        return any(key.in_doubt(self.index) for key in self.signed_by)

    def vouched(self) -> str:
        """Who vouches for it: the claim that matters most, never more than was signed."""
        if self.unnamed:
            keys = " and ".join(key[:16] for key in self.unnamed)
            return f"signed by somebody who is not named here (key {keys}): that the key was registered is not shown"
        if self.type == "captured":
            return "signed by " + " and ".join(key.who() for key in self.signed_by)
        sender = self.intake.get("onBehalfOf", "a party that is not shown")
        channel = f" (by {self.intake['channel']})" if "channel" in self.intake else ""
        return f"received from {sender}{channel}, NOT signed by it; that it came is signed by the node"


@dataclass(frozen=True, slots=True)
class Report:
    """All that the evidence proves. `checkpoint` is the signed head as text, `log_trusted`: its key is the policy's."""

    subject: str
    origin: str
    size: int
    root: str
    checkpoint: str
    log_keys: tuple[str, ...]
    log_trusted: bool
    made_for_policy: str
    policy: str
    witnesses: tuple[WitnessLine, ...]
    keys: tuple[KeyLine, ...]
    events: tuple[EventLine, ...]

    @property
    def hidden(self) -> int:
        """Number of fields of the events shown of which only a seal is given."""
        return sum(event.hidden for event in self.events)

    @property
    def unshown(self) -> int:
        """Number of elements of lists of which only a seal is given."""
        return sum(count for event in self.events for count in event.unshown.values())

    def to_json(self) -> dict[str, Any]:
        """The report for programs."""
        value = asdict(self)
        for line, event in zip(value["events"], self.events, strict=True):
            line["vouched"] = event.vouched()
            line["in_doubt"] = event.in_doubt
            line["many"] = {path: list(values) for path, values in event.many.items()}
        return {
            "accepted": True,
            "hidden": self.hidden,
            "unshown": self.unshown,
            "complete": "cannot be proven here",
            **value,
        }

    def text(self) -> str:
        """The report for people."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield "ACCEPTED. Every byte of this file holds together."
        yield ""
        yield _row("about", self.subject)
        yield _row("ledger", f"{self.origin}, sealed at {self.size} entries")
        trust = (
            "named by your policy"
            if self.log_trusted
            else "taken from this file itself: compare it with one you trust"
        )
        yield _row("key of the ledger", trust)
        yield from (_row("", _short(vkey)) for vkey in self.log_keys)
        seen = [*WitnessLine.told(self.witnesses)] or ["none that a policy of yours names"]
        for position, line in enumerate(seen):
            yield _row("" if position else "seen by witnesses", line)
        if self.made_for_policy:
            same = "the one" if self.made_for_policy == self.policy else "which is not the one"
            yield _row("made for policy", self.made_for_policy)
            yield _row("", f"{same} you check with" if self.policy else "you check with none")
        yield ""
        yield f"What happened ({len(self.events)} event{'s' if len(self.events) != 1 else ''}, as the ledger has them):"
        for number, event in enumerate(self.events, 1):
            yield ""
            yield from _event_lines(number, event)
        yield ""
        yield "Keys this rests on:"
        for key in self.keys:
            yield _row("", f"{key.who()}, {key.life()}")
            yield _row("", f"  thumbprint {key.key}")
        yield ""
        yield "What this proves: these events, in these words, were vouched for as said above, and the ledger cannot"
        yield "change or move them without breaking the seal. What it does not prove: that what was signed is true, and"
        yield "that nothing is missing. Completeness cannot be proven here: compare with the counterparties."
        if any(not key.pinned and key.party for key in self.keys):
            yield "'By this node's word': only the node says that this key is that company's. Ask the company for the"
            yield "thumbprint of its root key and name it in an author policy (--authors) to be sure."
        if any(event.unnamed for event in self.events):
            yield "'Not named here': a holder whose name is not for the reader of this file. That these words were"
            yield "signed and stand in the ledger is proven; who he is, only the node or a regulator can show."
        if any(event.may_retract for event in self.events):
            yield "'Or its retraction': what is hidden of that event may declare it to be wrong. Ask for a file that"
            yield "shows its eventID, and its error declaration or that it has none."
        if self.hidden or self.unshown:
            yield f"Hidden: {self.hidden} fields and {self.unshown} elements of lists. Each is sealed: it can be shown"
            yield "later, but not changed."


def _event_lines(number: int, event: EventLine) -> Iterator[str]:
    what = plain(event.one.get("bizStep") or event.one.get("type") or "event")
    when = moment(event.one["eventTime"]) if "eventTime" in event.one else "a time that is not shown"
    if event.declared_wrong:
        what += " (declared to be wrong)"
    elif event.may_retract:
        what += " (OR ITS RETRACTION: what would tell is hidden)"
    recorded = _EPOCH + timedelta(milliseconds=min(event.received_ms, _LAST_MS))
    yield _clean(f"{number:>3}. {what} at {when}")
    yield _row("vouched for", event.vouched())
    yield _row(
        "stands as entry",
        f"{event.index}, which the node says it recorded at {recorded:%Y-%m-%d %H:%M:%S} UTC",
    )
    for position, key in enumerate(event.signed_by):
        yield _row("" if position else "key valid then", key.valid(event.index))
    if event.refers_to:
        yield _row("refers to", f"entry {', '.join(map(str, event.refers_to))}, by its author's own words")
    if event.hidden:
        yield _row("hidden", f"{event.hidden} fields")
    told = list(_told(event))
    if told:
        yield "     what it says:"
    yield from told


def _told(event: EventLine) -> Iterator[str]:
    """The event's own fields, indented deeper than any row in which the report itself speaks."""
    for path, value in event.one.items():
        if path not in _SAID_ELSEWHERE:
            yield _row(field_name(path), _value(value), deeper=2)
    for path, values in event.many.items():
        for position, value in enumerate(values[:_MANY]):
            yield _row("" if position else field_name(path), _value(value), deeper=2)
        if len(values) > _MANY:
            yield _row("", f"and {len(values) - _MANY} more", deeper=2)
        if path in event.unshown:
            yield _row("", f"and {event.unshown[path]} that are hidden", deeper=2)


def _value(value: str) -> str:
    """Text inside JSON is shown without its quotation marks, what has a type with the type in brackets."""
    if match := _TYPED.fullmatch(value):
        return f"{_spoken(match[1])} ({match[2].replace('_', ' ')})" if match[2] else _spoken(match[1])
    return _spoken(value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value)


def _spoken(uri: str) -> str:
    """A GLN by its digits, and a document by its number; anything else as it is written."""
    if match := _GLN.fullmatch(uri):
        return f"GLN {match[1]}" + (f", extension {match[2]}" if match[2] else "")
    match = _NUMBERED.fullmatch(uri)
    return f"{match[2]}, numbered by GLN {match[1]}" if match else uri


def _short(vkey: str) -> str:
    """A verifier key (`name+id+base64`); of one that would fill the screen what is compared, name and id."""
    name, key_id, key = vkey.split("+", 2)
    return (
        vkey
        if len(key) <= _SHOWN_KEY
        else f"{name}+{key_id}+{key[:12]}... (ML-DSA-44; --json gives it whole)"
    )


def _row(name: str, value: str, deeper: int = 0) -> str:
    return _clean(f"{'':{5 + deeper}}{name:<{_WIDTH - deeper}} {value}").rstrip()


def _clean(text: str) -> str:
    """Values come from strangers: nothing in them may move the cursor or forge a line of the report."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)

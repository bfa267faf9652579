"""From bytes to a `PreparedCapture`: read, check, resolve parties, commit, sign or verify. No lock is held.

A document that comes unsigned is recorded as **received**: the node's intake key signs that it came, on whose behalf
and by which channel, and never that the party said so. A document that a party's client signed comes with its
envelope and seed, and must give exactly the root that was signed.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import quote

from app.capture.prepared import PreparedCapture, PreparedEvent
from app.errors import AppError, Invalid
from ledger.custody.act import Act, gln_of, read_act, sscc_of
from ledger.custody.event import LOT, Event, digest_of
from ledger.custody.findings import Finding, FindingCode
from ledger.custody.vocabulary import Action, EventType
from ledger.epcis.document import Document
from ledger.epcis.errors import DocumentError, ProblemCode
from ledger.epcis.limits import Limits
from ledger.epcis.read import read
from ledger.errors import VerificationError
from ledger.log.entry import Kind
from ledger.signing.commitment import SEED_BYTES, Leaf, commit
from ledger.signing.envelope import Envelope, sign, verify
from ledger.signing.keys import Signer, Verifier, load_verifier
from ledger.signing.statement import Commit, Statement

MakerOf = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Lookups:
    """What is known, while a document is read, of whom and what its events name: the company of a GLN (or the GLN
    itself), the maker of a GTIN, where a GLN is (ledger.custody.travel), and whose company prefix an SSCC has."""

    party_of: Callable[[str], str]
    maker_of: MakerOf
    place_of: Callable[[str], str | None]
    issuer_of: Callable[[str], str | None]


_TOO_LARGE = (ProblemCode.TOO_LARGE, ProblemCode.TOO_MANY)

# An index of PostgreSQL takes rows of 2704 bytes. A container's lot is named by both (ledger.custody.state.lot_key).
LONGEST_NAME_BYTES = 2048
LONGEST_LOT_BYTES = 600  # percent-encoded


def read_document(raw: bytes, content_type: str | None, most_events: int, most_bytes: int) -> Document:
    """The document in `raw`; `AppError` with every problem and where it stands, and then nothing of it is used."""
    try:
        document = read(raw, content_type, Limits(events=most_events, body_bytes=most_bytes))
    except DocumentError as error:
        status = 400
        if error.code == ProblemCode.UNSUPPORTED_MEDIA_TYPE:
            status = 415
        elif error.code in _TOO_LARGE:
            status = 413
        problems = [{"code": p.code, "message": p.message, "where": p.where} for p in error.problems]
        raise AppError(
            f"document.{error.code}",
            status,
            "The document cannot be used",
            str(error),
            "Nothing of it was stored. Mend what is named, and send the whole document again.",
            extra={"problems": problems},
        ) from error
    _refuse_long_names(document)
    return document


def _refuse_long_names(document: Document) -> None:
    """Whatever is found again by its text must fit into an index. Raises `Invalid`."""
    for number, event in enumerate(document.events, 1):
        names = (event.event_id or "", *event.all_epcs(), *event.lots())
        _refuse_longer(names, LONGEST_NAME_BYTES, number)
        _refuse_longer((quote(event.ilmd_text(LOT) or "", safe=""),), LONGEST_LOT_BYTES, number)


def _refuse_longer(names: Iterable[str], most_bytes: int, number: int) -> None:
    for name in names:
        if len(name) * 4 > most_bytes and len(name.encode()) > most_bytes:
            raise Invalid(
                "document.name_too_long",
                "An event id, an EPC or a lot number in this document is too long",
                f"event {number}: {name[:60]}... has {len(name.encode())} bytes; {most_bytes} are the most",
                "Nothing of it was stored. Mend what is named, and send the whole document again.",
            )


def glns_in(document: Document) -> set[str]:
    """Every GLN that the document's events name as a party or a place."""
    found: set[str | None] = set()
    for event in document.events:
        found |= {gln_of(event.read_point), gln_of(event.biz_location)}
        found |= {gln_of(linked.id) for linked in (*event.sources, *event.destinations)}
    return {gln for gln in found if gln is not None}


def ssccs_in(document: Document) -> set[str]:
    """Every SSCC (18 digits) that the document's events name."""
    found = {sscc_of(key) for event in document.events for key in event.all_epcs()}
    return {sscc for sscc in found if sscc is not None}


def gtins_begun(document: Document) -> set[str]:
    """The GTINs (14 digits) whose serial numbers or lots the document's events begin."""
    return {gtin for event in document.events for gtin in _begun(event)}


def _begun(event: Event) -> set[str]:
    # A lot that is named by its class begins too, and whoever begins it may recall it.
    adds = event.action is Action.ADD
    lots = event.lots() if adds and event.type is EventType.OBJECT else ()
    keys = (*event.outputs, *(event.epcs if adds else ()), *lots)
    return {key.split("/01/")[1][:14] for key in keys if "/01/" in key}


def prepare_events(
    document: Document, by: str, lookups: Lookups, now: datetime, tolerance: timedelta
) -> tuple[PreparedEvent, ...]:
    """The document's events as the party `by` reports them."""
    affirmed = document.statement.affirmed if document.statement else None
    prepared = []
    for read_event in document.events:
        event = with_id(read_event)
        findings = (*future(event, now, tolerance), *not_maker(event, by, lookups.maker_of))
        fields = event.fields()
        prepared.append(
            PreparedEvent(
                act=act_of(event, by, lookups, affirmed),
                fields=fields,
                digest=digest_of(fields),
                findings=findings,
                effective=not findings,
            )
        )
    return tuple(prepared)


def act_of(event: Event, by: str, lookups: Lookups, statement: bool | None = None) -> Act:
    """`event` as the party `by` reports it, with all that is known of whom and what it names."""
    return read_act(
        event,
        by,
        lookups.party_of,
        statement,
        place_of=lookups.place_of,
        issuer_of=lookups.issuer_of,
    )


def with_id(event: Event) -> Event:
    """The event with its id explicit: a derived one is a hash over all of it, and asked for again and again."""
    return event if event.event_id else replace(event, event_id=event.id)


def future(event: Event, now: datetime, tolerance: timedelta) -> tuple[Finding, ...]:
    """The finding of an event that is later than its receipt at `now`: it has no effect. An error declaration repeats
    the time of what it takes back, and takes it back at once."""
    if event.declaration is not None or event.event_time <= now + tolerance:
        return ()
    message = "its time is in the future: no effect until a person adopts it"
    return (Finding(FindingCode.FUTURE_EVENT, message),)


def not_maker(event: Event, by: str, maker_of: MakerOf) -> tuple[Finding, ...]:
    """The finding of an event that begins serials of another maker's product: it has no effect. An error declaration
    begins none."""
    if event.declaration is not None:
        return ()
    others = sorted(gtin for gtin in _begun(event) if maker_of(gtin) not in (None, by))
    if not others:
        return ()
    message = f"only the maker of {others[0]} gives it serial numbers"
    return (Finding(FindingCode.NOT_MAKER, message),)


def intake_of(by: str, channel: str, account: str, session: str | None) -> dict[str, str]:
    """What is noted of an unsigned document's receipt, and committed to (docs/formats/statement.md)."""
    return {"by": account, "channel": channel, "onBehalfOf": by} | ({"session": session} if session else {})


def intake_leaves(intake: Mapping[str, str]) -> list[Leaf]:
    """The same as the commitment takes it."""
    return [Leaf(name, value.encode()) for name, value in sorted(intake.items())]


def receive(
    *,
    document: Document,
    raw: bytes,
    events: tuple[PreparedEvent, ...],
    by: str,
    channel: str,
    origin: str,
    intake_key: Signer,
    account: str,
    session: str | None = None,
    refs: tuple[bytes, ...] = (),
) -> PreparedCapture:
    """An unsigned document, recorded by the node's intake key as received on behalf of the party `by` (GLN). `refs` are
    leaves that its statement refers to."""
    intake = intake_of(by, channel, account, session)
    seed = secrets.token_bytes(SEED_BYTES)
    digest = hashlib.sha256(raw).digest()
    root = commit(digest, intake_leaves(intake), [event.fields for event in events], seed)
    commitment = Commit(root, len(events))
    statement = Statement.new(origin, intake_key.thumbprint, Kind.RECEIVED, commitment, refs=refs)
    envelope = sign(statement.encode(), [intake_key])
    return PreparedCapture(
        by=by,
        channel=channel,
        document=document,
        raw=raw,
        raw_sha256=digest,
        events=events,
        kind=Kind.RECEIVED,
        statement=envelope.statement,
        signatures=envelope.entry_signatures([load_verifier(intake_key.spki)]),
        seed=seed,
        intake=intake,
    )


def open_envelope(data: bytes, origin: str) -> tuple[Envelope, Statement]:
    """The envelope of a signed capture and its statement; nothing is verified yet. Raises `Invalid`."""
    try:
        envelope = Envelope.parse(data)
        statement = Statement.parse(envelope.statement)
    except VerificationError as error:
        raise Invalid("envelope.malformed", "The envelope cannot be read", str(error), _SIGN_AGAIN) from error
    if statement.ledger != origin:
        raise Invalid(
            "envelope.other_ledger",
            "The statement was signed for another ledger",
            f"it names {statement.ledger}; this one is {origin}",
            _SIGN_AGAIN,
        )
    if statement.kind is not Kind.CAPTURED or statement.chain is None:
        raise Invalid(
            "envelope.type",
            "A capture's statement has the type 'captured' and a chain",
            "",
            _SIGN_AGAIN,
        )
    return envelope, statement


def verified(envelope: Envelope, verifiers: list[Verifier]) -> Statement:
    """The envelope's statement, if each of its signatures is by one of `verifiers`. Raises `Invalid`."""
    try:
        return verify(envelope, verifiers)
    except VerificationError as error:
        raise Invalid("envelope.signature", "A signature does not verify", str(error), _SIGN_AGAIN) from error


def check_seed(seed: bytes) -> None:
    """Raises `Invalid` for a seed of another length."""
    if len(seed) != SEED_BYTES:
        raise Invalid(
            "envelope.seed", f"A seed has {SEED_BYTES} bytes", f"this one has {len(seed)}", _SIGN_AGAIN
        )


def check_root(statement: Statement, root: bytes, n: int) -> None:
    """Raises `Invalid` unless the statement commits to `root` over `n` events."""
    if (statement.commit.root, statement.commit.n) != (root, n):
        raise Invalid(
            "envelope.root",
            "The statement is about another document",
            "document and seed do not give the root that was signed",
            _SIGN_AGAIN,
        )


_SIGN_AGAIN = "Sign again with: packproof capture FILE --key FOLDER"


def signed(
    *,
    document: Document,
    raw: bytes,
    events: tuple[PreparedEvent, ...],
    by: str,
    envelope: Envelope,
    statement: Statement,
    seed: bytes,
    verifiers: list[Verifier],
) -> PreparedCapture:
    """A document that its party signed; `statement` is what `verified` gave for its envelope.

    Raises `Invalid` unless document and seed give the root that was signed.
    """
    digest = hashlib.sha256(raw).digest()
    check_seed(seed)
    check_root(statement, commit(digest, [], [event.fields for event in events], seed), len(events))
    return PreparedCapture(
        by=by,
        channel="signed",
        document=document,
        raw=raw,
        raw_sha256=digest,
        events=events,
        kind=Kind.CAPTURED,
        statement=envelope.statement,
        signatures=envelope.entry_signatures(verifiers),
        seed=seed,
    )

"""The answer to a scan. Reads the label, finds the record, judges by the kernel's table, and keeps what was asked.
Where there is no record, and the maker has a node of its own, that is asked, within its time-outs.

result = Verification(database, clock, asking).check(raw, "]d2", actor, asker="0399999000017")
result.verdict.word, result.product, result.contents
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial

from sqlalchemy import Connection, insert

from app.cases.blocking import Blocking, blocking
from app.custody import loading
from app.custody.arrivals import arrived
from app.custody.ending import ended_site
from app.custody.items import item_name
from app.custody.loading import Loaded
from app.custody.standing import containers, has_contents
from app.errors import Invalid
from app.events import pending as documents
from app.partners import service as partners
from app.products import service as products
from app.shared.actor import Actor
from app.shared.clock import Clock
from app.shared.ids import new_id
from app.verification import noticing, rules, waiting
from app.verification.models import scan_check
from app.verification.noticing import Scanned
from app.verification.result import Contents, Label, Record, Result, set_apart
from app.verification.vouching import Vouchers, vouched, vouchers
from app.vrs import signals
from app.vrs.asking import Asking
from ledger.custody.event import time_of
from ledger.custody.state import CONSUMED, Item, is_inferred, lot_key
from ledger.custody.verdict import Facts, Reason, Verdict, Word, judge, worst
from ledger.gs1.element_string import Scan, parse_scan
from ledger.gs1.errors import Gs1Code, Gs1Error
from ledger.store.sql.engine import Database

MOST_RAW = 4096  # bytes of one scan; a GS1 symbol holds fewer
MOST_CONTENTS = 20_000


@dataclass(frozen=True, slots=True)
class _Looked:
    """What one look into the record gave: the answer so far, what it rests on, and what the label says in full."""

    result: Result
    facts: Facts
    scan: Scan | None
    full: bool
    item_id: int | None


class Verification:
    """Answers scans. One a process. `asking`: how makers with nodes of their own are asked; None: not at all."""

    def __init__(self, database: Database, clock: Clock, asking: Asking | None = None) -> None:
        self._database = database
        self._clock = clock
        self._asking = asking

    def check(
        self, raw: bytes, symbology: str | None, actor: Actor, *, asker: str | None, site: str | None = None
    ) -> Result:
        """The verdict on what a scanner read, for the party `asker` (GLN; None: somebody who holds nothing), at its
        site `site` (GLN; None: nobody said). Raises `Invalid` for a site that is not this party's.

        `symbology` is an AIM identifier where the scanner gave one. Never raises for what a label may hold; the
        request is kept whatever comes out.
        """
        started = time.perf_counter()
        raw = raw[:MOST_RAW]
        now = self._clock.now()
        with self._database.snapshot() as connection:
            at = _site_of(connection, site, asker)
            looked = self._answer(connection, raw, symbology, asker, now, started, at)
        # No snapshot is held while another company's node takes its time.
        result = self._with_maker(looked, actor, asker, started)
        with self._database.writing() as connection:
            self._keep(connection, result, looked.item_id, symbology, actor, asker)
        return result

    def judged_again(self, connection: Connection, raw: bytes, symbology: str | None, asker: str) -> Verdict:
        """The verdict on an earlier scan as of now. Nothing is kept, and no maker elsewhere is asked again."""
        now = self._clock.now()
        return self._answer(connection, raw, symbology, asker, now, time.perf_counter()).result.verdict

    def waiting(self, party: str, most_judged: int = waiting.MOST_SHOWN) -> list[waiting.Waiting]:
        """The packs that `party` (GLN) has set aside, each as it stands now; of more than `most_judged` that data may
        have changed, the others as they stood."""
        return waiting.listed(self._database, self._clock, party, self.judged_again, most_judged)

    def _with_maker(self, looked: _Looked, actor: Actor, asker: str | None, started: float) -> Result:
        """What another's maker adds to a pack of which there is no record here; `looked` as it was for any other."""
        result, scan = looked.result, looked.scan
        is_ours = result.product is not None and result.product.maker is not None
        unknown = looked.full and result.verdict.reason in (Reason.NO_RECORD, Reason.MAKER_NOT_VOUCHED)
        if self._asking is None or asker is None or scan is None or is_ours or not unknown:
            return result
        assert scan.gtin is not None
        assert scan.lot is not None
        assert scan.serial is not None
        assert scan.expiry is not None
        said = self._asking.ask(asker, scan.gtin.digits, scan.lot, scan.serial, scan.expiry.yymmdd, actor)
        facts = replace(
            looked.facts, maker_denies=rules.denies(said.answer), maker_says=rules.says(said.answer)
        )
        verdict = judge(facts)
        latency_ms = (time.perf_counter() - started) * 1000
        chase = result.chase if verdict.reason is result.verdict.reason else None
        return replace(result, verdict=verdict, maker_said=said, chase=chase, latency_ms=latency_ms)

    def _answer(
        self,
        connection: Connection,
        raw: bytes,
        symbology: str | None,
        asker: str | None,
        now: datetime,
        started: float,
        site: str | None = None,
    ) -> _Looked:
        scan, label, unreadable = _read(raw, symbology, now.date())
        subject = scan.epc.canonical if scan and scan.epc else None
        if scan is not None and (subject is None or item_name(subject).ns[:2] not in ("01", "00")):
            unreadable, subject = Reason.NAMES_NO_PACKAGE, None
        loaded, inside = _load(connection, subject, asker)
        gtin = item_name(subject).gtin if subject else label.gtin
        product = products.by_gtins(connection, [gtin]).get(gtin) if gtin else None
        item = loaded.world.items.get(subject) if subject else None
        outer = loaded.world.outer(item) if item else None
        visible = rules.concerns(item, outer, asker)
        full = scan is not None and rules.is_full_label(scan)
        shown = item if visible or full else None
        pending = _pending(connection, loaded, subject, inside, None if visible or full else asker)
        near = ""
        if shown is None and subject is not None and not pending:
            near = noticing.nearly(connection, subject, label.lot, label.expiry, asker)
        # What nearly is a known serial is misread far more often than made up: nobody is accused by a caps lock key.
        made_here = full and product is not None and product.maker is not None
        begun = shown is not None and shown.maker is not None
        known_makers = vouchers(connection, [gtin, *_gtins(inside)] if gtin else _gtins(inside))
        facts = Facts.of(
            loaded.world,
            shown,
            now,
            asker=asker,
            label_lot=label.lot,
            label_expiry=label.expiry,
            unreadable=unreadable,
            maker_denies=made_here and not begun and not pending and not near,
            in_progress=bool(pending),
            site=site,
            ended_site=_ended_site(connection, loaded, shown) if site else None,
            vouched=vouched(shown, known_makers),
        )
        verdict = judge(facts)
        contents = None
        if visible and inside:
            packages = _packages(connection, loaded, inside)
            contents, verdict = _judge_contents(loaded, packages, facts, verdict, pending, known_makers)
        record = _record(connection, loaded, item, outer, asker) if visible and item and outer else None
        sender = record.last_custodian if record else None
        result = Result(
            check_id=new_id("chk"),
            at=now,
            verdict=verdict,
            raw=raw,
            subject=subject,
            label=label,
            product=product,
            record=record,
            contents=contents,
            licensed=_licensed(connection, outer, now) if visible else None,
            latency_ms=(time.perf_counter() - started) * 1000,
            near=near,
            site=site,
            blocked_by=_blocked(connection, loaded, item, inside, asker) if visible else (),
            chase=rules.chase(
                verdict.reason, sender, (product.manufacturer or None) if product else None, now
            ),
        )
        return _Looked(result, facts, scan, full, loaded.ids.get(subject) if subject else None)

    def _keep(
        self,
        connection: Connection,
        result: Result,
        item_id: int | None,
        symbology: str | None,
        actor: Actor,
        asker: str | None,
    ) -> None:
        connection.execute(
            insert(scan_check).values(
                check_id=result.check_id,
                at=result.at,
                actor_id=actor.id,
                party_gln=asker,
                raw=result.raw,
                symbology=symbology,
                subject=result.subject,
                item_id=item_id,
                word=result.verdict.word.value,
                reason=result.verdict.reason.value,
                latency_us=int(result.latency_ms * 1000),
            )
        )
        if result.subject is not None and asker is not None:
            self._follow_up(connection, result, result.subject, symbology, asker)

    def _follow_up(
        self, connection: Connection, result: Result, subject: str, symbology: str | None, asker: str
    ) -> None:
        """The list of packs set aside, and what the scan is a sign of."""
        verdict = result.verdict
        if verdict.word is Word.CANNOT_CONFIRM and result.chase is not None:
            waiting.keep(
                connection,
                check_id=result.check_id,
                party=asker,
                subject=subject,
                raw=result.raw,
                symbology=symbology,
                verdict=verdict,
                chase=result.chase,
                at=result.at,
            )
        elif verdict.word is Word.OK:
            waiting.seen_ok(connection, asker, subject, result.at)
        maker = result.product.maker if result.product else None
        scanned = Scanned(subject, asker, verdict.word, verdict.reason, maker, result.near, result.at)
        signals.note(connection, noticing.of_scan(connection, scanned))


def _read(raw: bytes, symbology: str | None, today: date) -> tuple[Scan | None, Label, Reason | None]:
    """The scan, what the label says, and why it cannot be read, if it cannot."""
    try:
        scan = parse_scan(raw, symbology)
        expiry = rules.expiry_on(scan, today)
    except Gs1Error as error:
        reason = rules.UNREADABLE.get(Gs1Code(error.code), Reason.UNREADABLE)
        return None, Label(error=error.message), reason
    label = Label(
        gtin=scan.gtin.digits if scan.gtin else None,
        serial=scan.serial,
        lot=scan.lot,
        expiry=expiry,
        sscc=scan.sscc.digits if scan.sscc else None,
        notes=tuple(str(note) for note in scan.notes),
    )
    return scan, label, None


def _load(connection: Connection, subject: str | None, asker: str | None) -> tuple[Loaded, list[str]]:
    """The record of `subject` with what is around it; and inside it, where it concerns `asker`.

    A stranger's pallet must not take longer to answer 'no record' about than one that is not there.
    """
    if subject is None:
        return Loaded(), []
    loaded = loading.load(connection, [subject])
    item = loaded.world.items.get(subject)
    if item is None or not rules.concerns(item, loaded.world.outer(item), asker):
        return loaded, []
    if not has_contents(connection, loaded.ids[subject]):
        return loaded, []  # a package, as nearly always: what was read is all there is
    return loading.load_contents(connection, subject, MOST_CONTENTS)


def _pending(
    connection: Connection, loaded: Loaded, subject: str | None, inside: list[str], asker: str | None
) -> set[str]:
    """What of the package, of what is around it and of what is in it, a long document names that is still being taken
    in; and that names `asker` too, to whom the package is otherwise unknown."""
    if subject is None:
        return set()
    item = loaded.world.item(subject)
    around = [each.key for each in loaded.world.around(item)]
    lots = [lot_key(item)] if item.lot is not None else []
    return documents.named(connection, [subject, *around, *lots, *inside], asker)


def _gtins(keys: Iterable[str]) -> set[str]:
    return {gtin for key in keys if (gtin := item_name(key).gtin)}


def _site_of(connection: Connection, site: str | None, asker: str | None) -> str | None:
    """The site, where it is one of the asker's; None where none is named, or the company itself."""
    if not site or site == asker:
        return None
    if asker is None or partners.owners_of(connection, [site])[site] != asker:
        raise Invalid(
            "check.site", "That is no site of yours", site, "Choose one of your sites, or leave it out."
        )
    return site


def _ended_site(connection: Connection, loaded: Loaded, item: Item | None) -> str | None:
    """At which site the package, or the container that took it along, was dispensed or destroyed."""
    along = (item, *loaded.world.around(item)) if item is not None else ()
    gone = next((each for each in along if each.status in CONSUMED), None)
    if gone is None or gone.ended_at is None or gone.ended_by is None:
        return None
    return ended_site(connection, loaded.ids[gone.key], gone.ended_at, gone.ended_by)


def _blocked(
    connection: Connection, loaded: Loaded, item: Item | None, inside: list[str], asker: str | None
) -> tuple[Blocking, ...]:
    """What is open about the package, what is around it or what is in it, at the desks of who asks."""
    if item is None or asker is None:
        return ()
    keys = [item.key, *loaded.world.path(item), *inside]
    lots: dict[int, list[int]] = {}
    for key in (item.key, *inside):
        each = loaded.world.item(key)
        if each.lot and (number := loaded.ids.get(lot_key(each))) is not None:
            lots.setdefault(number, []).append(loaded.ids[key])
    numbers = [loaded.ids[key] for key in keys]
    found = blocking(connection, numbers, asker, lots=lots, arrived=partial(arrived, connection))
    return tuple({each.case_id: each for listed in found.values() for each in listed}.values())


def _packages(connection: Connection, loaded: Loaded, inside: list[str]) -> list[Item]:
    """The packages in a container. A case is none of them, full or emptied, and says nothing about them."""
    keys = [key for key in inside if item_name(key).ns != "00"]
    cases = containers(connection, [loaded.ids[key] for key in keys])
    return [loaded.world.item(key) for key in keys if loaded.ids[key] not in cases]


def _judge_contents(
    loaded: Loaded, packages: list[Item], facts: Facts, own: Verdict, pending: set[str], makers: Vouchers
) -> tuple[Contents, Verdict]:
    """The worst verdict of a container and all packages in it, and how many there are of each."""
    world = loaded.world
    verdicts: list[Verdict] = []
    for item in packages:
        verdicts.append(
            judge(
                Facts.of(
                    world,
                    item,
                    facts.now,
                    asker=facts.asker,
                    in_progress=not pending.isdisjoint(
                        (item.key, *(each.key for each in world.around(item)))
                    ),
                    vouched=vouched(item, makers),
                )
            )
        )
    by_word = {word.value: sum(v.word is word for v in verdicts) for word in Word}
    contents = Contents(
        packages=len(packages),
        by_word={word: count for word, count in by_word.items() if count},
        inferred=sum(is_inferred(item, world.outer(item)) for item in packages),
        missing=sum(item.missing for item in packages),
        apart=set_apart(packages, verdicts),
    )
    # Nobody has to commission a pallet (CBV 2.0, 7.1): what its maker has not told of is asked of what is in it.
    everything = [own, *verdicts] if own.reason is not Reason.NOT_COMMISSIONED or not verdicts else verdicts
    word = worst([verdict.word for verdict in everything])
    return contents, next(verdict for verdict in everything if verdict.word is word)


def _record(connection: Connection, loaded: Loaded, item: Item, outer: Item, asker: str | None) -> Record:
    names = partners.names(connection, [gln for gln in (outer.holder, outer.sender) if gln])
    custodian = outer.sender if outer.holder == asker and outer.sender else outer.holder
    return Record(
        lot=item.lot,
        expiry=item.expiry,
        status=item.status.value,
        yours=asker is not None and outer.holder == asker and not outer.in_transit,
        owned=asker is not None and outer.owner == asker,
        in_transit=outer.in_transit,
        inferred=is_inferred(item, outer),
        inside=tuple(loaded.world.path(item)),
        last_custodian=names.get(custodian or ""),
        since=time_of(outer.custody_since) if outer.custody_since else None,
    )


def _licensed(connection: Connection, outer: Item | None, now: datetime) -> bool | None:
    """Whether whoever it came from, or who has it, was licensed when it changed hands; None where nobody is named."""
    gln = (outer.sender or outer.holder) if outer else None
    party = partners.by_gln(connection, gln) if gln else None
    if party is None or outer is None:
        return None
    at = time_of(outer.custody_since) if outer.custody_since else now
    return partners.is_licensed(connection, party.party_id, at)

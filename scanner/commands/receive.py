"""`packproof-scan receive`: one scan receives a pallet, and with it everything on it.

Unless something in it is to be set apart: then nothing is reported before somebody says what was done about it, as on
the page (`ledger.custody.dock`)::

    packproof-scan receive pallet.png                      Not received: 10 of 80 packages in it are to be set apart.
    packproof-scan receive pallet.png --set-apart packs    the ten were taken out: the rest is received to be used
    packproof-scan receive pallet.png --set-apart all      it stays closed: all of it is received, and held
"""

import argparse
from datetime import timedelta
from pathlib import Path

from ledger.custody.dock import needs_hold
from ledger.custody.event import Event
from ledger.gs1.epc import Sgtin, parse_any
from ledger.gs1.errors import Gs1Error
from scanner import acts
from scanner.commands import Subparsers
from scanner.commands._acting import Desk, container_in, findings_of
from scanner.commands._shared import (
    EXIT_STATUS,
    add_home,
    add_json,
    add_passphrase,
    pictured,
    print_json,
    typed,
)
from scanner.errors import BenchError, NodeUnreachable, TrustError
from scanner.lookup.port import Answer, Apart
from scanner.sources import RawScan, utc_now
from scanner.ui.plain import say, show_answer
from scanner.ui.words import counted, reason_words

PACKS, ALL = "packs", "all"
_MOST_SAID = 20  # packages to be set apart that a screen names; --json names them all
_TICK = timedelta(microseconds=1)

_EXAMPLES = f"""\
examples:
  packproof-scan receive pallet.png
  packproof-scan receive case-1.png case-2.png --json
  packproof-scan receive --text '(00)003999990000000017'
  packproof-scan receive pallet.png --set-apart packs

Each label is one receipt, signed with this bench's key. A pack that is scanned by itself is recorded as it came, also
if it is suspect or does not agree with the record: the verdict says what to do with it, and an exception opens.
A case or pallet with something in it that is not OK is not received before you say what you did about it:
--set-apart packs: you took out the packs that are named, and the rest may be used; --set-apart all: you leave it
closed, and all that is in it is put on hold.

{EXIT_STATUS}"""


def register(subparsers: Subparsers) -> None:
    """Add ``receive``."""
    parser = subparsers.add_parser(
        "receive",
        help="receive packages, cases or pallets by their labels",
        description="Report that what these labels name has arrived here. One scan receives an intact case or pallet.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("images", nargs="*", type=Path, metavar="FILE", help="a picture of a label")
    parser.add_argument("--text", action="append", default=[], metavar="TEXT", help="what a label says")
    parser.add_argument(
        "--set-apart",
        choices=(PACKS, ALL),
        help="where something in a case or pallet is not OK: these packs, or all of it, were set apart",
    )
    add_home(parser)
    add_passphrase(parser)
    add_json(parser)
    parser.set_defaults(run=_run, parser=parser)


def _run(arguments: argparse.Namespace) -> int:
    if not arguments.images and not arguments.text:
        arguments.parser.error("name a picture, or give a label's text by --text")
    labels = [container_in(pictured(path)) for path in arguments.images]
    labels += [container_in([typed(text)]) for text in arguments.text]
    desk = Desk.of(arguments)
    status = 0
    results = []
    for scan, subject in labels:
        result, good = _receive(desk, scan, subject, arguments.set_apart, quiet=arguments.json)
        results.append(result)
        status = max(status, 0 if good else 1)
    if arguments.json:
        print_json(results)
    return status


def _receive(
    desk: Desk, scan: RawScan, subject: str, decided: str | None, *, quiet: bool
) -> tuple[dict[str, object], bool]:
    """Report the arrival, then ask anew: what is told is what the record says afterwards, not what was hoped."""
    before = _looked(desk, scan, decided)
    apart: tuple[Apart, ...] = ()
    if before is not None and not before.is_whole:
        if decided is None:
            return _not_received(before, subject, scan.source, quiet=quiet), False
        apart = _apart(before, decided)
    is_whole = before is None or before.is_whole
    refs = desk.provider.shipped(subject)
    events = _events(subject, apart, desk.bench.party, closed=not is_whole and decided == ALL)
    receipt = desk.report(*events, refs=refs)
    after = desk.look(scan)
    told = _told(after, _unit(desk, after, subject), len(apart))
    if not quiet:
        show_answer(after, scan.source)
        say(told)
        for found in findings_of(receipt):
            say(f"Found: {found}")
    yours = after.record is not None and after.record.yours
    result: dict[str, object] = {
        "subject": subject,
        "in_your_custody": yours,
        "told": told,
        "set_apart": [each.epc for each in apart],
        "refers_to": [leaf.hex() for leaf in refs],
        "receipt": receipt,
        "answer": after.as_json(),
    }
    return result, yours and after.is_clean


def _looked(desk: Desk, scan: RawScan, decided: str | None) -> Answer | None:
    """What the node says before anything is reported; None where it says nothing, or nothing that can be believed.

    That it has arrived is true all the same, and is signed and kept until a node takes it. What was decided about
    packs that only an answer names is not: it raises what `Desk.look` does.
    """
    try:
        return desk.look(scan)
    except (NodeUnreachable, TrustError):
        if decided is not None:
            raise
        return None


def _events(subject: str, apart: tuple[Apart, ...], party: str, *, closed: bool) -> list[Event]:
    """The receipt; what was taken out of which container, and held where nothing else stops it; or, where all of it
    stays `closed`, its hold. Each a microsecond after the one before, so that custody's order is this one."""
    now = utc_now()
    events = [acts.received(subject, party, now)]
    by_container: dict[str, list[str]] = {}
    for each in apart:
        by_container.setdefault(each.inside, []).append(each.epc)
    for container, packs in by_container.items():
        events.append(acts.unpacked(container, packs, party, now + len(events) * _TICK))
    to_hold = [subject] if closed else [each.epc for each in apart if needs_hold(each.word)]
    if to_hold:
        events.append(acts.held(to_hold, party, now + len(events) * _TICK))
    return events


def _not_received(before: Answer, subject: str, name: str, *, quiet: bool) -> dict[str, object]:
    """Say what is to be set apart, and how to go on. Nothing was reported."""
    assert before.contents is not None
    apart, stopped = before.contents.apart, before.contents.stopped
    why = "something in it is being investigated" if before.investigations else reason_words(before.reason)
    told = f"Not received: {why}. Nothing was reported."
    if stopped:
        told = (
            f"Not received: {stopped} of {counted(before.contents.packages, 'package')} in it "
            f"{'is' if stopped == 1 else 'are'} to be set apart. Nothing was reported."
        )
    if not quiet:
        show_answer(before, name)
        say(told)
        for each in apart[:_MOST_SAID]:
            say(f"  {_label(each)}: {reason_words(each.reason)}")
        if stopped > _MOST_SAID:
            say(f"  and {stopped - min(_MOST_SAID, len(apart))} more; --json names them")
        for title in before.investigations:
            say(f"  Under investigation: {title}")
        say("Then receive it again, and say what you did:")
        if _can_name(before):
            say("  --set-apart packs   these were taken out and set apart; the rest may be used")
        say("  --set-apart all     it stays closed; all that is in it is put on hold")
    return {
        "subject": subject,
        "in_your_custody": False,
        "told": told,
        "set_apart": [each.epc for each in apart],
        "refers_to": [],
        "receipt": None,
        "answer": before.as_json(),
    }


def _can_name(before: Answer) -> bool:
    """Whether all that is to be set apart is known by name."""
    found = before.contents
    return found is not None and 0 < found.stopped == len(found.apart) and not before.investigations


def _apart(before: Answer, decided: str | None) -> tuple[Apart, ...]:
    """What was taken out. Raises `BenchError` ``not-named`` where not all of it can be told."""
    if before.contents is None or decided != PACKS:
        return ()
    if not _can_name(before):
        raise BenchError(
            "not-named",
            "not every package that is to be set apart is known by name: leave it closed (--set-apart all), "
            "or receive it on the page, pack by pack",
        )
    return before.contents.apart


def _label(apart: Apart) -> str:
    """A package as its label has it."""
    try:
        epc = parse_any(apart.epc)
    except Gs1Error:
        return apart.epc
    return f"(01){epc.gtin.digits}(21){epc.serial}" if isinstance(epc, Sgtin) else apart.epc


def _unit(desk: Desk, after: Answer, subject: str) -> str:
    """What people call it: a pallet holds containers, a case packages."""
    if after.contents is None or after.record is None or not after.record.yours:
        return "label"
    nested = any(child.kind == "container" for child in desk.provider.contents(subject))
    return "pallet" if nested else "case"


def _told(after: Answer, unit: str, apart: int) -> str:
    """What came of it. `apart`: how many packages were taken out."""
    if after.record is None or not after.record.yours:
        return "Your receipt is recorded. By the record this is not in your custody: an exception says why."
    if after.contents is None:
        one = "1 package now in your custody."
        return one if after.label.gtin else "Now in your custody. By the record nothing is in it."
    held, inferred = after.contents.packages, after.contents.inferred
    text = f"{counted(held, 'package')} now in your custody, "
    if inferred == held:
        text += f"inferred from the {unit}'s label"
    else:
        text += f"{inferred} of them inferred from the {unit}'s label, {held - inferred} seen"
    return text + (f"; {counted(apart, 'package')} taken out and set apart." if apart else ".")

"""`packproof-scan run`: scan after scan, each answered at once.

Reading and asking are two threads with a queue between them, so that a burst is never lost to a slow answer. What is
seen again within a second is the same pack still before the reader, and shown once. A scan that cannot be answered
is shown as that and counted; the next one is tried all the same. With ``--json`` each answer is one line.
"""

import argparse
import json
import queue
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from scanner.bench import Bench
from scanner.commands import Subparsers
from scanner.commands._shared import EXIT_STATUS, add_home, add_json, home_of, provider_of
from scanner.errors import NodeError, NodeUnreachable, ScannerError, SourceError
from scanner.lookup.port import Provider
from scanner.sources import CameraSource, KeyboardSource, RawScan, utc_now
from scanner.ui.plain import clean, complain, say, show_answer
from scanner.ui.words import counted

SAME_WITHIN = timedelta(seconds=1)
MOST_WAITING = 10_000
_EXAMPLES = f"""\
examples:
  packproof-scan run                              a handheld that types, one line a scan; Ctrl-D ends
  packproof-scan run --source camera:0
  packproof-scan run --source camera:visit.mp4 --json > answers.jsonl

{EXIT_STATUS}"""


def register(subparsers: Subparsers) -> None:
    """Add ``run``."""
    parser = subparsers.add_parser(
        "run",
        help="answer scan after scan, from a handheld or a camera",
        description="Answer every scan of a handheld scanner (keyboard wedge) or a camera until it ends.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--source",
        default="keyboard",
        metavar="SOURCE",
        help="keyboard (standard input), camera:0 or camera:FILE (default: %(default)s)",
    )
    add_home(parser)
    add_json(parser)
    parser.set_defaults(run=_run)


@dataclass(slots=True)
class Once:
    """Lets each scan through once while it is repeated within a second."""

    _last: dict[tuple[bytes, str | None], datetime] = field(default_factory=dict)

    def is_new(self, scan: RawScan) -> bool:
        """Whether this is a scan of its own, and not the last one of the same code again."""
        key = (scan.data, scan.symbology)
        before = self._last.get(key)
        # Either way: a clock that was set back makes no scan the same as one of its own future.
        self._last = {k: at for k, at in self._last.items() if abs(scan.at - at) <= SAME_WITHIN}
        self._last[key] = scan.at
        return before is None or abs(scan.at - before) > SAME_WITHIN


def waiting(source: Iterable[RawScan]) -> Iterable[RawScan]:
    """The scans of `source`, read by a thread of its own as fast as they come."""
    line: queue.Queue[RawScan | BaseException | None] = queue.Queue(MOST_WAITING)

    def read() -> None:
        try:
            for scan in source:
                line.put(scan)
        except Exception as error:
            line.put(error)
        else:
            line.put(None)

    threading.Thread(target=read, name="reader", daemon=True).start()
    while (item := line.get()) is not None:
        if isinstance(item, BaseException):
            raise item
        yield item


@dataclass(slots=True)
class Session:
    """One run: what was answered, and what was not."""

    provider: Provider
    as_json: bool
    words: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    dirty: bool = False

    def take(self, scan: RawScan) -> None:
        """Answer one scan, or say why not. Raises `TrustError` alone: then nothing more may be asked."""
        try:
            answer = self.provider.check(scan)
        except (NodeUnreachable, NodeError) as error:
            self.unanswered += 1
            self._trouble(scan, error)
            return
        self.words[answer.word.value] += 1
        self.dirty = self.dirty or not answer.is_clean
        if self.as_json:
            _line({"at_scan": scan.at.isoformat(), **answer.as_json()})
        else:
            show_answer(answer, _name(scan))

    def _trouble(self, scan: RawScan, error: ScannerError) -> None:
        if self.as_json:
            trouble = {"code": error.code, "message": error.message}
            _line({"at_scan": scan.at.isoformat(), "raw_hex": scan.data.hex(), "error": trouble})
        else:
            say(f" ? NOT ANSWERED   {_name(scan)}")
            say(f"{error.message} Set the pack aside until it is.")
            say("")

    def status(self) -> int:
        """The exit status that the run amounts to."""
        return 3 if self.unanswered else 1 if self.dirty else 0


def _run(arguments: argparse.Namespace) -> int:
    source = _source(arguments.source)
    session = Session(provider_of(Bench.open(home_of(arguments))), arguments.json)
    once = Once()
    try:
        for scan in waiting(source):
            if once.is_new(scan):
                session.take(scan)
    except KeyboardInterrupt:
        pass
    if not arguments.json:
        told = ", ".join(f"{count} {word}" for word, count in session.words.items()) or "nothing answered"
        left = f"; {counted(session.unanswered, 'scan')} NOT answered" if session.unanswered else ""
        say(f"{counted(sum(session.words.values()), 'scan')}: {told}{left}.")
    return session.status()


def _source(spec: str) -> Iterable[RawScan]:
    if spec == "keyboard":
        return KeyboardSource(sys.stdin, utc_now, on_refused=lambda error: complain(error.message))
    if spec.startswith("camera:"):
        return CameraSource.parse(spec, utc_now)
    raise SourceError("source-unknown", f"{spec!r} is no source; write keyboard, camera:0 or camera:FILE")


def _name(scan: RawScan) -> str:
    text = clean(scan.data.decode("utf-8", "backslashreplace").replace("\x1d", "^]"))
    return text if len(text) <= 50 else f"{text[:47]}..."


def _line(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()

"""What the commands that report something have in common: look at the container, sign, send, look again."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.custody.event import Event
from scanner import acts
from scanner.bench import Bench
from scanner.client import NOTHING_DECIDED
from scanner.commands._shared import home_of, passphrase_file_of, pictured, provider_of, typed
from scanner.errors import BenchError, NodeUnreachable
from scanner.lookup.online import OnlineProvider, subject_of
from scanner.lookup.port import Answer
from scanner.sources import RawScan, utc_now
from scanner.ui.plain import say

_KEPT = (
    "Your report need not be made again: it is signed and kept here, and the next receive, count or unpack of this "
    "bench sends it first."
)


@dataclass(frozen=True, slots=True)
class Desk:
    """An enrolled bench and whoever answers it."""

    bench: Bench
    provider: OnlineProvider

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> "Desk":
        """The desk that the command's options name; first it sends what was signed and not acknowledged."""
        bench = Bench.open(home_of(arguments), passphrase_file_of(arguments))
        desk = cls(bench, provider_of(bench))
        waiting = bench.keys.outbox()
        for capture in waiting:
            desk.provider.send(capture)
        if waiting and not arguments.json:
            say(f"{len(waiting)} signed earlier went first.")
        return desk

    def report(self, *events: Event, refs: tuple[bytes, ...] = ()) -> dict[str, Any]:
        """Sign events, which refer to the leaves `refs`, as one document with the bench's key and send it; the node's
        receipt."""
        keys = self.bench.keys
        with self.bench.locked():
            self.bench.require_present_key()
            capture = acts.signed(keys, events, utc_now(), refs)
        try:
            return dict(self.provider.send(capture))
        except NodeUnreachable as error:
            raise NodeUnreachable(error.code, error.message.replace(NOTHING_DECIDED, _KEPT)) from error

    def look(self, scan: RawScan) -> Answer:
        """The node's answer to a scan."""
        return self.provider.check(scan)


def container_in(scans: Sequence[RawScan]) -> tuple[RawScan, str]:
    """The one scan that names a package or container, and what it names. Raises `BenchError` ``no-container``."""
    named = [(scan, subject) for scan in scans if (subject := subject_of(scan)) is not None]
    if len(named) != 1:
        found = "no label that names one" if not named else f"{len(named)} labels"
        raise BenchError(
            "no-container", f"one container's label was expected, and {found} could be read: scan again"
        )
    return named[0]


def split(
    arguments: argparse.Namespace, typed_container: str | None, images: Sequence[Path]
) -> tuple[tuple[RawScan, ...], list[Path]]:
    """The container's scans and the pictures of what was in it: the first picture, unless its text was given."""
    if typed_container is not None:
        return (typed(typed_container),), list(images)
    if not images:
        arguments.parser.error(
            "name a picture of the container's label, or give its text by --container-text"
        )
    return pictured(images[0]), list(images[1:])


def findings_of(receipt: dict[str, Any]) -> list[str]:
    """What the node found about the report, in its words."""
    found = receipt.get("findings")
    if not isinstance(found, list):
        return []
    return [str(each.get("message", "")) for each in found if isinstance(each, dict)]

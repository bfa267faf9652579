"""A node with as many events as one likes: how long its audit takes, and how much memory.

    python -m tests.soak.big --events 1000000 --folder var/soak/big
    events 1000000, audited in 947.2 s, at most 232 MiB; content

The node is filled by documents through the capture service, as partners send them; filled once, it is audited again
where `--folder` has it already. The audit is the command `packproof fsck` in a process of its own, and it must have
seen as many events as were asked for: a fill that was broken off is refused, not audited.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from app.migrate import upgrade
from ledger.custody.event import Event
from ledger.custody.vocabulary import EventType
from ledger.gs1.check_digit import check_digit
from ledger.store.sql.engine import open_engine
from tests.support.app import make_node
from tests.support.trade import WHEN, Trade
from tests.support.world import package

DOCUMENT = 700
_ROUND = 7  # events: five packs made, one case packed, one case shipped


def story(trade: Trade, first: int, count: int) -> list[Event]:
    """Events `first` to below `first + count`: packs are made one by one, packed by fives, and the case is shipped."""
    events: list[Event] = []
    for number in range(first, first + count):
        case, step = divmod(number, _ROUND)
        at = timedelta(seconds=number)
        sscc = f"00399999{case:09}"
        parent = f"https://id.gs1.org/00/{sscc}{check_digit(sscc)}"
        event_id = f"urn:uuid:{uuid.UUID(int=number + 1)}"
        made = replace(trade.begun(5 * case + min(step, 4)), event_id=event_id, event_time=WHEN + at)
        if step == 5:
            children = tuple(package(5 * case + pack) for pack in range(5))
            made = replace(
                made, type=EventType.AGGREGATION, biz_step="packing", epcs=(), ilmd=(), parent=parent,
                children=children,
            )  # fmt: skip
        elif step == 6:
            made = replace(trade.shipped(0), event_id=event_id, event_time=WHEN + at, epcs=(parent,))
        events.append(made)
    return events


def fill(trade: Trade, first: int, count: int) -> None:
    """Capture events `first` to below `first + count`."""
    for start in range(first, first + count, DOCUMENT):
        events = story(trade, start, min(DOCUMENT, first + count - start))
        answer = trade.post_epcis(trade.document(*events))
        assert answer.status_code == 202, answer.text


def audit(url: str, origin: str, data_dir: Path, *options: str) -> dict[str, object]:
    """Run ``packproof fsck`` in a process of its own: seconds, most memory in MiB, and its report."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "fsck", "--json", *options],
        env={**os.environ, "PACKPROOF_DATABASE_URL": url, "PACKPROOF_DATA_DIR": str(data_dir),
             "PACKPROOF_LEDGER_ORIGIN": origin},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if not done.stdout:
        raise RuntimeError(done.stderr)
    return {
        "seconds": round(time.monotonic() - began, 1),
        "most_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
        "report": json.loads(done.stdout),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill and audit. Exit status 1 where the audit finds anything."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.big", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=Path("var/soak/big"))
    asked = parser.parse_args(arguments)
    asked.folder.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{asked.folder.absolute() / 'packproof.db'}"
    database = open_engine(url)
    fresh = not (asked.folder / "packproof.db").exists()
    upgrade(database)
    node = make_node(database, sign_in_per_minute=1000, data_dir=asked.folder / "data")
    filled = asked.folder / "filled"
    known = int(filled.read_text()) if filled.exists() else None
    if not fresh and known != asked.events:
        told = "was not filled to its end" if known is None else f"has {known} events"
        print(f"{asked.folder} {told}: remove it, or name another --folder", file=sys.stderr)
        return 2
    if fresh:
        began = time.monotonic()
        trade = Trade(node, asked.folder / "parties")
        for first in range(0, asked.events, 10 * DOCUMENT):
            fill(trade, first, min(10 * DOCUMENT, asked.events - first))
            rate = (first + 10 * DOCUMENT) / (time.monotonic() - began)
            print(f"\rfilled {first + 10 * DOCUMENT}, {rate:.0f} a second", end="", file=sys.stderr)
        node.services.node.checkpoint()
        filled.write_text(str(asked.events))
        print(file=sys.stderr)
    origin = node.services.node.origin
    node.services.database.dispose()
    database.dispose()
    found = audit(url, origin, asked.folder / "data")
    report = found["report"]
    assert isinstance(report, dict)
    events = report["counts"]["events"]
    word = "content" if report["ok"] else f"found: {report['findings'][0]}"
    print(f"events {events}, audited in {found['seconds']} s, at most {found['most_mib']} MiB; {word}")
    return 0 if report["ok"] and events == asked.events else 1


if __name__ == "__main__":
    sys.exit(main())

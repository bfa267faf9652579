"""A process that has imported the node and forks writers on request: killing those costs nobody a second of start.

Started as ``python -m tests.faults.zygote``. A request is a JSON line on standard input, the answer its pids.

    {"do": "warm", "env": {...}}
    {"do": "write", "count": 2, "threads": 4, "name": "R1", "env": {...}, "journal": "path"}

The first is done by this process itself, on a database that nobody needs: what it compiles for it (statements, for each
kind of database), no writer has to.

A writer appends a line to its journal after each receipt (``ack NAME INDEX LEAF``), head (``head SIZE ROOT``) or
failure (``fail NAME CODE``).
"""

import json
import os
import signal
import sys
import threading
import time
from datetime import datetime

from app import wiring
from app.capture import long as longs
from app.capture.inbox import Job
from app.config import Settings
from app.errors import AppError
from app.shared.actor import command_line
from app.shared.clock import ManualClock, SystemClock
from ledger.custody.event import EXPIRY, LOT, Event, compact
from ledger.custody.vocabulary import Action, EventType
from ledger.epcis import jsonwriter
from ledger.epcis.document import Document, Form
from ledger.log.checkpoint import Checkpoint
from ledger.log.note import Note
from tests.support import compiled
from tests.support.trade import WHEN
from tests.support.world import MAKER, package, sgln

ACTOR = command_line("tester")


def commissioning(name: str, *, event_id: str | None = None) -> Event:
    """The maker makes one package of this name."""
    return Event(
        type=EventType.OBJECT,
        event_time=WHEN,
        time_zone_offset="+00:00",
        event_id=event_id,
        action=Action.ADD,
        biz_step="commissioning",
        epcs=(package(name),),
        read_point=sgln(MAKER),
        ilmd=((EXPIRY, compact("2028-05-31")), (LOT, compact("LOT42"))),
    )


def document(*names: str) -> bytes:
    """A document that makes these packages."""
    return jsonwriter.write(Document(Form.JSON20, tuple(commissioning(n) for n in names), created=WHEN))


class Journal:
    """Lines that outlive the process: a write to a file is the kernel's once it has returned."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def line(self, *words: object) -> None:
        """Append one line, whole."""
        os.write(self._file, (" ".join(map(str, words)) + "\n").encode())


def capture(services: wiring.Services, journal: Journal, name: str, raw: bytes | None = None) -> bool:
    """Record one document and journal how it went; whether it was acknowledged."""
    try:
        receipt = services.capture.receive(
            raw or document(name), "application/json", by=MAKER, channel="rest", actor=ACTOR
        )
    except AppError as error:
        journal.line("fail", name, error.code, error.status)
        return False
    except Exception as error:
        journal.line("fail", name, type(error).__name__, 500)
        return False
    assert not isinstance(receipt, Job)
    journal.line("ack", name, receipt.index, receipt.leaf.hex())
    return True


def seal(services: wiring.Services, journal: Journal) -> None:
    """Sign the head and journal it."""
    try:
        checkpoint = Checkpoint.parse(Note.parse(services.node.checkpoint()).text)
    except AppError as error:
        journal.line("fail", "seal", error.code, error.status)
    except Exception as error:
        journal.line("fail", "seal", type(error).__name__, 500)
    else:
        journal.line("head", checkpoint.size, checkpoint.root.hex())


def warm(request: dict) -> None:
    """Do once what writers do."""
    services = wiring.build(Settings.from_env(request["env"]), SystemClock())
    services.worker.background = False
    services.node.initialise()
    for names in (("W1",), ("W1",), ("W2",), ("W3",)):
        services.capture.receive(document(*names), None, by=MAKER, channel="rest", actor=ACTOR)
        services.node.checkpoint()
    services.capture.most_events = 1
    job = services.capture.receive(document("W4", "W5"), None, by=MAKER, channel="file", actor=ACTOR)
    assert isinstance(job, Job)
    services.worker.finish(job.job_id)
    services.database.dispose()
    assert threading.active_count() == 1, "this process forks, and a thread would not come along"


def write(request: dict, number: int) -> None:
    """Threads that record documents as fast as they can, and one that signs heads."""
    services = wiring.build(Settings.from_env(request["env"]), SystemClock())
    journal = Journal(request["journal"])

    def work(thread: int) -> None:
        for count in range(10**9):
            if not capture(services, journal, f"{request['name']}P{number}T{thread}N{count}"):
                time.sleep(0.01)

    def sign() -> None:
        while True:
            seal(services, journal)
            time.sleep(0.03)

    for thread in range(request["threads"]):
        threading.Thread(target=work, args=(thread,)).start()
    sign()


def long(request: dict, _number: int) -> None:
    """Take a long document to its end, in small slices, at a time of the request's choice."""
    longs.SLICE = request["slice"]
    services = wiring.build(
        Settings.from_env(request["env"]), ManualClock(datetime.fromisoformat(request["at"]))
    )
    services.worker.background = False
    journal = Journal(request["journal"])
    job = services.worker.finish(
        request["job"], lambda _job, mark, events: journal.line("mark", mark, events), pause_s=0.05
    )
    journal.line("done", job.state, job.index)


def step(request: dict, _number: int) -> None:
    """One thing on each cue (a signal), so that somebody can attach to this process before it."""
    services = wiring.build(Settings.from_env(request["env"]), SystemClock())
    journal = Journal(request["journal"])
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    with services.database.reading() as connection:
        connection.exec_driver_sql("SELECT 1 FROM head").all()
    services.node.may_write()
    journal.line("ready")
    for what in request["steps"]:
        signal.sigwait([signal.SIGUSR1])
        if what == "seal":
            seal(services, journal)
        else:
            capture(services, journal, what)
        journal.line("stepped")
    signal.sigwait([signal.SIGUSR1])


def main() -> None:
    """Fork what is asked for, until the input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    compiled.share()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what is logged is no answer
    for text in sys.stdin:
        request = json.loads(text)
        pids = []
        if request["do"] == "warm":
            warm(request)
        for number in range(request.get("count", 1) if request["do"] != "warm" else 0):
            pid = os.fork()
            if pid == 0:
                answers.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                quiet = os.open(request.get("log", os.devnull), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
                for stream in (1, 2):
                    os.dup2(quiet, stream)
                try:
                    {"write": write, "long": long, "step": step}[request["do"]](request, number)
                finally:
                    os._exit(0)
            pids.append(pid)
        answers.write(json.dumps(pids) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()

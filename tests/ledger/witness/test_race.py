"""Never two roots for one size, never backwards: with many processes asking at once, and killed in between."""

import json
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from ledger.log.note import Note
from ledger.witness.request import Submitted, parse_answer
from ledger.witness.state import StateFolder, origin_hash
from ledger.witness.witness import Witness, logs_of
from tests.ledger.witness.history import COSIGNER, LOG, MOST, NOW, ORIGIN, OTHER, TRUE, note, request
from tests.support.patience import PATIENCE_S
from tests.support.shared import ROOT

WORKERS = 6

# Each worker pushes its own history as far as it can, going on from what it is told; it writes down what was cosigned.
_PUSH = textwrap.dedent("""
    import json, random, sys
    from pathlib import Path
    from ledger.witness.state import StateFolder
    from ledger.witness.witness import Witness, logs_of
    from tests.ledger.witness import history as h

    folder, journal, number = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    nodes = (h.TRUE, h.OTHER)[number % 2]
    dice = random.Random(number)
    witness = Witness(StateFolder(folder), [h.COSIGNER], lambda: h.logs_of_log(), lambda: h.NOW)
    known = 0
    with journal.open("a") as stream:
        while known < h.MOST:
            size = min(h.MOST, known + dice.randint(0, 3))
            answer = witness.add_checkpoint(h.request(known, size, nodes))
            if answer.status == 200:
                stream.write(json.dumps([size, number % 2, answer.body.decode()]) + "\\n")
                stream.flush()
                known = size
            elif answer.status == 409:
                known = int(answer.body)
            elif answer.status == 422:
                break
            else:
                raise SystemExit(f"{answer.status} {answer.body}")
""")


def start(folder: Path, journal: Path, number: int) -> "subprocess.Popen[bytes]":
    program = _PUSH.replace("h.logs_of_log()", "logs_of([h.LOG.verifier])")
    return subprocess.Popen([sys.executable, "-c", program, str(folder), str(journal), str(number)], cwd=ROOT)


def cosigned(folder: Path) -> set[tuple[int, int]]:
    """Size and history of everything that was answered, each answer verified."""
    found = set()
    for journal in folder.glob("journal-*"):
        for line in journal.read_text().splitlines():
            size, which, body = json.loads(line)
            parse_answer(body.encode(), Note.parse(note(size, (TRUE, OTHER)[which])), [COSIGNER.verifier])
            found.add((size, which))
    return found


def test_two_histories_pushed_at_once_end_in_one(tmp_path: Path) -> None:
    state = tmp_path / "state"
    # One process is far ahead of another one otherwise: the interpreter starts in the time that all of it takes.
    workers = [start(state, tmp_path / f"journal-{n}", n) for n in range(WORKERS)]
    assert [worker.wait(PATIENCE_S) for worker in workers] == [0] * WORKERS
    done = cosigned(tmp_path)
    # Both may have had an empty head cosigned: there is only one.
    assert len({which for size, which in done if size}) == 1, "both histories were cosigned"
    assert max(done)[0] == MOST


_DIE = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    from ledger.witness.state import StateFolder, LogState
    from ledger.witness.witness import Witness, logs_of
    from tests.ledger.witness import history as h

    folder, where = Path(sys.argv[1]), sys.argv[2]

    class Deadly:
        verifier = h.COSIGNER.verifier
        name = h.COSIGNER.name

        def sign(self, head, seconds):
            if where == "before signing":
                os.kill(os.getpid(), signal.SIGKILL)
            return h.COSIGNER.sign(head, seconds)

    def dying(name):
        real = getattr(os, name)
        def call(*args, **kwargs):
            if where == f"before {name}":
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)
        setattr(os, name, call)

    witness = Witness(StateFolder(folder), [Deadly()], lambda: logs_of([h.LOG.verifier]), lambda: h.NOW)
    real_show = LogState.show
    def show(self, note):
        if where == "before showing":
            os.kill(os.getpid(), signal.SIGKILL)
        real_show(self, note)
    LogState.show = show
    dying("fsync")
    dying("replace")
    answer = witness.add_checkpoint(h.request(5, 9))
    sys.exit(0 if answer.status == 200 else 3)
""")


@pytest.mark.parametrize(
    ("where", "at"), [("before fsync", 5), ("before signing", 9), ("before showing", 9), ("nowhere", 9)]
)
def test_killed_between_the_mark_and_the_signature(tmp_path: Path, where: str, at: int) -> None:
    witness = Witness(StateFolder(tmp_path), [COSIGNER], lambda: logs_of([LOG.verifier]), lambda: NOW)
    assert witness.add_checkpoint(request(0, 5)).status == 200
    ended = subprocess.run([sys.executable, "-c", _DIE, str(tmp_path), where], cwd=ROOT, check=False)
    assert ended.returncode == (0 if where == "nowhere" else -signal.SIGKILL)
    # Whether or not anybody got the signature: the mark stands where one may exist, and the other history is refused.
    mark = Submitted.parse(Note.parse((tmp_path / "heads" / origin_hash(ORIGIN)).read_bytes()).text)
    assert mark.size == at
    assert witness.add_checkpoint(request(at, 12, OTHER)).status == 422
    assert witness.add_checkpoint(request(at, at)).status == 200
    assert witness.add_checkpoint(request(at, 12)).status == 200


def kill_amid(workers: list["subprocess.Popen[bytes]"], journals: list[Path], wanted: int) -> int:
    """Kill the workers once so many answers are written down; how many were killed. By progress and not by time: how
    long an interpreter takes to start is another on each machine."""
    while any(worker.poll() is None for worker in workers):
        if sum(len(path.read_bytes().splitlines()) for path in journals if path.exists()) >= wanted:
            alive = [worker for worker in workers if worker.poll() is None]
            for worker in alive:
                worker.kill()
            return len([worker for worker in alive if worker.wait(PATIENCE_S) == -signal.SIGKILL])
        time.sleep(0.0005)
    return 0


def test_killed_anywhere_while_two_histories_are_pushed(tmp_path: Path) -> None:
    state, dice = tmp_path / "state", random.Random(7)
    kills = 0
    for round_ in range(4):
        journals = [tmp_path / f"journal-{round_}-{n}" for n in range(3)]
        workers = [start(state, journal, n) for n, journal in enumerate(journals)]
        kills += kill_amid(workers, journals, dice.randint(1, 4))
        for worker in workers:
            worker.wait(PATIENCE_S)
    for number in range(2):
        assert start(state, tmp_path / f"journal-last-{number}", number).wait(PATIENCE_S) == 0
    done = cosigned(tmp_path)
    assert len({which for size, which in done if size}) == 1
    assert kills

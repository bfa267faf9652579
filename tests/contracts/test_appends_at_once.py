"""Threads and processes that append at once, and processes that are killed at it: no gap, no fork, nothing lost."""

import random
import subprocess
import threading
import time

from ledger.log.entry import Entry
from tests.contracts.test_ledger_store import append, head
from tests.support import programs
from tests.support.ledgers import draft, sql_ledger
from tests.support.patience import PATIENCE_S
from tests.support.sweep import sweep


def test_threads_that_append_at_once_leave_no_gap_and_no_fork(ledger):
    acknowledged: dict[int, bytes] = {}
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for number in range(25):
                [own, shared] = append(ledger, [draft(f"{name}-{number}"), draft(f"shared-{number}")])
                acknowledged[own.index] = own.encode()
                assert acknowledged.setdefault(shared.index, shared.encode()) == shared.encode()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert failures == []
    assert len(acknowledged) == head(ledger).size == 4 * 25 + 25
    sweep(ledger, acknowledged)


def appender(ledger, name: str, count: int) -> programs.Program:
    url = ledger.database.url.render_as_string(hide_password=False)
    return programs.start("-m", "tests.support.ledgers", url, name, count, stdout=subprocess.PIPE)


def journal(output: str) -> dict[int, str]:
    """Index to statement of the whole lines; the last one may have been cut by the kill."""
    found = {}
    for line in output.splitlines(keepends=True):
        index, _, statement = line.rstrip("\n").partition(" ")
        if line.endswith("\n") and index.isdigit():
            found[int(index)] = statement
    return found


def check_journal(ledger, told: dict[int, str]) -> None:
    with ledger.reading() as reader:
        for index, statement in told.items():
            assert Entry.decode(reader.entry(index)).statement.hex() == statement
    sweep(ledger)


def test_two_processes_that_append_at_once_leave_no_gap_and_no_fork(database):
    ledger = sql_ledger(database)
    processes = [appender(ledger, name, 60) for name in ("left", "right")]
    told = [journal(process.communicate(timeout=120)) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert [len(each) for each in told] == [60, 60]
    assert not set(told[0]) & set(told[1])
    assert head(ledger).size == 120
    check_journal(ledger, told[0] | told[1])


def test_killed_writers_lose_nothing_they_acknowledged(database):
    ledger = sql_ledger(database)
    chance = random.Random(7)
    told: dict[int, str] = {}
    for lines in (5, 15, 25, 35):
        processes = [appender(ledger, name, 100_000) for name in ("left", "right")]
        heard = ["", ""]
        for number, process in enumerate(processes):
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            heard[number] = "".join(process.stdout.readline() for _ in range(lines))
        time.sleep(chance.uniform(0, 0.02))  # so that the kill falls anywhere within an append
        for process in processes:
            process.kill()
        for number, process in enumerate(processes):
            rest = process.communicate(timeout=PATIENCE_S)
            for index, statement in journal(heard[number] + rest).items():
                assert told.setdefault(index, statement) == statement
        check_journal(ledger, told)
    assert len(told) >= 2 * 35
    assert append(ledger, [draft("and it goes on")])[0].index == head(ledger).size - 1

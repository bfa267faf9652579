"""A database that is stopped, that ends sessions, or that is lost in the midst of a commit; and commits in groups."""

import os
import pwd
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import event as sql_event

from app import wiring
from app.capture import committer as committers
from app.capture.faults import OutcomeUnknown
from app.errors import AppError
from app.migrate import upgrade
from app.proofs.fsck import fsck
from ledger.store.sql.engine import Database, open_engine
from tests.faults.zygote import ACTOR, document
from tests.support.app import make_node
from tests.support.patience import PATIENCE_S
from tests.support.postgres import _user, running_postgres
from tests.support.shared import missing
from tests.support.trade import Trade
from tests.support.world import MAKER


def send(services, name):
    return services.capture.receive(document(name), None, by=MAKER, channel="rest", actor=ACTOR)


class Client:
    """Sends, and sends again what it got no receipt for, as it was told to; keeps what was acknowledged."""

    def __init__(self, services):
        self.services = services
        self.acknowledged = {}
        self.told = []
        self.over = threading.Event()

    def work(self, name):
        for number in range(10**9):
            if self.over.is_set():
                return
            self._until_taken(f"{name}N{number}")

    def _until_taken(self, name):
        for _ in range(200):
            try:
                receipt = send(self.services, name)
            except AppError as error:
                self.told.append(error.code)
                time.sleep(0.05)
                if self.over.is_set():
                    return
            else:
                self.acknowledged[name] = (receipt.index, receipt.leaf)
                return

    def run(self, threads, during):
        """So many threads send while `during` runs, and a little longer."""
        with ThreadPoolExecutor(threads) as pool:
            futures = [pool.submit(self.work, f"C{number}") for number in range(threads)]
            try:
                during(self)
            finally:
                self.over.set()
            for future in futures:
                future.result(60)

    def wait_for(self, more):
        """Until so many more are acknowledged."""
        wanted, give_up = len(self.acknowledged) + more, time.monotonic() + PATIENCE_S
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < give_up, self.told[-20:]
            time.sleep(0.005)


def stands(trade, client):
    services = trade.node.services
    with services.node.ledger.auditing() as reader:
        for name, (index, leaf) in client.acknowledged.items():
            assert reader.leaf(index) == leaf, name
    assert len({index for index, _ in client.acknowledged.values()}) == len(client.acknowledged)
    trade.sweep()
    services.node.checkpoint()
    report = fsck(services.database, services.node)
    assert report.ok, report.findings
    # Whether it was told or not: each stands once.
    _, documents, events = trade.counts()
    assert documents == events >= len(client.acknowledged)
    assert set(client.told) <= {"capture.busy", "capture.unknown"}, set(client.told)


@pytest.fixture
def own_server():
    """A PostgreSQL server that this test may stop."""
    try:
        with running_postgres() as server:
            yield server
    except OSError as error:
        missing(f"PostgreSQL cannot be started: {error}")


def restarted(server):
    """Start the server again on its data."""
    user = _user()
    extra = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
    folder = server.process.args[server.process.args.index("-k") + 1]
    process = subprocess.Popen(
        server.process.args,
        cwd=folder,
        env={**os.environ, "LC_ALL": "C", "HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **extra,
    )
    give_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            server.execute("SELECT 1")
            return process
        except psycopg.OperationalError:
            assert time.monotonic() < give_up
            time.sleep(0.05)


def test_a_server_stopped_at_once_loses_nothing_that_was_acknowledged(own_server, tmp_path):
    """As ``pg_ctl stop -m immediate`` does: no shutdown, recovery from the log at the next start."""
    database = open_engine(own_server.create())
    upgrade(database)
    trade = Trade(make_node(database, data_dir=tmp_path / "var"), tmp_path / "parties")
    client = Client(trade.node.services)
    again = None

    def stop(client):
        nonlocal again
        client.wait_for(5)
        for _ in range(2):
            process = again or own_server.process
            process.send_signal(signal.SIGQUIT)
            process.wait(PATIENCE_S)
            time.sleep(0.2)
            again = restarted(own_server)
            client.wait_for(5)

    try:
        client.run(4, stop)
        stands(trade, client)
    finally:
        trade.node.services.database.dispose()
        database.dispose()
        again.send_signal(signal.SIGINT)
        again.wait(PATIENCE_S)


def test_sessions_that_are_ended_are_opened_again(postgres, postgres_database, tmp_path):
    trade = Trade(make_node(postgres_database, data_dir=tmp_path / "var"), tmp_path / "parties")
    client = Client(trade.node.services)
    name = postgres_database.url.database

    def end(client):
        for _ in range(8):
            client.wait_for(2)
            postgres.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE datname = '{name}' AND pid <> pg_backend_pid()"
            )

    client.run(4, end)
    stands(trade, client)
    trade.node.services.database.dispose()


class Cut:
    """A connection that is lost while its COMMIT is under way: the server does it, or does not; nobody hears."""

    def __init__(self, database: Database, engine, *, committed: bool, times: int = 1):
        self.left = times
        self._committed = committed
        self._database = database
        sql_event.listen(engine, "commit", self._on_commit)

    def _on_commit(self, connection):
        if self.left <= 0:
            return
        self.left -= 1
        driver = connection.connection.driver_connection
        if self._committed:
            driver.execute("COMMIT")
            driver.execute("BEGIN")
        # The socket itself goes: what follows is what the driver says of a lost connection.
        os.close(os.dup(driver.fileno()))
        driver.pgconn.finish()


@pytest.mark.parametrize("committed", [True, False])
def test_a_commit_that_nobody_heard_of_is_looked_up(postgres_database, tmp_path, committed):
    trade = Trade(make_node(postgres_database, data_dir=tmp_path / "var"), tmp_path / "parties")
    services = trade.node.services
    before = trade.counts()
    Cut(services.database, services.database._current().writer, committed=committed)
    receipt = send(services, "A")
    assert receipt.known is committed, "it stood when it was tried again, or it did not"
    assert trade.counts() == (before[0] + 1, before[1] + 1, before[2] + 1)
    again = send(services, "A")
    assert (again.index, again.leaf) == (receipt.index, receipt.leaf)
    trade.sweep()
    services.database.dispose()


def test_where_it_cannot_be_looked_up_nobody_says_that_it_failed(postgres_database, tmp_path, monkeypatch):
    monkeypatch.setattr(committers, "TRIES", 2)
    trade = Trade(make_node(postgres_database, data_dir=tmp_path / "var"), tmp_path / "parties")
    services = trade.node.services
    cut = Cut(services.database, services.database._current().writer, committed=True, times=100)
    with pytest.raises(OutcomeUnknown) as caught:
        send(services, "A")
    assert caught.value.code == "capture.unknown"
    assert "Send the same again" in caught.value.next_step
    cut.left = 0
    assert send(services, "A").known is True
    assert trade.counts()[2] == 1
    services.database.dispose()


def test_commits_are_made_in_groups_under_load(trade, monkeypatch):
    """Sixteen at once: far fewer transactions than captures, and each has its own receipt."""
    services = trade.node.services
    prepared = []
    with monkeypatch.context() as patch:
        patch.setattr(services.capture.committer, "submit", prepared.append)
        for number in range(96):
            send(services, f"G{number}")
    services.node.may_write()
    commits, begun, ended = [], [], []

    def submit(capture):
        begun.append(capture)
        try:
            return services.capture.committer.submit(capture)
        finally:
            ended.append(capture)

    def commit(connection):
        # Sixteen are under way at each commit, however threads are scheduled: in this transaction, or queued up for it.
        commits.append(connection)
        give_up = time.monotonic() + PATIENCE_S
        while len(begun) < min(len(prepared), len(ended) + 16):
            assert time.monotonic() < give_up
            time.sleep(0.001)

    sql_event.listen(services.database._current().writer, "commit", commit)
    with ThreadPoolExecutor(16) as pool:
        receipts = list(pool.map(submit, prepared))
    assert len({each.index for each in receipts}) == len(prepared)
    assert len(commits) * 3 <= len(prepared), f"{len(commits)} transactions for {len(prepared)} captures"
    trade.sweep()


def test_a_deadlock_is_tried_again(postgres, postgres_database, tmp_path):
    """Somebody else's session holds what the capture needs, and waits for what the capture holds."""
    trade = Trade(make_node(postgres_database, data_dir=tmp_path / "var"), tmp_path / "parties")
    services = trade.node.services
    url = postgres_database.url.render_as_string(hide_password=False).replace("+psycopg", "")
    with psycopg.connect(url) as other:
        other.execute("SET deadlock_timeout = '10s'")  # so that it is the capture that is chosen
        other.execute("LOCK TABLE event_epc IN EXCLUSIVE MODE")
        with ThreadPoolExecutor(1) as pool:
            sent = pool.submit(send, services, "A")
            waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'event_epc'::regclass"
            give_up = time.monotonic() + PATIENCE_S
            while other.execute(waiting).fetchone() is None:
                assert time.monotonic() < give_up, "the capture never came to wait for the table"
                time.sleep(0.01)
            other.execute("SELECT * FROM head FOR UPDATE")
            other.rollback()
            assert sent.result(60).known is False
    trade.sweep()
    services.database.dispose()


def test_two_nodes_share_one_ledger_and_a_stale_lock_is_waited_for(trade):
    other = wiring.build(trade.node.services.settings, trade.node.clock)
    try:
        nodes = [trade.node.services, other]
        with ThreadPoolExecutor(4) as pool:
            receipts = list(pool.map(lambda n: send(nodes[n % 2], f"N{n}"), range(40)))
        assert len({each.index for each in receipts}) == 40
    finally:
        other.database.dispose()
    trade.sweep()

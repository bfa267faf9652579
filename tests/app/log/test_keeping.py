"""Other logs' heads are noted by the node itself: each log once a day, no head twice, and what contradicts is said."""

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.log.keep import FOLDER, Keeper
from app.log.keeping import LOOK_S, Done, Keeping
from app.proofs.fsck import fsck
from app.wiring import Services
from ledger.__main__ import main as verify
from ledger.log.checkpoint import Checkpoint
from ledger.log.entry import Entry, Kind
from ledger.log.hashing import EMPTY_ROOT
from ledger.signing.aside import KeptCheckpoint
from ledger.witness.request import AddCheckpoint
from tests.ledger.evidence.world import World, made
from tests.support import programs
from tests.support.app import Node
from tests.support.live import LiveNode, closing_database
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port


@dataclass
class Served:
    """A foreign log as it publishes its newest head; `answer` replaces what it says."""

    world: World
    url: str = ""
    answer: tuple[int, bytes] | None = None
    asked: list[str] = field(default_factory=list)

    def line(self, url: str | None = None) -> str:
        return f"log {self.world.log.verifier} {self.url if url is None else url}".strip()

    def grow(self) -> None:
        self.world.capture(made("https://id.gs1.org/01/09506000134352/21/11"))


@pytest.fixture
def foreign() -> Iterator[Served]:
    found = Served(World())

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            status, body = found.answer or (200, found.world.checkpoint())
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        found.url = f"http://127.0.0.1:{listening.server_port}/ledger"
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield found
        listening.shutdown()
        thread.join()


@pytest.fixture
def policy(tmp_path: Path) -> Callable[..., Path]:
    def write(*lines: str) -> Path:
        path = tmp_path / "kept.policy"
        path.write_text("\n".join((*lines, "quorum none", "")))
        return path

    return write


def process(node: Node, logs: Path) -> Keeping:
    """The background work of another process of this node."""
    services = node.services
    return Keeping(Keeper(services.node, services.committer, services.clock), logs, lambda _: None)


def noted(node: Node) -> list[tuple[int, int]]:
    """(index, size of the head) of every foreign head that the ledger notes."""
    found = []
    with node.services.node.ledger.reading() as reader:
        for index in range(reader.head().size):
            if Entry.decode(reader.entry(index)).kind is Kind.CHECKPOINT:
                data = (node.services.settings.data_dir / FOLDER / str(index)).read_bytes()
                found.append((index, KeptCheckpoint.of(data).size))
    return found


def findings(node: Node) -> list[str]:
    node.services.node.checkpoint()
    return [each.message for each in fsck(node.services.database, node.services.node).findings]


def codes(done: list[Done]) -> list[tuple[str, int | None]]:
    return [(each.code, each.index) for each in done]


def test_a_head_is_noted_once_a_day_whoever_asks_and_never_twice(
    sqlite_node: Node, foreign: Served, policy: Callable[..., Path]
) -> None:
    sqlite_node.services.node.initialise()
    logs = policy(foreign.line())
    one = process(sqlite_node, logs)
    assert codes(one.round(0.0)) == [("noted", 2)]
    assert foreign.asked == ["/ledger/checkpoint"]
    assert one.round(LOOK_S) == [], "this day is done"
    size = len(foreign.world.kept)
    foreign.grow()
    assert codes(process(sqlite_node, logs).due()) == [("known", 2)], "of this day there is one"
    sqlite_node.clock.advance(timedelta(days=1))
    assert codes(one.round(2 * LOOK_S)) == [("noted", 3)]
    sqlite_node.clock.advance(timedelta(days=1))
    assert codes(one.round(3 * LOOK_S)) == [("known", 3)], "it has not grown"
    assert noted(sqlite_node) == [(2, size), (3, size + 1)]
    assert findings(sqlite_node) == []


def test_a_log_that_cannot_be_had_or_believed_is_asked_more_and_more_rarely(
    sqlite_node: Node, foreign: Served, policy: Callable[..., Path]
) -> None:
    sqlite_node.services.node.initialise()
    [dead] = process(sqlite_node, policy(foreign.line(f"http://127.0.0.1:{free_port()}"))).round(0.0)
    assert (dead.code, dead.ok) == ("witness.unreachable", False)
    assert [each.code for each in process(sqlite_node, policy(foreign.line(""))).due()] == ["none"]
    one, now = process(sqlite_node, policy(foreign.line())), 0
    stranger = World().checkpoint()
    wrong = ((500, b""), (404, b""), (200, b"x" * 10**6), (200, b"nonsense"), (200, stranger))
    for pause, answer in zip((60, 120, 240, 480, 960), wrong, strict=True):
        foreign.answer = answer
        [done] = one.round(now)
        assert not done.ok, answer
        assert one.round(now + pause - 1) == []
        now += pause
    foreign.answer = None
    assert codes(one.round(now)) == [("noted", 2)]
    assert process(sqlite_node, Path("absent.policy")).round(0.0) == []


def test_a_log_that_shows_another_past_is_noted_all_the_same_and_proven(
    sqlite_node: Node, foreign: Served, policy: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    sqlite_node.services.node.initialise()
    one = process(sqlite_node, policy(foreign.line()))
    one.round(0.0)
    log, size = foreign.world.log, len(foreign.world.kept)
    sqlite_node.clock.advance(timedelta(days=1))
    foreign.answer = (200, Checkpoint(log.name, size, bytes(32)).sign(log).encode())
    assert codes(one.round(LOOK_S)) == [("noted", 3)]
    [proof] = (sqlite_node.services.settings.data_dir / FOLDER).glob("conflict-*.json")
    assert verify([str(proof), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "log-forked"
    sqlite_node.clock.advance(timedelta(days=1))
    foreign.answer = (200, Checkpoint(log.name, 0, EMPTY_ROOT).sign(log).encode())
    assert codes(one.round(2 * LOOK_S)) == [("noted", 4)], "fewer entries prove nothing by themselves"
    assert len(list((sqlite_node.services.settings.data_dir / FOLDER).glob("conflict-*.json"))) == 1
    sqlite_node.clock.advance(timedelta(days=1))
    foreign.answer = (200, Checkpoint(log.name, size, b"\1" * 32).sign(log).encode())
    assert codes(one.round(3 * LOOK_S)) == [("noted", 5)]
    proofs = [path.name for path in (sqlite_node.services.settings.data_dir / FOLDER).glob("conflict-2-*")]
    assert len(proofs) == 2, "held against the largest, which it was told before it shrank"
    assert findings(sqlite_node) == []


def test_a_log_without_an_address_is_noted_as_this_node_cosigned_it(
    sqlite_node: Node, foreign: Served, policy: Callable[..., Path]
) -> None:
    sqlite_node.services.node.initialise()
    logs = policy(foreign.line(""))
    given = replace(sqlite_node.services.settings, witnessed_logs=logs, kept_logs=logs)
    services = Services(given, sqlite_node.services.database, sqlite_node.clock)
    assert [each.code for each in services.keeping.due()] == ["none"]
    head = foreign.world.checkpoint()
    assert services.witness.add_checkpoint(AddCheckpoint.encode(0, (), head)).status == 200
    assert codes(services.keeping.due()) == [("noted", 2)]
    kept = (given.data_dir / FOLDER / "2").read_bytes()
    assert kept.startswith(head) and len(kept) > len(head), "with the cosignatures"
    assert foreign.asked == []


def test_a_serving_node_notes_by_itself(tmp_path: Path, foreign: Served, policy: Callable[..., Path]) -> None:
    node = LiveNode(tmp_path / "node")
    node.initialise()
    environment = node.environment
    extra = {"PACKPROOF_KEPT_LOGS": str(policy(foreign.line()))}
    node.environment = lambda: environment() | extra  # type: ignore[method-assign]
    try:
        node.start()
        services, until = node.services(), time.monotonic() + PATIENCE_S
        with closing_database(services):
            while True:
                with services.node.ledger.reading() as reader:
                    if reader.head().size > 2:
                        assert Entry.decode(reader.entry(2)).kind is Kind.CHECKPOINT
                        break
                assert time.monotonic() < until, node.log.read_text()
                time.sleep(0.05)
        done = programs.run("-m", "app.cli", "ledger", "keep", "logs", "--json", env=node.environment())
        assert done.returncode == 0, done.stderr
        [told] = json.loads(done.stdout)["logs"]
        assert (told["code"], told["index"], told["origin"]) == ("known", 2, foreign.world.log.name)
    finally:
        node.kill()

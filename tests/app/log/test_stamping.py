"""The day's time stamp is taken by the node itself, of a real authority, and nobody waits for it."""

import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from app.errors import AppError
from app.log import timestamps
from app.log.stamping import LONGEST_PAUSE_S, LOOK_S, Stamping
from tests.app.log.test_timestamps import authority, server  # noqa: F401 - fixtures
from tests.support.app import Node
from tests.support.live import LiveNode, closing_database
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port

Server = tuple[str, list[tuple[int, bytes]], list[bytes]]


def kept(node: Node) -> timestamps.TimeStamp | None:
    with node.services.database.reading() as connection:
        return timestamps.latest(connection)


def stamping(node: Node, url: str, roots: Path) -> Stamping:
    services = node.services
    return Stamping(services.database, services.node, services.clock, url, roots)


def test_it_stamps_once_a_day_whoever_stamped_first(
    sqlite_node: Node,
    server: Server,  # noqa: F811
    authority: Path,  # noqa: F811
) -> None:
    url, _, asked = server
    sqlite_node.services.node.initialise()
    # The authority's clock is the machine's, this node's is not: a day of ours is done whatever the authority's is.
    one = stamping(sqlite_node, url, authority / "root.pem")
    assert one.round(0.0)
    assert not one.round(LOOK_S)
    stamp = kept(sqlite_node)
    assert stamp is not None and stamp.size == 2
    sqlite_node.services.clock.advance(stamp.at - sqlite_node.services.clock.now())
    assert not stamping(sqlite_node, url, authority / "root.pem").round(0.0), "another process has this day's"
    assert len(asked) == 1
    sqlite_node.services.clock.advance(timedelta(days=1))
    assert stamping(sqlite_node, url, authority / "root.pem").round(0.0)
    assert len(asked) == 2


def test_an_authority_that_is_dead_or_wrong_is_asked_more_and_more_rarely(
    sqlite_node: Node,
    server: Server,  # noqa: F811
    authority: Path,  # noqa: F811
) -> None:
    url, answers, asked = server
    sqlite_node.services.node.initialise()
    nobody = stamping(sqlite_node, f"http://127.0.0.1:{free_port()}/", authority / "root.pem")
    assert not nobody.round(0.0)
    one = stamping(sqlite_node, url, authority / "root.pem")
    now = 0
    for tried, pause in enumerate((LOOK_S, 2 * LOOK_S, 4 * LOOK_S), 1):
        answers.append((500, b""))
        assert not one.round(now)
        assert not one.round(now + pause - 1)
        assert len(asked) == tried
        now += pause
    for _ in range(8):
        answers.append((200, b"nonsense"))
        one.round(now)
        now += LONGEST_PAUSE_S
    assert kept(sqlite_node) is None
    assert one.round(now)
    assert kept(sqlite_node) is not None


def test_settings_that_name_no_certificates_end_nothing(sqlite_node: Node, tmp_path: Path) -> None:
    sqlite_node.services.node.initialise()
    (tmp_path / "none.pem").write_text("none")
    assert not stamping(sqlite_node, "http://127.0.0.1:1/", tmp_path / "none.pem").round(0.0)
    assert not stamping(sqlite_node, "http://127.0.0.1:1/", tmp_path / "absent.pem").round(0.0)


def test_an_authority_that_answers_for_ever_is_given_up(
    sqlite_node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timestamps, "ANSWER_TIMEOUT_S", 0.2)
    sqlite_node.services.node.initialise()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes what is sent, and says nothing
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/tsa"
        with pytest.raises(AppError) as caught:
            timestamps.obtain(sqlite_node.services.database, sqlite_node.services.node, url, [])
    assert caught.value.code == "tsa.unreachable"


def test_a_serving_node_stamps_by_itself_and_answers_while_the_authority_does_not(
    tmp_path: Path,
    server: Server,  # noqa: F811
    authority: Path,  # noqa: F811
    holding: tuple[threading.Event, threading.Event],
) -> None:
    arrived, go_on = holding
    node = LiveNode(tmp_path / "node")
    node.initialise()
    environment = node.environment
    extra = {"PACKPROOF_TSA_URL": server[0], "PACKPROOF_TSA_CERTIFICATES": str(authority / "root.pem")}
    node.environment = lambda: environment() | extra  # type: ignore[method-assign]
    try:
        node.start()
        assert arrived.wait(PATIENCE_S), "the first request begins it"
        assert requests.get(f"{node.url}/ledger/checkpoint", timeout=PATIENCE_S).status_code == 200
        go_on.set()
        services = node.services()
        with closing_database(services):
            until = time.monotonic() + PATIENCE_S
            while True:
                with services.database.reading() as connection:
                    stamp = timestamps.latest(connection)
                if stamp is not None:
                    break
                assert time.monotonic() < until, node.log.read_text()
                time.sleep(0.05)
            assert stamp.size == 2
    finally:
        go_on.set()
        node.kill()


@pytest.fixture
def holding(
    server: Server,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[threading.Event, threading.Event]:
    """The authority answers nobody before the second event is set; the first says that somebody asks."""
    arrived, go_on = threading.Event(), threading.Event()
    from tests.app.log import test_timestamps

    made: Callable[..., object] = test_timestamps.openssl

    def openssl(*words: object, **kwargs: object) -> object:
        arrived.set()
        assert go_on.wait(PATIENCE_S)
        return made(*words, **kwargs)

    monkeypatch.setattr(test_timestamps, "openssl", openssl)
    return arrived, go_on

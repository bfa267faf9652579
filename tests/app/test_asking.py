"""Whoever is asked over HTTP and sends a byte now and then keeps nobody waiting: logs, witnesses."""

import contextlib
import http.server
import threading
from collections.abc import Callable, Iterator

import pytest
import requests

from app.errors import AppError
from app.log import heads
from app.shared import asking
from app.shared.asking import NoAnswer
from app.witness import gather
from app.witness.gather import Gatherer


@contextlib.contextmanager
def endless(beginning: bytes) -> Iterator[str]:
    """The address of one whose answer goes on like that, a byte now and then, for ever."""
    over = threading.Event()

    class Endless(http.server.BaseHTTPRequestHandler):
        def go_on(self) -> None:
            self.wfile.write(beginning)
            with contextlib.suppress(OSError):
                while not over.wait(0.02):
                    self.wfile.write(b"x")

        do_GET = do_POST = go_on

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endless) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}/ledger"
        finally:
            over.set()
            listening.shutdown()
            thread.join()


@pytest.fixture
def dripping() -> Iterator[str]:
    """The address of one whose header does not end."""
    with endless(b"HTTP/1.1 200 OK\r\nX-Long: ") as address:
        yield address


@pytest.fixture
def trickling() -> Iterator[str]:
    """The address of one whose body does not end."""
    with endless(b"HTTP/1.1 200 OK\r\n\r\n") as address:
        yield address


def test_what_came_of_an_answer_that_does_not_end_is_none(trickling: str) -> None:
    call = asking._Call(trickling, lambda: requests.get(trickling, stream=True, timeout=5), 10**6, until=0.0)
    call.run()
    assert (type(call.failure), call.status) == (requests.Timeout, 0)


def of_a_log(url: str) -> object:
    return heads.from_log(url)


def of_a_witness(url: str) -> object:
    return Gatherer(None, None)._post(url, b"old 0\n\n")  # type: ignore[arg-type]


@pytest.mark.parametrize(("ask", "module"), [(of_a_log, heads), (of_a_witness, gather)])
def test_one_that_hangs_is_given_up_and_not_asked_by_a_second_thread(
    dripping: str, monkeypatch: pytest.MonkeyPatch, ask: Callable[[str], object], module: object
) -> None:
    monkeypatch.setattr(module, "LONGEST_S", 0.2)
    with pytest.raises((AppError, NoAnswer), match="too long"):
        ask(dripping)
    with pytest.raises((AppError, NoAnswer), match="question before"):
        ask(dripping)

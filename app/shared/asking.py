"""Asking another machine over HTTP, and giving up after a time whatever it does.

A time-out of `requests` is for each byte: one that sends a header now and then holds whoever asks for ever, and with it
all that is to be asked after it. So each call is made in a thread of its own, which may outlive whoever waits for it::

    status, body = answer(url, lambda: requests.get(url, stream=True, ...), most_bytes, longest_s)
"""

import threading
import time
from collections.abc import Callable

import requests
from urllib3.exceptions import HTTPError

_asking: set[str] = set()
_lock = threading.Lock()


class NoAnswer(Exception):
    """Why there is none, in a few words."""


def answer(
    url: str, send: Callable[[], requests.Response], most_bytes: int, longest_s: float
) -> tuple[int, bytes]:
    """Status and body of what `send` asks `url` for, unpacked by nobody; at most `most_bytes` and one more, which says
    that there is more. Raises `NoAnswer`, also while the call before to this address still hangs."""
    with _lock:
        if url in _asking:
            raise NoAnswer("it still answers the question before")
        _asking.add(url)
    call = _Call(url, send, most_bytes, time.monotonic() + longest_s)
    thread = threading.Thread(target=call.run, name="asking", daemon=True)
    thread.start()
    thread.join(longest_s)
    if thread.is_alive():
        raise NoAnswer("it took too long")
    if call.failure is not None:
        raise NoAnswer(type(call.failure).__name__) from call.failure
    return call.status, call.body


class _Call:
    """One call in a thread of its own: one at a time for each address."""

    def __init__(self, url: str, send: Callable[[], requests.Response], most: int, until: float) -> None:
        self._url = url
        self._send = send
        self._most = most
        self._until = until
        self.status = 0
        self.body = b""
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            self._take()
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            self.failure = error
        finally:
            with _lock:
                _asking.discard(self._url)

    def _take(self) -> None:
        with self._send() as response:
            body = bytearray()
            while len(body) <= self._most:
                if time.monotonic() >= self._until:
                    raise requests.Timeout("there is more to come")  # what came so far is no answer
                more = response.raw.read1(self._most + 1 - len(body), decode_content=False)
                if not more:
                    break
                body += more
            self.status, self.body = response.status_code, bytes(body)

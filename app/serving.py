"""The worker that serves: gunicorn's threads, of which nobody holds one by sending slowly.

A thread reads a request as it comes, and gunicorn waits for as long as that takes: eight clients that begin a request
and send no more would stop a node of eight threads. So a request has `FIRST_S` seconds to arrive, and for what has come
of it as much more as a line of `LEAST_BYTES_PER_S` takes. Time that the node itself takes does not count. What is cut
off is closed like a line that broke: nothing of it is taken in. Where half of the threads wait for slow clients, those
that come then have `BUSY_S`, so that forty of them do not stop the node for as long as they like::

    gunicorn --worker-class app.serving.Worker wsgi:application
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

FIRST_S = 20.0
BUSY_S = 1.0
LEAST_BYTES_PER_S = 10_000.0


@dataclass
class Patience:
    """How many of a process's threads wait for clients, and how many may do so for long."""

    most: int
    _waiting: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def wait(self, first_s: float) -> Iterator[float]:
        """For how long one more may wait: `first_s`, or shortly where so many wait already."""
        with self._lock:
            self._waiting += 1
            busy = self._waiting > self.most
        try:
            yield min(first_s, BUSY_S) if busy else first_s
        finally:
            with self._lock:
                self._waiting -= 1


class Paced:
    """A client's socket whose requests must arrive within a time; in all else the socket itself."""

    def __init__(
        self,
        sock: socket.socket,
        first_s: float = FIRST_S,
        least_bytes_per_s: float = LEAST_BYTES_PER_S,
        patience: Patience | None = None,
    ) -> None:
        self._sock = sock
        self._first_s = first_s
        self._least_bytes_per_s = least_bytes_per_s
        self._patience = patience or Patience(1)
        self._waited_s = 0.0
        self._received = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def begin(self) -> None:
        """A new request begins on a connection that is kept alive."""
        self._waited_s, self._received = 0.0, 0

    def recv(self, size: int) -> bytes:
        """As of a socket; b"", as at the line's end, where the request has had its time.

        A shorter timeout that the socket was given holds, and ends as any socket's: gunicorn waits for a client to
        close its end in the one thread that accepts all others.
        """
        with self._patience.wait(self._first_s) as first_s:
            return self._recv(size, first_s)

    def _recv(self, size: int, first_s: float) -> bytes:
        left_s = first_s + self._received / self._least_bytes_per_s - self._waited_s
        if left_s <= 0:
            return b""
        began, given_s = time.monotonic(), self._sock.gettimeout()
        if given_s is not None and given_s < left_s:
            return self._sock.recv(size)
        self._sock.settimeout(left_s)
        try:
            data = self._sock.recv(size)
        except TimeoutError:
            data = b""
        finally:
            self._sock.settimeout(given_s)
        self._waited_s += time.monotonic() - began
        self._received += len(data)
        return data


class Worker(ThreadWorker):
    """gunicorn's worker of threads, with paced clients."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._patience = Patience(max(1, self.cfg.threads // 2))

    def handle(self, conn: Any) -> Any:
        """Handle a request of a connection, in one of the threads."""
        if not isinstance(conn.sock, Paced):
            conn.sock = Paced(conn.sock, patience=self._patience)
        conn.sock.begin()
        return super().handle(conn)

"""The worker that serves: gunicorn's threads, of which nobody holds one by sending slowly.

A thread reads a request as it comes, and gunicorn waits for as long as that takes: eight clients that begin a request
and send no more would stop a node of eight threads. So a request has `FIRST_S` seconds to arrive, and for what has come
of it as much more as a line of `LEAST_BYTES_PER_S` takes. Time that the node itself takes does not count. What is cut
off is closed like a line that broke: nothing of it is taken in::

    gunicorn --worker-class app.serving.Worker wsgi:application
"""

import socket
import time
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

FIRST_S = 20.0
LEAST_BYTES_PER_S = 10_000.0


class Paced:
    """A client's socket whose requests must arrive within a time; in all else the socket itself."""

    def __init__(
        self,
        sock: socket.socket,
        first_s: float = FIRST_S,
        least_bytes_per_s: float = LEAST_BYTES_PER_S,
    ) -> None:
        self._sock = sock
        self._first_s = first_s
        self._least_bytes_per_s = least_bytes_per_s
        self._waited_s = 0.0
        self._received = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def begin(self) -> None:
        """A new request begins on a connection that is kept alive."""
        self._waited_s, self._received = 0.0, 0

    def recv(self, size: int) -> bytes:
        """As of a socket; b"", as at the line's end, where the request has had its time."""
        left_s = self._first_s + self._received / self._least_bytes_per_s - self._waited_s
        if left_s <= 0:
            return b""
        began = time.monotonic()
        self._sock.settimeout(left_s)
        try:
            data = self._sock.recv(size)
        except TimeoutError:
            data = b""
        finally:
            self._sock.settimeout(None)
        self._waited_s += time.monotonic() - began
        self._received += len(data)
        return data


class Worker(ThreadWorker):
    """gunicorn's worker of threads, with paced clients."""

    def handle(self, conn: Any) -> Any:
        """Handle a request of a connection, in one of the threads."""
        if not isinstance(conn.sock, Paced):
            conn.sock = Paced(conn.sock)
        conn.sock.begin()
        return super().handle(conn)

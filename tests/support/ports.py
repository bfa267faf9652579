"""Ports for the servers that tests start, each given once and to nobody else while the tests run."""

import atexit
import socket

_held: list[socket.socket] = []


def free_port() -> int:
    """A loopback port that nobody listens on: whoever connects is refused until a server takes it, by its number.

    The socket that has it stays open. So the system gives it to nobody who asks for any port, nor to a client as its
    own end; a server may take it, because both allow the address to be used again (socket(7), SO_REUSEADDR).
    """
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _held.append(held)
    return int(held.getsockname()[1])


@atexit.register
def _let_go() -> None:
    for each in _held:
        each.close()

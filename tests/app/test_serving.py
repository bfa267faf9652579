"""Nobody holds a thread of the server by sending slowly."""

import socket

import pytest

from app.serving import Paced


@pytest.fixture
def line():
    """Both ends of a connection: the client's, and the server's as it comes from the system."""
    client, server = socket.socketpair()
    with client, server:
        yield client, server


def test_a_client_that_sends_no_more_is_cut_off(line):
    client, server = line
    paced = Paced(server, first_s=0.05)
    client.sendall(b"GET / HT")
    assert paced.recv(8192) == b"GET / HT"
    assert (paced.recv(8192), paced.recv(8192)) == (b"", b"")
    client.sendall(b"TP/1.1")
    assert paced.recv(8192) == b"", "it has had its time"
    paced.begin()
    assert paced.recv(8192) == b"TP/1.1"
    assert server.gettimeout() is None, "an answer may take its time"


def test_what_has_come_earns_time_for_the_rest(line):
    client, server = line
    paced = Paced(server, first_s=0.0, least_bytes_per_s=1.0)
    assert paced.recv(1) == b""
    paced = Paced(server, first_s=30.0, least_bytes_per_s=0.001)
    client.sendall(b"ab")
    assert (paced.recv(1), paced.recv(1)) == (b"a", b"b")

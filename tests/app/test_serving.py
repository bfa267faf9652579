"""Nobody holds a thread of the server by sending slowly."""

import socket

import pytest

from app.serving import BUSY_S, Paced, Patience


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


def test_a_shorter_timeout_that_the_line_was_given_holds(line):
    """A client that does not close its end after an early answer kept the thread that accepts for twenty seconds."""
    _, server = line
    paced = Paced(server, first_s=5.0)
    paced.settimeout(0.01)
    with pytest.raises(TimeoutError):
        paced.recv(8192)
    assert server.gettimeout() == 0.01, "as it was given"


def test_where_many_wait_those_that_come_then_wait_shortly():
    patience = Patience(2)
    with patience.wait(20.0) as first, patience.wait(20.0) as second:
        with patience.wait(20.0) as third, patience.wait(0.5) as fourth:
            assert (first, second, third, fourth) == (20.0, 20.0, BUSY_S, 0.5)
        with patience.wait(20.0) as next_one:
            assert next_one == BUSY_S
    with patience.wait(20.0) as later:
        assert later == 20.0

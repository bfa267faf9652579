"""The way out to another's responder: no way into our own network, no end without a bound, no redirect followed."""

import ipaddress
import socket
import threading
from contextlib import contextmanager

import pytest

from app.errors import Invalid
from app.vrs import outward
from app.vrs.outward import MOST_AT_ONCE, Address, NoAnswer, Policy, Timeouts, fetch

STRICT = Policy()
LOCAL = Policy(plain_http=True, private=("127.0.0.0/8",))
PATIENT = Timeouts(30, 30)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a00:1::",
    ],
)  # fmt: skip
def test_private_addresses_are_refused_in_every_form(address):
    assert not STRICT.admits(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"]
)
def test_public_addresses_are_not(address):
    assert STRICT.admits(ipaddress.ip_address(address))


def test_networks_that_are_named_are_admitted_and_no_others():
    policy = Policy(private=("10.1.0.0/16", "fc00::/7"))
    assert policy.admits(ipaddress.ip_address("10.1.2.3"))
    assert policy.admits(ipaddress.ip_address("fc00::1"))
    assert not policy.admits(ipaddress.ip_address("10.2.0.1"))


@pytest.mark.parametrize(
    "url",
    [
        "http://verify.example", "ftp://verify.example", "https://", "https://a@verify.example", "https://verify.example?a",
        "https://verify.example#a", "https://verify.example/../x", "https://verify.example/a b", "https://[::1",
        "https://verify.example:70000", "https://vérify.example", "verify.example", "",
    ],
)  # fmt: skip
def test_an_address_of_another_kind_is_refused(url):
    with pytest.raises(Invalid) as error:
        Address.parse(url, STRICT)
    assert error.value.code == "vrs.address"


def test_an_address_is_taken_apart():
    found = Address.parse("https://Verify.example/vrs/", STRICT)
    assert (found.host, found.port, found.tls, found.path) == ("verify.example", 443, True, "/vrs")
    assert found.origin == "verify.example_443"
    assert Address.parse("http://127.0.0.1:8000", LOCAL).port == 8000


def test_the_address_that_a_name_stands_for_is_what_counts():
    with pytest.raises(NoAnswer) as error:
        fetch(Address.parse("https://localhost:9", STRICT), "/", {}, PATIENT, 100)
    assert error.value.code == "address_refused"


@contextmanager
def server(answer):
    """A server on this machine that reads one request and does `answer(connection)`; its address and requests."""
    listening = socket.create_server(("127.0.0.1", 0))
    asked = []

    def serve():
        connection, _ = listening.accept()
        with connection:
            data = b""
            while b"\r\n\r\n" not in data and (more := connection.recv(65536)):
                data += more
            asked.append(data.decode())
            answer(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/vrs", asked
    finally:
        thread.join()
        listening.close()


def get(url, timeouts=PATIENT, most=1000):
    return fetch(
        Address.parse(url, LOCAL),
        "/verify/lot/%2E%2E/ser/a%2FB",
        {"Authorization": "Bearer x"},
        timeouts,
        most,
    )


def test_the_target_goes_out_as_it_was_written():
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with server(lambda connection: connection.sendall(ok)) as (url, asked):
        reply = get(url)
    assert (reply.status, reply.body) == (200, b"{}")
    [request] = asked
    assert request.startswith("GET /vrs/verify/lot/%2E%2E/ser/a%2FB HTTP/1.1\r\n")
    assert "Authorization: Bearer x\r\n" in request
    assert "Connection: close\r\n" in request


def test_a_redirect_is_an_answer_and_not_followed():
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with server(lambda connection: connection.sendall(moved)) as (url, _):
        assert get(url).status == 302


def test_more_than_was_bargained_for_is_not_read():
    much = b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + bytes(1001)
    with server(lambda connection: connection.sendall(much)) as (url, _), pytest.raises(NoAnswer) as error:
        get(url)
    assert error.value.code == "too_large"


def test_what_is_no_http_is_no_answer():
    mail = b"220 mail ready\r\n"
    with server(lambda connection: connection.sendall(mail)) as (url, _), pytest.raises(NoAnswer) as error:
        get(url)
    assert error.value.code == "unreachable"


def test_a_server_that_sends_a_byte_now_and_then_ends_with_the_time_for_all():
    def drip(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        # Until whoever waits hangs up; each byte comes well within the time for one.
        while True:
            try:
                connection.sendall(b"X: y\r\n")
            except OSError:
                return
            if gone.wait(0.05):
                return

    gone = threading.Event()
    with server(drip) as (url, _):
        with pytest.raises(NoAnswer) as error:
            get(url, Timeouts(0.2, 0.2))
        gone.set()
    assert error.value.code in (
        "timeout",
        "unreachable",
    )  # a hundred headers are too many, if that comes first


def test_only_so_many_wait_at_once(monkeypatch):
    monkeypatch.setattr(outward, "_places", threading.BoundedSemaphore(1))
    assert MOST_AT_ONCE > 1
    outward._places.acquire()
    with pytest.raises(NoAnswer) as error:
        get("http://127.0.0.1:9/vrs")
    assert error.value.code == "busy"

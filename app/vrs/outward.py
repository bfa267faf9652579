"""One GET to another company's responder, bounded: who is reached, how long it may take, how much is read.

reply = fetch(Address.parse("https://verify.maker.example/vrs", policy), "/verify/...", headers, timeouts)
reply.status, reply.body

An address in a directory must be no way into our own network: https alone, public addresses alone, the very address
that was checked is the one connected to, and no redirect is followed. Development and tests may name http and private
networks (`Policy`). Standard library alone: a client that rewrites paths would take lots of dots away.
"""

import http.client
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from app.errors import Invalid

MOST_AT_ONCE: Final = 16
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_places = threading.BoundedSemaphore(MOST_AT_ONCE)

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class NoAnswer(Exception):
    """No answer came that could be read. `code`: stable, and kept with the request."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be reached. `private`: networks that count as public, each such as 10.0.0.0/8."""

    plain_http: bool = False
    private: tuple[str, ...] = ()

    def admits(self, address: IpAddress) -> bool:
        """Whether `address` may be connected to."""
        if any(address in network for network in map(ipaddress.ip_network, self.private)):
            return True
        return all(each.is_global and not each.is_multicast for each in _meant(address))


def _meant(address: IpAddress) -> tuple[IpAddress, ...]:
    """The address, and those that are wrapped in it: an IPv6 form of a private address is that address."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    inner: list[IpAddress] = [address]
    if address.sixtofour is not None:
        inner.append(address.sixtofour)
    if address.teredo is not None:
        inner += address.teredo
    if address in _NAT64:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return tuple(inner)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long connecting (TLS included) and answering may each take, in seconds; together they end it all."""

    connect_s: float = 1.0
    answer_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where a responder is: its URL up to the path that `/verify` follows."""

    url: str
    host: str
    port: int
    tls: bool
    path: str
    policy: Policy = field(repr=False)

    @classmethod
    def parse(cls, url: str, policy: Policy) -> "Address":
        """Read the URL of a responder. Raises `Invalid` for what this node would not ask."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise _refused(url, str(error)) from error
        tls = parts.scheme == "https"
        if not tls and not (parts.scheme == "http" and policy.plain_http):
            raise _refused(url, "its scheme must be https")
        if not parts.hostname or not parts.hostname.isascii() or "@" in parts.netloc:
            raise _refused(url, "it must name a host, and no user")
        if parts.query or parts.fragment or not _PATH.fullmatch(parts.path.rstrip("/")) or ".." in parts.path:
            raise _refused(url, "it has a path of plain words at most, and nothing behind it")
        return cls(url, parts.hostname, port or (443 if tls else 80), tls, parts.path.rstrip("/"), policy)

    @property
    def origin(self) -> str:
        """Host and port: what a credential is for."""
        return f"{self.host.lower()}_{self.port}"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whatever its status is."""

    status: int
    body: bytes


def fetch(
    address: Address, target: str, headers: Mapping[str, str], timeouts: Timeouts, most_bytes: int
) -> Reply:
    """GET `target` (an origin-form path and query) below `address`. Raises `NoAnswer`."""
    if not _places.acquire(blocking=False):
        raise NoAnswer("busy", f"{MOST_AT_ONCE} other questions wait for their answers")
    call = _Call(address, target, headers, timeouts, most_bytes)
    thread = threading.Thread(target=call.run, name="vrs-ask", daemon=True)
    thread.start()
    # Looking a name up has no time-out of its own, and a server may send a byte a second.
    thread.join(timeouts.connect_s + timeouts.answer_s)
    if thread.is_alive():
        call.abandon()
        raise NoAnswer("timeout", "it took too long")
    if call.failure is not None:
        raise call.failure
    assert call.reply is not None
    return call.reply


class _Call:
    """One request in a thread of its own, which may outlive whoever waits for it."""

    def __init__(
        self, address: Address, target: str, headers: Mapping[str, str], timeouts: Timeouts, most_bytes: int
    ) -> None:
        self._address = address
        self._target = target
        self._headers = headers
        self._timeouts = timeouts
        self._most_bytes = most_bytes
        self._connection: _Pinned | None = None
        self.reply: Reply | None = None
        self.failure: NoAnswer | None = None

    def run(self) -> None:
        try:
            self.reply = self._get()
        except NoAnswer as error:
            self.failure = error
        except TimeoutError:
            self.failure = NoAnswer("timeout", "it took too long")
        except ssl.SSLError as error:
            self.failure = NoAnswer("tls", f"no secure connection: {error.reason}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.failure = NoAnswer("unreachable", f"no answer: {type(error).__name__}")
        finally:
            _places.release()

    def abandon(self) -> None:
        """End it: what still comes is read by nobody."""
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def _get(self) -> Reply:
        address = self._address
        self._connection = connection = _Pinned(address, _resolved(address), self._timeouts)
        try:
            connection.request(
                "GET", address.path + self._target, headers={**self._headers, "Connection": "close"}
            )
            response = connection.getresponse()
            body = response.read(self._most_bytes + 1)
            if len(body) > self._most_bytes:
                raise NoAnswer("too_large", f"it answered with more than {self._most_bytes} bytes")
            return Reply(response.status, body)
        finally:
            connection.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to an address that was looked at, under the name that it goes by."""

    def __init__(self, address: Address, ip: str, timeouts: Timeouts) -> None:
        super().__init__(address.host, address.port, timeout=timeouts.answer_s)
        self.default_port = 443 if address.tls else 80
        self._pinned_address = address
        self._ip = ip
        self._timeouts = timeouts

    def connect(self) -> None:
        address = self._pinned_address
        self.sock = socket.create_connection((self._ip, address.port), self._timeouts.connect_s)
        if address.tls:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=address.host)
        self.sock.settimeout(self._timeouts.answer_s)


def _resolved(address: Address) -> str:
    """An IP address of the host that may be connected to. Raises `NoAnswer`."""
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NoAnswer("unreachable", "its name is not known") from error
    for _family, _type, _protocol, _name, where in found:
        ip = str(where[0])
        if address.policy.admits(ipaddress.ip_address(ip.partition("%")[0])):
            return ip
    raise NoAnswer("address_refused", "its address is a private one; docs/reference/settings.md tells more")


def _refused(url: str, why: str) -> Invalid:
    return Invalid(
        "vrs.address",
        "This is no address of a responder",
        f"{url!r}: {why}",
        "write https://verify.maker.example",
    )

"""A witness as a small service of its own: a folder, two keys, the logs it follows, and no database.

In the folder::

    witness.json     {"name": "witness.example/w1"}      logs             the logs it follows, a C2SP tlog-policy
    keys/            made on first use                   heads/ cosigned/ conflicts/     see `ledger.witness.state`

``GET /`` tells who it is, ``GET /<origin hash>/checkpoint`` the latest head cosigned, ``POST /add-checkpoint`` is C2SP
tlog-witness. `logs` is read again when it changes. gunicorn serves it: ``app.witness.standalone:create('FOLDER')``.
"""

import ipaddress
import json
import sys
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from werkzeug.middleware.proxy_fix import ProxyFix

from app.config import Settings
from app.errors import AppError
from app.node.keys import Passphrase, passphrase_in
from app.shared.clock import Clock, SystemClock
from app.witness.keys import cosigners, lock
from app.witness.policies import read_policy, watched
from ledger.errors import LedgerError
from ledger.evidence.handover import Handover
from ledger.log.cosignature import CosignatureSigner
from ledger.log.note import NoteVerifier, check_name
from ledger.log.policy import LogPolicy, PolicyLog
from ledger.signing.durable import locked, make_folder, write_whole
from ledger.witness.request import MAX_REQUEST_BYTES
from ledger.witness.state import StateFolder
from ledger.witness.witness import PLAIN, Answer, Witness, logs_of

REQUESTS_A_MINUTE: Final = 600
_ADDRESSES: Final = 10_000
_MINUTE_S: Final = 60.0
_MOST_TEXT: Final = 64

Start = Callable[[str, list[tuple[str, str]]], Any]


class WitnessFolder:
    """The folder of one witness. Made by `made`, found again by `opened`."""

    def __init__(self, path: Path, name: str, passphrase: Passphrase = lambda: None) -> None:
        self.path = path
        self.name = name
        self._passphrase = passphrase

    @classmethod
    def made(cls, path: Path, name: str | None, passphrase: Passphrase = lambda: None) -> "WitnessFolder":
        """The witness in `path`, made under `name` where there is none; `passphrase` locks its keys. Raises
        `AppError`."""
        if (path / "witness.json").exists():
            found = cls.opened(path, passphrase)
            if name not in (None, found.name):
                raise AppError(
                    "witness.name", 409, f"{path} is the witness {found.name}", "", "Take another folder."
                )
            return found
        if name is None:
            raise AppError(
                "witness.name", 400, f"{path} holds no witness yet", "", "Give it a name: --name NAME"
            )
        try:
            check_name(name)
            make_folder(path)
            with locked(path):
                if not (path / "logs").exists():
                    write_whole(path / "logs", LogPolicy().text().encode())
                write_whole(path / "witness.json", json.dumps({"name": name}).encode())
        except LedgerError as error:
            raise AppError("witness.name", 400, "That cannot name a witness", error.message) from error
        return cls.opened(path, passphrase)

    @classmethod
    def opened(cls, path: Path, passphrase: Passphrase = lambda: None) -> "WitnessFolder":
        """The witness in `path`. Raises `AppError`."""
        try:
            name = check_name(json.loads((path / "witness.json").read_bytes())["name"])
            return cls(path, name, passphrase)
        except (OSError, ValueError, KeyError, TypeError, LedgerError) as error:
            raise AppError("witness.folder", 400, f"{path} is no witness's folder", str(error)) from error

    @property
    def keys(self) -> list[NoteVerifier]:
        """What checks its cosignatures. Raises `AppError` where its keys are locked by another passphrase."""
        return [signer.verifier for signer in self.signers()]

    def signers(self) -> list[CosignatureSigner]:
        """What it cosigns with; made on first use. Raises `AppError`."""
        return cosigners(self.path / "keys", self.name, self._passphrase())

    def lock_keys(self) -> list[str]:
        """Lock those of its key files that lie in clear; their names. Raises `AppError`."""
        return lock(self.path / "keys", self._passphrase())

    def logs(self) -> LogPolicy:
        """The logs it follows."""
        return read_policy(self.path / "logs")

    def follow(self, logs: Iterable[PolicyLog]) -> int:
        """Follow more logs; how many were new. Raises `AppError`."""
        with locked(self.path):
            policy = self.logs()
            known = {log.key for log in policy.logs}
            new = [log for log in logs if log.key not in known]
            text = LogPolicy((*policy.logs, *new)).text().encode("utf-8", "surrogateescape")
            try:
                LogPolicy.parse(text)
            except LedgerError as error:
                raise AppError("witness.logs", 400, "These logs cannot be followed", error.message) from error
            if new:
                write_whole(self.path / "logs", text)
            return len(new)

    def hand_over(self, data: bytes) -> NoteVerifier:
        """Follow the log of a handover by the key that it leads to, instead of the one before; that key.

        Raises `AppError` where it leads on from no key that is followed here, or proves nothing.
        """
        with locked(self.path):
            policy = self.logs()
            try:
                handover = Handover.parse(data)
                known = [log for log in policy.logs if log.key == handover.present]
                if not known:
                    raise AppError(
                        "witness.handover", 400, "No log is followed by that key", str(handover.present)
                    )
                handover.prove(known[0].key)
            except LedgerError as error:
                raise AppError(
                    "witness.handover", 400, "This handover proves nothing", error.message
                ) from error
            others = [log for log in policy.logs if log.key not in (handover.present, handover.following)]
            logs = (*others, PolicyLog(handover.following, known[0].url))
            write_whole(self.path / "logs", LogPolicy(logs).text().encode("utf-8", "surrogateescape"))
            return handover.following


class Throttle:
    """How often one caller may ask: so many times a minute, counted in this process.

    Behind a proxy the address is that of the caller, as `behind` has it; else all callers would share one. An IPv6
    caller is its network of 64 bits: whoever has one address of it has them all. At most `addresses` callers are
    remembered; beyond, whoever has not asked for longest is forgotten. A request takes the same time however many
    there are.
    """

    def __init__(
        self, most: int, now: Callable[[], float] = time.monotonic, addresses: int = _ADDRESSES
    ) -> None:
        self._most = most
        self._now = now
        self._addresses = addresses
        self._lock = threading.Lock()
        self._seen: OrderedDict[str | int, deque[float]] = OrderedDict()  # who asked last stands last

    def __len__(self) -> int:
        """How many callers are remembered."""
        return len(self._seen)

    def passes(self, address: str) -> bool:
        """Whether one more request of this address is within the limit."""
        caller = _caller(address)
        with self._lock:
            now = self._now()
            times = self._seen.pop(caller, None) or deque(maxlen=self._most)
            self._forget(now)
            self._seen[caller] = times
            if len(times) == self._most and now - times[0] < _MINUTE_S:
                return False
            times.append(now)
            return True

    def _forget(self, now: float) -> None:
        """Make room for one: up to two that have not asked for a minute go, and one in any case where all is full."""
        for _ in range(2):
            oldest = next(iter(self._seen), None)
            if oldest is None:
                return
            if len(self._seen) < self._addresses and now - self._seen[oldest][-1] < _MINUTE_S:
                return
            del self._seen[oldest]


def _caller(address: str) -> str | int:
    """What requests of an address are counted by: an IPv4 address, the upper 64 bits of an IPv6 one, or other text."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:_MOST_TEXT]
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped) if found.ipv4_mapped else int(found) >> 64
    return str(found)


class Service:
    """The witness as a WSGI application."""

    def __init__(
        self, folder: WitnessFolder, clock: Clock, requests_a_minute: int = REQUESTS_A_MINUTE
    ) -> None:
        signers = folder.signers()
        policy = watched(folder.path / "logs")
        self._folder = StateFolder(folder.path)
        self._witness = Witness(self._folder, signers, lambda: logs_of(policy().log_keys), clock.now)
        self._about = "".join(f"{signer.verifier}\n" for signer in signers).encode()
        self._throttle = Throttle(requests_a_minute)

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Answer one request."""
        answer = self._answer(environ)
        start(
            f"{answer.status.value} {answer.status.phrase}",
            [
                ("Content-Type", answer.content_type),
                ("Content-Length", str(len(answer.body))),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )
        return [answer.body]

    def _answer(self, environ: dict[str, Any]) -> Answer:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        if path == "/add-checkpoint":
            if method != "POST":
                return _plain(HTTPStatus.METHOD_NOT_ALLOWED, "POST it")
            return self._add_checkpoint(environ)
        if method not in ("GET", "HEAD"):
            return _plain(HTTPStatus.NOT_FOUND, "no such thing")
        if path == "/":
            return Answer(HTTPStatus.OK, self._about)
        name, slash, rest = path[1:].partition("/")
        found = self._folder.cosigned(name) if slash and rest == "checkpoint" else None
        return (
            _plain(HTTPStatus.NOT_FOUND, "no such thing") if found is None else Answer(HTTPStatus.OK, found)
        )

    def _add_checkpoint(self, environ: dict[str, Any]) -> Answer:
        if not self._throttle.passes(environ.get("REMOTE_ADDR", "")):
            return _plain(HTTPStatus.TOO_MANY_REQUESTS, "ask less often")
        try:
            answer = self._witness.add_checkpoint(environ["wsgi.input"].read(MAX_REQUEST_BYTES + 1))
        except (LedgerError, AppError) as error:
            sys.stderr.write(f"packproof ledger witness: {error}\n")
            return _plain(HTTPStatus.SERVICE_UNAVAILABLE, "nothing was cosigned")
        if answer.conflict is not None:
            sys.stderr.write(f"packproof ledger witness: A LOG SIGNED TWO HISTORIES: {answer.conflict}\n")
        return answer


def create(folder: str, proxies: int = 0) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    """The application for the witness in `folder`, behind so many proxies whose X-Forwarded-For is believed. Its keys
    are opened by the passphrase of the settings."""
    opened = WitnessFolder.opened(Path(folder), passphrase_in(Settings.from_env()))
    return behind(Service(opened, SystemClock()), proxies)


def behind(service: Service, proxies: int) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    """`service` as it sees its callers: by the address that the outermost of `proxies` trusted proxies saw.

    What stands further left in X-Forwarded-For is the caller's own word and counts for nothing.
    """
    return ProxyFix(service, x_for=proxies, x_proto=0, x_host=0) if proxies else service


def command(folder: Path, host: str, port: int, threads: int, root: Path, proxies: int = 0) -> Sequence[str]:
    """The command line that serves it."""
    # A literal inside a call is the one form of argument that gunicorn passes on.
    application = f"app.witness.standalone:create({str(folder)!r}, {proxies:d})"
    return [
        *(
            sys.executable,
            "-m",
            "gunicorn",
            "--worker-class",
            "app.serving.Worker",
            "--bind",
            f"{host}:{port}",
        ),
        *("--workers", "1", "--threads", str(threads), "--pythonpath", str(root)),
        *("--log-level", "warning", "--no-control-socket", application),
    ]


def _plain(status: HTTPStatus, text: str) -> Answer:
    return Answer(status, f"{text}\n".encode(), PLAIN)

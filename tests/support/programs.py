"""Python programs as processes of their own, without the second that each takes to load the node.

One process a session has loaded what the programs need; a program is forked from it, is given its command line,
environment, folder and streams, and then runs as ``python -m`` or ``python -c`` would run it: with exit status, signals
and an end of its own::

    done = run("-m", "app.cli", "user", "list", env=environment)       # as subprocess.run, its output captured
    server = start("-m", "gunicorn", "wsgi:application", env=..., cwd=...)
    server.wait(20)

What a start itself does, such as which modules it loads, needs `subprocess` and a Python of its own.

A request is one packet on a socket, JSON with four file descriptors: standard input, output and error, and a socket on
which its number goes back, and at its end its status.
"""

import atexit
import contextlib
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TextIO

from tests.support.patience import PATIENCE_S
from tests.support.shared import ROOT

PACKET_BYTES = 128 * 1024
PRELOADED = (
    "app.capture.api",
    "app.cli",
    "app.errors",
    "app.log.cli",
    "app.partners.cli",
    "app.people.cli",
    "app.proofs.cli",
    "app.verification.api",
    "app.web",
    "app.web.limits",
    "flask_smorest",
    "gunicorn.app.wsgiapp",
    "gunicorn.workers.gthread",
    "scanner.cli",
)
"""What most programs load. Not ``wsgi``, which makes the node of whatever settings it finds."""


@dataclass
class Program:
    """A process that was started."""

    pid: int
    channel: socket.socket
    stdout: TextIO | None = field(default=None)
    returncode: int | None = field(default=None)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, or minus the signal that ended it. Raises `TimeoutError`."""
        if self.returncode is None:
            self.channel.settimeout(timeout)
            told = self.channel.recv(64)
            self.returncode = int(told) if told else -signal.SIGKILL  # nobody is left to tell
            self.channel.close()
        return self.returncode

    def communicate(self, timeout: float | None = None) -> str:
        """What is left of its standard output, once it has ended."""
        assert self.stdout is not None
        with self.stdout:
            rest = self.stdout.read()
        self.wait(timeout)
        return rest

    def poll(self) -> int | None:
        """Its exit status, or None while it runs."""
        with contextlib.suppress(TimeoutError, BlockingIOError):
            self.wait(0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The process that programs are forked from; started when the first is asked for."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(self, request: Mapping[str, object], streams: Sequence[int]) -> Program:
        """Have a program forked."""
        if self._control is None:
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                command = [sys.executable, "-m", __name__, str(theirs.fileno())]
                self._process = subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()])
        mine, its = socket.socketpair()
        with its:
            socket.send_fds(self._control, [json.dumps(request).encode()], [*streams, its.fileno()])
        mine.settimeout(PATIENCE_S)
        told = mine.recv(8)
        if not told:
            mine.close()
            raise OSError("the process that programs are forked from has ended")
        return Program(int(told), mine)

    def end(self) -> None:
        """Let the process go; what it forked goes on."""
        control, self._control = self._control, None
        if control is not None and self._process is not None:
            control.close()
            self._process.wait(PATIENCE_S)


_NURSERY = Nursery()


def pytest_sessionfinish() -> None:
    """No process outlives the tests."""
    _NURSERY.end()


def start(
    *command: object,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
    new_session: bool = False,
) -> Program:
    """Run ``python COMMAND``, where the command is ``-m MODULE ...`` or ``-c PROGRAM ...``.

    A stream that is not given is the null device; `stdout` may be `subprocess.PIPE`, whose end is then the program's
    `stdout`. `new_session` makes it the leader of a process group.
    """
    assert command[0] in {"-m", "-c"}
    environment = dict(os.environ if env is None else env)
    request = {
        "command": [str(word) for word in command],
        "env": environment,
        "cwd": str(cwd),
        "session": new_session,
    }
    with contextlib.ExitStack() as stack:
        nowhere = os.open(os.devnull, os.O_RDWR)
        stack.callback(os.close, nowhere)
        heard = None
        if stdout == subprocess.PIPE:
            ours, stdout = os.pipe()
            heard = os.fdopen(ours, encoding="utf-8")
            stack.callback(os.close, stdout)
        streams = [nowhere if stream is None else stream for stream in (stdin, stdout, stderr)]
        try:
            program = _NURSERY.start(request, streams)
        except BaseException:
            if heard is not None:
                heard.close()
            raise
    program.stdout = heard
    return program


def run(
    *command: object,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    given: str = "",
    timeout: float = PATIENCE_S,
) -> subprocess.CompletedProcess[str]:
    """Run ``python COMMAND`` to its end with `given` on its standard input; its output as text."""
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
        files[0].write(given.encode())
        files[0].seek(0)
        program = start(
            *command,
            env=env,
            cwd=cwd,
            stdin=files[0].fileno(),
            stdout=files[1].fileno(),
            stderr=files[2].fileno(),
        )
        try:
            status = program.wait(timeout)
        finally:
            program.kill()
        for file in files[1:]:
            file.seek(0)
        out, err = (file.read().decode() for file in files[1:])
    return subprocess.CompletedProcess([str(word) for word in command], status, out, err)


# What follows runs in the process that programs are forked from, and in the programs.


def _become(request: Mapping[str, Any], fds: Sequence[int]) -> NoReturn:
    """Be the program that is asked for, to its end.

    What is left out is how Python itself ends when its output cannot be written: that needs one of its own.
    """
    if request["session"]:
        os.setsid()
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
        os.close(fd)
    sys.stdin = sys.__stdin__ = os.fdopen(0, encoding="utf-8", closefd=False)  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", encoding="utf-8", closefd=False)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = os.fdopen(  # type: ignore[misc]
        2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
    )
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    for each in reversed(os.environ.get("PYTHONPATH", "").split(os.pathsep)):
        if each and each not in sys.path:
            sys.path.insert(0, each)
    status = 1
    try:
        _run(*request["command"])
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if not isinstance(end.code, int | None):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        # As Python itself ends, but for taking every module apart, which takes as long as loading them did.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _run(how: str, what: str, *words: str) -> None:
    if how == "-c":
        sys.argv = ["-c", *words]
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(what, "<string>", "exec"), main.__dict__)
    else:
        sys.argv = [what, *words]
        sys.modules.pop(what, None)  # or runpy warns that it has been imported already
        runpy.run_module(what, run_name="__main__", alter_sys=True)


def _reap(alive: dict[int, socket.socket]) -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            channel = alive.pop(pid)
            with contextlib.suppress(OSError):  # nobody wants to know any more
                channel.send(str(os.waitstatus_to_exitcode(status)).encode())
            channel.close()


def _serve(control: socket.socket) -> None:
    """Fork what is asked for, until nobody can ask any more."""
    for name in PRELOADED:
        importlib.import_module(name)
    alive: dict[int, socket.socket] = {}
    awake, wake = socket.socketpair()
    awake.setblocking(False)
    wake.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)

    while True:
        ready, _, _ = select.select([control, awake], [], [])
        if awake in ready:
            awake.recv(4096)
            _reap(alive)
        if control not in ready:
            continue
        data, fds, _, _ = socket.recv_fds(control, PACKET_BYTES, 4)
        if not data:
            return
        channel = socket.socket(fileno=fds.pop())
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for inherited in (control, awake, wake, channel, *alive.values()):
                inherited.close()
            _become(json.loads(data), fds)
        alive[pid] = channel
        channel.send(b"%d" % pid)
        for fd in fds:
            os.close(fd)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))

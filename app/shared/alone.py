"""One worker of however many does something: whoever has the lock on a file, for as long as it lives.

A thread does not outlive a fork, so work in the background begins with a request, in each worker, once::

    self._begun = OncePerProcess()
    app.before_request(lambda: self._begun.thread(self._run, "cosign"))      # and in `_run`: while not alone(lock): ...
"""

import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path


def alone(lock: Path) -> bool:
    """Take the lock for as long as this process lives; whether it was free. It is not where its folder is not there:
    a node that was not initialised yet has nothing to do."""
    try:
        file = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return False
    return True


class OncePerProcess:
    """Starts a thread the first time it is asked in a process, and again in one that was forked from it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started_in = 0

    def thread(self, run: Callable[[], None], name: str) -> None:
        """Start `run` in a thread of its own that ends with the process, if none was started here."""
        if self._started_in == os.getpid():
            return
        with self._lock:
            if self._started_in != os.getpid():
                self._started_in = os.getpid()
                threading.Thread(target=run, name=name, daemon=True).start()

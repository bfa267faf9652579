"""One worker of however many does something: whoever has the lock on a file, for as long as it lives."""

import fcntl
import os
from pathlib import Path


def alone(lock: Path) -> bool:
    """Take the lock for as long as this process lives; whether it was free."""
    file = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return False
    return True

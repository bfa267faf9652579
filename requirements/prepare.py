"""Sets up `.venv`, so that `make demo` and `make test` need nothing but Python, make and a network.

``python3 requirements/prepare.py demo`` installs `demo.lock` and this project into `.venv`; ``test`` installs
`dev.lock`, which contains all of `demo.lock` in the same versions. What was set up is written into
`.venv/.demo-ready` and `.venv/.test-ready`: a digest of the lock, of the project's metadata, of the interpreter and of
where the project lies. While that digest stands, setting up again does nothing, in a blink and without a network.

It runs before anything is installed, on whatever `python3` is: standard library only, and a syntax that old versions
still read, so that they can say what is wrong in words. Exit status: 0 ready, 1 cannot be, 130 interrupted.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = {"demo": "demo.lock", "test": "dev.lock"}
METADATA = ("setup.cfg", "pyproject.toml", "requirements/prepare.py")
# Present while packages are being copied: found at the start, it tells of a run that was killed half-way.
UNFINISHED = VENV / ".installing"
OLDEST = (3, 11)
KNOWN = ("python3.14", "python3.13", "python3.12", "python3.11")
EXIT_FAILED, EXIT_INTERRUPTED = 1, 130
STEP = 20  # packages between two lines of progress, where the output is no terminal


class CannotPrepare(Exception):
    """The machine lacks something that this program cannot make; the text says what, and what to do."""


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(purpose: str) -> int:
    """Make `.venv` ready for `purpose` ('demo' or 'test'); the exit status."""
    try:
        _use_new_enough_python(purpose)
        # Two makes at once take turns; where the file system cannot lock, they had better not meet.
        with Path(__file__).open("rb") as turn:
            with contextlib.suppress(OSError):
                fcntl.flock(turn, fcntl.LOCK_EX)
            _prepare(purpose)
    except CannotPrepare as error:
        say(f"\nSetting up stopped: {error}")
        return EXIT_FAILED
    except OSError as error:
        say(f"\nSetting up stopped: {error.filename or ROOT}: {error.strerror or error}.")
        say("The project's folder must be yours to write, with about 1 GB free.")
        return EXIT_FAILED
    except KeyboardInterrupt:
        say("\nStopped. The same command goes on from here.")
        return EXIT_INTERRUPTED
    return 0


def _use_new_enough_python(purpose: str) -> None:
    if sys.version_info >= OLDEST:
        return
    for name in KNOWN:
        found = shutil.which(name)
        if found:
            os.execv(found, [found, __file__, purpose])  # noqa: S606 - a Python from the PATH, as asked
    have = ".".join(map(str, sys.version_info[:3]))
    raise CannotPrepare(
        f"Packproof needs Python {OLDEST[0]}.{OLDEST[1]} or later, and {sys.executable} is {have}.\n"
        "Install a newer one (Debian 12 or Ubuntu 24.04 and later: apt-get install python3 python3-venv),\n"
        f"or name the one you have: make {purpose} PYTHON=/path/to/python3.12"
    )


def _prepare(purpose: str) -> None:
    wanted = {name: _fingerprint(lock) for name, lock in LOCKS.items()}
    if _stands() and _read(_stamp(purpose)) == wanted[purpose]:
        return
    started = time.monotonic()
    say(f"Setting up what the {purpose} needs, once, in .venv (a minute or two with a good network) ...")
    if not _stands():
        _make_venv()
    for name in LOCKS:
        with contextlib.suppress(FileNotFoundError):
            _stamp(name).unlink()
    UNFINISHED.touch()
    _install_lock(LOCKS[purpose])
    _install_project()
    # What the tests need contains what the demo needs.
    for name in LOCKS if purpose == "test" else (purpose,):
        _stamp(name).write_text(wanted[name], encoding="ascii")
    UNFINISHED.unlink()
    say(f"Set up in {time.monotonic() - started:.0f} s; from now on it starts at once.\n")


def _stamp(purpose: str) -> Path:
    return VENV / f".{purpose}-ready"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""


def _fingerprint(lock: str) -> str:
    """What `.venv` depends on, as one digest. The place is part of it: a moved `.venv` points to where it was."""
    digest = hashlib.sha256()
    for part in (str(ROOT), sys.base_prefix, sys.version):
        digest.update(part.encode("utf-8", "surrogateescape") + b"\0")
    for name in (*METADATA, f"requirements/{lock}"):
        digest.update((ROOT / name).read_bytes() + b"\0")
    return digest.hexdigest()


def _stands() -> bool:
    """Whether `.venv` is whole, here, and of this interpreter."""
    if UNFINISHED.exists() or not os.access(PYTHON, os.X_OK) or not (VENV / "pyvenv.cfg").is_file():
        return False
    library = VENV / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    scripts = [VENV / "bin" / name for name in ("pip", "packproof") if (VENV / "bin" / name).exists()]
    return library.is_dir() and all(_starts_here(script) for script in scripts)


def _starts_here(script: Path) -> bool:
    with script.open("rb") as lines:
        return os.fsencode(str(VENV)) in lines.read(4096)


def _base_python() -> str:
    # Whoever has activated .venv runs this file by a Python that is about to be replaced.
    return getattr(sys, "_base_executable", None) or sys.executable


def _make_venv() -> None:
    if VENV.is_symlink() or VENV.is_file():
        VENV.unlink()
    elif VENV.exists():
        say("  what lies in .venv is unfinished, moved or of another Python: making it anew")
        shutil.rmtree(VENV)
    say(f"  making .venv with Python {'.'.join(map(str, sys.version_info[:3]))}")
    bare = _run([_base_python(), "-c", "import ensurepip"]).returncode != 0
    made = _run([_base_python(), "-m", "venv", *(["--without-pip"] if bare else []), str(VENV)])
    if made.returncode and not bare:
        # A Debian half-way between two versions has ensurepip without the wheels it unpacks.
        shutil.rmtree(VENV, ignore_errors=True)
        made = _run([_base_python(), "-m", "venv", "--without-pip", str(VENV)])
    if made.returncode:
        raise CannotPrepare(f"{_base_python()} -m venv failed: {_last_words(made.stdout)}\n{_advice()}")


def _advice() -> str:
    return (
        "On Debian and Ubuntu one line as root brings what is missing:\n"
        "  apt-get update && apt-get install -y python3-venv\n"
        "Then run the same command again."
    )


def _pip() -> "list[str]":
    """The command that installs into `.venv`: its own pip, or where there is none, the system's."""
    if _run([str(PYTHON), "-m", "pip", "--version"]).returncode == 0:
        return [str(PYTHON), "-m", "pip"]
    if _run([_base_python(), "-m", "pip", "--python", str(PYTHON), "--version"]).returncode == 0:
        return [_base_python(), "-m", "pip", "--python", str(PYTHON)]
    if _borrow_pip_from_apt():
        return [str(PYTHON), "-m", "pip"]
    raise CannotPrepare(f"there is no pip to fetch packages with.\n{_advice()}")


def _borrow_pip_from_apt() -> bool:
    """Put the pip of Debian's own package into `.venv`, without being root and leaving the system as it is.

    Debian's python3 comes without pip and without what `venv` unpacks it from. apt-get can read its signed lists and
    fetch one package into folders of anyone's; the package holds pip as a wheel, and a wheel of pip installs itself.
    """
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return False
    say(
        "  this Python came without pip: fetching Debian's package of it into .venv (nothing else is touched)"
    )
    place = VENV / "apt"
    for part in ("state/lists/partial", "cache/archives/partial"):
        (place / part).mkdir(parents=True, exist_ok=True)
    options = {
        "Dir::State": place / "state",
        "Dir::State::status": "/var/lib/dpkg/status",
        "Dir::Cache": place / "cache",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "",
    }
    apt = ["apt-get", "-q", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]
    try:
        for command in ([*apt, "update"], [*apt, "download", "python3-pip-whl"]):
            if _run(command, place).returncode:
                return False
        for package in place.glob("*.deb"):
            _run(["dpkg-deb", "-x", str(package), str(place)])
        wheels = list((place / "usr/share/python-wheels").glob("pip-*.whl"))
        if not wheels:
            return False
        install = [str(PYTHON), str(wheels[0] / "pip"), "install", "--no-index", str(wheels[0])]
        return _run(install).returncode == 0
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _environment() -> "dict[str, str]":
    """The caller's environment, less what would make pip or Python look elsewhere than into `.venv`."""
    dropped = ("PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {
        **kept,
        "PIP_USER": "0",
        "PIP_NO_INPUT": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "LC_ALL": "C.UTF-8",
    }


def _run(command: "list[str]", folder: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own words
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=_environment(),
        cwd=str(folder),
        check=False,
    )


def _install_lock(lock: str) -> None:
    path = ROOT / "requirements" / lock
    about = len(re.findall(r"^[a-z0-9]", path.read_text(encoding="utf-8"), re.MULTILINE))
    # Wheels only: nothing that was downloaded is run while installing, and no compiler is needed.
    command = [*_pip(), "install", "--require-hashes", "--only-binary", ":all:", "-r", str(path)]
    progress = Progress(about)
    heard = []
    with subprocess.Popen(  # noqa: S603 - our own words
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=_environment(),
        cwd=str(ROOT),
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            heard.append(line)
            progress.hear(line)
    progress.end()
    if process.returncode:
        # pip ended by itself and took back what it had begun: what stands may stay.
        UNFINISHED.unlink()
        raise CannotPrepare(
            f"the packages of requirements/{lock} could not be installed. pip says:\n"
            f"{_last_words(''.join(heard))}\n"
            "Most often the network is missing or a proxy is in between; the same command goes on from here."
        )


def _install_project() -> None:
    say("  putting the packproof commands into .venv/bin")
    made = _run(
        [*_pip(), "install", "--no-build-isolation", "--no-deps", "--no-index", "--editable", str(ROOT)]
    )
    if made.returncode:
        raise CannotPrepare(f"packproof itself could not be installed. pip says:\n{_last_words(made.stdout)}")


def _last_words(text: str) -> str:
    """The lines of a program's output that tell why it failed."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"\s*(ERROR|error|OSError)\b", line)]
    return "\n".join("  " + line.strip() for line in (errors or lines)[-8:])


class Progress:
    """Tells pip's work in short: one line that changes on a terminal, now and then a line elsewhere."""

    def __init__(self, about: int) -> None:
        self._about = about
        self._seen = 0
        self._live = sys.stdout.isatty()

    def hear(self, line: str) -> None:
        """Take one line of pip's output."""
        match = re.match(r"(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9._-]+)", line)
        if match:
            self._seen += 1
            text = f"  fetching packages: {self._seen} of about {self._about} ({match[1]})"
            if self._live:
                sys.stdout.write("\r\x1b[K" + text)
                sys.stdout.flush()
            elif self._seen % STEP == 1:
                say(text)
        elif line.startswith("Installing collected packages"):
            self.end()
            say("  installing them")

    def end(self) -> None:
        """Leave the line that changes."""
        if self._live:
            sys.stdout.write("\r\x1b[K")
            sys.stdout.flush()


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in LOCKS:
        sys.exit(f"usage: {sys.argv[0]} {{{','.join(LOCKS)}}}")
    sys.exit(main(sys.argv[1]))

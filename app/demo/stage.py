"""Where the story plays: folders, the node's process, and the companies' own programs.

Nothing here reaches behind the product's back. The companies run ``packproof`` and ``packproof-scan`` as anybody
would, the node is gunicorn on a port of its own, people use the pages over HTTP. Each party's keys lie in its own
folder; the node's folder never holds one.
"""

import contextlib
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from app import cli
from app.demo.world import Company
from app.errors import AppError
from ledger.store.sql.engine import sqlite_driver

ORIGIN = "packproof.example/demo"
KEY_ENDED = "key-ended"
"""The code by which a bench tells that its node takes its token no more."""
MARKER = "made by packproof demo; removed and made again by each run\n"


class StoryBroke(AppError):
    """A step of the story did not do what it must: the demo is broken, and says where."""

    def __init__(self, what: str, told: str = "") -> None:
        super().__init__("demo.broke", 500, what, told, "This is a fault of Packproof's: please report it.")


@dataclass
class Stage:
    """One run's folders and processes."""

    root: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    passwords: dict[str, str] = field(default_factory=dict)

    def clear(self) -> None:
        """Begin with empty folders. Refuses to remove what no demo has made."""
        marker = self.root / "README"
        if self.root.exists() and any(self.root.iterdir()) and not marker.exists():
            raise AppError(
                "demo.folder", 409, f"{self.root} holds something else", "", "Choose another: --dir FOLDER"
            )
        shutil.rmtree(self.root, ignore_errors=True)
        for name in ("node", "labels", "parties"):
            (self.root / name).mkdir(parents=True)
        marker.write_text(MARKER)

    @property
    def node(self) -> Path:
        return self.root / "node"

    @property
    def labels(self) -> Path:
        return self.root / "labels"

    def home(self, company: Company) -> Path:
        """A company's own folder, with its root key and its bench."""
        return self.root / "parties" / company.key

    def bench(self, company: Company) -> Path:
        """The folder of a company's scanner and signing key."""
        return self.home(company) / "bench"

    def key(self, company: Company) -> Path:
        """The folder of the key that a company's bench signs with."""
        return self.bench(company) / "key"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self, base: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The node's settings, and nothing of whoever runs the demo but what programs need."""
        kept = {name: value for name, value in base.items() if not name.startswith("PACKPROOF_")}
        return kept | {
            "PACKPROOF_DATABASE_URL": f"sqlite:///{(self.node / 'packproof.db').resolve()}",
            "PACKPROOF_DATA_DIR": str((self.node / "private").resolve()),
            "PACKPROOF_LEDGER_ORIGIN": ORIGIN,
            "PACKPROOF_LOG_LEVEL": "warning",
        }

    # -- programs

    def packproof(self, *arguments: object) -> dict[str, Any]:
        """Run ``packproof`` with the node's settings; its answer as data.

        In this process: it is the same command by the same entry, without the second that a process takes to begin.
        """
        words = [*map(str, arguments), "--json"]
        out, err = io.StringIO(), io.StringIO()
        before = dict(os.environ)
        os.environ.clear()
        os.environ.update(self.environment(before))
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                status = cli.main(words)
        finally:
            os.environ.clear()
            os.environ.update(before)
        return _answer("packproof", words, status, out.getvalue(), err.getvalue(), may_fail=False)

    def scan(
        self, company: Company, command: str, *arguments: object, may_fail: bool = False
    ) -> dict[str, Any]:
        """Run ``packproof-scan`` at a company's bench, a process of its own; its answer as data."""
        words = [command, *map(str, arguments), "--json"]
        if command != "root":
            words += ["--home", str(self.bench(company))]
        done = subprocess.run(  # noqa: S603 - our own program, by a list of words
            [sys.executable, "-m", "scanner.cli", *words],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return _answer("packproof-scan", words, done.returncode, done.stdout, done.stderr, may_fail=may_fail)

    def follow(self, company: Company) -> str | None:
        """Tell a company's bench where the node serves now. Why it stays out, where its key has ended: else None."""
        answer = self.scan(company, "move", "--node", self.url, may_fail=True)
        if not answer["exit"]:
            return None
        told = str(answer["stderr"])
        if f'"{KEY_ENDED}"' in told:
            safe, bench = (
                os.path.relpath(path) for path in (self.home(company) / "root", self.bench(company))
            )
            return (
                f"The bench of {company.name} is left out: its key was revoked, rotated or suspended. A new key, while "
                f"the site is open: .venv/bin/packproof-scan rotate --root-key {safe} --home {bench} --node {self.url}"
            )
        raise StoryBroke(f"packproof-scan move --node {self.url} ended with {answer['exit']}", told[-600:])

    # -- the node

    def serve(self, port: int = 0) -> None:
        """Start the node on a free port and wait until it answers."""
        self.port = port or free_port()
        log = (self.node / "server.log").open("ab")
        words = [sys.executable, "-m", "app.cli", "serve", "--port", str(self.port), "--workers", "1"]
        self.process = subprocess.Popen(words, env=self.environment(), stdout=log, stderr=log)  # noqa: S603
        log.close()
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                if requests.get(f"{self.url}/healthz", timeout=1).ok:
                    return
            except requests.RequestException:
                time.sleep(0.05)
        raise StoryBroke("The node did not start", (self.node / "server.log").read_text()[-600:])

    def stop(self) -> None:
        """Stop the node."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def copy_database(self, target: Path) -> None:
        """A consistent copy of the node's database, as a backup would take it."""
        target.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite_driver().connect(str(self.node / "packproof.db"))
        try:
            connection.execute("VACUUM INTO ?", (str(target),))
        finally:
            connection.close()

    # -- people

    def person(self, name: str, role: str, *options: str) -> None:
        """An account, with a password of its own."""
        answer = self.packproof("user", "add", name, "--role", role, *options, "--generate")
        self.passwords[name] = str(answer["password"])


class Browser:
    """A person at the pages: keeps the session, sends each form with its token."""

    def __init__(self, url: str, name: str, password: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.headers["Accept"] = "text/html"
        self.submit("/sign-in", {"name": name, "password": password})

    def get(self, path: str, **params: str) -> str:
        """A page's text."""
        answer = self._session.get(self._url + path, params=params, timeout=30)
        if not answer.ok:
            raise StoryBroke(f"The page {path} answered {answer.status_code}", answer.text[:300])
        return answer.text

    def fetch(self, path: str, **params: str) -> bytes:
        """A file that a page offers."""
        answer = self._session.get(self._url + path, params=params, timeout=30)
        if not answer.ok:
            raise StoryBroke(f"{path} answered {answer.status_code}", answer.text[:300])
        return answer.content

    def submit(self, path: str, fields: Mapping[str, str], form: str | None = None) -> str:
        """Fill in the form on the page `form` (default: the same path) and send it."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get(form or path))
        data = {"csrf_token": token[1] if token else "", **fields}
        answer = self._session.post(self._url + path, data=data, timeout=30)
        if not answer.ok:
            raise StoryBroke(f"The form {path} answered {answer.status_code}", answer.text[:300])
        return answer.text


def _answer(
    program: str, words: list[str], status: int, out: str, err: str, *, may_fail: bool
) -> dict[str, Any]:
    """What a command answered, with its exit status; `StoryBroke` where it failed and must not."""
    if status and not may_fail:
        raise StoryBroke(f"{program} {' '.join(words[:2])} ended with {status}", (err or out)[-600:])
    try:
        answer = json.loads(out or "{}")
    except ValueError as error:
        raise StoryBroke(f"{program} {' '.join(words[:2])} did not answer in JSON", out[:300]) from error
    found: dict[str, Any] = answer if isinstance(answer, dict) else {"answers": answer}
    return {**found, "exit": status, "stderr": err}


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

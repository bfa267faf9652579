"""Every setting of the node, in one frozen value read once from the environment.

A setting is a field of `Settings`; its variable is the field's name in capitals after ``PACKPROOF_``::

    PACKPROOF_ENVIRONMENT=production PACKPROOF_SECRET_KEY=... packproof serve

An unknown ``PACKPROOF_`` name is an error, because a misspelt limit is a limit that does not hold. Production refuses
what only development may use. `docs/reference/settings.md` has one heading for each; a test holds the two together.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PREFIX = "PACKPROOF_"
ENVIRONMENTS = ("development", "test", "production")
DEVELOPMENT_SECRET = "development-only-secret-never-in-production"  # noqa: S105 - refused in production
SHORTEST_SECRET = 32
LONGEST_PASSPHRASE = 1024
# Names other parts of the project read: the scanner's own settings, and where the tests find the corpora.
FOREIGN = ("PACKPROOF_SHARED", "PACKPROOF_SCAN_", "PACKPROOF_TEST_")


class SettingsError(Exception):
    """The environment does not make valid settings; the text names the variable and says what it takes."""

    code = "settings.invalid"


def setting(default: Any, doc: str, parse: Callable[[str], Any] = str) -> Any:
    """A field of `Settings`: its default, what it means (with its unit), and how its text is read."""
    return field(default=default, metadata={"doc": doc, "parse": parse})


def _number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise ValueError(f"takes a whole number from {least} to {most}")
        return int(text)

    return parse


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"takes one of {', '.join(choices)}")
        return text

    return parse


def _origin(text: str) -> str:
    if not text or any(c.isspace() or c == "+" or not c.isprintable() for c in text):
        raise ValueError("takes a name without white space or '+', such as packproof.example/node")
    return text


def _file(text: str) -> Path | None:
    return Path(text) if text else None


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("takes an address such as https://packproof.example")
    return text.rstrip("/")


def _optional_url(text: str) -> str:
    return _base_url(text) if text else ""


def _words(text: str) -> str:
    if not all(word.isascii() and word.isalnum() for word in text.split(",")):
        raise ValueError("takes names of letters and digits with commas between them")
    return text


def _passphrase(text: str) -> str:
    if len(text.encode("utf-8", "surrogateescape")) > LONGEST_PASSPHRASE or "\n" in text or "\0" in text:
        raise ValueError(f"takes one line of at most {LONGEST_PASSPHRASE} bytes")
    return text


def _networks(text: str) -> str:
    try:
        return ",".join(str(ip_network(part.strip())) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ValueError("takes networks such as 10.0.0.0/8, with commas between them") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the node was told to be. Made by `from_env`, or directly in tests."""

    environment: str = setting(
        "development", "What this node is for: development, test or production.", _one_of(*ENVIRONMENTS)
    )
    database_url: str = setting(
        "sqlite:///var/packproof.db", "Where the database is: sqlite:///path or postgresql://user@host/name."
    )
    data_dir: Path = setting(  # noqa: RUF009 - a field, whatever the rule reads into Path
        Path("var"), "Folder of what must not lie in the database: the mark, the node's keys, wraps.", Path
    )
    secret_key: str = setting(
        DEVELOPMENT_SECRET,
        "Signs the form cookie (CSRF, messages). At least 32 characters; production refuses the default.",
    )
    key_passphrase_file: Path | None = setting(  # noqa: RUF009 - a field
        None, "File whose first line is the passphrase that locks the node's own keys.", _file
    )
    key_passphrase: str = setting("", "The passphrase itself, where no file can be mounted.", _passphrase)
    public_url: str = setting(
        "http://127.0.0.1:8000",
        "The address people and labels use to reach this node. Production takes https only.",
        _base_url,
    )
    ledger_origin: str = setting(
        "packproof.example/development", "The name of this node's ledger in its checkpoints.", _origin
    )
    max_body_bytes: int = setting(
        32 * 1024 * 1024, "Largest request body, in bytes.", _number(1024, 1024 * 1024 * 1024)
    )
    max_capture_events: int = setting(
        1000,
        "Most events that one transaction takes; a longer document waits in the inbox.",
        _number(1, 1000),
    )
    max_document_events: int = setting(100_000, "Most events in one document.", _number(1, 1_000_000))
    clock_tolerance_seconds: int = setting(
        300, "An event later than receipt by more than this many seconds has no effect.", _number(0, 86_400)
    )
    session_idle_minutes: int = setting(
        30, "A person who does nothing for this many minutes is signed out.", _number(1, 1440)
    )
    session_hours: int = setting(
        12, "A person is signed out after this many hours, whatever they do.", _number(1, 168)
    )
    sign_in_per_minute: int = setting(
        10,
        "Attempts to sign in that one address may make in a minute, and passwords in overrides one person may give.",
        _number(1, 10_000),
    )
    signed_captures_per_minute: int = setting(
        600, "Signed captures that one address may send in a minute.", _number(1, 1_000_000)
    )
    enrolments_per_minute: int = setting(
        30, "Keys that one address may enrol in a minute.", _number(1, 10_000)
    )
    trusted_proxies: int = setting(
        0, "How many reverse proxies before this node set X-Forwarded-For and -Proto.", _number(0, 5)
    )
    witnesses: Path | None = setting(  # noqa: RUF009 - a field
        None, "Policy file (C2SP tlog-policy, with URLs) of the witnesses that cosign this ledger.", _file
    )
    cosign_seconds: int = setting(
        60,
        "How often the server asks its witnesses, in seconds; 0: only packproof ledger cosign.",
        _number(0, 86_400),
    )
    recall_seconds: int = setting(
        600,
        "How often the server looks who has got recalled packages since, in seconds; 0: only when somebody looks.",
        _number(0, 86_400),
    )
    witnessed_logs: Path | None = setting(  # noqa: RUF009 - a field
        None, "Policy file whose logs this node cosigns as a witness.", _file
    )
    kept_logs: Path | None = setting(  # noqa: RUF009 - a field
        None, "Policy file of the logs whose heads this node notes in its own ledger, one a day.", _file
    )
    add_checkpoints_per_minute: int = setting(
        600,
        "Checkpoints that one address may submit to this node as a witness in a minute.",
        _number(1, 1_000_000),
    )
    busy_timeout_ms: int = setting(
        5_000, "How long a writer waits for another process's lock, in milliseconds.", _number(0, 60_000)
    )
    tsa_url: str = setting("", "Where a time-stamping authority (RFC 3161) answers.", _optional_url)
    tsa_certificates: Path | None = setting(  # noqa: RUF009 - a field
        None, "PEM file of the authority's root certificate, and its intermediates.", _file
    )
    verifications_per_minute: int = setting(
        600, "Verification requests that one party's systems may send in a minute.", _number(1, 1_000_000)
    )
    vrs_contexts: str = setting(
        "dscsaSaleableReturn,dscsaSuspectIllegitimate,dscsaException,dscsaStatusCheck",
        "The contexts in which a maker here may be asked to verify a pack.",
        _words,
    )
    vrs_connect_ms: int = setting(
        1_000, "How long a connection to another maker's responder may take, in ms.", _number(10, 30_000)
    )
    vrs_answer_ms: int = setting(
        2_000, "How long another maker's responder may take to answer, in ms.", _number(10, 30_000)
    )
    vrs_private_networks: str = setting(
        "", "Private networks in which responders may be asked, such as 10.0.0.0/8.", _networks
    )
    log_level: str = setting(
        "info", "Least severity that is logged.", _one_of("debug", "info", "warning", "error")
    )

    def __post_init__(self) -> None:
        if self.key_passphrase and self.key_passphrase_file is not None:
            raise SettingsError(
                "PACKPROOF_KEY_PASSPHRASE: and PACKPROOF_KEY_PASSPHRASE_FILE name two passphrases; set one of them"
            )
        if self.environment != "production":
            return
        if self.secret_key == DEVELOPMENT_SECRET:
            raise SettingsError(
                "PACKPROOF_SECRET_KEY: production refuses the development secret; make one with "
                "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
        if len(self.secret_key) < SHORTEST_SECRET:
            raise SettingsError(f"PACKPROOF_SECRET_KEY: takes at least {SHORTEST_SECRET} characters")
        if not self.public_url.startswith("https://"):
            raise SettingsError("PACKPROOF_PUBLIC_URL: production takes an https:// address, or cookies leak")
        if self.ledger_origin == "packproof.example/development":
            raise SettingsError("PACKPROOF_LEDGER_ORIGIN: production needs a name of its own for its ledger")

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def session_idle(self) -> timedelta:
        return timedelta(minutes=self.session_idle_minutes)

    @property
    def session_absolute(self) -> timedelta:
        return timedelta(hours=self.session_hours)

    def __repr__(self) -> str:
        # A secret that reaches a log or a traceback is no longer one.
        shown = (f"{s.name}={getattr(self, s.name)!r}" for s in fields(self) if s.name not in _SECRET)
        return f"Settings({', '.join(shown)})"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings from `environ` (default: the process's). Raises `SettingsError`."""
        environ = os.environ if environ is None else environ
        known = {variable(f): f for f in fields(cls)}
        values: dict[str, Any] = {}
        for name, text in environ.items():
            if not name.startswith(PREFIX) or name.startswith(FOREIGN):
                continue
            if name not in known:
                raise SettingsError(f"{name}: no such setting; docs/reference/settings.md lists them all")
            try:
                values[known[name].name] = known[name].metadata["parse"](text)
            except ValueError as error:
                raise SettingsError(f"{name}: {error}") from error
        return cls(**values)


_SECRET = frozenset({"secret_key", "database_url", "key_passphrase"})


def variable(item: "Field[Any]") -> str:
    """The environment variable of a field of `Settings`."""
    return PREFIX + item.name.upper()

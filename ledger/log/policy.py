"""Which logs, which witnesses, and how many of them are enough: C2SP tlog-policy.

https://c2sp.org/tlog-policy, a text of lines; white space is space and tab, ``#`` begins a comment line::

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <name>...
    quorum <name>|none

A checkpoint counts if one of the logs signed it and the quorum's witnesses cosigned it. Read strictly: a slip in a
policy must not turn into trust. A group names only what stands above it: a quorum
is worked out line by line, without recursion.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from ledger.errors import VerificationError
from ledger.log.encoding import from_decimal
from ledger.log.note import COSIGNATURE, ED25519, MLDSA44, Note, NoteSignature, NoteVerifier

MAX_POLICY_BYTES: Final = 1 << 20
MAX_LINES: Final = 4096
MAX_LOGS: Final = 128
MAX_WITNESSES: Final = 128
MAX_GROUPS: Final = 128
NONE: Final = "none"

LOG_TYPES: Final = frozenset((ED25519, MLDSA44))
WITNESS_TYPES: Final = frozenset((COSIGNATURE, MLDSA44))

_TAB, _NEWLINE, _SPACE, _DELETE = 0x09, 0x0A, 0x20, 0x7F


@dataclass(frozen=True, slots=True)
class PolicyLog:
    """A log that is trusted: the key its checkpoints are signed with, and where it is reached ('' where not said)."""

    key: NoteVerifier
    url: str = ""


@dataclass(frozen=True, slots=True)
class PolicyWitness:
    """A witness under its name in the policy: its key, and the prefix of its ``add-checkpoint`` ('' where not said)."""

    name: str
    key: NoteVerifier
    url: str = ""


@dataclass(frozen=True, slots=True)
class PolicyGroup:
    """At least `least` of `members` (names of witnesses or of groups above) must have witnessed."""

    name: str
    least: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LogPolicy:
    """A tlog-policy. `quorum` is a witness's or group's name, or `NONE`; `sha256` is of the file's bytes, in hex."""

    logs: tuple[PolicyLog, ...] = ()
    witnesses: tuple[PolicyWitness, ...] = ()
    groups: tuple[PolicyGroup, ...] = ()
    quorum: str = NONE
    sha256: str = ""

    @classmethod
    def parse(cls, data: bytes) -> "LogPolicy":
        """Read a policy file. Raises `VerificationError` ``policy`` or ``note-key``, naming the line."""
        if len(data) > MAX_POLICY_BYTES:
            raise VerificationError(
                f"policy: {len(data)} bytes; at most {MAX_POLICY_BYTES} are read", code="policy"
            )
        reader = _Reader()
        for number, line in enumerate(_lines(data), 1):
            try:
                reader.line(line)
            except VerificationError as error:
                raise VerificationError(f"policy, line {number}: {error.message}", code=error.code) from None
        return reader.policy(sha256(data).hexdigest())

    def text(self) -> str:
        """The policy as a file, without comments. What `parse` reads gives an equal policy but for `sha256`."""
        lines = [" ".join(filter(None, ("log", str(log.key), log.url))) for log in self.logs]
        lines += [" ".join(filter(None, ("witness", w.name, str(w.key), w.url))) for w in self.witnesses]
        lines += [" ".join(("group", g.name, str(g.least), *g.members)) for g in self.groups]
        return "".join(f"{line}\n" for line in (*lines, f"quorum {self.quorum}"))

    def demanding(self, name: str, keys: Sequence[NoteVerifier]) -> "LogPolicy":
        """The policy that asks, beside its quorum, for one of `keys` to have cosigned, as witnesses `name`, `name`-2...

        Groups that have no part in the quorum are left out: a name may be a member of one group only. Raises
        `VerificationError` where a name is taken, or a key is a witness already.
        """
        needed = {self.quorum}
        groups: list[PolicyGroup] = []
        for group in reversed(self.groups):
            if group.name in needed:
                needed.update(group.members)
                groups.insert(0, group)
        names = [name if n == 1 else f"{name}-{n}" for n in range(1, len(keys) + 1)]
        also = tuple(PolicyWitness(each, key) for each, key in zip(names, keys, strict=True))
        asked = names[0]
        if len(names) > 1:
            asked = f"{name}-any"
            groups.append(PolicyGroup(asked, 1, tuple(names)))
        if self.quorum != NONE:
            groups.append(PolicyGroup(f"{name}-and-{self.quorum}", 2, (self.quorum, asked)))
            asked = groups[-1].name
        made = LogPolicy(self.logs, (*self.witnesses, *also), tuple(groups), asked)
        LogPolicy.parse(made.text().encode("utf-8", "surrogateescape"))
        return made

    @property
    def log_keys(self) -> tuple[NoteVerifier, ...]:
        """The keys of the logs."""
        return tuple(log.key for log in self.logs)

    def cosigned(self, note: Note) -> list[tuple[PolicyWitness, list[NoteSignature]]]:
        """The policy's witnesses that cosigned `note`, each with its lines.

        Raises `VerificationError` ``note-signature`` where a line names a witness's key and does not verify.
        """
        found = []
        for witness in self.witnesses:
            lines = [line for line in note.signatures if witness.key.wrote(line)]
            for line in lines:
                witness.key.check(note.text, line)
            if lines:
                found.append((witness, lines))
        return found

    def enough(self, names: Collection[str]) -> bool:
        """Whether the witnesses of these names (in the policy) make the quorum."""
        witnessed = {witness.name for witness in self.witnesses} & set(names)
        for group in self.groups:
            if sum(member in witnessed for member in group.members) >= group.least:
                witnessed.add(group.name)
        return self.quorum == NONE or self.quorum in witnessed

    def require_quorum(self, note: Note) -> list[tuple[PolicyWitness, list[NoteSignature]]]:
        """`cosigned`, if that is enough. Raises `VerificationError` ``quorum`` where it is not."""
        found = self.cosigned(note)
        if not self.enough([witness.name for witness, _ in found]):
            who = ", ".join(witness.name for witness, _ in found) or "none"
            raise VerificationError(
                f"the policy's quorum {_shown(self.quorum)} is not reached: of its witnesses, {_shown(who)} cosigned",
                code="quorum",
            )
        return found


class _Reader:
    """The policy while its lines are read."""

    def __init__(self) -> None:
        self._logs: list[PolicyLog] = []
        self._witnesses: list[PolicyWitness] = []
        self._groups: list[PolicyGroup] = []
        self._names: set[str] = set()
        self._members: set[str] = set()
        self._quorum: str | None = None

    def line(self, words: Sequence[str]) -> None:
        match words:
            case []:
                pass
            case ["log", vkey, *url] if len(url) < 2:
                self._log(PolicyLog(_key(vkey, LOG_TYPES, "log"), *url))
            case ["witness", name, vkey, *url] if len(url) < 2:
                self._witness(PolicyWitness(name, _key(vkey, WITNESS_TYPES, "witness"), *url))
            case ["group", name, least, *members] if members:
                self._group(name, least, members)
            case ["quorum", name]:
                if self._quorum is not None:
                    raise _refuse("a second quorum")
                if name != NONE and name not in self._names:
                    raise _refuse(f"the quorum {_shown(name)} is defined by no line above")
                self._quorum = name
            case _:
                raise _refuse(f"{_shown(' '.join(words))} is no log, witness, group or quorum line")

    def policy(self, digest: str) -> LogPolicy:
        if self._quorum is None:
            raise _refuse("policy: there is no quorum line; write 'quorum none' to ask for no witness")
        return LogPolicy(tuple(self._logs), tuple(self._witnesses), tuple(self._groups), self._quorum, digest)

    def _log(self, log: PolicyLog) -> None:
        if any(log.key.public_key == each.key.public_key for each in self._logs):
            raise _refuse("this log's key stands in the policy already")
        if len(self._logs) == MAX_LOGS:
            raise _refuse(f"more than {MAX_LOGS} logs")
        self._logs.append(log)

    def _witness(self, witness: PolicyWitness) -> None:
        # Two names for one key would let one witness count twice.
        if any(witness.key.public_key == each.key.public_key for each in self._witnesses):
            raise _refuse("this witness's key stands in the policy already")
        if len(self._witnesses) == MAX_WITNESSES:
            raise _refuse(f"more than {MAX_WITNESSES} witnesses")
        self._define(witness.name)
        self._witnesses.append(witness)

    def _group(self, name: str, least: str, members: Sequence[str]) -> None:
        for member in members:
            if member not in self._names:
                raise _refuse(f"{_shown(member)} is defined by no line above")
            if member in self._members:
                raise _refuse(f"{_shown(member)} is a member of a group already")
            self._members.add(member)
        k = {"all": len(members), "any": 1}.get(least)
        k = from_decimal(least) if k is None else k
        if not 1 <= k <= len(members):
            raise _refuse(f"{k} of {len(members)} members can never be, or ask for nothing")
        if len(self._groups) == MAX_GROUPS:
            raise _refuse(f"more than {MAX_GROUPS} groups")
        self._define(name)
        self._groups.append(PolicyGroup(name, k, tuple(members)))

    def _define(self, name: str) -> None:
        if name == NONE or name in self._names:
            raise _refuse(f"the name {_shown(name)} is taken")
        self._names.add(name)


def _lines(data: bytes) -> list[list[str]]:
    """The words of each line; none for empty lines and comments."""
    if any((byte < _SPACE and byte not in (_TAB, _NEWLINE)) or byte == _DELETE for byte in data):
        raise _refuse("policy: a control character other than tab and newline")
    if not data.endswith(b"\n"):
        raise _refuse("policy: each line ends in a newline, the last one too")
    lines = data[:-1].split(b"\n")
    if len(lines) > MAX_LINES:
        raise _refuse(f"policy: {len(lines)} lines; at most {MAX_LINES} are read")
    # Bytes above ASCII are opaque: what they would mean in some encoding never decides whether two names are equal.
    words = [
        line.decode("utf-8", "surrogateescape").replace("\t", " ").strip(" ").split(" ") for line in lines
    ]
    return [[] if line[0].startswith("#") else [word for word in line if word] for line in words]


def _key(vkey: str, types: frozenset[int], what: str) -> NoteVerifier:
    key = NoteVerifier.parse(vkey)
    if key.type not in types:
        allowed = " or ".join(f"{type_:#04x}" for type_ in sorted(types))
        raise VerificationError(
            f"a {what}'s key is of type {allowed}, this one of {key.type:#04x}", code="note-key"
        )
    return key


def _refuse(message: str) -> VerificationError:
    return VerificationError(message, code="policy")


def _shown(text: str) -> str:
    """A name as an error may show it: whatever bytes it holds."""
    return ascii(text[:80])

"""Key rings: wrapping keys in files outside the database, from which one key can be taken for good.

A ring is one file for each party and month. It holds the root of a binary tree of keys; the field with number `slot`
(64 bits) is wrapped under the leaf that the slot's bits lead to::

    child(key, bit) = SHA-256("packproof ring v1" || bit || key)            key of slot = 64 steps down from the root

Taking a slot out replaces the node above it by the siblings along its way, from which every other slot still follows,
and this one never again (a puncturable pseudorandom function, after Goldreich, Goldwasser and Micali, 1986). So a
backup of the database of any age opens with the present ring as before, all but what was erased, and nothing has to be
encrypted anew. The file::

    packproof ring v1
    DEPTH PREFIX KEY          one line a node: its depth, the slot's first DEPTH bits and its key, in hex

Files are written whole (temporary file, fsync, rename, fsync of the folder), and the bytes of the old file are
overwritten; what a file system or a disk keeps of them nevertheless, docs/operating/privacy.md says.
"""

import contextlib
import fcntl
import os
import re
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from app.errors import AppError

SLOT_BITS: Final = 64
_TITLE: Final = "packproof ring v1"
_STEP: Final = (b"packproof ring v1\x00", b"packproof ring v1\x01")
_NAME: Final = re.compile(r"[0-9]{13}-[0-9]{4}-[0-9]{2}")
_MOST_BYTES: Final = 256 * 1024 * 1024


class RingDamaged(AppError):
    """A ring's file is not as it was written."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(
            "redaction.ring_damaged",
            503,
            "A key ring cannot be read",
            f"{path.name}: {what}",
            "Put the file back from the backup of the key folder, and erase again what was erased since.",
        )


class NoKey(Exception):
    """The ring is not there, or this slot was taken out of it."""


@dataclass(frozen=True, slots=True)
class _Node:
    """All slots whose first `depth` bits are `prefix`."""

    depth: int
    prefix: int
    key: bytes

    def covers(self, slot: int) -> bool:
        return slot >> (SLOT_BITS - self.depth) == self.prefix

    def child(self, bit: int) -> "_Node":
        return _Node(self.depth + 1, self.prefix << 1 | bit, sha256(_STEP[bit] + self.key).digest())

    def leaf(self, slot: int) -> "_Node":
        """The node of `slot` alone, 64 levels below the root: `child` again and again, without the nodes between."""
        key = self.key
        for bit in range(SLOT_BITS - 1 - self.depth, -1, -1):
            key = sha256(_STEP[slot >> bit & 1] + key).digest()
        return _Node(SLOT_BITS, slot, key)


class Rings:
    """The folder of rings. Threads and processes may share it; what changes a file holds the folder's lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, tuple[tuple[int, int, int], list[_Node]]] = {}

    def key(self, ring: str, slot: int, *, make: bool = False) -> bytes:
        """The wrapping key (32 bytes) of `slot`. A ring that is not there is made durable first if `make`.

        Raises `NoKey`, `RingDamaged`.
        """
        nodes = self._load(ring)
        if nodes is None and make:
            nodes = self._make(ring)
        for node in nodes or ():
            if node.covers(slot):
                return node.leaf(slot).key
        raise NoKey(ring)

    def take_out(self, ring: str, slots: Collection[int]) -> int:
        """Take the keys of `slots` out of the ring for good; how many were still in it. Durable when it returns."""
        with self._locked():
            nodes = self._load(ring)
            if nodes is None:
                return 0
            taken = 0
            for slot in slots:
                at = next((n for n, node in enumerate(nodes) if node.covers(slot)), None)
                if at is not None:
                    nodes[at : at + 1] = _without(nodes[at], slot)
                    taken += 1
            if taken:
                self._write(ring, nodes)
            return taken

    def holds(self, ring: str, slot: int) -> bool:
        """Whether the slot's key can be had."""
        return any(node.covers(slot) for node in self._load(ring) or ())

    def _path(self, ring: str) -> Path:
        if _NAME.fullmatch(ring) is None:
            raise NoKey(ring)  # a name from a changed row must not lead out of the folder
        return self.folder / f"{ring}.ring"

    def _load(self, ring: str) -> list[_Node] | None:
        path = self._path(ring)
        try:
            with path.open("rb") as file:
                stat = os.fstat(file.fileno())
                stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
                known = self._read.get(ring)
                if known is not None and known[0] == stamp:
                    return list(known[1])
                nodes = _parse(path, file.read(_MOST_BYTES))
        except FileNotFoundError:
            return None
        self._read[ring] = (stamp, nodes)
        return list(nodes)

    def _make(self, ring: str) -> list[_Node]:
        with self._locked():
            nodes = self._load(ring)
            if nodes is None:
                nodes = [_Node(0, 0, secrets.token_bytes(32))]
                self._write(ring, nodes)
            return nodes

    def _write(self, ring: str, nodes: list[_Node]) -> None:
        path = self._path(ring)
        lines = [_TITLE, *(f"{n.depth} {n.prefix:x} {n.key.hex()}" for n in nodes)]
        fresh = path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write("\n".join(lines).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.ExitStack() as stack:
            old = stack.enter_context(path.open("r+b")) if path.exists() else None
            fresh.replace(path)
            self._sync_folder()
            self._read.pop(ring, None)
            if old is not None:
                old.write(bytes(os.fstat(old.fileno()).st_size))
                old.flush()
                os.fsync(old.fileno())

    def _sync_folder(self) -> None:
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        if not self.folder.exists():
            self.folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        with (self.folder / "lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _without(node: _Node, slot: int) -> list[_Node]:
    """The nodes below `node` from which every slot follows but this one."""
    kept = []
    while node.depth < SLOT_BITS:
        bit = slot >> (SLOT_BITS - 1 - node.depth) & 1
        kept.append(node.child(1 - bit))
        node = node.child(bit)
    return kept


def _parse(path: Path, data: bytes) -> list[_Node]:
    try:
        title, *lines = data.decode("ascii").splitlines()
        if title != _TITLE:
            raise ValueError("it is no ring")
        nodes = []
        for line in lines:
            depth, prefix, key = line.split(" ")
            node = _Node(int(depth), int(prefix, 16), bytes.fromhex(key))
            if not 0 <= node.depth <= SLOT_BITS or node.prefix >> node.depth or len(node.key) != 32:
                raise ValueError("a line is no node")
            nodes.append(node)
    except (ValueError, UnicodeDecodeError) as error:
        raise RingDamaged(path, "a line is not as it was written") from error
    return nodes

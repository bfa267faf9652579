"""Ways to bend good input: bits, bytes, cuts, copies, and members of JSON replaced with the digest made right again."""

import json
from collections.abc import Iterator
from hashlib import sha256
from random import Random
from typing import Any

from ledger.log.encoding import to_json

_TELLING = (
    b"\x00",
    b"\xff",
    b"\n",
    b"\n\n",
    b" ",
    b'"',
    b"\\",
    b"=",
    b"+",
    b"-1",
    b"1e9",
    b"0" * 40,
    b"[" * 200,
)


def mutants(seed: bytes, random: Random, count: int) -> Iterator[bytes]:
    """`count` bent copies of `seed`, the same ones for the same `random`."""
    for _ in range(count):
        bent = bytearray(seed)
        for _ in range(random.randint(1, 3)):
            bent = _bend(bent, random)
        yield bytes(bent)


def _bend(bent: bytearray, random: Random) -> bytearray:
    at, end = sorted((random.randint(0, len(bent)), random.randint(0, len(bent))))
    end = min(end, at + 64)
    match random.randrange(6):
        case 0 if at < len(bent):
            bent[at] ^= 1 << random.randrange(8)
        case 1 if at < len(bent):
            bent[at] = random.randrange(256)
        case 2:
            del bent[at:end]
        case 3:
            bent[at:at] = bent[at:end]
        case 4:
            bent[at:at] = random.choice(_TELLING)
        case _:
            del bent[random.randint(0, len(bent)) :]
    return bent


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every value inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inner:
        yield (*path, key)
        yield from places(child, (*path, key))


def replaced(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """A copy of a JSON value with what stands at `path` replaced."""
    copy = json.loads(json.dumps(value))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return copy


def found(value: Any, path: tuple[str | int, ...]) -> Any:
    """What stands at `path`."""
    for key in path:
        value = value[key]
    return value


def nudged(value: Any, path: tuple[str | int, ...], random: Random) -> Any:
    """What stands at `path`, changed as little as can be: one character, one number, one element or member."""
    old = found(value, path)
    if isinstance(old, str):
        if not old:
            return "x"
        at = random.randrange(len(old))
        return old[:at] + random.choice([char for char in "01aAbB" if char != old[at]]) + old[at + 1 :]
    if isinstance(old, int):
        return old + random.choice((-1, 1))
    if isinstance(old, list):
        return random.choice((old[1:], [*old, *old[-1:]], old[::-1])) if len(old) > 1 else [*old, *old, ""]
    return dict(list(old.items())[1:])


def sealed(value: dict[str, Any]) -> bytes:
    """An evidence file's bytes with its digest made right: what somebody who forges it would write."""
    rest = {name: member for name, member in value.items() if name != "digest"}
    return to_json({**rest, "digest": sha256(to_json(rest)).hexdigest()})


def graft(file: bytes, replacement: Any, random: Random) -> bytes:
    """An evidence file with some member replaced by anything, and its digest made right."""
    value = json.loads(file)
    path = random.choice([path for path in places(value) if path != ("digest",)])
    return sealed(replaced(value, path, replacement))

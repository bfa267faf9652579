"""One key can be taken out of a ring, every other stays what it was, and a kill leaves a whole ring."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.erasable.parts import PartDamaged, lock, unlock
from app.erasable.rings import NoKey, RingDamaged, Rings
from tests.support import programs

RING = "0399999000017-2026-11"
SLOTS = st.integers(0, 2**64 - 1)

# Slots that share many bits are those that a wrong sibling would lose.
NEAR = SLOTS.flatmap(lambda slot: st.sampled_from([slot, slot ^ 1, slot ^ 2, slot ^ (1 << 63)]))


@given(slots=st.lists(NEAR, min_size=2, max_size=12, unique=True), data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_only_what_was_taken_out_is_gone(
    slots: list[int], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rings = Rings(tmp_path_factory.mktemp("wraps"))
    before = {slot: rings.key(RING, slot, make=True) for slot in slots}
    assert len(set(before.values())) == len(slots)
    gone = data.draw(st.sets(st.sampled_from(slots), min_size=1))
    assert rings.take_out(RING, sorted(gone)) == len(gone)
    assert rings.take_out(RING, sorted(gone)) == 0
    fresh = Rings(rings.folder)
    for slot in slots:
        if slot in gone:
            assert not fresh.holds(RING, slot)
            with pytest.raises(NoKey):
                fresh.key(RING, slot, make=True)
        else:
            assert fresh.key(RING, slot) == before[slot]


def test_what_leads_to_the_key_is_not_in_the_file(tmp_path: Path) -> None:
    rings = Rings(tmp_path / "wraps")
    key = rings.key(RING, 5, make=True)
    [file] = rings.folder.glob("*.ring")
    root = file.read_text().split()[-1]
    held = file.open("rb")  # the old file, as somebody who kept it open
    rings.take_out(RING, [5])
    assert root not in file.read_text()
    assert key.hex() not in file.read_text()
    assert held.read() == bytes(os.fstat(held.fileno()).st_size)
    held.close()


def test_a_part_opens_in_its_place_alone(tmp_path: Path) -> None:
    rings = Rings(tmp_path / "wraps")
    wrap, data = lock(rings, RING, b"here", b"secret")
    assert unlock(rings, RING, b"here", wrap, data) == b"secret"
    with pytest.raises(PartDamaged):
        unlock(rings, RING, b"there", wrap, data)
    for changed in (wrap[:-1] + bytes([wrap[-1] ^ 1]), bytes([wrap[0] ^ 1]) + wrap[1:]):
        with pytest.raises(PartDamaged):
            unlock(rings, RING, b"here", changed, data)
    with pytest.raises(PartDamaged):
        unlock(rings, RING, b"here", wrap, data[:-1] + bytes([data[-1] ^ 1]))


@pytest.mark.parametrize("name", ["../keys/intake", "", "0399999000017-2026-11/../x", "a" * 300])
def test_a_rings_name_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    with pytest.raises(NoKey):
        Rings(tmp_path / "wraps").key(name, 1, make=True)


@pytest.mark.parametrize(
    "content", [b"", b"packproof ring v1\n0 0\n", b"packproof ring v1\n0 1 " + b"0" * 64, b"\xff"]
)
def test_a_damaged_ring_is_named(tmp_path: Path, content: bytes) -> None:
    rings = Rings(tmp_path)
    (tmp_path / f"{RING}.ring").write_bytes(content)
    with pytest.raises(RingDamaged):
        rings.key(RING, 1, make=True)


_TAKER = """
import sys
from pathlib import Path
from app.erasable.rings import Rings
rings = Rings(Path(sys.argv[1]))
print("ready", flush=True)
for slot in range(1, 100000):
    rings.take_out(sys.argv[2], [slot << 40])
    print(slot, flush=True)
"""


def test_a_process_killed_while_it_takes_keys_out_leaves_a_whole_ring(tmp_path: Path) -> None:
    rings = Rings(tmp_path / "wraps")
    kept = {slot: rings.key(RING, slot, make=True) for slot in (3, 2**63 + 5)}
    done = 0
    for lines, pause_s in ((1, 0), (7, 0.001), (20, 0.003)):
        taker = programs.start("-c", _TAKER, rings.folder, RING, stdout=subprocess.PIPE)
        assert taker.stdout is not None
        assert taker.stdout.readline() == "ready\n"
        said = [int(taker.stdout.readline()) for _ in range(lines)]
        time.sleep(pause_s)  # so that it is killed anywhere within the next
        taker.kill()
        said += [int(line) for line in taker.communicate(60).split()]
        done = max([done, *said])
        fresh = Rings(rings.folder)
        assert {slot: fresh.key(RING, slot) for slot in kept} == kept
        assert not [slot for slot in range(1, done + 1) if fresh.holds(RING, slot << 40)]
    assert done >= 20

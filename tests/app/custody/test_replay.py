"""The replay in a file comes to what one in memory comes to, in whatever pieces, and needs no more memory for more."""

import gc
import random
import tracemalloc

import pytest

from app.custody import projector, rebuild, replay, writing
from app.events import acts
from tests.app.custody.test_projection import _send, _story, ready  # noqa: F401 - a fixture
from tests.soak.big import fill
from tests.support.app import Node
from tests.support.trade import Trade


@pytest.mark.parametrize(("events", "names"), [(1, 1), (3, 4), (200, 5_000)])
def test_in_whatever_pieces_it_comes_to_the_same(
    ready: Node,  # noqa: F811
    events: int,
    names: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story = [*_story()[:6], *_story()[9:]]  # without the corrections: something does not fit
    random.Random(events).shuffle(story)
    for by, event in story:
        _send(ready, by, [event])
    monkeypatch.setattr(replay, "_EVENTS", events)
    monkeypatch.setattr(replay, "_NAMES", names)
    with ready.services.database.snapshot() as connection:
        expected = projector.replay(acts.read(connection, acts.all_numbers(connection)))
        with replay.replayed(connection) as world:
            keys = [key for page in world.pages() for key in page]
            assert len(keys) == len(set(keys))
            assert world.items(keys) == expected.changed
            assert writing.intervals(world.moves(keys)) == writing.intervals(expected.moves)
            seqs = world.found_after(0, 10_000)
            assert sorted(map(str, world.findings(seqs))) == sorted(map(str, expected.findings))
            assert expected.findings, "the story has something that does not fit"


@pytest.mark.slow
def test_the_memory_of_audit_and_rebuild_does_not_grow_with_the_events(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name, size in ((replay, "_EVENTS", 10), (replay, "PAGE", 25), (rebuild, "PAGE", 25)):
        monkeypatch.setattr(module, name, size)
    services = trade.node.services
    peaks = []
    # The first turn only fills what is made once: compiled statements, caches.
    for first, count in ((0, 15), (15, 90), (105, 315)):
        fill(trade, first, count)
        gc.collect()
        tracemalloc.start()
        with services.database.snapshot() as connection:
            assert list(rebuild.differences(connection)) == []
        audited = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        with services.database.writing() as connection:
            rebuild.rebuild(connection, services.clock)
        peaks.append((audited, tracemalloc.get_traced_memory()[1]))
        tracemalloc.stop()
    for before, after in zip(*peaks[1:], strict=True):
        assert after < 2 * before, f"four times the events: {peaks}"

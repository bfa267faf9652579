"""One simulation from its seed to its measure."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from app.config import Settings
from app.custody import service as custody
from app.events import acts
from app.simulate.measure import Measure
from app.simulate.node import SimulatedNode
from app.simulate.play import Play
from app.simulate.world import Rates, World
from ledger.custody.findings import Severity


def simulate(
    folder: Path,
    rates: Rates,
    seed: int,
    days: int,
    start: datetime,
    *,
    progress: Callable[[int], None] = lambda day: None,
    **companies: int,
) -> Measure:
    """Play `days` days from `start` on a new node in `folder`. Raises `ValueError` for a world that cannot be."""
    world = World.make(rates, seed, **companies)
    folder.mkdir(parents=True, exist_ok=True)
    settings = Settings(
        database_url=f"sqlite:///{(folder / 'packproof.db').absolute()}",
        data_dir=folder / "node",
        environment="test",
    )
    node = SimulatedNode(settings, world, start)
    measure = Measure()
    play = Play(world, node, measure)
    accused: set[tuple[int, str]] = set()
    try:
        play.run(days, progress, lambda: _accuse(node, play, accused, measure))
    finally:
        node.services.database.dispose()
    return measure


def _accuse(node: SimulatedNode, play: Play, known: set[tuple[int, str]], measure: Measure) -> None:
    """Count the findings that would hold an innocent pack, each once, also those that a correction took back later."""
    with node.services.database.reading() as connection:
        found = custody.findings_of(connection, acts.all_numbers(connection))
        grave = [each for each in found if each.severity is Severity.HOLD and each.item_id is not None]
        keys = custody.keys_of(connection, (each.item_id for each in grave))
    for each in grave:
        assert each.item_id is not None
        mark = (each.item_id, each.code.value)
        if mark not in known and keys[each.item_id] not in play.false_labels:
            known.add(mark)
            measure.accused[each.code.value] += 1

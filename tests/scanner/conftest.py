"""A dock to scan at: a real node with a maker, a wholesaler and a pharmacy, and benches that are enrolled with it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scanner.cli import main
from tests.scanner.story import GTIN, MAKER, PHARMACY, WHOLESALER
from tests.support.live import LiveNode, LiveParty


@dataclass(frozen=True)
class Dock:
    """The node and its parties."""

    node: LiveNode
    maker: LiveParty
    wholesaler: LiveParty
    pharmacy: LiveParty

    def enrol(self, home: Path, party: LiveParty) -> Path:
        """A bench of the party, in the new folder `home`."""
        command = ["enrol", "--node", self.node.url, "--root-key", str(party.root), "--label", home.name]
        assert main([*command, "--home", str(home)]) == 0
        return home


def _dock(node: LiveNode) -> Dock:
    node.initialise()
    node.start()
    return Dock(
        node,
        node.party(MAKER, "North Pharma", "maker", makes=[GTIN]),
        node.party(WHOLESALER, "Middle Wholesale", "wholesaler"),
        node.party(PHARMACY, "Corner Pharmacy", "dispenser"),
    )


@pytest.fixture(scope="module")
def dock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dock]:
    """One dock for the tests of a module; each takes serial numbers of its own."""
    node = LiveNode(tmp_path_factory.mktemp("dock") / "node")
    yield _dock(node)
    node.kill()


@pytest.fixture
def bench(dock: Dock, tmp_path: Path) -> Callable[[LiveParty], Path]:
    """Enrols benches at the module's dock."""
    return lambda party: dock.enrol(tmp_path / f"bench-{party.gln}", party)

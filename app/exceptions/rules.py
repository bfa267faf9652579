"""Which findings make a case at the exceptions desk, how it is called, and by when it has to be worked on."""

from dataclasses import dataclass
from datetime import timedelta

from ledger.custody.findings import FindingCode


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of exception: HDA's class, its scenario in GS1 US's addendum, what to do, and the time for it."""

    title: str
    hda_class: str
    scenario: str
    next_step: str
    within: timedelta


KINDS: dict[FindingCode, Kind] = {
    FindingCode.SHORT: Kind(
        title="Shortage found on opening",
        hda_class="Data No Product",
        scenario="2-2 concealed shortage",
        next_step="Ask the seller to void what was not shipped and to correct the packing, or to send it.",
        within=timedelta(days=3),
    ),
}

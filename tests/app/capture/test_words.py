"""What the command line says of a capture: each finding with its code and the objects it is about."""

from app.capture import words
from app.history.rules import shown
from app.shared.actor import command_line
from tests.support.counter import STRANGER, Counter
from tests.support.world import package


def test_findings_that_read_alike_are_one_line_with_their_code_and_their_first_objects(
    sqlite_counter: Counter,
) -> None:
    counter, node = sqlite_counter, sqlite_counter.services
    raw = counter.trade.document(counter.event("storing", 1, 2, 3, 5, hours=4))
    receipt = node.capture.receive(
        raw, "application/json", by=STRANGER, channel="file", actor=command_line("quinn")
    )
    with node.database.reading() as connection:
        objects = words.objects_of(connection, receipt)
    found = [
        line
        for line in words.told(receipt, (), node.node.origin, "Far Away Pharmacy", objects).splitlines()
        if line.startswith("Found")
    ]
    alike = f"{STRANGER} reports about an object that is held by somebody else"
    first = ", ".join(shown(package(number)) for number in (1, 2, 3))
    assert f"Found (exception, not_holder): {alike} (4 times): {first} and 1 more" in found, found
    assert len([line for line in found if alike in line]) == 1

"""What is committed to of who brought a document: it stays for ever, so it is nobody's name."""

import json

from sqlalchemy import select

from app.events.models import document
from app.shared.actor import command_line
from tests.support.trade import Trade
from tests.support.world import MAKER


def test_the_command_line_is_no_system_account_where_it_is_written_for_ever(sqlite_trade: Trade) -> None:
    services = sqlite_trade.node.services
    raw = sqlite_trade.document(sqlite_trade.begun(1))
    services.capture.receive(
        raw, "application/json", by=MAKER, channel="file", actor=command_line("jane.doe")
    )
    with services.database.reading() as connection:
        kept = [json.loads(row.intake) for row in connection.execute(select(document.c.intake))]
    assert [each["by"] for each in kept] == ["operator"]

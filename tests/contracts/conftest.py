"""An empty ledger, in memory and on both databases."""

import pytest

from ledger.store.memory import MemoryLedger
from tests.support.ledgers import ORIGIN, sql_ledger


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def ledger(request):
    if request.param == "memory":
        return MemoryLedger(ORIGIN)
    name = "sqlite_database" if request.param == "sqlite" else "postgres_database"
    return sql_ledger(request.getfixturevalue(name))

"""Where the mark lies, and copies of a database, as a backup is one."""

import pytest

from tests.support.crook import backup


@pytest.fixture
def mark_path(tmp_path):
    """Where the mark is kept, in a folder that is not there yet."""
    return tmp_path / "keys" / "mark"


@pytest.fixture
def copy_of(tmp_path, request):
    """Copies a database as a backup does."""
    made = []

    def copy(database):
        server = None if database.is_sqlite else request.getfixturevalue("postgres")
        folder = tmp_path / "backups"
        folder.mkdir(exist_ok=True)
        made.append(backup(database, folder, server))
        return made[-1]

    yield copy
    for database in made:
        database.dispose()

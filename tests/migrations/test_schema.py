"""The schema as a whole: what the migrations make is what the code's tables say, and every step can be taken back."""

import importlib
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from app import migrate
from app.errors import AppError
from ledger.store.sql.metadata import metadata
from tests.support.shared import ROOT


def load_every_table():
    """Import every module that declares tables in the one `MetaData`."""
    for path in sorted([*ROOT.glob("app/**/*.py"), *ROOT.glob("ledger/store/**/*.py")]):
        if "metadata," in path.read_text() and path.name != "env.py":
            relative = Path(path).relative_to(ROOT).with_suffix("")
            importlib.import_module(".".join(relative.parts))


def test_the_migrations_make_the_tables_that_the_code_declares(database):
    load_every_table()
    assert {"user_account", "web_session", "api_token", "audit_trail", "entry", "head"} <= set(
        metadata.tables
    )
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_every_revision_goes_down_to_nothing_and_up_again(database):
    newest = migrate.newest()
    scripts = ScriptDirectory(str(migrate.FOLDER))
    revisions = [script.revision for script in scripts.walk_revisions()]
    assert revisions == sorted(revisions, reverse=True)
    assert scripts.get_heads() == [newest]
    before = tables(database)
    for revision in [*revisions[1:], "base"]:
        migrate.downgrade(database, revision)
        assert migrate.current(database) == (None if revision == "base" else revision)
    assert tables(database) == {"alembic_version"}
    migrate.upgrade(database)
    assert (migrate.current(database), tables(database)) == (newest, before)
    migrate.upgrade(database)


def test_a_schema_that_does_not_fit_is_refused_with_the_command_that_helps(database):
    migrate.require_current(database)
    migrate.downgrade(database, "0001")
    try:
        migrate.require_current(database)
    except AppError as error:
        assert "stands at 0001" in error.detail
        assert error.next_step == "run: packproof db upgrade"
    else:
        raise AssertionError("an old schema was accepted")


def tables(database):
    with database.reading() as connection:
        return set(inspect(connection).get_table_names())

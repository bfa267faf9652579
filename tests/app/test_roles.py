"""The role that a node runs as on PostgreSQL: it does what the node does, and cannot undo what was appended."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app import migrate, roles
from app.cli import main
from app.errors import AppError
from app.privileges import APPEND_ONLY, PRIVILEGES
from ledger.store.sql.engine import Database
from ledger.store.sql.metadata import metadata
from tests.migrations.test_schema import load_every_table
from tests.support.app import Node
from tests.support.postgres import NODE, Postgres, as_node, url_as
from tests.support.shared import ROOT

LEDGER = ("entry", "tile", "checkpoint")


def test_every_table_has_its_line() -> None:
    load_every_table()
    assert set(PRIVILEGES) == {*metadata.tables, "alembic_version"}
    assert all(PRIVILEGES[name] == {"SELECT", "INSERT"} for name in APPEND_ONLY)


def test_no_change_is_granted_that_no_statement_of_the_node_asks_for() -> None:
    code = "\n".join(
        path.read_text()
        for folder in ("app", "ledger/store")
        for path in sorted(ROOT.glob(f"{folder}/**/*.py"))
        if not path.is_relative_to(ROOT / "app/demo")  # whose crook changes what no node does
    )

    def asked(*patterns: str) -> set[str]:
        return {name for name in PRIVILEGES for pattern in patterns if re.search(pattern.format(name), code)}

    changed = asked(r"\bupdate\(\s*(?:\w+\.)?{}\b", r"update_rows\(\s*\w+, {}\b", r"UPDATE {} ")
    assert changed == {name for name, given in PRIVILEGES.items() if "UPDATE" in given}
    deleted = asked(r"\bdelete\(\s*(?:\w+\.)?{}\b")
    deleted.add("inbox_name")  # app.capture.long deletes from it by a variable
    assert deleted == {name for name, given in PRIVILEGES.items() if "DELETE" in given}
    assert all(given <= {"SELECT", "INSERT", "UPDATE", "DELETE"} for given in PRIVILEGES.values())


def refused(database: Database, statement: str) -> str:
    with pytest.raises(DBAPIError) as error, database.writing() as connection:
        connection.exec_driver_sql(statement)
    return str(error.value.orig).splitlines()[0]


def test_the_nodes_role_cannot_touch_what_was_appended(postgres_database: Database) -> None:
    node = as_node(postgres_database)
    try:
        for table in APPEND_ONLY:
            column = "ledger" if table in LEDGER else "actor_name"
            for statement in (
                f"UPDATE {table} SET {column} = {column}",
                f"DELETE FROM {table}",
                f"TRUNCATE {table}",
                f"CREATE TRIGGER mine BEFORE INSERT ON {table} EXECUTE FUNCTION {table}_refuse()",
            ):
                assert refused(node, statement) == f"permission denied for table {table}", statement
            for statement in (
                f"ALTER TABLE {table} DISABLE TRIGGER ALL",
                f"ALTER TABLE {table} RENAME TO other",
                f"DROP TRIGGER {table}_no_change ON {table}",
                f"CREATE RULE mine AS ON INSERT TO {table} DO INSTEAD NOTHING",
                f"DROP TABLE {table} CASCADE",
            ):
                assert refused(node, statement).startswith("must be owner of "), statement
            for statement in (
                f"DROP FUNCTION {table}_refuse()",
                f"ALTER FUNCTION {table}_refuse() SECURITY DEFINER",
            ):
                assert refused(node, statement).startswith("must be owner of function "), statement
        for statement in (
            "SET session_replication_role = replica",
            "CREATE TABLE public.other (n integer)",
            "UPDATE alembic_version SET version_num = '0001'",
            "DELETE FROM statement_index",
            "UPDATE ledger_origin SET origin = origin",
            "SELECT setval('document_doc_id_seq', 1)",
            f"SET ROLE {postgres_database.url.username}",
        ):
            assert "permission denied" in refused(node, statement), statement
        found = roles.of(node)
        assert found is not None and found.warning == "" and found == roles.Standing(NODE, (), (), ())
    finally:
        node.dispose()
    owner = roles.of(postgres_database)
    assert owner is not None and "entry, tile, checkpoint" in owner.warning


def test_the_tests_of_a_node_run_as_that_role(node: Node) -> None:
    found = roles.of(node.services.database)
    assert found == (None if node.services.database.is_sqlite else roles.Standing(NODE, (), (), ()))


@pytest.fixture
def settings(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], None]:
    """Lets the command line be this role."""
    for name, value in (("ENVIRONMENT", "test"), ("DATA_DIR", str(tmp_path_factory.mktemp("node") / "var"))):
        monkeypatch.setenv(f"PACKPROOF_{name}", value)
    return lambda role: monkeypatch.setenv("PACKPROOF_DATABASE_URL", url_as(postgres_database, role))


@contextmanager
def role(postgres: Postgres, name: str, *granted: str) -> Iterator[str]:
    """A role of the server for as long as it is needed."""
    postgres.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{postgres.password}'")
    try:
        for grant in granted:
            postgres.execute(f"GRANT {grant} TO {name}")
        yield name
    finally:
        postgres.execute(f"DROP ROLE {name}")


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, object]]:
    status = main([*words, "--json"])
    out, err = capsys.readouterr()
    return status, json.loads(out or err)


def test_the_command_line_begins_a_node_as_the_role_and_looks_after_it(
    postgres_database: Database,
    settings: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    owner = str(postgres_database.url.username)
    settings(NODE)
    assert told(capsys, "init")[1]["new"] is True
    assert told(capsys, "init")[1]["new"] is False
    for words in (("fsck",), ("rebuild",), ("db", "upgrade")):
        assert told(capsys, *words)[0] == 0, words
    status, found = told(capsys, "db", "current")
    assert (status, found["role"]) == (0, {"name": NODE, "owns": [], "lacking": [], "warning": ""})
    status, found = told(capsys, "db", "grant", NODE)
    assert (status, found["code"]) == (1, "database.not_owner")

    settings(owner)
    status, found = told(capsys, "db", "current")
    assert status == 0 and "packproof db grant" in str(found["role"]["warning"])
    # What was granted beside the table goes, what was taken away comes back.
    with postgres_database.writing() as connection:
        for statement in (
            "GRANT ALL ON entry, head TO {}",
            "GRANT UPDATE (leaf) ON entry TO {}",
            "GRANT UPDATE ON SEQUENCE document_doc_id_seq TO {}",
            "REVOKE INSERT ON item FROM {}",
            "REVOKE SELECT ON user_account FROM {}",
        ):
            connection.exec_driver_sql(statement.format(NODE))
    settings(NODE)
    status, found = told(capsys, "db", "current")
    assert (status, found["role"]["lacking"]) == (1, ["INSERT on item", "SELECT on user_account"])
    status, found = told(capsys, "user", "list")
    assert (status, found["code"]) == (1, "database.failed")
    assert "packproof db current" in str(found["next"]) and "packproof db grant" in str(found["next"])
    settings(owner)
    status, found = told(capsys, "db", "grant", NODE)
    assert (status, found["tables"]["entry"]) == (0, ["INSERT", "SELECT"])
    with postgres_database.reading() as connection:
        assert roles.standing(connection, NODE) == roles.Standing(NODE, (), (), ())
        assert roles.granted(connection) == [NODE]
        rows = connection.execute(text("SELECT subject FROM audit_trail WHERE action = 'database.grant'"))
        assert rows.scalars().all() == [NODE]
    # A new schema has tables that nobody was granted.
    migrate.downgrade(postgres_database, "0015")
    assert main(["db", "upgrade"]) == 0
    assert f"packproof db grant {NODE}" in capsys.readouterr().out


def test_what_cannot_be_granted_is_refused_with_nothing_changed(
    postgres: Postgres, postgres_database: Database, sqlite_database: Database
) -> None:
    def refusal(name: str, database: Database = postgres_database) -> str:
        with pytest.raises(AppError) as error, database.writing() as connection:
            roles.grant(connection, name)
        assert error.value.next_step
        return error.value.code

    assert refusal(NODE, sqlite_database) == "database.no_roles"
    assert roles.of(sqlite_database) is None
    assert refusal("nobody_there") == "database.role"
    assert refusal("public") == "database.role"
    assert refusal(str(postgres_database.url.username)) == "database.role_owner"
    with (
        role(postgres, "a_table_keeper") as keeper,
        role(postgres, "a_member", "a_table_keeper") as member,
        role(postgres, "a_second_node") as second,
    ):
        with postgres_database.writing() as connection:
            connection.exec_driver_sql(f"ALTER TABLE tile OWNER TO {keeper}")
        assert refusal(member) == "database.role_owner"
        with postgres_database.writing() as connection:
            connection.exec_driver_sql(f"ALTER TABLE tile OWNER TO {postgres_database.url.username}")
            connection.exec_driver_sql("GRANT DELETE ON entry TO PUBLIC")
        assert refusal(second) == "database.role_more"
        with postgres_database.reading() as connection:
            found = roles.standing(connection, second)
        assert (
            found is not None and found.beyond == ("DELETE on entry",) and "SELECT on entry" in found.lacking
        )


def test_no_role_is_granted_that_could_take_more_for_itself(
    postgres: Postgres, postgres_database: Database
) -> None:
    """What a role could do after one statement more counts as what it may do."""
    name = str(postgres_database.url.database)

    def refusal(of: str) -> str:
        with pytest.raises(AppError) as error, postgres_database.writing() as connection:
            roles.grant(connection, of)
        assert error.value.code == "database.role_more"
        return error.value.detail

    def run(statement: str) -> None:
        with postgres_database.writing() as connection:
            connection.exec_driver_sql(statement)

    with (
        role(postgres, "an_aunt") as aunt,
        role(postgres, "a_late_node") as late,
        role(postgres, "a_ward", "an_aunt") as ward,
    ):
        # Not inherited: SET ROLE gives it all the same.
        postgres.execute(f"ALTER ROLE {ward} NOINHERIT")
        run(f"GRANT UPDATE, TRUNCATE ON checkpoint TO {aunt}")
        assert refusal(ward) == "TRUNCATE on checkpoint, UPDATE on checkpoint"
        run(f"REVOKE ALL ON checkpoint FROM {aunt}")
        # Whoever owns the schema drops its tables; whoever owns the database, all of it.
        run(f"ALTER SCHEMA public OWNER TO {late}")
        assert refusal(late) == "ownership of the schema public"
        run("ALTER SCHEMA public OWNER TO pg_database_owner")
        postgres.execute(f"ALTER DATABASE {name} OWNER TO {late}")
        assert "ownership of the database" in refusal(late)
        postgres.execute(f"ALTER DATABASE {name} OWNER TO {postgres_database.url.username}")
        # Who makes a schema named as the owner stands first in the owner's search path.
        postgres.execute(f"GRANT CREATE ON DATABASE {name} TO {late}")
        assert refusal(late) == "CREATE on the database"
        postgres.execute(f"REVOKE CREATE ON DATABASE {name} FROM {late}")
        # Who makes roles makes itself a member, before PostgreSQL 16; who writes the server's files needs no role.
        postgres.execute(f"ALTER ROLE {late} CREATEROLE")
        postgres.execute(f"GRANT pg_write_server_files TO {late}")
        assert refusal(late) == "CREATEROLE, pg_write_server_files"
        postgres.execute(f"REVOKE pg_write_server_files FROM {late}")
        postgres.execute(f"ALTER ROLE {late} NOCREATEROLE")
        # Who copies or reads the server needs no table's leave, and a guard obeys who owns it.
        postgres.execute(f"ALTER ROLE {late} REPLICATION BYPASSRLS")
        postgres.execute(f"GRANT pg_read_server_files, pg_signal_backend TO {late}")
        assert refusal(late) == "REPLICATION, BYPASSRLS, pg_read_server_files, pg_signal_backend"
        postgres.execute(f"REVOKE pg_read_server_files, pg_signal_backend FROM {late}")
        postgres.execute(f"ALTER ROLE {late} NOREPLICATION NOBYPASSRLS")
        run(f"ALTER FUNCTION entry_refuse() OWNER TO {aunt}")
        assert refusal(ward) == "ownership of the function entry_refuse"
        run(f"ALTER FUNCTION entry_refuse() OWNER TO {postgres_database.url.username}")
        with postgres_database.writing() as connection:
            assert not roles.grant(connection, late).warning
        run(f"DROP OWNED BY {late}")

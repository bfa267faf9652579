"""The role that a node runs as on PostgreSQL: granted what the node does (`app.privileges`), and nothing else.

    packproof db upgrade                      as the tables' owner
    packproof db grant packproof_node         as the owner too, after each upgrade
    packproof serve                           as packproof_node: PACKPROOF_DATABASE_URL names it

Who owns a table may drop the triggers that guard it, whatever is granted. A node whose role is not the owner, nor a
member of the owner's role, can only add to the ledger, and so can whatever gets hold of its process. A grant is one
transaction: all that the role had on our tables is taken away, what `app.privileges` says is given, and what the role
may do then is read back. If that is more than it should be, as through PUBLIC or another role, nothing is changed.
"""

import argparse
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, text

from app import migrate
from app.errors import Conflict, Invalid
from app.privileges import APPEND_ONLY, PRIVILEGES
from app.shared.audit import record
from ledger.store.sql.engine import Database

if TYPE_CHECKING:
    from app.cli import Context

_MANUAL: Final = "docs/operating/node.md"
_TABLES: Final = list(PRIVILEGES)

_HERE: Final = "relnamespace = CAST(current_schema() AS regnamespace)"
# Whom the role may become by SET ROLE, itself first of all: what these may do it may, inherited or not.
_ITS: Final = "pg_has_role(CAST(:role AS name), r.oid, 'MEMBER')"
# The first four may be granted for a single column too, which counts.
_HAS: Final = """CASE WHEN p.by_column THEN has_any_column_privilege(m.oid, c.oid, p.privilege)
    ELSE has_table_privilege(m.oid, c.oid, p.privilege) END"""
_MAY = text(f"""
WITH m AS MATERIALIZED (SELECT r.oid, r.rolname FROM pg_roles r WHERE {_ITS})
SELECT c.relname AS name, p.privilege, bool_or(m.rolname = CAST(:role AS name) AND {_HAS}) AS granted,
    bool_or({_HAS}) AS could
FROM pg_class c CROSS JOIN m CROSS JOIN (VALUES ('SELECT', true), ('INSERT', true), ('UPDATE', true),
    ('REFERENCES', true), ('DELETE', false), ('TRUNCATE', false), ('TRIGGER', false)) AS p (privilege, by_column)
WHERE c.{_HERE} AND c.relname = ANY(:tables)
GROUP BY c.relname, p.privilege ORDER BY c.relname, p.privilege
""")  # noqa: S608 - our own words
_SEQUENCES = text(f"""
SELECT s.relname AS name, c.relname AS of_table, has_sequence_privilege(CAST(:role AS name), s.oid, 'USAGE') AS usable,
    has_sequence_privilege(CAST(:role AS name), s.oid, 'UPDATE') AS settable
FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_class c ON c.oid = d.refobjid
WHERE d.classid = CAST('pg_class' AS regclass) AND d.refclassid = CAST('pg_class' AS regclass)
    AND d.deptype IN ('a', 'i') AND c.{_HERE} AND c.relname = ANY(:tables)
ORDER BY s.relname
""")  # noqa: S608
_OWNED = text(f"""
SELECT c.relname FROM pg_class c
WHERE c.{_HERE} AND c.relname = ANY(:tables) AND pg_has_role(CAST(:role AS name), c.relowner, 'MEMBER')
ORDER BY c.relname
""")  # noqa: S608
# Who owns a schema drops what is in it, and who owns the database drops all. Who makes schemas makes one that stands
# before ours in the owner's search path. Who owns a trigger's function says what it refuses. Who replicates reads the
# whole server, and so does who reads its files; what PostgreSQL's own roles (pg_...) may do, the node does not.
_AROUND = text(f"""
SELECT 'ownership of the schema ' || n.nspname FROM pg_namespace n
    WHERE n.oid = CAST(current_schema() AS regnamespace) AND pg_has_role(CAST(:role AS name), n.nspowner, 'MEMBER')
UNION ALL SELECT 'CREATE on the schema ' || current_schema()
    WHERE EXISTS (SELECT 1 FROM pg_roles r WHERE {_ITS} AND has_schema_privilege(r.oid, current_schema(), 'CREATE'))
UNION ALL SELECT 'ownership of the database' FROM pg_database d
    WHERE d.datname = current_database() AND pg_has_role(CAST(:role AS name), d.datdba, 'MEMBER')
UNION ALL SELECT 'CREATE on the database' WHERE EXISTS (
    SELECT 1 FROM pg_roles r WHERE {_ITS} AND has_database_privilege(r.oid, current_database(), 'CREATE'))
UNION ALL SELECT 'SUPERUSER' WHERE EXISTS (SELECT 1 FROM pg_roles r WHERE {_ITS} AND r.rolsuper)
UNION ALL SELECT 'CREATEROLE' WHERE EXISTS (SELECT 1 FROM pg_roles r WHERE {_ITS} AND r.rolcreaterole)
UNION ALL SELECT 'REPLICATION' WHERE EXISTS (SELECT 1 FROM pg_roles r WHERE {_ITS} AND r.rolreplication)
UNION ALL SELECT 'BYPASSRLS' WHERE EXISTS (SELECT 1 FROM pg_roles r WHERE {_ITS} AND r.rolbypassrls)
UNION ALL (SELECT DISTINCT 'ownership of the function ' || p.proname AS found
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE NOT t.tgisinternal AND c.{_HERE} AND c.relname = ANY(:tables)
        AND pg_has_role(CAST(:role AS name), p.proowner, 'MEMBER') ORDER BY found)
UNION ALL (SELECT r.rolname FROM pg_roles r
    WHERE {_ITS} AND left(r.rolname, 3) = 'pg_' AND r.rolname <> 'pg_database_owner' ORDER BY r.rolname)
""")  # noqa: S608
_GRANTED = text(f"""
SELECT DISTINCT r.rolname FROM pg_class c CROSS JOIN aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
WHERE c.{_HERE} AND c.relname = 'entry' AND a.privilege_type = 'INSERT' AND a.grantee <> c.relowner
ORDER BY r.rolname
""")  # noqa: S608


@dataclass(frozen=True, slots=True)
class Standing:
    """What a role may do here: the tables it `owns` (or is a member of whose owner), the privileges it is `lacking`,
    and those that it has `beyond` what the node needs, each as ``UPDATE on entry``."""

    role: str
    owns: tuple[str, ...]
    lacking: tuple[str, ...]
    beyond: tuple[str, ...]

    @property
    def warning(self) -> str:
        """What the operator should know, in a sentence; empty where the role is as it should be."""
        guarded = [name for name in APPEND_ONLY if name in self.owns]
        if guarded:
            return (
                f"{self.role} owns {_few(guarded)} and could drop what guards them: let the node run as a role of its "
                f"own, by packproof db grant ({_MANUAL})"
            )
        if self.lacking:
            return f"{self.role} lacks {_few(self.lacking)}: as the tables' owner run packproof db grant {self.role}"
        if self.beyond:
            return f"{self.role} may do more than the node does: {_few(self.beyond)}"
        return ""


def standing(connection: Connection, role: str | None = None) -> Standing | None:
    """What `role` (default: whoever is connected) may do in this database; None on SQLite, which knows no roles."""
    if connection.dialect.name != "postgresql":
        return None
    role = role or _present(connection)
    named = {"role": role, "tables": _TABLES}
    owns = tuple(connection.execute(_OWNED, named).scalars())
    lacking: list[str] = []
    beyond: list[str] = []
    for name, privilege, given, could in connection.execute(_MAY, named):
        needed = privilege in PRIVILEGES[name]
        if needed and not given:
            lacking.append(f"{privilege} on {name}")
        elif could and not needed:
            beyond.append(f"{privilege} on {name}")
    for row in connection.execute(_SEQUENCES, named):
        if "INSERT" in PRIVILEGES[row.of_table] and not row.usable:
            lacking.append(f"USAGE on {row.name}")
        if row.settable:
            beyond.append(f"UPDATE on {row.name}")
    beyond += connection.execute(_AROUND, named).scalars()
    return Standing(role, owns, tuple(lacking), tuple(beyond))


def of(database: Database) -> Standing | None:
    """What the role may do that this process is connected as; None on SQLite."""
    with database.snapshot() as connection:
        return standing(connection)


def granted(connection: Connection) -> list[str]:
    """The roles that were granted to append to the ledger."""
    if connection.dialect.name != "postgresql":
        return []
    return list(connection.execute(_GRANTED).scalars())


def grant(connection: Connection, role: str) -> Standing:
    """Give `role` what the node does and take away what else it had here, in the caller's transaction.

    Raises `Invalid`, `Conflict` where there is no such role, where it cannot be kept from anything, where it has more
    from elsewhere, and where whoever is connected does not own the tables.
    """
    quote = connection.dialect.identifier_preparer.quote
    if connection.dialect.name != "postgresql":
        raise Invalid("database.no_roles", "SQLite knows no roles", "", "There is nothing to grant here")
    known = text("SELECT rolsuper FROM pg_roles WHERE rolname = :role")
    superuser = connection.execute(known, {"role": role}).scalar()
    if superuser is None:
        made = f"CREATE ROLE {quote(role)} LOGIN PASSWORD '...'"
        raise Invalid(
            "database.role", f"There is no role {role} in this server", "", f"Make it first: {made}"
        )
    owner = _standing(connection, _present(connection))
    if others := [name for name in PRIVILEGES if name not in owner.owns]:
        raise Conflict(
            "database.not_owner",
            f"{owner.role} does not own {_few(others)}",
            "only who owns the tables grants what others may do with them",
            "Run it with the PACKPROOF_DATABASE_URL that packproof db upgrade is run with",
        )
    if owns := _standing(connection, role).owns:
        raise Conflict(
            "database.role_owner",
            f"{role} cannot be kept from anything here",
            "it is a superuser" if superuser else f"it owns {_few(owns)}, or is a member of who does",
            "Make a role of its own: CREATE ROLE packproof_node LOGIN PASSWORD '...'",
        )
    for statement in _statements(connection, quote(role)):
        connection.exec_driver_sql(statement)
    after = _standing(connection, role)
    if after.beyond:
        raise Conflict(
            "database.role_more",
            f"{role} could still do more than the node does",
            _few(after.beyond),
            "It can by PUBLIC, a role that it is a member of, or what it owns: take it away there. Nothing was changed",
        )
    return after


def _standing(connection: Connection, role: str) -> Standing:
    found = standing(connection, role)
    assert found is not None
    return found


def _present(connection: Connection) -> str:
    return str(connection.execute(text("SELECT current_user")).scalar_one())


def _statements(connection: Connection, role: str) -> Iterator[str]:
    """What takes away and gives; `role` is quoted."""
    quote = connection.dialect.identifier_preparer.quote
    schema = quote(str(connection.execute(text("SELECT current_schema()")).scalar_one()))
    sequences = connection.execute(_SEQUENCES, {"role": _present(connection), "tables": _TABLES}).all()

    def named(names: Collection[str]) -> str:
        return ", ".join(f"{schema}.{quote(name)}" for name in names)

    yield f"REVOKE ALL ON TABLE {named(PRIVILEGES)} FROM {role}"
    yield f"REVOKE ALL ON SEQUENCE {named([row.name for row in sequences])} FROM {role}"
    yield f"REVOKE ALL ON SCHEMA {schema} FROM {role}"
    yield f"GRANT USAGE ON SCHEMA {schema} TO {role}"
    for given in sorted(set(PRIVILEGES.values()), key=sorted):
        tables = [name for name, privileges in PRIVILEGES.items() if privileges == given]
        yield f"GRANT {', '.join(sorted(given))} ON TABLE {named(tables)} TO {role}"
    used = [row.name for row in sequences if "INSERT" in PRIVILEGES[row.of_table]]
    yield f"GRANT USAGE ON SEQUENCE {named(used)} TO {role}"


def _few(words: Collection[str], most: int = 5) -> str:
    shown = ", ".join(list(words)[:most])
    return f"{shown} and {len(words) - most} more" if len(words) > most else shown


def register(actions: Any) -> None:
    """Add the action to `packproof db`."""
    parser = actions.add_parser(
        "grant",
        help="let a role of PostgreSQL be what the node runs as, and no more",
        description="Grant ROLE what the node does in its database, and take away what else it had on these tables: "
        "entries, tiles, checkpoints and the audit trail it may read and append to. Run it as the owner of the "
        "tables, after each packproof db upgrade; then let PACKPROOF_DATABASE_URL of the node name ROLE.",
        epilog="example:\n"
        "  psql -c \"CREATE ROLE packproof_node LOGIN PASSWORD '...'\" packproof\n"
        "  PACKPROOF_DATABASE_URL=postgresql://owner@db/packproof packproof db grant packproof_node\n"
        "  PACKPROOF_DATABASE_URL=postgresql://packproof_node@db/packproof packproof db current",
    )
    parser.add_argument("role", metavar="ROLE", help="a role that exists, and owns nothing here")
    parser.set_defaults(run=_grant)


def _grant(arguments: argparse.Namespace, context: "Context") -> None:
    database = context.bare.database
    migrate.require_current(database)
    with database.writing() as connection:
        after = grant(connection, arguments.role)
        record(connection, context.bare.clock, context.actor, "database.grant", subject=after.role)
    changed = [name for name, given in PRIVILEGES.items() if "UPDATE" in given or "DELETE" in given]
    data = {"role": after.role, "tables": {name: sorted(given) for name, given in PRIVILEGES.items()}}
    context.show(
        data,
        f"{after.role} may read {len(PRIVILEGES)} tables and change rows of {len(changed)}. Entries, tiles, "
        "checkpoints and the audit trail it can only append to.\n"
        f"Let the node run as it: PACKPROOF_DATABASE_URL=postgresql://{after.role}@...",
    )

"""Run by Alembic: hands it the connection that `app.migrate` opened, inside its transaction.

There is no other way in, so that migrations run with the same pragmas, locks and driver as the node itself.
"""

from alembic import context

from ledger.store.sql.metadata import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("run migrations by: packproof db upgrade")

context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()

"""The schema, revision by revision. `app.migrate` runs it; `alembic` itself needs no configuration file."""

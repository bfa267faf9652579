"""The one `MetaData` of the node.

Every `models.py` declares its tables here, so that Alembic compares one schema with one database and a
foreign key may point from a feature's table to another's. Constraints are named by convention: a migration
can then drop by name what it created, on both databases::

    item = Table("item", metadata, Column("item_id", BigId, primary_key=True), ...)
"""

from sqlalchemy import MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

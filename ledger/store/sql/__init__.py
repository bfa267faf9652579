"""The store on a relational database: the only corner of the kernel that knows SQLAlchemy.

`engine` opens SQLite or PostgreSQL with the durability the ledger is promised; `metadata` is the one
`MetaData` that every table of the node joins; `types` are the column types both databases agree on.
"""

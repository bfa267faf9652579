"""Proving a sound ledger fast: whole blocks of rows at a time, in several processes.

    block     is a block of entry rows sound? Pure functions over rows
    rows      the rows of a block, straight from the database's driver
    worker    a process that answers for blocks                          pool     several of them, or none
    prove     the whole ledger, block by block

It says yes or it says nothing. Where anything is not as it must be, `ledger.store.fsck` looks at every row singly and
names the first that is broken.
"""

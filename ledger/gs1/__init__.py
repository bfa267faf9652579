"""GS1 identifiers: every spelling of a thing to the one value that the ledger keeps, and back.

Pure: the standard library and, for the table of Application Identifiers, biip. Anything that is not exactly what it
should be is a `ledger.gs1.errors.Gs1Error` with a code.
"""

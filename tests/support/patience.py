"""How long tests wait for what must come: a machine may be busy, and nothing here is about how quick it is.

Who waits for an answer, a process or a thread gives up after `PATIENCE_S`, so that a test which hangs ends; a test
that must be quick says so by a clock of its own.
"""

PATIENCE_S = 180

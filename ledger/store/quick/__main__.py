"""A worker of an audit: `ledger.store.quick.pool` starts it."""

import sys

from ledger.store.quick.worker import serve

serve(sys.stdin.buffer, sys.stdout.buffer)

"""Whether a PostgreSQL connection still lives, without a round trip each time, as `pool_pre_ping` makes it.

A server that ends a session says so: the socket is readable before anything was asked. Only where nothing can be said,
because the network is gone, the server has to be asked, which is done of a connection that was idle.
"""

import select
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DisconnectionError

IDLE_S = 30
"""A connection unused for longer is asked whether it lives."""
_USED = "packproof.used"


def is_quiet(connection: Connection) -> bool:
    """Whether the server has said nothing since this connection was used: it would have said that it ended it."""
    driver: Any = connection.connection.driver_connection
    waiting = select.poll()
    try:
        waiting.register(driver.fileno(), select.POLLIN)
    except connection.dialect.loaded_dbapi.Error:
        return False
    return not waiting.poll(0)


def require_alive(engine: Engine) -> Callable[[Any, Any, object], None]:
    """What lets a pool hand out no connection that the server has closed; for the event `checkout`."""

    def on_checkout(driver: Any, record: Any, _proxy: object) -> None:
        waiting = select.poll()
        try:
            waiting.register(driver.fileno(), select.POLLIN)
        except engine.dialect.loaded_dbapi.Error:
            raise DisconnectionError("this connection is closed") from None
        if waiting.poll(0):
            raise DisconnectionError("the server has closed this connection")
        if time.monotonic() - record.info.get(_USED, time.monotonic()) > IDLE_S:
            try:
                alive = engine.dialect.do_ping(driver)
            except engine.dialect.loaded_dbapi.Error:
                alive = False
            if not alive:
                raise DisconnectionError("the server does not answer on this connection")

    return on_checkout


def note_use(_driver: Any, record: Any) -> None:
    """Remember when a connection was used last; for the event `checkin`."""
    record.info[_USED] = time.monotonic()

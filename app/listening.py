"""Whether an address can be listened on, asked before a server is started there: the server itself says it late, many
times, and without a next step.
"""

import errno
import socket

from app.errors import AppError, Conflict


def require_free(host: str, port: int) -> None:
    """Bind TCP `port` of `host` for a moment. Raises `AppError` where another program does, or nobody may."""
    try:
        if not 0 <= port <= 0xFFFF:
            raise OverflowError("a port is a number from 0 to 65535")
        found = socket.getaddrinfo(
            host.strip("[]") or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, kind, protocol, _, address in found[:1]:
            with socket.socket(family, kind, protocol) as tried:
                # As the server does: a connection that has just ended does not keep the port.
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                tried.bind(address)
    except (OSError, OverflowError) as error:
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            title = f"Port {port} is taken by another program"
            raise Conflict("serve.port_taken", title, "", "Take another with --port.") from error
        why = getattr(error, "strerror", None) or str(error)
        where = f"{host}:{port}"
        step = "Give --host an address of this machine, and --port one that this account may take."
        raise AppError("serve.address", 400, f"{where} cannot be listened on", why, step) from error

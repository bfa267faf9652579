"""What every request passes through: its id and headers, who sends it, whether they may, and that they mean it.

In this order: `headers` (request id, later the security headers), `actor` (session cookie on pages, bearer token on
interfaces), `access` (the table in `permissions`), `csrf` (on pages), `limits`. `layout` gives the pages their frame.
"""

from flask import Flask

from app.web import access, actor, assets, csrf, headers, layout, limits, logs, visible
from app.wiring import Services


def init(app: Flask, services: Services) -> None:
    """Hook the web's safety into `app`, before any blueprint is registered."""
    logs.configure(services.settings)
    headers.init(app, services.settings)
    actor.init(app)
    access.init(app)
    csrf.init(app, services.settings)
    assets.init(app)
    visible.init(app)
    layout.init(app)


def finish(app: Flask, services: Services) -> None:
    """Hook in what needs the registered views."""
    limits.init(app, services.settings)

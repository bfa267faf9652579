"""The node: a Flask service over the ledger. `create_app` makes it, `app.wiring` decides of what.

A feature is a folder. Its `pages.py` answers people in HTML, its `api.py` answers programs in JSON; each exports
``blueprint`` and is named once in the lists below. Which list decides how a request is known (session cookie or bearer
token), whether it needs a CSRF token, and how errors are told.
"""

# Nothing of Flask is imported before `create_app` is called: every module below `app` loads this one first, and a
# command should answer before its reader has looked up.
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Blueprint, Flask

    from app.config import Settings
    from app.shared.clock import Clock


def _pages() -> "Sequence[Blueprint]":
    from app.adoption import pages as ahead
    from app.cases import pages as cases
    from app.exceptions import pages as exceptions
    from app.exceptions import pdg_pages as pdg
    from app.history import pages as history
    from app.inventory import pages as inventory
    from app.investigations import form_pages as form3911
    from app.investigations import pages as investigations
    from app.overrides import pages as overrides
    from app.people import pages as people
    from app.recalls import pages as recalls
    from app.receiving import pages as receiving
    from app.regulator import desk as requests
    from app.regulator import pages as regulator
    from app.returns import pages as returns
    from app.shipping import pages as shipping
    from app.transactions import pages as sales
    from app.verification import pages as verification
    from app.vrs import pages as verifications
    from app.web import start

    return (
        start.blueprint,
        people.blueprint,
        verification.blueprint,
        shipping.blueprint,
        sales.blueprint,
        inventory.blueprint,
        verifications.blueprint,
        history.blueprint,
        ahead.blueprint,
        cases.blueprint,
        exceptions.blueprint,
        investigations.blueprint,
        form3911.blueprint,
        returns.blueprint,
        recalls.blueprint,
        overrides.blueprint,
        pdg.blueprint,
        receiving.blueprint,
        regulator.blueprint,
        requests.blueprint,
    )


def _apis() -> "Sequence[Blueprint]":
    from app.adoption import api as ahead_api
    from app.capture import api as captures
    from app.devices import api as devices
    from app.epcis import api as epcis
    from app.exceptions import api as exception_api
    from app.inventory import api as inventory_api
    from app.investigations import api as investigation_api
    from app.log import api as log
    from app.overrides import api as override_api
    from app.recalls import api as recall_api
    from app.receiving import api as receivings
    from app.regulator import api as request_api
    from app.returns import api as return_api
    from app.shipping import api as shipments
    from app.transactions import api as transactions
    from app.verification import api as checks
    from app.vrs import api as vrs
    from app.web import health
    from app.witness import api as witness

    return (
        health.blueprint,
        witness.blueprint,
        log.blueprint,
        captures.blueprint,
        ahead_api.blueprint,
        devices.blueprint,
        epcis.blueprint,
        exception_api.blueprint,
        receivings.blueprint,
        checks.blueprint,
        investigation_api.blueprint,
        return_api.blueprint,
        override_api.blueprint,
        recall_api.blueprint,
        request_api.blueprint,
        transactions.blueprint,
        inventory_api.blueprint,
        shipments.blueprint,
        vrs.blueprint,
    )


def create_app(settings: "Settings", clock: "Clock | None" = None) -> "Flask":
    """The node's WSGI application. Nothing is connected before the first request, so that workers may fork."""
    import flask_smorest
    from flask import Flask

    from app import errors, web, wiring

    app = Flask("app", template_folder="web/templates", static_folder="web/static")
    app.config.update(
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        API_TITLE="Packproof",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    services = wiring.build(settings, clock)
    app.extensions[wiring.EXTENSION] = services
    kinds = app.extensions["packproof.kinds"] = {"api-docs": "api"}
    web.init(app, services)
    api = flask_smorest.Api(app)
    # After flask-smorest, whose handler is app-wide and would answer pages in JSON.
    errors.register(app)
    for kind, blueprints in (("page", _pages()), ("api", _apis())):
        for blueprint in blueprints:
            kinds[blueprint.name] = kind
            if isinstance(blueprint, flask_smorest.Blueprint):
                api.register_blueprint(blueprint)
            else:
                app.register_blueprint(blueprint)
    web.finish(app, services)
    if settings.witnesses is not None:
        # With the first request, which a worker gets: a thread does not outlive a fork.
        app.before_request(services.cosigning.start)
    if settings.tsa_url and settings.tsa_certificates is not None:
        app.before_request(services.stamping.start)
    if settings.kept_logs is not None:
        app.before_request(services.keeping.start)
    return app

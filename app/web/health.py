"""``GET /healthz``: whether this node can answer, for whatever watches over it.

200 ``{"status": "ok", "schema": "0003"}`` or 503 with what is wrong. It tells nothing about the data.
"""

import structlog
from flask import Blueprint, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from app import migrate
from app.wiring import services

blueprint = Blueprint("health", __name__)
log = structlog.get_logger(__name__)


@blueprint.get("/healthz")
def healthz() -> tuple[Response, int]:
    try:
        found = migrate.current(services().database)
    except SQLAlchemyError:
        log.exception("database does not answer")
        return jsonify(status="failing", database="does not answer"), 503
    if found != migrate.newest():
        return jsonify(status="failing", schema=found, next="packproof db upgrade"), 503
    return jsonify(status="ok", schema=found), 200

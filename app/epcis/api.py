"""The EPCIS 2.0 REST interface, as far as this node has it: capture, capture jobs, events by MATCH_anyEPC.

    POST /epcis/capture           202, Location: /epcis/capture/{captureID}      scope capture
    GET  /epcis/capture/{id}      the job                                         scope capture
    GET  /epcis/events            an EPCISQueryDocument                           scope query
    OPTIONS of each               204, what it takes and within which limits

Bodies never pass through a schema of ours: EPCIS carries extensions, and the kernel's readers are strict by themselves.
"""

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, json, request, url_for
from werkzeug.exceptions import HTTPException

from app.capture.inbox import JOB_BYTES, Job
from app.epcis import rules
from app.epcis.rules import EventQuery, NotAcceptable
from app.epcis.service import ROLLBACK
from app.errors import AppError, Invalid, from_http, respond
from app.partners import service as partners
from app.shared.audit import Outcome, disclose
from app.web.access import reach
from app.web.actor import present
from app.web.forms import body
from app.wiring import services

blueprint = Blueprint("epcis", __name__, url_prefix="/epcis")


@blueprint.route("/capture", methods=["POST", "OPTIONS"], provide_automatic_options=False)
def capture() -> Response:
    """Take a document in, unsigned, on behalf of the caller's party."""
    if request.method == "OPTIONS":
        return _options("OPTIONS, POST")
    rules.check_versions(request.headers, payload=True)
    behaviour = request.headers.get("GS1-Capture-Error-Behaviour", ROLLBACK)
    if behaviour != ROLLBACK:
        raise AppError(
            "epcis.error_behaviour",
            501,
            "Only rollback is supported",
            f"GS1-Capture-Error-Behaviour: {behaviour[:40]}",
            "A document is taken in whole or not at all.",
        )
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Invalid(
            "request.encoding", "Send the document as it is", "Content-Encoding is not read", "", status=415
        )
    node, actor = services(), present()
    raw = body()
    assert actor.party_gln is not None  # every token that has the scope speaks for a party
    taken = node.capture.receive(raw, request.content_type, by=actor.party_gln, channel="rest", actor=actor)
    if isinstance(taken, Job):
        capture_id = taken.job_id
        answer = node.capture.job(capture_id)
    else:
        capture_id = taken.leaf.hex()
        answer = {**node.epcis.job(capture_id, taken.by), "receipt": taken.as_json()}
    response = _json(answer, 202)
    response.headers["Location"] = url_for("epcis.capture_job", capture_id=capture_id)
    return response


@blueprint.route("/capture/<capture_id>", methods=["GET", "OPTIONS"], provide_automatic_options=False)
def capture_job(capture_id: str) -> Response:
    """How a capture of the caller's party went."""
    if request.method == "OPTIONS":
        return _options("GET, HEAD, OPTIONS")
    node, gln = services(), reach().party_gln
    if len(capture_id) == 2 * JOB_BYTES and gln is not None:
        with node.database.reading() as connection:
            gln = partners.owners_of(connection, [gln])[gln]
        told = node.capture.job(capture_id, by=gln)
        if told is not None:
            return _json(told, 200)
    return _json(node.epcis.job(capture_id, gln), 200)


@blueprint.route("/events", methods=["GET", "OPTIONS"], provide_automatic_options=False)
def query_events() -> Response:
    """The events that name the caller's party: as reporter, sender, recipient, seller or buyer."""
    if request.method == "OPTIONS":
        return _options("GET, HEAD, OPTIONS")
    rules.check_versions(request.headers, payload=False)
    if not request.accept_mimetypes or request.accept_mimetypes.best_match(
        ("application/json", "application/ld+json")
    ):
        kind = "application/json"
    else:
        raise NotAcceptable("Events are answered as JSON", str(request.accept_mimetypes)[:100])
    asked = rules.epc_format(request.headers.get("GS1-EPC-Format"))
    query = EventQuery.parse(request.args.to_dict(flat=False))
    node, actor = services(), present()
    page = node.epcis.events(query, reach().party_gln, asked)
    disclose(
        node.database,
        node.clock,
        actor,
        "epcis.events",
        subject=" ".join(query.epcs) if query.epcs is not None else "all",
        whose=actor.party_gln or "",
        outcome=Outcome.SHOWN if page.count else Outcome.NOTHING,
        detail=f"{page.count} events",
    )
    response = Response(page.body, content_type=kind)
    response.headers["GS1-EPC-Format"] = "Always_EPC_URN" if asked == "Always_EPC_URN" else rules.FORMATS[1]
    if page.next_token is not None:
        parameters = {**request.args.to_dict(), "nextPageToken": str(page.next_token)}
        address = f"{url_for('epcis.query_events')}?{urlencode(parameters)}"
        response.headers["Link"] = f'<{address}>; rel="next"'
    return response


def _options(allow: str) -> Response:
    return Response(status=204, headers={"Allow": allow})


@blueprint.after_request
def _headers(response: Response) -> Response:
    settings = services().settings
    response.headers["GS1-EPCIS-Version"] = rules.EPCIS_VERSION
    response.headers["GS1-CBV-Version"] = rules.CBV_VERSION
    if request.method == "OPTIONS":
        for name in ("EPCIS", "CBV"):
            response.headers[f"GS1-{name}-Min"] = response.headers[f"GS1-{name}-Max"] = rules.EPCIS_VERSION
    if request.path.startswith("/epcis/capture"):
        response.headers["GS1-EPCIS-Capture-Limit"] = str(settings.max_document_events)
        response.headers["GS1-EPCIS-Capture-File-Size-Limit"] = str(settings.max_body_bytes)
        response.headers["GS1-Capture-Error-Behaviour"] = ROLLBACK
    return response


@blueprint.errorhandler(AppError)
def _app_error(error: AppError) -> Response:
    error.extra = {"type": rules.exception_type(error.status), **error.extra}
    return respond(error)


@blueprint.errorhandler(HTTPException)
def _http_error(error: HTTPException) -> Response:
    return _app_error(from_http(error))


def _json(answer: Any, status: int) -> Response:
    return Response(json.dumps(answer), status=status, content_type="application/json")

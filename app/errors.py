"""What goes wrong at the edge, told once and well.

`AppError` is raised by use cases and by the web layer; whoever asked by JSON gets an RFC 9457 problem document, whoever
asked by a page gets a page. Both say what happened and what to do next; neither shows the inside of the node::

    {"type": "https://packproof.example/problems/access.denied", "status": 403, "code": "access.denied",
     "title": "You may not do this", "detail": "...", "next": "...", "request_id": "req_..."}
"""

from typing import Any

from flask import Flask, Response, current_app, g, has_request_context, json, render_template, request
from werkzeug.exceptions import HTTPException

PROBLEM_BASE = "https://packproof.example/problems/"
PROBLEM_TYPE = "application/problem+json"


class AppError(Exception):
    """A failure that the caller can understand: a stable `code`, an HTTP `status`, what happened, what to do next."""

    def __init__(
        self,
        code: str,
        status: int,
        title: str,
        detail: str = "",
        next_step: str = "",
        *,
        headers: dict[str, str] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{title}: {detail}" if detail else title)
        self.code = code
        self.status = status
        self.title = title
        self.detail = detail
        self.next_step = next_step
        self.headers = headers or {}
        self.extra = extra or {}


class Refused(AppError):
    """The caller may not do this."""

    def __init__(self, code: str, title: str, detail: str = "", next_step: str = "") -> None:
        super().__init__(code, 403, title, detail, next_step)


class NotFound(AppError):
    """There is no such thing, or the caller may not know of it: the two must not differ."""

    def __init__(self, title: str = "Nothing here", detail: str = "", next_step: str = "") -> None:
        super().__init__("not_found", 404, title, detail, next_step)


class Conflict(AppError):
    """The request contradicts what stands."""

    def __init__(self, code: str, title: str, detail: str = "", next_step: str = "", **extra: Any) -> None:
        super().__init__(code, 409, title, detail, next_step, extra=extra)


class Invalid(AppError):
    """The request cannot be read or breaks a rule of form."""

    def __init__(
        self, code: str, title: str, detail: str = "", next_step: str = "", *, status: int = 400, **extra: Any
    ) -> None:
        super().__init__(code, status, title, detail, next_step, extra=extra)


class CaptureStopped(AppError):
    """The node takes nothing in until it is restarted or mended."""

    def __init__(self, why: str, next_step: str, status: int = 503) -> None:
        super().__init__("capture.stopped", status, "This node takes nothing in now", why, next_step)


# status -> code, title, detail, next step: for errors that Flask and its extensions raise.
_KNOWN: dict[int, tuple[str, str, str, str]] = {
    400: (
        "request.bad",
        "This request cannot be read",
        "",
        "Go back, check what was entered and send it again.",
    ),
    401: ("access.sign_in", "Sign in first", "", "Sign in, or send a bearer token."),
    403: (
        "access.denied",
        "You may not do this",
        "",
        "Ask the node's operator if your role should include it.",
    ),
    404: (
        "not_found",
        "Nothing here",
        "There is nothing at this address, or nothing for you.",
        "Check the address.",
    ),
    405: ("request.method", "Not in this way", "This address does not answer to that method.", ""),
    406: ("request.accept", "Not in that format", "", "Ask for one of the formats in the documentation."),
    408: ("request.slow", "The request took too long to arrive", "", "Send it again."),
    411: ("request.length", "The length is missing", "", "Send a Content-Length."),
    413: (
        "request.too_large",
        "Too large",
        "The body is larger than this node takes.",
        "Send it in smaller parts.",
    ),
    415: ("request.type", "Not this type of content", "", "Send one of the types in the documentation."),
    422: ("request.invalid", "Some values are not valid", "", "Correct the values named and send it again."),
    429: ("limit.rate", "Too many requests", "", "Wait a minute and try again."),
    500: (
        "server.fault",
        "Something broke here",
        "The fault is ours and has been logged.",
        "Try again in a moment.",
    ),
    503: ("server.unavailable", "Not available now", "", "Try again in a moment."),
}


def from_http(error: HTTPException) -> AppError:
    """What an `HTTPException` of Flask, Werkzeug or an extension means in our words."""
    status = error.code or 500
    code, title, detail, next_step = _KNOWN.get(status, (f"http.{status}", error.name, "", ""))
    data = getattr(error, "data", None) or {}
    extra = {"errors": data["messages"]} if "messages" in data else {}
    headers = dict(data.get("headers") or {})
    if (allow := getattr(error, "valid_methods", None)) and status == 405:
        headers["Allow"] = ", ".join(sorted(allow))
    if status == 429:
        headers["Retry-After"] = "60"  # every limit is counted by the minute
    return AppError(code, status, title, detail, next_step, headers=headers, extra=extra)


def wants_problem() -> bool:
    """Whether this request is answered by a problem document: by its blueprint, else by what it accepts."""
    if request.blueprint is not None:
        return kind_of(request.blueprint) == "api"
    # No route matched. A browser says that it reads HTML; whoever accepts anything is a program.
    return "text/html" not in request.accept_mimetypes.values()


def kind_of(blueprint: str) -> str:
    """Whether `blueprint` was registered as pages (``page``) or as an interface for programs (``api``)."""
    return current_app.extensions["packproof.kinds"].get(blueprint, "page")


def respond(error: AppError) -> Response:
    """The answer to the present request that tells `error`."""
    body = {
        "type": PROBLEM_BASE + error.code,
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
        "next": error.next_step,
        "request_id": g.get("request_id", ""),
        **error.extra,
    }
    if wants_problem():
        response = Response(json.dumps(body), status=error.status, content_type=PROBLEM_TYPE)
    else:
        response = Response(
            render_template("error.html", error=error), status=error.status, mimetype="text/html"
        )
    response.headers.update(error.headers)
    return response


def register(app: Flask) -> None:
    """Answer every failure of `app` by `respond`."""

    @app.errorhandler(AppError)
    def _app_error(error: AppError) -> Response:
        return respond(error)

    @app.errorhandler(HTTPException)
    def _http_error(error: HTTPException) -> Response:
        if error.response is not None:
            return error.response  # type: ignore[return-value]
        return respond(from_http(error))

    @app.errorhandler(RecursionError)
    def _too_deep(_error: RecursionError) -> Response:
        # The standard library's JSON reader goes as deep as a body does, until Python stops it.
        return respond(
            Invalid(
                "request.too_deep", "Nested too deeply", "", "Send it with fewer levels inside one another."
            )
        )

    @app.errorhandler(Exception)
    def _fault(error: Exception) -> Response:
        if isinstance(error, ValueError) and "integer string conversion" in str(error):
            # Python reads no integer of more than 4,300 digits, and JSON readers let that escape.
            return respond(Invalid("request.number", "A number is too long", "", "Send a shorter number."))
        import structlog  # the command line reads this module too, and logs nothing

        request_id = g.get("request_id", "") if has_request_context() else ""
        structlog.get_logger(__name__).exception(
            "fault", request_id=request_id, path=request.path, method=request.method
        )
        return respond(AppError("server.fault", 500, *_KNOWN[500][1:]))

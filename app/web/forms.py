"""Bodies that programs send: whole and within the limit, or refused; a form's parts each exactly once.

Of a body that comes without its length (chunked), Werkzeug hands over as much as the limit allows and drops the rest
without a word. Nothing here may work on half a document.
"""

from flask import abort, request

from app.errors import Invalid


def body() -> bytes:
    """The request's body. Raises 413 where it is longer than the limit, announced or not."""
    raw = request.get_data(cache=False)
    limit = request.max_content_length
    if request.content_length is None and limit is not None and len(raw) >= limit:
        abort(413)
    return raw


def parts(*names: str) -> dict[str, bytes]:
    """The bytes of the file parts `names`. Raises `Invalid` for one that is missing, doubled or not asked for."""
    if request.mimetype != "multipart/form-data":
        raise Invalid(
            "request.type",
            "Send a form of parts",
            request.mimetype or "no content type",
            f"multipart/form-data with {', '.join(names)}",
            status=415,
        )
    if request.content_length is None:
        abort(411)
    sent = [name or "" for form in (request.files, request.form) for name, _ in form.items(multi=True)]
    if sorted(sent) != sorted(names) or request.form:
        raise Invalid(
            "request.parts",
            "The form has other parts than it must",
            f"found {', '.join(sorted(sent)) or 'none'}",
            f"Send exactly {', '.join(names)}, each as a file.",
        )
    return {name: request.files[name].read() for name in names}

"""Parts of a multipart request that programs send: each exactly once, and nothing else."""

from flask import request

from app.errors import Invalid


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
    sent = [name for form in (request.files, request.form) for name, _ in form.items(multi=True)]
    if sorted(sent) != sorted(names) or request.form:
        raise Invalid(
            "request.parts",
            "The form has other parts than it must",
            f"found {', '.join(sorted(sent)) or 'none'}",
            f"Send exactly {', '.join(names)}, each as a file.",
        )
    return {name: request.files[name].read() for name in names}

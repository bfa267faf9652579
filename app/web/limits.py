"""How often one address may do what needs no sign-in: try to sign in, send signed captures, enrol keys.
And how often one party's systems may ask for verification, how often one person or program may give others' passwords.

Counted in this process's memory: several workers multiply the limit by their number, which a limit against guessing
bears. It counts attempts alone; loading a form is free. What one name may try is in `app.people.service`.
"""

from flask import Flask, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from app.config import Settings
from app.web import known
from app.web.actor import present


def init(app: Flask, settings: Settings) -> None:
    """Limit the views of `app` that strangers may post to."""
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://", strategy="moving-window")
    for endpoint, most in (
        ("captures.take_signed", settings.signed_captures_per_minute),
        ("devices.enrol", settings.enrolments_per_minute),
        ("witness.add_checkpoint", settings.add_checkpoints_per_minute),
        ("devices.apply_record", settings.enrolments_per_minute),
        ("devices.give_up", settings.signed_captures_per_minute),
    ):
        limit = limiter.limit(f"{most} per minute", methods=["POST"])
        app.view_functions[endpoint] = limit(app.view_functions[endpoint])
    # A password that is tried costs argon2's time and memory, whoever tries it.
    each = f"{settings.sign_in_per_minute} per minute"
    for endpoint, who in (
        ("people.sign_in", _browser),
        ("overrides.dispense", _sender),
        ("override_api.dispense", _sender),
        ("override_api.close", _sender),
    ):
        limit = limiter.limit(each, methods=["POST"], key_func=who)
        app.view_functions[endpoint] = limit(app.view_functions[endpoint])
    # Verification is counted by who asks, wherever from: a maker's serials are not for guessing.
    most = f"{settings.verifications_per_minute} per minute"
    asking = limiter.shared_limit(most, scope="vrs", key_func=_requester)
    for endpoint in ("vrs.verify", "vrs.check_connectivity"):
        app.view_functions[endpoint] = asking(app.view_functions[endpoint])


def _browser() -> str:
    return known.source(request.form.get("name", "")).name


def _sender() -> str:
    return f"{present().kind} {present().id}"


def _requester() -> str:
    actor = present()
    return actor.party_gln or actor.id

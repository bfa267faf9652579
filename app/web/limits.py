"""How often one address may try to sign in. What one name may try is in `app.people.service`.

Counted in this process's memory: several workers multiply the limit by their number, which a limit against guessing
bears. It counts attempts alone; loading the form is free.
"""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from app.config import Settings


def init(app: Flask, settings: Settings) -> None:
    """Limit the views of `app` that guessers use."""
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://", strategy="moving-window")
    view = app.view_functions["people.sign_in"]
    limit = limiter.limit(f"{settings.sign_in_per_minute} per minute", methods=["POST"])
    app.view_functions["people.sign_in"] = limit(view)

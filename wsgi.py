"""For WSGI servers: ``gunicorn --worker-class gthread wsgi:application``.

The name is `application` because `app` is the package.
"""

from app import create_app, wiring
from app.config import Settings

application = create_app(Settings.from_env())
# What an earlier process left half applied is gone on with, by this worker: it was forked before this was imported.
application.extensions[wiring.EXTENSION].worker.resume()

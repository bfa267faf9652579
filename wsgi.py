"""For WSGI servers: ``gunicorn --worker-class gthread wsgi:application``.

The name is `application` because `app` is the package.
"""

from app import create_app, wiring
from app.config import Settings

application = create_app(Settings.from_env())
_services = application.extensions[wiring.EXTENSION]
# What an earlier process left half applied is gone on with, by this worker: it was forked before this was imported.
_services.worker.resume()
# With the first request: a thread does not outlive a fork. A node that does not serve tells nobody by itself.
application.before_request(_services.recall_sweep.start)

"""For WSGI servers: ``gunicorn --worker-class gthread wsgi:application``.

The name is `application` because `app` is the package.
"""

from app import create_app
from app.config import Settings

application = create_app(Settings.from_env())

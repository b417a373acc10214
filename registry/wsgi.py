"""The WSGI application that a production server loads."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")

application = get_wsgi_application()

from ownership.web import replicas  # noqa: E402 (it takes a registry that is set up)

replicas.watch()

"""The WSGI application that a production server loads."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")

application = get_wsgi_application()

from ownership.web import replicas  # noqa: E402 (it needs Django's apps to be ready)

replicas.watch()

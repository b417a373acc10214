"""Prints all that a registry gives its consumers, as JSON: ``python -m tests.support.registry_state``.

It asks the API of the database in DATABASE_URL for the map of today, the map of each revision and all changes. It
makes itself an account there, so it is for copies alone.
"""

import json
import os
from typing import Any


def registry_state() -> dict[str, Any]:
    """Return ``{"map": …, "past": {revision: …}, "changes": […]}``."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("reader"))

    def get(address: str) -> Any:
        response = client.get(f"/api/v1/{address}")
        assert response.status_code == 200, (address, response.status_code)
        return json.loads(response.content)

    current = get("map/")
    past = {}
    for revision in range(current["revision"] + 1):
        past[str(revision)] = get(f"map/?revision={revision}")
    changes: list[Any] = []
    page = get("changes/")
    while True:
        changes += page["results"]
        if not page["has_more"]:
            break
        page = get(f"changes/?after={page['next']}")
    return {"map": current, "past": past, "changes": changes}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")
    import django

    django.setup()
    print(json.dumps(registry_state(), indent=1, sort_keys=True))

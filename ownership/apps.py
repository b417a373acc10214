"""The application's configuration."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OwnershipConfig(AppConfig):
    """Registers the admin's models, and completes the database after every ``migrate``."""

    name = "ownership"
    verbose_name = "Ownership map"

    def ready(self) -> None:
        """Connect to the end of ``migrate``, and register with the admin site.

        Connecting here comes after django.contrib.auth, whose own handler makes the permissions that our groups need.
        """
        from ownership.operations.setup import prepare_database

        post_migrate.connect(prepare_database, sender=self, dispatch_uid="ownership.prepare_database")
        # Not imported by ownership/admin/__init__.py: making the site imports that package, and models
        # registered meanwhile would go to a second site.
        import_module("ownership.admin.register")

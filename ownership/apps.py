"""The application's configuration."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OwnershipConfig(AppConfig):
    """Makes triggers, lock row, groups and permissions after every ``migrate``."""

    name = "ownership"
    verbose_name = "Ownership map"

    def ready(self) -> None:
        """Run after django.contrib.auth's own handler, which makes the permissions that the groups need."""
        from ownership.bootstrap import prepare_database

        post_migrate.connect(prepare_database, sender=self, dispatch_uid="ownership.prepare_database")

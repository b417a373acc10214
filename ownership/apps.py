"""The application's configuration."""

from importlib import import_module

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class OwnershipConfig(AppConfig):
    """Registers the admin's models, and completes the database after every ``migrate``."""

    name = "ownership"
    verbose_name = "Ownership map"

    def ready(self) -> None:
        """Connect to the end of ``migrate``, to new connections and to sign-ins, and register with the admin site.

        Connecting here comes after django.contrib.auth, whose own handler makes the permissions that our groups need.
        """
        from ownership.operations.setup import prepare_database

        post_migrate.connect(
            prepare_database, sender=self, dispatch_uid="ownership.prepare_database"
        )
        from ownership.audit.sqlite_like import replace_like

        connection_created.connect(replace_like, dispatch_uid="ownership.replace_like")
        from ownership.history.signals import change_set_ending
        from ownership.models.rights import guard

        change_set_ending.connect(guard, dispatch_uid="ownership.guard")
        from ownership.web.sign_in import note_sign_in

        # Django's own waits for its turn to write.
        user_logged_in.disconnect(dispatch_uid="update_last_login")
        user_logged_in.connect(note_sign_in, dispatch_uid="ownership.note_sign_in")
        # Not imported by ownership/admin/__init__.py: making the site imports that package, and models
        # registered meanwhile would go to a second site.
        import_module("ownership.admin.register")

"""``manage.py first_administrator``: an account to start with."""

import secrets

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Creates an administrator with a random password if there is no account."""

    help = (
        "If there is no account yet, create the administrator `admin` and print its password, once."
    )

    def handle(self, *args, **options) -> None:
        User = get_user_model()
        if User.objects.exists():
            return
        password = secrets.token_urlsafe(12)
        User.objects.create_superuser("admin", password=password)
        self.stdout.write(
            f"Administrator created. Sign in as  admin  with the password  {password}"
        )
        self.stdout.write("It is not shown again. Change it in the admin (your name, top right).")

"""``manage.py first_administrator``: the account to begin with."""

import secrets

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Makes an administrator with a generated password, only where there is no account at all."""

    help = "When there is no account yet, make the administrator `admin` and print its password, once."

    def handle(self, *args, **options) -> None:
        User = get_user_model()
        if User.objects.exists():
            return
        password = secrets.token_urlsafe(12)
        User.objects.create_superuser("admin", password=password)
        self.stdout.write(f"Administrator made. Sign in as  admin  with the password  {password}")
        self.stdout.write("It is shown this once; change it in the admin (top right).")

"""``manage.py run``: what ``make run`` starts, in one process instead of four."""

import os

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    """Development: from an empty folder to a running registry with data."""

    help = "For development: migrate, seed an empty registry, create the first administrator, and serve."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="where to listen, for example 127.0.0.1:8000")

    def handle(self, *args, **options) -> None:
        # runserver's reloader runs this command again in a child process, and only the child serves.
        if os.environ.get("RUN_MAIN") != "true":
            call_command("migrate", verbosity=0)
            call_command("seed", if_empty=True)
            call_command("first_administrator")
        call_command("runserver", options["address"])

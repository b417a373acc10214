"""``manage.py drift READER …``: ``python -m ownership.drift`` with this registry's own map."""

import sys

from django.core.management.base import BaseCommand, CommandParser

from ownership.api.serializers import map_of_today
from ownership.drift.command import main


class Command(BaseCommand):
    """Compares the map in the database with the infrastructure; exit status 0 no drift, 1 drift, 2 could not read."""

    help = (
        "Compare this registry's map with the infrastructure; the arguments are those of `python -m ownership.drift`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reader", choices=["serverless", "cloudformation", "dynamodb"])

    def run_from_argv(self, argv: list[str]) -> None:
        """Leave the arguments to drift's own parser, which knows each reader's."""
        sys.exit(main(argv[2:], own_map=map_of_today))

    def handle(self, *args, **options) -> None:
        """Only by the command line: what it gives is an exit status."""
        raise NotImplementedError

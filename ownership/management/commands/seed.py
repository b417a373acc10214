"""``manage.py seed``: fill the registry from the fixture."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ownership.exchange.seed import SeedError, seed
from ownership.history.lock import RegistryBusy
from ownership.history.models import ChangeSet

FIXTURE = settings.BASE_DIR / "fixtures" / "ownership.yaml"


class Command(BaseCommand):
    """Creates what the fixture has and the registry never had; changes and deletes nothing."""

    help = "Create the entries of a fixture that the registry has never had. Run again, it changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "fixture",
            nargs="?",
            type=Path,
            default=FIXTURE,
            help="a .yaml or .json file (default: fixtures/)",
        )
        parser.add_argument("--if-empty", action="store_true", help="do nothing unless the registry has no history")

    def handle(self, *args, **options) -> None:
        if options["if_empty"] and ChangeSet.objects.exists():
            return
        try:
            created = seed(options["fixture"])
        except (SeedError, RegistryBusy) as error:
            raise CommandError(f"Nothing was seeded. {error}") from error
        if created:
            self.stdout.write("Created " + ", ".join(f"{count} {name}" for name, count in created.items()) + ".")
        else:
            self.stdout.write("Nothing to create: the registry has, or once had, every entry of the fixture.")

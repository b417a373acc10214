"""``manage.py seed``: fill the registry from the fixture."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ownership.exchange.seed import SeedError, seed
from ownership.history.lock import RegistryBusy
from ownership.history.models import ChangeSet
from ownership.plans.plan import NotApplied

FIXTURE = settings.BASE_DIR / "fixtures" / "ownership.yaml"


class Command(BaseCommand):
    """Creates what the file has and the registry never had; changes and deletes nothing."""

    help = (
        "Create the rows of a file that the registry has never had. Run again, it changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "fixture",
            nargs="?",
            type=Path,
            default=FIXTURE,
            help="a .yaml or .json file, or another that import_map reads (default: fixtures/ownership.yaml)",
        )
        parser.add_argument(
            "--if-empty",
            action="store_true",
            help="do nothing unless the registry has no history",
        )

    def handle(self, *args, **options) -> None:
        if options["if_empty"] and ChangeSet.objects.exists():
            return
        try:
            created = seed(options["fixture"])
        except (SeedError, NotApplied, RegistryBusy) as error:
            raise CommandError(f"Nothing was seeded. {error}") from error
        if created:
            counts = ", ".join(f"{count} {name}" for name, count in created.items())
            self.stdout.write(f"Created {counts}.")
        else:
            self.stdout.write(
                "Nothing to create: the registry has, or once had, every row of the file."
            )

"""``manage.py restore``: the whole database from a backup."""

import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ownership.operations.backup import BackupError
from ownership.operations.restore import holds_data, restore


class Command(BaseCommand):
    """Restores the rows of a backup that is undamaged, not from a newer version, and whose history verifies."""

    help = "Check a backup, and replace the whole database with it. If a check fails, nothing is changed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="a file from `manage.py backup`; - for standard input")
        parser.add_argument(
            "--yes", action="store_true", help="replace a database that is not empty"
        )

    def handle(self, *args, **options) -> None:
        try:
            if holds_data() and not options["yes"]:
                raise BackupError(
                    "The database is not empty, and all of it would be replaced. To do that, add --yes."
                )
            if options["file"] == "-":
                head = restore(sys.stdin.buffer)
            else:
                with Path(options["file"]).open("rb") as file:
                    head = restore(file)
        except (BackupError, OSError) as error:
            raise CommandError(f"Nothing was changed. {error}") from error
        self.stdout.write(f"Restored, up to revision {head.revision}. The head is {head}")

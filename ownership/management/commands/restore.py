"""``manage.py restore``: the whole database from a backup."""

import sys
from contextlib import nullcontext
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ownership.operations.backup import BackupError, holds_data, restore


class Command(BaseCommand):
    """Puts a backup back after it proved whole, of this registry's age or older, and its history verified."""

    help = "Replace the whole database by a backup's, once that is found sound; else change nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="what `manage.py backup` wrote; - for standard input")
        parser.add_argument("--yes", action="store_true", help="replace a database that holds something")

    def handle(self, *args, **options) -> None:
        try:
            if holds_data() and not options["yes"]:
                raise BackupError("The database holds data, all of which would be replaced: say --yes if it may be.")
            with nullcontext(sys.stdin.buffer) if options["file"] == "-" else Path(options["file"]).open("rb") as file:
                head = restore(file)
        except (BackupError, OSError) as error:
            raise CommandError(f"Nothing was changed. {error}") from error
        self.stdout.write(f"Restored, up to revision {head.revision}: {head}")

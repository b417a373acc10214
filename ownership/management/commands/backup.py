"""``manage.py backup``: the whole database into one file."""

import os
import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ownership.history.models import Head
from ownership.operations.backup import BackupError, backup


class Command(BaseCommand):
    """Writes a backup while the registry runs; the file appears under its name when it is whole."""

    help = "Write the whole database into a new file, as it is at one moment, while the registry runs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="a new file, readable by its maker alone; - for standard output")

    def handle(self, *args, **options) -> None:
        try:
            head = backup(sys.stdout.buffer) if options["file"] == "-" else self._to_file(Path(options["file"]))
        except (BackupError, OSError) as error:
            raise CommandError(f"No backup was made. {error}") from error
        self.stderr.write(f"Backed up, up to revision {head.revision}. Its head, to keep elsewhere: {head}")

    def _to_file(self, path: Path) -> Head:
        if path.exists():
            raise BackupError(f"{path} is there already: name a new file.")
        part = path.with_name(f"{path.name}.part")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            try:
                head = backup(file)
                file.flush()
                os.fsync(file.fileno())
                os.link(part, path)  # fails where somebody made it meanwhile
            finally:
                part.unlink()
        return head

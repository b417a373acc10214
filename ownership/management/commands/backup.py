"""``manage.py backup``: the whole database in one file."""

import os
import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ownership.history.head import Head
from ownership.operations.backup import BackupError, backup


class Command(BaseCommand):
    """Makes a backup while the registry runs."""

    help = "Write the whole database, as it is at one moment, to a new file. The registry may keep running."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file",
            help="a new file, which only you will be able to read; - for standard output",
        )

    def handle(self, *args, **options) -> None:
        try:
            if options["file"] == "-":
                head = backup(sys.stdout.buffer)
            else:
                head = self._backup_to_file(Path(options["file"]))
        except (BackupError, OSError) as error:
            raise CommandError(f"No backup was made. {error}") from error
        # Standard output may be the backup itself.
        self.stderr.write(
            f"Backup made, up to revision {head.revision}. "
            f"Keep its head in another place, for `verify_history --head`: {head}"
        )

    def _backup_to_file(self, path: Path) -> Head:
        """Write to a temporary name first, so that a file with the final name is always complete."""
        if path.exists():
            raise BackupError(f"{path} already exists. Choose another name.")
        part = path.with_name(f"{path.name}.part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            try:
                head = backup(file)
                file.flush()
                os.fsync(file.fileno())
                # Unlike a rename, a link fails if somebody created the file meanwhile.
                os.link(part, path)
            finally:
                part.unlink()
        return head

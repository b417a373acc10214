"""``manage.py verify_history``: was anything changed without the registry?"""

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from ownership.audit.verification import Verification
from ownership.history.append_only import missing_guards
from ownership.history.head import Head


class Command(BaseCommand):
    """Replays all history and compares it with the live rows. Reads only. Exit status 1 if something is wrong."""

    help = "Replay all history, compare it with the live rows, and list changes that bypassed the registry."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--head",
            metavar="REVISION:DIGEST",
            help="a head that an earlier run printed: also detects history that was cut off or rewritten",
        )

    def handle(self, *args, **options) -> None:
        kept_head = None
        if options["head"]:
            try:
                kept_head = Head.parse(options["head"])
            except ValueError as error:
                raise CommandError(str(error)) from error
        verification = Verification(kept_head)
        count = 0
        for guard in missing_guards(connection):
            self.stdout.write(guard)
            count += 1
        for inconsistency in verification.run():
            self.stdout.write(str(inconsistency))
            count += 1
        if count:
            raise CommandError(f"{count} finding(s) in {verification.entries} entries.")
        self.stdout.write(
            f"All is well: {verification.head.revision} change sets, {verification.entries} entries. "
            f"Keep this head in another place, for --head: {verification.head}"
        )

"""``manage.py verify_history``: was anything changed behind the registry's back?"""

from itertools import chain

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from ownership.audit.verification import Verification
from ownership.history.append_only import missing_guards
from ownership.history.models import Head


def _head(text: str) -> Head:
    try:
        return Head.parse(text)
    except ValueError as error:
        raise CommandError(str(error)) from error


class Command(BaseCommand):
    """Replays all history against the live rows; reads only. Exit status 0: all is well, 1: it prints what is not."""

    help = "Replay all history, compare it with the live rows, and list what was changed behind the registry's back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--head",
            metavar="REVISION:DIGEST",
            help="a head that an earlier run printed and somebody kept: finds history that was cut or written anew",
        )

    def handle(self, *args, **options) -> None:
        verification = Verification(_head(options["head"]) if options["head"] else None)
        found = 0
        for finding in chain(missing_guards(connection), verification.run()):
            self.stdout.write(str(finding))
            found += 1
        if found:
            raise CommandError(f"{found} finding(s) in {verification.entries} entries.")
        self.stdout.write(
            f"All is well: {verification.head.revision} change sets, {verification.entries} entries. "
            f"Keep this head elsewhere, for --head: {verification.head}"
        )

"""``manage.py verify_history``: was anything changed without the registry?"""

import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ownership.audit.head_log import heads_in_log
from ownership.audit.verification import Verification
from ownership.history.head import Head
from ownership.operations.verify import all_findings


class Command(BaseCommand):
    """Checks the schema, replays all history and compares it with the live rows. Exit status 1 if something is wrong.

    It changes nothing.
    """

    help = "Replay all history, compare it with the live rows, and list changes that bypassed the registry."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--head",
            metavar="REVISION:DIGEST",
            help="a head that an earlier run printed: also detects history that was cut off or rewritten",
        )
        parser.add_argument(
            "--head-from-log",
            metavar="FILE",
            help="a log of the registry, kept elsewhere: compare with the head of each change set in it; "
            "- for standard input",
        )

    def handle(self, *args, **options) -> None:
        verification = Verification(self._kept_heads(options["head"], options["head_from_log"]))
        count = 0
        for finding in all_findings(verification):
            self.stdout.write(finding)
            count += 1
        if count:
            raise CommandError(f"{count} finding(s) in {verification.entries} entries.")
        self.stdout.write(
            f"All is well: {verification.head.revision} change sets, {verification.entries} entries. "
            f"Keep this head in another place, for --head: {verification.head}"
        )

    def _kept_heads(self, head: str | None, log: str | None) -> list[Head]:
        """The heads to compare with, each revision once."""
        heads = []
        try:
            if log == "-":
                heads = heads_in_log(sys.stdin)
            elif log:
                with Path(log).open(encoding="utf-8", errors="replace") as lines:
                    heads = heads_in_log(lines)
            if head:
                heads.append(Head.parse(head))
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        return heads

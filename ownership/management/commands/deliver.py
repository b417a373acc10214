"""``manage.py deliver``: sends news to endpoints and people."""

import os
import signal

from django.core.management.base import BaseCommand, CommandParser

from ownership.news.deliverer import Deliverer

# On the same machine, people's saves and pages come first.
NICENESS = 5


class Command(BaseCommand):
    """Sends what is due until it is stopped."""

    help = (
        "Send news to endpoints and people. Runs until it is stopped; several can share the work."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="send what is due now and exit, for cron"
        )

    def handle(self, *args, **options) -> None:
        deliverer = Deliverer()
        if options["once"]:
            deliverer.run_once()
            return
        os.nice(NICENESS)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: deliverer.stop())
        deliverer.run()

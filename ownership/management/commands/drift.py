"""``manage.py drift READER …``: ``python -m ownership.drift`` with this registry's own map and waivers."""

import sys
from argparse import ArgumentParser, Namespace
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ownership.drift.command import Registry, run
from ownership.drift.compare import Comparison
from ownership.drift.options import parser
from ownership.drift.report import in_a_line
from ownership.drift.types import (
    CodeUsage,
    DeclaredMap,
    Infrastructure,
    Location,
    ReadError,
    WaiverTerms,
)
from ownership.findings import runs
from ownership.findings.keeping import TooLarge, keep
from ownership.history.change_sets import account_name


class Command(BaseCommand):
    """Compares the map in the database with the infrastructure. Exit status: 0 no drift, 1 drift, 2 could not read."""

    help = (
        "Compare this registry's map with the infrastructure; "
        "the arguments are those of `python -m ownership.drift`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "reader", choices=["serverless", "cloudformation", "terraform", "dynamodb", "code"]
        )

    def run_from_argv(self, argv: list[str]) -> None:
        """Parse the arguments with drift's own parser, which knows each reader's."""
        own_options = ArgumentParser(add_help=False)
        own_options.add_argument(
            "--save",
            action="store_true",
            help="keep this run, for the drift page and the API",
        )
        drift_parser = parser(own_options)
        arguments = drift_parser.parse_args(argv[2:])
        if arguments.registry and arguments.save:
            drift_parser.error(
                "--save keeps a comparison with this registry's own map: leave out --registry"
            )
        registry = Registry(arguments) if arguments.registry else OwnRegistry(arguments)
        sys.exit(run(arguments, registry))

    def handle(self, *args: Any, **options: Any) -> None:
        """Not used: the result is an exit status, which only the command line has."""
        raise NotImplementedError


class OwnRegistry(Registry):
    """The database's map and waivers. It can keep runs."""

    def __init__(self, arguments: Namespace) -> None:
        super().__init__(arguments)
        self.environment, self.save = arguments.environment, getattr(arguments, "save", False)

    def declared(self) -> DeclaredMap:
        """The current map."""
        self.head, declared = runs.declared_now()
        return declared

    def declared_if_known(self) -> DeclaredMap:
        """The current map, which is always known."""
        return self.declared()

    def waivers(self) -> list[WaiverTerms]:
        """The waivers in force."""
        return [waiver.value() for waiver in runs.waivers_in_force()]

    def keep(
        self,
        declared: DeclaredMap,
        found: Infrastructure,
        usage: CodeUsage | None,
        result: Comparison,
    ) -> str:
        """Keep the run if asked to, and say what is new since the run before."""
        if not self.save:
            return ""
        try:
            kept = keep(self.head, declared, found, usage, self.environment, account_name())
        except TooLarge as error:
            raise ReadError(Location("--save"), str(error)) from error
        before, new = runs.new_findings(kept, result.findings, runs.waivers_in_force())
        if before is None:
            return f"Kept as {kept}, the first of its kind.\n"
        lines = [
            f"Kept as {kept}. New since run {before.pk} of {before.time:%Y-%m-%d %H:%M} UTC: {len(new)}"
        ]
        for finding in result.findings:
            if finding.identity in new:
                lines.append(f"  {in_a_line(finding)}")
        return "\n".join(lines) + "\n"

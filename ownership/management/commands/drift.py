"""``manage.py drift READER …``: ``python -m ownership.drift`` with this registry's own map and waivers."""

import sys
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandParser

from ownership.drift.command import Registry, parser, run
from ownership.drift.report import in_a_line
from ownership.drift.types import Comparison, DeclaredMap, Infrastructure, Location, ReadError, WaiverTerms
from ownership.findings import runs
from ownership.history.change_sets import account_name


class Command(BaseCommand):
    """Compares the map in the database with the infrastructure; exit status 0 no drift, 1 drift, 2 could not read."""

    help = (
        "Compare this registry's map with the infrastructure; the arguments are those of `python -m ownership.drift`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reader", choices=["serverless", "cloudformation", "dynamodb"])

    def run_from_argv(self, argv: list[str]) -> None:
        """Leave the arguments to drift's own parser, which knows each reader's."""
        ours = ArgumentParser(add_help=False)
        ours.add_argument("--save", action="store_true", help="keep this run: the drift page and the API show it")
        whole = parser(ours)
        arguments = whole.parse_args(argv[2:])
        if arguments.registry and arguments.save:
            whole.error("--save keeps a comparison with this registry's own map: leave out --registry")
        registry = Registry(arguments) if arguments.registry else OwnRegistry(arguments)
        sys.exit(run(arguments, registry))

    def handle(self, *args, **options) -> None:
        """Only by the command line: what it gives is an exit status."""
        raise NotImplementedError


class OwnRegistry(Registry):
    """Map and waivers of the database; it can keep runs."""

    def __init__(self, arguments) -> None:
        super().__init__(arguments)
        self.environment, self.save = arguments.environment, arguments.save

    def declared(self) -> DeclaredMap:
        """The map of now."""
        self.head, declared = runs.declared_now()
        return declared

    def waivers(self) -> list[WaiverTerms]:
        """Those in force."""
        return [waiver.value() for waiver in runs.waivers_in_force(runs.today())]

    def keep(self, declared: DeclaredMap, found: Infrastructure, result: Comparison) -> str:
        """Keep the run if asked to; says what is new since the run before."""
        if not self.save:
            return ""
        try:
            kept = runs.keep(self.head, declared, found, self.environment, account_name())
        except runs.TooLarge as error:
            raise ReadError(Location("--save"), str(error)) from error
        before, new = runs.new_findings(kept, result.findings, runs.waivers_in_force(runs.today()))
        if before is None:
            return f"Kept as {kept}, the first of its kind.\n"
        told = "".join(f"  {in_a_line(one)}\n" for one in result.findings if one.identity in new)
        return f"Kept as {kept}. New since run {before.pk} of {before.time:%Y-%m-%d %H:%M} UTC: {len(new)}\n{told}"

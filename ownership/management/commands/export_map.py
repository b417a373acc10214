"""``manage.py export_map``: the map as a file that ``import_map`` reads back."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ownership.api.serializers import map_of_today
from ownership.exchange.exports import to_csv, to_markdown
from ownership.exchange.seed import SeedError, fixture_map


class Command(BaseCommand):
    """Prints the map of today, or a fixture's, as Markdown or CSV."""

    help = "Print the map as Markdown (or CSV), as /api/v1/map/?format= gives it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=["markdown", "csv"], default="markdown")
        parser.add_argument("--fixture", type=Path, help="a fixture's map instead of the registry's; needs no database")

    def handle(self, *args, **options) -> None:
        try:
            content = fixture_map(options["fixture"]) if options["fixture"] else map_of_today()
        except SeedError as error:
            raise CommandError(str(error)) from error
        pieces = to_csv.lines(content) if options["format"] == "csv" else [to_markdown.render(content).encode()]
        for piece in pieces:
            self.stdout.write(piece.decode(), ending="")

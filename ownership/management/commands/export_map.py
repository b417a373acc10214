"""``manage.py export_map``: the map as a file that ``import_map`` reads back."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ownership.api.serializers import map_of_today
from ownership.exchange.exports import MapContent, to_csv, to_markdown
from ownership.exchange.imports import from_map
from ownership.exchange.imports.formats import UnreadableFile, read_text


class Command(BaseCommand):
    """Prints the current map, or a fixture's, as Markdown or CSV."""

    help = "Print the map as Markdown (or CSV), as /api/v1/map/?format= gives it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=["markdown", "csv"], default="markdown")
        parser.add_argument(
            "--fixture",
            type=Path,
            help="a fixture's map instead of the registry's; needs no database",
        )

    def handle(self, *args, **options) -> None:
        content = map_of_today() if options["fixture"] is None else _map_of_file(options["fixture"])
        if options["format"] == "csv":
            for piece in to_csv.render(content):
                self.stdout.write(piece.decode(), ending="")
        else:
            self.stdout.write(to_markdown.render(content), ending="")


def _map_of_file(path: Path) -> MapContent:
    """The map that a fixture states. CommandError where it is not in the shape of a map."""
    try:
        text = read_text(path)
        problems = from_map.read(path.name, text).problems
    except (UnreadableFile, from_map.NotAMap) as error:
        raise CommandError(str(error)) from error
    if problems:
        raise CommandError("\n".join(problems))
    return from_map.complete_map(path.name, text)

"""Which reader a file is for."""

from pathlib import Path

from ownership.exchange.imports import from_csv, from_map, from_markdown
from ownership.exchange.imports.statements import Statements

MAP_ENDINGS = (".json", ".yaml", ".yml")


class UnreadableFile(ValueError):
    """The file can't be read at all; the message says why."""


def read(path: Path) -> Statements:
    """JSON, YAML and CSV are known by the file's ending; all else is read as Markdown."""
    text = read_text(path)
    ending = path.suffix.lower()
    if ending in MAP_ENDINGS:
        try:
            return from_map.read(path.name, text)
        except from_map.NotAMap as error:
            raise UnreadableFile(str(error)) from error
    if ending == ".csv":
        return from_csv.read(path.name, text)
    if text.lstrip("\ufeff \r\n\t")[:1] in ("{", "["):
        raise UnreadableFile(f"{path.name} looks like JSON: give it the ending .json.")
    return from_markdown.read(path.name, text)


def read_text(path: Path) -> str:
    """The file's text, with the line breaks that it has: one inside a cell is a part of the value."""
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise UnreadableFile(f"{path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"{path.name} is not text in UTF-8 (byte {error.start}): save it as UTF-8.") from error

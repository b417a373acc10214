"""Which reader a file is for."""

from pathlib import Path

from ownership.drift.readers.files import NotReadable, read_bytes
from ownership.exchange.imports import from_csv, from_map, from_markdown
from ownership.exchange.imports.statements import Statements

MAX_BYTES = 100_000_000  # a map of 100,000 tables with five accesses each has some 80 MB
MAP_ENDINGS = (".json", ".yaml", ".yml")


class UnreadableFile(ValueError):
    """The file can't be read at all; the message says why."""


def read(path: Path) -> Statements:
    """What the file says. Raises UnreadableFile."""
    return read_statements(path.name, read_text(path))


def read_statements(name: str, text: str) -> Statements:
    """JSON, YAML and CSV are known by the name's ending; all else is read as Markdown. Raises UnreadableFile."""
    ending = Path(name).suffix.lower()
    if ending in MAP_ENDINGS:
        try:
            return from_map.read(name, text)
        except from_map.NotAMap as error:
            raise UnreadableFile(str(error)) from error
    if ending == ".csv":
        return from_csv.read(name, text)
    if text.lstrip("\ufeff \r\n\t")[:1] in ("{", "["):
        raise UnreadableFile(f"{name} looks like JSON: give it the ending .json.")
    return from_markdown.read(name, text)


def read_text(path: Path) -> str:
    """The file's text. Raises UnreadableFile."""
    try:
        content = read_bytes(path, MAX_BYTES)
    except NotReadable as error:
        raise UnreadableFile(f"{path} {error}.") from error
    except OSError as error:
        raise UnreadableFile(f"{path} can't be read: {error.strerror}.") from error
    return decode(path.name, content)


def decode(name: str, content: bytes) -> str:
    """The file's text, with the line breaks that it has: one inside a cell is a part of the value."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"{name} is not text in UTF-8 (byte {error.start}): save it as UTF-8.") from error

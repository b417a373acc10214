"""Which reader a file is for."""

from pathlib import Path

from ownership.exchange.imports import document, from_csv, from_markdown
from ownership.exchange.imports.statements import Stated


class UnreadableFile(ValueError):
    """The file can't be read as text; the message says why."""


def read(path: Path) -> Stated:
    """CSV by its ending; else Markdown where it has a heading of that form, or the original document's text."""
    try:
        # As it is: a line break inside a cell is a part of the value.
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise UnreadableFile(f"{path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"{path.name} is not text in UTF-8 (byte {error.start}): save it as UTF-8.") from error
    if path.suffix.lower() == ".csv":
        return from_csv.read(path.name, text)
    if text.lstrip("\ufeff \r\n\t")[:1] in ("{", "["):
        raise UnreadableFile(f"{path.name} looks like JSON, which is not imported: give CSV or Markdown (export_map).")
    if any(line.startswith("## ") for line in text.split("\n")):
        return from_markdown.read(path.name, text)
    return document.read(path.name, text)

"""Reads the ``.env`` file that the Serverless Framework loads for a project.

::

    # .env.dev
    TABLE=orders
    export SUFFIX="-dev" # of names

Source: Serverless Framework documentation, "Resolution of environment variables"; dotenv, README.
"""

from pathlib import Path

from ownership.drift.readers.files import Files
from ownership.drift.types import Location
from ownership.drift.values import Text

QUOTES = ("'", '"', "`")


def dotenv_value(files: Files, folder: Path, stage: str, name: str) -> Text | None:
    """A variable's value in ``.env.<stage>``, or in ``.env`` where there is no such file. Raises ReadError."""
    for file_name in (f".env.{stage}", ".env"):
        try:
            path = files.find(folder, file_name)
        except ValueError:  # outside the folder that is read
            continue
        if path is not None:
            return _value(files, path, name)
    return None


def _value(files: Files, path: Path, name: str) -> Text | None:
    value = None
    for number, line in enumerate(files.read_text(path).splitlines(), start=1):
        key, equals, text = line.partition("=")
        if equals and key.removeprefix("export ").strip() == name:  # the last one counts
            value = Text(_unquoted(text.strip()), Location(files.display_name(path), number))
    return value


def _unquoted(text: str) -> str:
    """A value without its quotes, or without the comment behind it."""
    for quote in QUOTES:
        if text.startswith(quote) and text.count(quote) > 1:
            return text[1:].partition(quote)[0]
    return text.partition(" #")[0].strip()

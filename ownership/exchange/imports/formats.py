"""Which reader a file is for."""

import codecs
from pathlib import Path

from ownership.drift.readers.files import NotReadable, read_bytes
from ownership.exchange.imports import from_csv, from_map, from_markdown, from_workbook
from ownership.exchange.imports.statements import Statements

MAX_BYTES = 100_000_000  # a map of 100,000 tables with five accesses each has some 80 MB
MAP_ENDINGS = (".json", ".yaml", ".yml")
CSV_ENDINGS = (".csv", ".tsv", ".tab")
BLANKS = "\ufeff \r\n\t"
WORKBOOK_ENDINGS = (".xlsx", ".xlsm")

_ZIP = b"PK\x03\x04"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"  # .xls, and workbooks with a password
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


class UnreadableFile(ValueError):
    """The file can't be read at all; the message says why."""


def read(path: Path) -> Statements:
    """What the file says. Raises UnreadableFile."""
    return read_content(path.name, _content(path))


def read_content(name: str, content: bytes) -> Statements:
    """What the file says, by its name's ending: a workbook, or text. Raises UnreadableFile."""
    if Path(name).suffix.lower() in WORKBOOK_ENDINGS and content.startswith(_ZIP):
        try:
            return from_workbook.read(name, content)
        except from_workbook.NotAWorkbook as error:
            raise UnreadableFile(f"{name}: {error}") from error
    return read_statements(name, decode(name, content))


def read_statements(name: str, text: str) -> Statements:
    """JSON, YAML and CSV are known by the name's ending; all else is Markdown, or CSV if it begins like CSV.

    Raises UnreadableFile.
    """
    ending = Path(name).suffix.lower()
    if not text.strip(BLANKS):
        raise UnreadableFile(f"{name} is empty.")
    if ending in MAP_ENDINGS:
        try:
            return from_map.read(name, text)
        except from_map.NotAMap as error:
            raise UnreadableFile(str(error)) from error
    begins = text.lstrip(BLANKS)[:20].lower()
    if begins.startswith(("<!doctype", "<html", "<table")):
        raise UnreadableFile(f"{name} is HTML: {from_markdown.INSTEAD_OF_HTML}")
    if ending in CSV_ENDINGS:
        return from_csv.read(name, text)
    if begins[:1] in ("{", "["):
        raise UnreadableFile(f"{name} looks like JSON: give it the ending .json.")
    if from_csv.names_columns(text):
        return from_csv.read(name, text)
    return from_markdown.read(name, text)


def read_text(path: Path) -> str:
    """The file's text. Raises UnreadableFile."""
    return decode(path.name, _content(path))


def _content(path: Path) -> bytes:
    try:
        return read_bytes(path, MAX_BYTES)
    except NotReadable as error:
        raise UnreadableFile(f"{path} {error}.") from error
    except OSError as error:
        raise UnreadableFile(f"{path} can't be read: {error.strerror}.") from error


def decode(name: str, content: bytes) -> str:
    """The file's text in UTF-8, or in UTF-16 with its mark, as Excel saves “Unicode text”. Raises UnreadableFile."""
    if content.startswith(_OLD_OFFICE):
        raise UnreadableFile(
            f"{name} is an .xls workbook, or has a password: save it as .xlsx without one, or as CSV."
        )
    if content.startswith(_ZIP):
        raise UnreadableFile(
            f"{name} is a workbook or an archive: save it as .xlsx, or as CSV in UTF-8."
        )
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return _decode(name, content[len(mark) :], encoding)
    if content[:1000].count(b"\0") > len(content[:1000]) // 4:
        raise UnreadableFile(
            f"{name} is not text, or is in UTF-16 without a byte order mark: save it as UTF-8."
        )
    return _decode(name, content, "utf-8")


def _decode(name: str, content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise UnreadableFile(
                f"{name} is cut off, or not UTF-16 as it says: save it as UTF-8."
            ) from error
        line = content.count(b"\n", 0, error.start) + 1
        seen = content[error.start : error.start + 1].decode("cp1252", "replace")
        raise UnreadableFile(
            f"{name} is not text in UTF-8 (line {line}; in Windows-1252 it would be {seen!r}): "
            "save it as UTF-8. In Excel choose “CSV UTF-8 (Comma delimited)”."
        ) from error

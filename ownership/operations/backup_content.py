"""What an unpacked backup contains, whichever database it is of, and what is refused of it."""

from typing import Protocol

from ownership.operations.backup import BackupError

# There may be thousands of inconsistencies or unknown objects; an error message quotes this many.
QUOTED = 5

Migration = tuple[str, str]  # app and name


class BackupContent(Protocol):
    """An unpacked backup."""

    def migrations(self) -> set[Migration]:
        """The migrations that were applied to the database that it was made of."""

    def objects(self) -> set[str]:
        """What the schema in the file consists of, named as in ``schema_objects``; not what follows from tables."""

    def copy_rows(self, columns: dict[str, set[str]]) -> None:
        """Copy the rows of these tables, {table: its columns}, and the numbers that their sequences reached."""


def quoted(texts: list[str], separator: str) -> str:
    """The first of the texts, and how many more there are."""
    text = separator.join(texts[:QUOTED])
    if len(texts) > QUOTED:
        text += f" … and {len(texts) - QUOTED} more"
    return text


def check_columns(table: str, in_file: list[str], known: set[str]) -> None:
    """The file's table has the columns that the registry's has, in any order."""
    for column in in_file:
        if column not in known:
            raise BackupError(
                f"The backup contains what the registry does not make: column {table} {column}."
            )
    missing = sorted(known - set(in_file))
    if missing:
        raise BackupError(f"The backup's table {table} lacks the columns {', '.join(missing)}.")


def refuse_without(tables: set[str]) -> None:
    """BackupError if there are tables that the file does not have."""
    if tables:
        raise BackupError(f"The backup lacks the tables {quoted(sorted(tables), ', ')}.")

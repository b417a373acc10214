"""Claims: of several deliverers, one at a time works on a row. If it is killed, its claim ends with it.

On PostgreSQL a claim is a lock on the row, held by a transaction. On SQLite that would stop all others from writing, so
it is a lock on a file beside the database, which only processes of the same machine use anyway.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from django.db import connection, models, transaction

Row = TypeVar("Row", bound=models.Model)


@contextmanager
def claimed(model: type[Row], pk: object) -> Iterator[Row | None]:
    """The row, as it is once it is claimed until the end of the block; None if another has it, or it is gone."""
    rows = model._default_manager.filter(pk=pk)
    if connection.vendor == "postgresql":
        with transaction.atomic():
            yield rows.select_for_update(skip_locked=True).first()
        return
    with _locked_file(f"{model._meta.model_name}-{pk}") as is_ours:
        yield rows.first() if is_ours else None


@contextmanager
def _locked_file(name: str) -> Iterator[bool]:
    folder = Path(f"{connection.settings_dict['NAME']}-claims")
    folder.mkdir(exist_ok=True)
    with (folder / name).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True  # closing the file ends the lock

"""Claims: only one deliverer at a time works on a row. If that process is killed, its claim ends with it.

On PostgreSQL a claim is a row lock that a transaction holds. On SQLite such a transaction would keep everyone else from
writing, so a claim is a lock on a file beside the database: all processes that use it are on the same machine anyway.
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
    """Claim the row until the end of the block, and read it; None if another process has it, or it is gone."""
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

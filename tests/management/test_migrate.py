"""A migration that can't get a lock gives up, so that readers do not queue behind it."""

import sys
import threading
import time

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, transaction

from ownership.models import Service
from tests.support.factories import make_service
from tests.support.threads import PATIENCE


def _forget_migrations() -> None:
    """Load them anew next time: Django swaps a RenameModel's names to undo it, and leaves them so when it fails."""
    for name in list(sys.modules):
        if name.startswith("ownership.migrations."):
            del sys.modules[name]


@pytest.mark.slow
@pytest.mark.usefixtures("committed")
def test_a_migration_waits_two_seconds_for_a_lock_and_then_changes_nothing():
    make_service("payments")
    locked, done = threading.Event(), threading.Event()

    def holder() -> None:
        with (
            transaction.atomic(),
            connection.cursor() as cursor,
        ):  # SQLite has only one lock, which this takes
            if connection.vendor == "postgresql":
                # All of them: a migration is a transaction of its own, and the first to be undone has to wait.
                tables = ", ".join(connection.introspection.table_names(cursor))
                cursor.execute(f"LOCK TABLE {tables} IN ACCESS SHARE MODE")
            locked.set()
            done.wait(2 * PATIENCE)
        connection.close()

    thread = threading.Thread(target=holder)
    thread.start()
    assert locked.wait(PATIENCE)
    start = time.monotonic()
    try:
        with pytest.raises(OperationalError, match=r"lock timeout|is locked"):
            call_command("migrate", "ownership", "zero", verbosity=0)
        assert (
            1.5 < time.monotonic() - start < PATIENCE
        )  # the limit of everything else in these tests
        assert Service.objects.get().name == "payments"
    finally:
        done.set()
        thread.join()
        _forget_migrations()
        # The latest one may change no table. Then it waits for no lock, and was undone.
        call_command("migrate", verbosity=0)
    make_service("goes-on")

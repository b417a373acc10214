"""Fixtures of the tests of history."""

import pytest

from ownership.history.change_sets import change_set
from tests.support.factories import make_access, make_service, make_table
from tests.support.tampering import head


@pytest.fixture
def edited() -> None:
    """Seven revisions: 1–3 services and a group, 4 the table, 5 an access, 6 a hand-over, 7 two rows in one save."""
    payments, users = make_service("payments"), make_service("users")
    table = make_table("orders", owner=payments, description="Orders.")
    access = make_access(table, users, notes="Reads orders.")
    with change_set(reason="Handed to users"):
        table.owner = users
        table.save()
    with change_set(reason="Tidied"):
        table.description = "All orders."
        table.save()
        access.mode = "write"
        access.save()
    assert head().revision == 7

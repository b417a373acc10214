"""Fixtures of the tests of pages."""

import pytest

from ownership.models import Table
from tests.support.factories import make_access, make_service, make_table


@pytest.fixture
def orders(db) -> Table:
    """Revision 1 makes payments, 2 the group, 3 the table, 4 users, 5 hands over, 6 adds an access."""
    table = make_table("orders", owner=make_service("payments"), group=None)
    table.owner = make_service("users")
    table.save()
    make_access(table, table.owner)
    return table

"""The check behind benchmarks/leads.py and kills.py finds what it is there to find."""

import pytest
from django.contrib.auth.models import User

from benchmarks.saving import Edit, check
from ownership.history.change_sets import change_set
from ownership.models import Table
from tests.support.factories import make_table

pytestmark = pytest.mark.django_db


def save(edit, by=None, description=None):
    """Write what the edit says, or something else of it."""
    table = Table.objects.get(pk=edit.table)
    table.description = edit.value if description is None else description
    user, _ = User.objects.get_or_create(username=by or edit.lead)
    with change_set(user=user, reason=edit.value, source="admin"):
        table.save()


@pytest.fixture
def edits():
    """Two edits of one table, the second having seen the first."""
    table = make_table()
    first = Edit("lead-1", table.pk, "", "lead-1 edit 1")
    return first, Edit("lead-2", table.pk, first.value, "lead-2 edit 1")


def test_edits_stored_as_acknowledged_pass(edits):
    for edit in edits:
        save(edit)
    assert check(list(edits), []) == {}


def test_a_missing_edit_is_lost_unless_it_was_never_acknowledged(edits):
    first, second = edits
    save(first)
    assert check([first], [second]) == {}
    assert check([first, second], []) == {"acknowledged, not in the history": 1}


def test_an_edit_by_another_name_is_found(edits):
    save(edits[0], by="lead-2")
    assert check([edits[0]], []) == {"wrong names": 1}


def test_an_edit_with_another_value_is_found(edits):
    save(edits[0], description="Something else")
    assert check([edits[0]], []) == {
        "other value than typed": 1,
        "live row unlike its last edit": 1,
    }


def test_an_edit_over_another_that_its_form_did_not_show_is_found(edits):
    first, second = edits
    save(first)
    save(second)
    blind = Edit(second.lead, second.table, "", second.value)
    assert check([first, blind], []) == {"overwrote what it did not show": 1}


def test_one_row_of_two_is_found(edits):
    save(edits[0])
    assert check([], [edits[0]], notes=True) == {"half written": 1}


def test_an_edit_written_twice_or_never_sent_is_found(edits):
    first, second = edits
    save(first)
    save(second)
    save(first)
    assert check([], [first])["written more than once"] == 1
    assert check([], [first])["written, but never sent"] == 1

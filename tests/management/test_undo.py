"""``manage.py undo`` previews an undo, and applies it on request."""

import pytest
from django.core.management import CommandError, call_command

from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet
from ownership.models import Service
from tests.support.factories import make_service, make_table

pytestmark = pytest.mark.django_db


@pytest.fixture
def revision() -> int:
    with change_set(reason="Two services"):
        make_service("one")
        make_service("two")
    return ChangeSet.objects.first().revision


def test_without_apply_it_shows_and_changes_nothing(revision, capsys):
    call_command("undo", revision)
    assert (
        capsys.readouterr().out
        == f"Undoing revision {revision}: 2 deleted, 0 restored, 0 reverted.\n"
    )
    assert Service.objects.count() == 2


def test_it_undoes_as_a_change_set_that_names_the_one_undone(revision):
    call_command("undo", revision, apply=True, reason="A mistake")
    change = ChangeSet.objects.first()
    assert (change.undoes_id, change.reason, change.source) == (revision, "A mistake", "restore")
    assert not Service.objects.exists()


def test_entries_changed_again_are_kept_unless_requested(revision, capsys):
    one = Service.objects.get(name="one")
    one.contact = "#one"
    one.save()
    call_command("undo", revision, apply=True, reason="A mistake")
    assert (
        f"one: Revision {revision + 1} has changed it since; that change would be lost too."
        in capsys.readouterr().out
    )
    assert [service.name for service in Service.objects.all()] == ["one"]
    call_command("undo", revision, apply=True, reason="A mistake", conflicts=True)
    assert not Service.objects.exists()


def test_blocked_entries_are_skipped_on_request(revision):
    make_table("orders", owner=Service.objects.get(name="one"))
    with pytest.raises(CommandError, match="Nothing was changed. one: still used by orders"):
        call_command("undo", revision, apply=True, reason="A mistake")
    assert Service.objects.filter(name="two").exists()
    call_command("undo", revision, apply=True, reason="A mistake", rest=True)
    assert not Service.objects.filter(name="two").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["99"], "no revision 99"),
        (["0"], "no revision 0"),
        ([str(2**63)], "no revision"),
        (["1", "--apply"], "Give a reason"),
        (["1", "--user", "nobody"], "no account"),
    ],
)
def test_invalid_arguments_are_reported(revision, arguments, message):
    with pytest.raises(CommandError, match=message):
        call_command("undo", *arguments)

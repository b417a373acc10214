"""The demo's edits are ordinary history, and only development gets them."""

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from ownership.history.models import ChangeSet

pytestmark = pytest.mark.django_db


def test_the_demo_writes_its_edits_once(seeded, settings, capsys):
    settings.DEBUG = True
    call_command("demo")
    call_command("demo")
    assert set(ChangeSet.objects.values_list("user_name", flat=True)) >= {
        "demo-lead",
        "demo-oncall",
    }
    assert ChangeSet.objects.count() == 7
    assert "already there" in capsys.readouterr().out


def test_the_demo_before_the_first_run_creates_the_administrator_too(seeded, settings, capsys):
    settings.DEBUG = True
    call_command("demo")
    assert User.objects.filter(is_superuser=True).exists()
    assert "Sign in as  admin" in capsys.readouterr().out


def test_production_gets_no_invented_history(seeded, settings):
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG=1 only"):
        call_command("demo")
    assert ChangeSet.objects.count() == 1

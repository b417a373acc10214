"""``manage.py drift`` compares with the map in the database."""

import json
import logging
import os

import pytest

from ownership.drift.registry_client import from_map
from ownership.findings import keeping
from ownership.findings.runs import declared_now
from ownership.history.change_sets import change_set
from ownership.history.models import current_head
from ownership.management.commands.drift import Command
from ownership.models import DriftRun, Service, Table
from tests.support.factories import make_waiver

pytestmark = pytest.mark.django_db

PROJECT = """
service: bots
functions: {post: {handler: bot.post}}
provider:
  name: aws
  iamRoleStatements:
    - Effect: Allow
      Action: [dynamodb:GetItem, dynamodb:PutItem]
      Resource: arn:aws:dynamodb:us-west-2:*:table/biztechMembers2026
    - Effect: Allow
      Action: dynamodb:PutItem
      Resource: arn:aws:dynamodb:us-west-2:*:table/biztechUsers
"""


def drift(*arguments: str) -> int:
    with pytest.raises(SystemExit) as exit_status:
        Command().run_from_argv(["manage.py", "drift", *arguments])
    return exit_status.value.code


def test_an_undeclared_grant_is_found_by_the_registrys_own_map(seeded, tmp_path, capsys):
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "serverless.yml").write_text(PROJECT)
    assert drift("serverless", str(tmp_path), "--format", "json") == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert [(one["kind"], one["table"], one["service"], one["owner"]) for one in findings] == [
        ("undeclared_access", "biztechUsers", "bots", "users")
    ]


def test_boto_log_lines_are_not_printed_among_findings():
    assert not logging.getLogger("botocore.credentials").isEnabledFor(logging.INFO)


def test_unreadable_files_give_status_2(seeded, tmp_path):
    assert drift("serverless", str(tmp_path / "nowhere")) == 2


def test_it_compares_with_the_same_map_as_the_api_returns(seeded, viewer_client):
    served = viewer_client.get("/api/v1/map/").json()
    assert declared_now()[1] == from_map(served)


@pytest.fixture
def project(tmp_path):
    """The bots' project; a test may change its text before it runs drift."""
    (tmp_path / "bots").mkdir()
    file = tmp_path / "bots" / "serverless.yml"
    file.write_text(PROJECT)
    return file


def save(project, *arguments: str) -> int:
    return drift("serverless", str(project.parent.parent), "--save", *arguments)


def test_keeping_a_run_prints_what_is_new(seeded, project, capsys):
    assert save(project) == 1
    first = DriftRun.objects.get()
    assert f"Kept as run {first.pk} serverless, the first of its kind." in capsys.readouterr().out
    assert (first.revision, first.digest) == current_head()
    assert {(g.service, g.table, g.mode) for g in first.grants.all()} == {
        ("bots", "biztechMembers2026", "read"),
        ("bots", "biztechMembers2026", "write"),
        ("bots", "biztechUsers", "write"),
    }

    project.write_text(PROJECT.replace("table/biztechUsers", "table/biztechQRs"))
    assert save(project, "--format", "json") == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["summary"]["findings"] == 1
    assert f"New since run {first.pk} of" in told.err
    assert "  undeclared_access biztechQRs bots\n" in told.err


def test_a_run_without_save_is_not_kept(seeded, project):
    drift("serverless", str(project.parent.parent))
    assert not DriftRun.objects.exists()


def test_each_environment_has_its_own_series(seeded, project, capsys):
    save(project, "--environment", "dev")
    save(project, "--environment", "production")
    assert "the first of its kind" in capsys.readouterr().out.splitlines()[-1]
    assert [str(run.environment) for run in DriftRun.objects.latest_of_each()] == [
        "dev",
        "production",
    ]


def test_save_with_a_foreign_map_is_refused(seeded, project, capsys):
    assert save(project, "--registry", "map.json") == 2
    assert "leave out --registry" in capsys.readouterr().err


def test_a_run_that_is_too_large_is_refused(seeded, project, monkeypatch, capsys):
    monkeypatch.setattr(keeping, "LARGEST", 100)
    assert save(project) == 2
    assert "a run keeps at most 100" in capsys.readouterr().err
    assert not DriftRun.objects.exists()


def test_characters_that_no_database_stores_are_replaced(seeded, project):
    (project.parent / os.fsdecode(b"caf\xe9")).mkdir()
    project.rename(project.parent / os.fsdecode(b"caf\xe9") / "serverless.yml")
    assert save(project) == 1
    places = {
        place.file for grant in DriftRun.objects.get().grants.all() for place in grant.locations()
    }
    assert places == {"bots/caf?/serverless.yml"}


def test_older_runs_keep_only_their_figures(seeded, project, monkeypatch):
    monkeypatch.setattr(keeping, "KEPT_WHOLE", 2)
    monkeypatch.setattr(keeping, "KEPT", 3)
    for _ in range(5):
        save(project)
    kept = list(DriftRun.objects.order_by("pk"))
    assert [run.found is not None for run in kept] == [False, True, True]
    assert [run.grants.exists() for run in kept] == [False, True, True]
    assert {run.compared for run in kept} == {kept[0].compared}


def test_waived_findings_are_listed_and_do_not_count(seeded, project, capsys):
    users, bots = Table.objects.get(name="biztechUsers"), Service.objects.get(name="bots")
    with change_set(reason="Until the new bot is out"):
        waiver = make_waiver(users, kind="undeclared_access", service=bots, granted="write")
    assert drift("serverless", str(project.parent.parent)) == 0
    told = capsys.readouterr().out
    assert (
        f"undeclared_access biztechUsers bots: until {waiver.until}: Until the new bot is out"
        in told
    )
    assert "1 finding, 1 of them waived" in told
    project.write_text(PROJECT.replace("Action: dynamodb:PutItem", "Action: dynamodb:*"))
    assert drift("serverless", str(project.parent.parent)) == 1

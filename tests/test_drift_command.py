"""``manage.py drift`` compares with the map in the database."""

import json

import pytest

from ownership.api.serializers import map_of_today
from ownership.management.commands.drift import Command

pytestmark = pytest.mark.django_db

PROJECT = """
service: bots
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


def test_an_undeclared_grant_is_found_against_the_registrys_own_map(seeded, tmp_path, capsys):
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "serverless.yml").write_text(PROJECT)
    assert drift("serverless", str(tmp_path), "--format", "json") == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert [(one["kind"], one["table"], one["service"], one["owner"]) for one in findings] == [
        ("undeclared_access", "biztechUsers", "bots", "users")
    ]


def test_what_can_not_be_read_is_status_2(seeded, tmp_path):
    assert drift("serverless", str(tmp_path / "nowhere")) == 2


def test_the_map_it_compares_with_is_the_one_that_the_api_gives(seeded, viewer_client):
    served = viewer_client.get("/api/v1/map/").json()
    assert json.loads(json.dumps(map_of_today())) == served | {"revision": 0}

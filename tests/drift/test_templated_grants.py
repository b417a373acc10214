"""What templates of CloudFormation grant that are written in Jinja2."""

import sys
from pathlib import Path

import pytest

from ownership.drift.readers.cloudformation import read_templates
from ownership.drift.types import Infrastructure
from tests.support.drift_projects import ARN, grants, names, write

ROLE = """\
  {{ name }}Role:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyDocument:
            Statement:
              - Effect: Allow
                Action: dynamodb:GetItem
                Resource: "%s{{ stage }}-{{ name }}"
"""
TEMPLATE = f"""\
Resources:
{{% for name in ["users", "payments"] %}}
{ROLE % ARN}
{{% endfor %}}
"""


def templates(folder: Path, text: str, **given: str) -> Infrastructure:
    """What ``app.yml.j2`` grants, beside the files that are in the folder; ``given`` are values of variables."""
    path = write(folder, {"app.yml.j2": text}) / "app.yml.j2"
    known = names(services=("users", "payments"), tables=("users", "payments"))
    return read_templates(
        [path], known, {f"opt:{name}": value for name, value in given.items()}, {}
    )


def reasons(found: Infrastructure) -> list[str]:
    return [f"{item.location}: {item.text}: {item.reason}" for item in found.unresolved]


def test_loops_and_variables_are_read_with_the_lines_of_the_file(tmp_path: Path) -> None:
    found = templates(tmp_path, TEMPLATE, stage="qa")
    assert (grants(found), reasons(found)) == ({"users read users", "payments read payments"}, [])
    assert {str(location) for locations in found.grants.values() for location in locations} == {
        "app.yml.j2:11"
    }


def test_a_variable_without_a_value_is_the_environment_by_its_name_or_unresolved(
    tmp_path: Path,
) -> None:
    assert grants(templates(tmp_path, TEMPLATE)) == {"users read users", "payments read payments"}
    found = templates(tmp_path, TEMPLATE.replace("stage", "kind"))
    assert grants(found) == set()
    assert reasons(found)[0] == (
        f"app.yml.j2:11: {ARN}…-users: no value for opt:kind (--var opt:kind=…)"
    )
    assert all(item.modes == {"read"} for item in found.unresolved)


UNREAD = {
    "a line that is given": (
        "{{ more }}",
        "app.yml.j2:2: ${opt:more}: is given when the template is rendered",
    ),
    "an include that is missing": (
        "{% include 'roles.j2' %}",
        "app.yml.j2:2: roles.j2: this template is not in the",
    ),
    "an include that is given": (
        "{% include roles %}",
        "app.yml.j2:2: include: names a template that is given",
    ),
    "a macro that is missing": (
        "{% import 'm.j2' as m %}\n{{ m.roles() }}",
        "app.yml.j2:3: ${opt:m}: is given when",
    ),
    "a loop over what is given": (
        "{% for name in services %}\n  {{ name }}Queue: {Type: AWS::SQS::Queue}\n{% endfor %}",
        "app.yml.j2:2: services: this loop goes through what is given",
    ),
    "a condition with a branch that is not read": (
        "{% if prod %}\n  A: {Type: AWS::SQS::Queue}\n{% else %}\n  B: {Type: AWS::IAM::Role}\n{% endif %}",
        "app.yml.j2:2: prod: decides what is rendered",
    ),
    "a type that is given": (
        "  A: {Type: '{{ kind }}'}",
        "app.yml.j2:2: A: resources of type unknown are not read",
    ),
}


@pytest.mark.parametrize(("part", "reason"), UNREAD.values(), ids=UNREAD)
def test_what_may_hold_anything_is_unresolved_for_every_service(
    tmp_path: Path, part: str, reason: str
) -> None:
    found = templates(tmp_path, TEMPLATE.replace("Resources:\n", f"Resources:\n{part}\n"))
    assert grants(found) == {"users read users", "payments read payments"}
    (unresolved,) = found.unresolved
    assert reasons(found)[0].startswith(reason)
    assert (unresolved.service, unresolved.modes) == (None, {"read", "write"})


@pytest.mark.parametrize(("value", "table"), [("true", "one"), ("false", "two"), ("other", "one")])
def test_a_given_value_decides_a_condition(tmp_path: Path, value: str, table: str) -> None:
    tables = "{% if prod %}\n  A: TABLE one}}\n{% else %}\n  A: TABLE two}}\n{% endif %}\n"
    tables = tables.replace("TABLE", "{Type: AWS::DynamoDB::Table, Properties: {TableName:")
    found = templates(tmp_path, "Resources:\n" + tables, prod=value)
    assert ([shape.name for shape in found.tables], found.unresolved) == ([table], ())


def test_what_is_made_of_a_given_value_is_not_taken_for_the_value(tmp_path: Path) -> None:
    text = TEMPLATE.replace("{{ stage }}-{{ name }}", "{{ kind | replace('a', 'b') }}")
    found = templates(tmp_path, text, kind="users")
    assert grants(found) == set()
    assert "no value for opt:made_of.kind" in reasons(found)[0]


def test_evidence_from_an_included_template_names_that(tmp_path: Path) -> None:
    write(tmp_path, {"role.j2": "\n" + ROLE % ARN})
    text = "Resources:\n{% set name = 'users' %}\n{% include 'role.j2' %}\n"
    found = templates(tmp_path, text)
    ((location,),) = found.grants.values()
    assert str(location) == "role.j2:10"


def test_a_nested_stack_whose_template_is_rendered_is_found(tmp_path: Path) -> None:
    write(tmp_path, {"users.yml.j2": "Resources:\n{% set name = 'users' %}\n" + ROLE % ARN})
    text = "Resources:\n  Users: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: users.yml}}\n{# #}"
    found = templates(tmp_path, text)
    assert (grants(found), found.unresolved) == ({"users read users"}, ())


def test_without_jinja_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("ownership.drift.templating.")]:
        if not name.endswith(".loading"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    (error,) = templates(tmp_path, TEMPLATE).errors
    assert (
        str(error) == "app.yml.j2: is written in Jinja2: install the extra `code`, which reads it"
    )

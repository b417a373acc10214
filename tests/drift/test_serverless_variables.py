"""What an unknown variable at the end of a name means."""

from pathlib import Path
from typing import Any

import pytest

from ownership.drift.types import Infrastructure, Location
from tests.support.drift_projects import ARN, grants, read, statement

FILE = "services/users/serverless.yml"

# What may follow `biztechUsers` in a name, with the settings that it takes.
ENVIRONMENT = {
    "the stage by option, without a value": ("${opt:stage}", ""),
    "the stage by environment variable": ("${env:STAGE}", ""),
    "an environment variable that is called so": ("${env:TABLE_SUFFIX}", ""),
    "a parameter that is called so": ("${param:postfix}", ""),
    "the framework's stage": ("${sls:stage}", ""),
    "a setting that is the stage": (
        "${self:custom.deployment}",
        "custom: {deployment: '-${opt:stage}'}",
    ),
    "a stage that no file has": (
        "${self:custom.end}",
        "custom: {end: '${file(./${opt:stage}.json):ENVIRONMENT}'}",
    ),
    "in settings of a stage that no file has": (
        "${self:custom.all.ENVIRONMENT}",
        "custom: {all: '${file(./${opt:stage}.json)}'}",
    ),
    "chosen by a stage that is not listed": (
        "${self:custom.ends.${opt:stage}}",
        "custom: {ends: {dev: x}}",
    ),
    "an option, else a setting": ("${opt:suffix, self:custom.other}", "custom: {other: x}"),
    "an option, else the stage": ("${opt:target, ${opt:stage}, 'x'}", ""),
    "a default for what is called so": ("${self:custom.suffix, '-x'}", ""),
    "a stage in a file outside": (
        "${self:provider.stage}",
        "provider: {stage: '${file(../../../x.yml):stage}'}",
    ),
    "a reference to a parameter": ("!Ref", "resources: {Parameters: {Stage: {Type: String}}}"),
}
# Values of inputs: what they are does not say whether they belong to the name.
INPUTS = {
    "an option, else a variable in braces": (
        "${opt:target, ${self:custom.other}}",
        "custom: {other: x}",
    ),
    "a default for what the stage chooses": ("${self:custom.${opt:stage}.end, 'x'}", "custom: {}"),
    "an option, else another, else a text": ("${opt:target, ${env:TARGET}, 'x'}", ""),
    "an option, else nothing, else a text": ("${opt:target, ${self:custom.no, null}, 'x'}", ""),
    "an environment variable": ("${env:TARGET, 'x'}", ""),
    "a parameter": (
        "!Ref",
        "resources: {Parameters: {Stage: {Type: String}, Year: {Type: String, Default: x}}}",
    ),
}
NAMED = {
    "a parameter store": ("${ssm:/tables/suffix}", ""),
    "another stack": ("${cf:shared.Suffix}", ""),
    "another stack, by setting": (
        "${self:custom.suffix}",
        "custom: {suffix: '${cf:shared.Suffix}'}",
    ),
    "a file that is not there": ("${file(./missing.yml):suffix}", ""),
    "a file outside": ("${file(../../../x.yml):suffix}", ""),
    "code": ("${file(config.js):ENVIRONMENT}", ""),
    "settings that are code": ("${self:custom.suffix}", "custom: ${file(config.js)}"),
    "a setting that is not there": ("${self:custom.suffix}", "custom: {}"),
}
ELSEWHERE = {
    "a parameter store": ("${ssm:/tables/ending}", ""),
    "a parameter store of the environment": ("${ssm:/environment/users}", ""),
    "another stack": ("${cf:shared.Ending}", ""),
    "a file that is not there": ("${file(./missing.yml):ending}", ""),
    "a file outside": ("${file(../../../x.yml):ending}", ""),
    "settings that are code": ("${self:custom.users}", "custom: ${file(config.js)}"),
    "a setting that is not there": ("${self:custom.typo}", "custom: {}"),
    "a list beyond its end": ("${self:custom.all.5}", "custom: {all: [x]}"),
    "a key of a text": ("${self:service.users}", ""),
    "an unknown key": ("${self:custom.${ssm:/key}.ending}", "custom: {}"),
    "an empty file": ("${file(./empty.yml):ending}", ""),
    "a value of the framework": ("${sls:instanceId}", ""),
    "a truth that is not known": ("${strToBool(${ssm:/flag})}", ""),
    "a variable that nobody ended": ("${opt:ending", ""),
    "a parameter store, by stage": ("${ssm:/${opt:stage}/users}", ""),
    "an option that says nothing of environments": ("${opt:year}", ""),
    "an environment variable that says nothing of them": ("${env:TABLE}", ""),
    "part of a name that the stage chooses": ("${self:custom.${opt:stage}.users}", "custom: {}"),
    "part of a name in settings of the stage": (
        "${self:custom.all.users}",
        "custom: {all: '${file(./${opt:stage}.json)}'}",
    ),
    "part of a name in a file of the stage": ("${file(./${opt:stage}.json):users}", ""),
    "one before the stage": ("${self:custom.typo}${opt:stage}", "custom: {}"),
    "one behind the stage": ("${opt:stage}${self:custom.typo}", "custom: {}"),
    "null for a default, which is no text": ("${self:custom.suffix, null}", "custom: {}"),
    "an unknown name in Sub": ("!Sub", ""),
    "a parameter without default": ("!Ref", "resources: {Parameters: {Year: {Type: String}}}"),
    "an import": ("!Import", ""),
}
TAGGED = {
    "!Sub": f'!Sub "{ARN}biztechUsers${{Year}}"',
    "!Ref": f'!Join ["", ["{ARN}biztechUsers", !Ref Stage]]',
    "!Import": f'!Join ["", ["{ARN}biztechUsers", !ImportValue suffix]]',
}


def ending(tmp_path: Path, end: str, rest: str, **known: Any) -> Infrastructure:
    """What a project reads whose one resource is ``biztechUsers`` with that end."""
    resource = TAGGED.get(end, f'"{ARN}biztechUsers{end}"')
    if "Year" in rest:
        resource = resource.replace("!Ref Stage", "!Ref Year")
    project = f"""\
service: users
functions: {{a: {{iamRoleStatements: [{{Effect: Allow, Action: [dynamodb:GetItem], Resource: [{resource}]}}]}}}}
{rest}
"""
    return read(
        tmp_path,
        {
            FILE: project,
            "services/users/config.js": "module.exports = {}",
            "services/users/empty.yml": "",
            "services/users/year.txt": "2026\n",
        },
        **known,
    )


@pytest.mark.parametrize(("end", "rest"), ENVIRONMENT.values(), ids=ENVIRONMENT)
def test_an_unknown_value_that_is_the_environment_is_the_suffix(
    tmp_path: Path, end: str, rest: str
) -> None:
    found = ending(tmp_path, end, rest)
    assert grants(found) == {"users read biztechUsers"}
    assert found.unresolved == ()


@pytest.mark.parametrize(("end", "rest"), INPUTS.values(), ids=INPUTS)
def test_the_value_of_an_input_is_part_of_the_name_unless_the_map_has_the_rest(
    tmp_path: Path, end: str, rest: str
) -> None:
    assert grants(ending(tmp_path, end, rest)) == {"users read biztechUsersx"}
    assert grants(ending(tmp_path, end, rest, tables=("biztechUsers",))) == {
        "users read biztechUsers"
    }


@pytest.mark.parametrize(("end", "rest"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_any_other_unknown_value_at_the_end_of_a_name_is_unresolved(
    tmp_path: Path, end: str, rest: str
) -> None:
    found = ending(tmp_path, end, rest)
    assert found.grants == {}
    assert [(u.location, u.service, u.modes) for u in found.unresolved] == [
        (Location(FILE, 2), "users", {"read"})
    ]


@pytest.mark.parametrize(("end", "rest"), NAMED.values(), ids=NAMED)
def test_an_unknown_value_named_like_a_suffix_is_the_suffix_and_is_noted_once(
    tmp_path: Path, end: str, rest: str
) -> None:
    found = ending(tmp_path, f'{end}", "{ARN}biztechEvents{end}', rest)
    assert grants(found) == {"users read biztechUsers", "users read biztechEvents"}
    assert found.unresolved == ()
    (note,) = found.notes
    assert note.location == Location(FILE, 2)
    assumption = "assumed to be the environment's suffix or part of its name pattern, though its value is unknown"
    assert note.text.startswith(f"users: {assumption}: ")


@pytest.mark.parametrize(
    ("end", "custom"),
    [
        ("${self:custom.year, '2026'}", "{}"),
        ("${self:custom.year, 2026}", "{}"),
        ("${self:custom.year, ${self:custom.default}}", "{default: 2026}"),
        ("${self:custom.years.1}", "{years: [2025, 2026]}"),
        ("${file(year.txt)}", "{}"),
    ],
)
def test_the_default_of_a_missing_setting_is_part_of_the_name(
    tmp_path: Path, end: str, custom: str
) -> None:
    found = ending(tmp_path, end, f"custom: {custom}")
    assert grants(found) == {"users read biztechUsers2026"}


def test_a_service_may_have_its_name_in_a_mapping(tmp_path: Path) -> None:
    project = statement(f"{ARN}${{self:service}}-orders").replace("club-users", "{name: club}")
    assert grants(read(tmp_path, {"users/serverless.yml": project})) == {"users read club-orders"}


def test_parameters_of_all_stages_count_where_the_stage_is_no_text(tmp_path: Path) -> None:
    project = f"""
provider: {{stage: [dev], iamRoleStatements: [{{Effect: Allow, Action: "dynamodb:GetItem",
  Resource: "{ARN}${{param:table}}"}}]}}
params: {{default: {{table: orders}}}}
"""
    assert grants(read(tmp_path, {"users/serverless.yml": project})) == {"users read orders"}


@pytest.mark.parametrize("part", ["Users${opt:stage", "Users${{}"])
def test_what_is_no_variable_stays_as_it_is(tmp_path: Path, part: str) -> None:
    (unresolved,) = read(tmp_path, {"users/serverless.yml": statement(f"'{ARN}{part}'")}).unresolved
    assert unresolved.text == f"{ARN}{part}"


def test_null_as_the_last_default_means_no_value(tmp_path: Path) -> None:
    project = f"""
provider:
  iamRoleStatements:
    - ${{self:custom.more, null}}
    - Effect: Allow
      Action: [dynamodb:GetItem, "${{opt:action, self:custom.action, null}}"]
      Resource: ["${{self:custom.other, null}}", "{ARN}biztechUsers"]
"""
    found = read(tmp_path, {FILE: project})
    assert (grants(found), found.unresolved) == ({"users read biztechUsers"}, ())


def test_null_is_not_a_default_for_values_known_only_when_deployed(tmp_path: Path) -> None:
    project = "provider: {iamRoleStatements: ['${ssm:/statement, null}']}\n"
    (unresolved,) = read(tmp_path, {FILE: project}).unresolved
    assert unresolved.modes == {"read", "write"}


@pytest.mark.parametrize(
    ("value", "table"),
    [("true", "true"), ("TRUE", "true"), ("1", "true"), ("0", "false"), ("orders", None)],
)
def test_a_text_that_is_no_boolean_is_no_value_of_one(
    tmp_path: Path, value: str, table: str | None
) -> None:
    custom = f'custom: {{value: "{value}"}}\n'
    name = "${strToBool(${self:custom.value})}"
    found = read(tmp_path, {"users/serverless.yml": custom + statement(f"{ARN}{name}")})
    assert grants(found) == ({f"users read {table}"} if table else set())
    reasons = [unresolved.reason for unresolved in found.unresolved]
    assert reasons == ([] if table else ["orders is no boolean"])

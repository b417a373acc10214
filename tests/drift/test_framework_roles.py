"""The Serverless Framework's rules: which role a function runs in, and what that role holds."""

from pathlib import Path

import pytest

from ownership.drift.readers.serverless import read_projects
from ownership.drift.readers.serverless_settings import framework_version
from ownership.drift.values import UNKNOWN_LOCATION, Text
from tests.support.drift_projects import ARN, grants, names, read, write

FILE = "shop/serverless.yml"
GETS = f'{{Effect: Allow, Action: dynamodb:GetItem, Resource: "{ARN}carts"}}'
PUTS = f'{{Effect: Allow, Action: dynamodb:PutItem, Resource: "{ARN}orders"}}'
DELETES = f'{{Effect: Allow, Action: dynamodb:DeleteItem, Resource: "{ARN}letters"}}'
READ_ALL = "arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess"
PLUGIN = "plugins: [serverless-iam-roles-per-function]\n"
INHERITS = "custom: {serverless-iam-roles-per-function: {defaultInherit: true}}\n"

# What the project says → what its functions may do. The map has the table `users`, for AWS's policies.
ROLES = {
    "the newer form counts and the older beside it does not": (
        f"provider: {{iam: {{role: {{statements: [{GETS}]}}}}, iamRoleStatements: [{PUTS}]}}\n",
        {"shop read carts"},
    ),
    "an empty list in the newer form counts too": (
        f"provider: {{iam: {{role: {{statements: []}}}}, iamRoleStatements: [{PUTS}]}}\n",
        set(),
    ),
    "the older form counts beside other settings of the role": (
        f"provider: {{iam: {{role: {{name: ours}}}}, iamRoleStatements: [{PUTS}]}}\n",
        {"shop write orders"},
    ),
    "the newer form's managed policies replace the older's": (
        f"provider: {{iam: {{role: {{managedPolicies: []}}}}, iamManagedPolicies: ['{READ_ALL}']}}\n",
        set(),
    ),
    "statements in one form and policies in the other": (
        f"provider: {{iam: {{role: {{managedPolicies: ['{READ_ALL}']}}}}, iamRoleStatements: [{PUTS}]}}\n",
        {"shop read users", "shop write orders"},
    ),
    "per function: the provider's statements and policies, and its own": (
        f"provider: {{iam: {{role: {{mode: perFunction, statements: [{GETS}], managedPolicies: ['{READ_ALL}']}}}}}}\n"
        f"functions: {{a: {{handler: a.b, iam: {{role: {{statements: [{PUTS}]}}}}}}}}\n",
        {"shop read users", "shop read carts", "shop write orders"},
    ),
    "per function: declined statements, but not the policies": (
        f"provider: {{iam: {{role: {{mode: perFunction, statements: [{GETS}], managedPolicies: ['{READ_ALL}']}}}}}}\n"
        "functions: {a: {handler: a.b, iam: {inheritStatements: false}}}\n",
        {"shop read users"},
    ),
    "per function: the older form on the function": (
        f"provider: {{iam: {{role: {{mode: perFunction}}}}}}\n"
        f"functions: {{a: {{handler: a.b, iamRoleStatements: [{PUTS}]}}}}\n",
        {"shop write orders"},
    ),
    "per function: a function with an existing role of the project": (
        f"provider: {{iam: {{role: {{mode: perFunction, statements: [{GETS}]}}}}}}\n"
        "functions: {a: {handler: a.b, role: Own}}\n"
        "resources: {Resources: {Own: {Type: AWS::IAM::Role, Properties: {Policies: []}}}}\n",
        set(),
    ),
    "v4: a role of its own holds nothing of the provider's": (
        f"frameworkVersion: '4'\nprovider: {{iam: {{role: {{statements: [{GETS}]}}}}}}\n"
        f"functions: {{a: {{handler: a.b, iamRoleStatements: [{PUTS}]}}}}\n",
        {"shop write orders"},
    ),
    "v4: a function's managed policies alone make a role": (
        f"frameworkVersion: '4'\nprovider: {{iam: {{role: {{statements: [{PUTS}]}}}}}}\n"
        f"functions: {{a: {{handler: a.b, iam: {{role: {{managedPolicies: ['{READ_ALL}']}}}}}}}}\n",
        {"shop read users"},
    ),
    "v4: statements that are inherited, without the policies": (
        "frameworkVersion: ~4\n"
        f"provider: {{iam: {{role: {{statements: [{GETS}], managedPolicies: ['{READ_ALL}']}}}}}}\n"
        f"functions: {{a: {{handler: a.b, iam: {{inheritStatements: true, role: {{statements: [{PUTS}]}}}}}}}}\n",
        {"shop read carts", "shop write orders"},
    ),
    "v4: the older form is not inherited beside `iam`": (
        f"frameworkVersion: '4'\nprovider: {{iam: {{role: {{name: x}}}}, iamRoleStatements: [{GETS}]}}\n"
        f"functions: {{a: {{handler: a.b, iam: {{inheritStatements: true, role: {{statements: [{PUTS}]}}}}}}}}\n",
        {"shop write orders"},
    ),
    "v4: one function of two has its own role": (
        f"frameworkVersion: '4'\nprovider: {{iamRoleStatements: [{GETS}]}}\n"
        f"functions: {{a: {{handler: a.b}}, b: {{handler: a.b, iamRoleStatements: [{PUTS}]}}}}\n",
        {"shop read carts", "shop write orders"},
    ),
    "v3 without the plugin: the statements of a function permit nothing": (
        f"frameworkVersion: ^3.38\nprovider: {{iamRoleStatements: [{GETS}]}}\n"
        f"functions: {{a: {{handler: a.b, iamRoleStatements: [{PUTS}]}}}}\n",
        {"shop read carts"},
    ),
    "a version that may be either: both may count": (
        f"frameworkVersion: '>=3'\nprovider: {{iamRoleStatements: [{GETS}]}}\n"
        f"functions: {{a: {{handler: a.b, iamRoleStatements: [{PUTS}]}}}}\n",
        {"shop read carts", "shop write orders"},
    ),
    "the plugin: no statements inherited": (
        f"{PLUGIN}provider: {{iamRoleStatements: [{GETS}]}}\n"
        f"functions: {{a: {{handler: a.b, iamRoleStatements: [{PUTS}]}}}}\n",
        {"shop write orders"},
    ),
    "the plugin: inherited by the function": (
        f"{PLUGIN}provider: {{iamRoleStatements: [{GETS}], iamManagedPolicies: ['{READ_ALL}']}}\n"
        f"functions: {{a: {{handler: a.b, iamRoleStatements: [{PUTS}], iamRoleStatementsInherit: true}}}}\n",
        {"shop read carts", "shop write orders"},
    ),
    "the plugin: inherited by default": (
        f"{PLUGIN}{INHERITS}provider: {{iam: {{role: {{statements: [{GETS}]}}}}}}\n"
        f"functions: {{a: {{handler: a.b, iamRoleStatements: [{PUTS}]}}}}\n",
        {"shop read carts", "shop write orders"},
    ),
    "the plugin: declined by the function": (
        f"{PLUGIN}{INHERITS}provider: {{iamRoleStatements: [{GETS}]}}\n"
        f"functions: {{a: {{handler: a.b, iamRoleStatements: [{PUTS}], iamRoleStatementsInherit: false}}}}\n",
        {"shop write orders"},
    ),
    "the plugin in v4: it reads the older form alone": (
        f"frameworkVersion: '4'\n{PLUGIN}provider: {{iamRoleStatements: [{GETS}]}}\n"
        f"functions: {{a: {{handler: a.b, iam: {{role: {{statements: [{PUTS}]}}}}}}}}\n",
        {"shop read carts"},
    ),
    "an existing role of the project, and statements beside it": (
        f"provider: {{role: Own, iamRoleStatements: [{GETS}]}}\n"
        f"functions: {{a: {{handler: a.b, iamRoleStatements: [{PUTS}]}}}}\n"
        "resources: {Resources: {Own: {Type: AWS::IAM::Role, Properties: {Policies: "
        f"[{{PolicyDocument: {{Statement: [{DELETES}]}}}}]}}}}}}}}\n",
        {"shop write letters"},
    ),
    "an existing role of the project, by its ARN": (
        "provider: {iam: {role: 'arn:aws:iam::111122223333:role/jobs/shop-jobs'}}\n"
        "resources: {Resources: {Own: {Type: AWS::IAM::Role, Properties: {RoleName: shop-jobs, Policies: "
        f"[{{PolicyDocument: {{Statement: [{DELETES}]}}}}]}}}}}}}}\n",
        {"shop write letters"},
    ),
}


@pytest.mark.parametrize(("project", "expected"), ROLES.values(), ids=ROLES)
def test_each_role_holds_what_the_framework_gives_it(
    tmp_path: Path, project: str, expected: set[str]
) -> None:
    found = read(tmp_path, {FILE: project}, tables=("users",))
    assert (found.errors, found.unresolved) == ((), ())
    assert grants(found) == expected


def test_a_project_without_functions_grants_nothing(tmp_path: Path) -> None:
    project = f"service: shop\nprovider:\n  name: aws\n  iamRoleStatements:\n    - {GETS}\n"
    folder = write(tmp_path, {})
    (folder / "serverless.yml").write_text(project)
    found = read_projects(folder, names(), {})
    assert (found.grants, found.unresolved, found.services) == ({}, (), {"shop"})
    assert [
        (note.location.line, "no function runs in a role" in note.text) for note in found.notes
    ] == [(5, True)]


@pytest.mark.parametrize(
    "role", ["arn:aws:iam::111122223333:role/shared", "!ImportValue shared-role"]
)
def test_a_role_from_elsewhere_may_permit_anything_to_the_functions_in_it(
    tmp_path: Path, role: str
) -> None:
    (unresolved,) = read(tmp_path, {FILE: f"provider:\n  iam:\n    role: {role}\n"}).unresolved
    assert (unresolved.location.line, unresolved.service) == (3, "shop")
    assert unresolved.modes == {"read", "write"}


def test_a_role_from_elsewhere_does_not_matter_where_no_function_runs_in_it(tmp_path: Path) -> None:
    project = (
        "provider: {role: 'arn:aws:iam::111122223333:role/shared'}\n"
        "functions: {a: {handler: a.b, role: Own}}\n"
        "resources: {Resources: {Own: {Type: AWS::IAM::Role, Properties: {Policies: []}}}}\n"
    )
    assert read(tmp_path, {FILE: project}).unresolved == ()


def test_an_unknown_setting_that_decides_what_is_inherited_is_unresolved(tmp_path: Path) -> None:
    project = (
        f"{PLUGIN}provider: {{iamRoleStatements: [{GETS}]}}\nfunctions:\n"
        f"  a: {{handler: a.b, iamRoleStatements: [{PUTS}], iamRoleStatementsInherit: '${{opt:inherit}}'}}\n"
    )
    found = read(tmp_path, {FILE: project})
    assert grants(found) == {"shop write orders"}
    assert [(u.location.line, u.modes) for u in found.unresolved] == [(4, {"read", "write"})]


@pytest.mark.parametrize(
    ("constraint", "version"),
    [
        ("4", 4),
        ("^4.1.0", 4),
        (">=4", 4),
        ("3", 3),
        ("~3.38.0", 3),
        (">=2.1.0 <4.0.0", 2),
        (">=3.0.0", None),
        ("*", None),
        ("9" * 5000, 9999),
    ],
)
def test_the_version_is_what_the_constraint_leaves(constraint: str, version: int | None) -> None:
    assert framework_version(Text(constraint, UNKNOWN_LOCATION)) == version


def test_a_plugin_that_nobody_reads_may_make_the_functions_that_are_missing(tmp_path: Path) -> None:
    project = f"service: shop\nplugins: [unknown]\nprovider:\n  name: aws\n  iamRoleStatements:\n    - {GETS}\n"
    (tmp_path / "serverless.yml").write_text(project)
    found = read_projects(tmp_path, names(), {})
    assert (found.grants, found.notes) == ({}, ())
    assert [u.text for u in found.unresolved] == ["unknown"]

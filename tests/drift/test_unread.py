"""What nobody has read may permit something, so the service's missing accesses are unchecked and not "not granted"."""

import json
import os
from pathlib import Path

import pytest

from ownership.drift.compare import compare
from ownership.drift.naming import Names
from ownership.drift.readers.cloudformation import read_templates
from ownership.drift.readers.sections import Section
from ownership.drift.readers.serverless import read_projects
from ownership.drift.readers.terraform import read_plans
from ownership.drift.registry_client import from_map
from ownership.drift.types import Infrastructure
from ownership.drift.values import UNKNOWN_LOCATION, Map, Text, Value
from tests.support.drift_projects import a_map, names, read, write
from tests.support.terraform_plans import plan, resource, role
from tests.support.terraform_plans import read as read_plan

FILE = "shop/serverless.yml"
DECLARED = from_map(a_map("shop read carts"))
SHOP = names(services=("shop",))


def verdict(found: Infrastructure) -> list[str]:
    """What the comparison says of the one declared access."""
    result = compare(DECLARED, found)
    return [finding.kind for finding in result.findings] + ["unchecked" for _ in result.unchecked]


# Settings that are not read, and the line they are in.
UNREAD = {
    "a section of a plugin": ("service: shop\nconstructs: {jobs: {type: queue}}\n", 2),
    "a section that nobody knows": ("service: shop\nfrobnicate: {orders: all}\n", 2),
    "a plugin that nobody knows": (
        "service: shop\nplugins: [serverless-offline,\n  ./plugins/grants]\n",
        3,
    ),
    "a plugin among modules": ("plugins:\n  modules:\n    - serverless-lift\n", 3),
    "a plugin that may be the project's own code": (
        "plugins:\n  localPath: ./plugins\n  modules: [serverless-offline]\n",
        3,
    ),
    "plugins in a file that is missing": ("service: shop\nplugins: ${file(missing.yml)}\n", 2),
    "a setting of the provider": ("provider:\n  name: aws\n  access: {carts: read}\n", 3),
    "a setting of the provider's role": (
        "provider:\n  iam:\n    role:\n      presets: [carts]\n",
        4,
    ),
    "a setting below iam": ("provider:\n  iam:\n    groups: [carts]\n", 3),
    "a setting of a function": (
        "functions:\n  pay:\n    handler: a.b\n    permissions: [carts]\n",
        4,
    ),
    "a setting of a function's role": (
        "functions:\n  pay:\n    iam: {role: {\n      presets: [carts]}}\n",
        4,
    ),
    "a role without a value": ("provider:\n  role: ${env:ROLE}\n", 2),
    "a role of one function, without a value": ("functions:\n  pay:\n    role: ${env:ROLE}\n", 3),
    "a role by a function within a function": (
        "provider:\n  role: !ImportValue\n    Fn::Sub: shared-role\n",
        2,
    ),
    "the role's settings, without a value": ("provider:\n  iam:\n    role: ${file(role.js)}\n", 3),
    "a function's role, without a value": ("functions:\n  pay:\n    iam: ${file(role.js)}\n", 3),
    "a function among the resources, in a role from elsewhere": (
        "resources:\n  Resources:\n    F: {Type: AWS::Lambda::Function, Properties: {Role: 'arn:aws:iam::1:role/x'}}\n",
        3,
    ),
    "a container in a role from elsewhere": (
        "resources:\n  Resources:\n"
        "    T: {Type: AWS::ECS::TaskDefinition, Properties: {TaskRoleArn: !ImportValue x}}\n",
        3,
    ),
    "stacks of a plugin": ("custom:\n  additionalStacks: {more: {}}\n", 2),
    "another provider": ("provider:\n  name: google\n", 2),
    "a section of the template": ("resources:\n  Resources: {}\n  Grants: {carts: read}\n", 3),
    "a macro": (
        "resources:\n  Resources: {}\n  Transform: [AWS::LanguageExtensions,\n    OurMacro]\n",
        4,
    ),
    "an include": ("resources:\n  Transform:\n    Name: AWS::Include\n", 3),
    "a resource of a macro": ("resources:\n  Resources:\n    X: {Type: Our::Own::Grant}\n", 3),
    "a resource that AWS adds tomorrow": (
        "resources:\n  Resources:\n    X: {Type: AWS::Tomorrow::Grant}\n",
        3,
    ),
    "a permission set": ("resources:\n  Resources:\n    X: {Type: AWS::SSO::PermissionSet}\n", 3),
    "a nested stack": ("resources:\n  Resources:\n    X: {Type: AWS::CloudFormation::Stack}\n", 3),
    "a policy that a plugin makes, changed": (
        "resources:\n  extensions:\n    XPolicy: {Properties: {PolicyDocument: {Statement: []}}}\n",
        3,
    ),
}


@pytest.mark.parametrize(("project", "line"), UNREAD.values(), ids=UNREAD)
def test_what_is_not_read_is_named_and_leaves_the_access_unchecked(
    tmp_path: Path, project: str, line: int
) -> None:
    found = read(tmp_path, {FILE: project})
    assert verdict(found) == ["unchecked"]
    assert (FILE, line) in {(u.location.file, u.location.line) for u in found.unresolved}
    assert {u.service for u in found.unresolved} == {"shop"}


HARMLESS = {
    "settings of the framework": (
        "service: shop\nframeworkVersion: '3'\npackage: {individually: true}\nuseDotenv: true\nlayers: {}\n"
    ),
    "values for the file itself": "service: shop\nx-all: &all [a]\n.more: *all\ncustom: {appsync: *all}\n",
    "plugins that permit nothing": "plugins: [serverless-offline, serverless-offline-sqs, serverless-webpack]\n",
    "a function's settings": "functions: {pay: {handler: a.b, timeout: 6, events: [{httpApi: '*'}], warmup: true}}\n",
    "an empty section": "service: shop\nconstructs:\n",
    "resources that permit nothing": (
        "resources:\n  Description: x\n  Conditions: {}\n  Resources:\n    Q: {Type: AWS::SQS::Queue}\n"
        "    T: {Type: AWS::DynamoDB::Table, Properties: {TableName: carts}}\n    W: {Type: Custom::S3}\n"
    ),
    "a change to a resource of the framework": (
        "resources:\n  Resources:\n    ApiGatewayRestApi: {Properties: {BinaryMediaTypes: [x]}}\n"
        "  extensions:\n    PayLambdaFunction: {Properties: {Layers: []}}\n"
    ),
    "what acts by a role of the project, by its name": (
        "resources:\n  Resources:\n    R: {Type: AWS::IAM::Role, Properties: {RoleName: one}}\n"
        "    S: {Type: AWS::IAM::Role, Properties: {RoleName: two}}\n"
        "    P: {Type: AWS::Pipes::Pipe, Properties: {RoleArn: 'arn:aws:iam::111122223333:role/two'}}\n"
    ),
    "functions among the resources, in roles of the project": (
        "resources:\n  Resources:\n    R: {Type: AWS::IAM::Role, Properties: {Policies: []}}\n"
        "    F: {Type: AWS::Lambda::Function, Properties: {Role: !GetAtt R.Arn}}\n"
        "    G: {Type: AWS::Lambda::Function, Properties: {Role: !GetAtt PayIamRoleLambdaExecution.Arn}}\n"
    ),
    "a known transform": "resources: {Transform: AWS::LanguageExtensions, Resources: {}}\n",
}


@pytest.mark.parametrize("project", HARMLESS.values(), ids=HARMLESS)
def test_what_permits_nothing_leaves_the_access_not_granted(tmp_path: Path, project: str) -> None:
    found = read(tmp_path, {FILE: project})
    assert (found.unresolved, verdict(found)) == ((), ["access_not_granted"])


ROLE = "  Own: {Type: AWS::IAM::Role, Properties: {Tags: [{Key: service, Value: shop}], Policies: []}}\n"


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("", "access_not_granted"),
        ("  Q: {Type: AWS::SQS::Queue}\n", "access_not_granted"),
        ("  X: {Type: AWS::Tomorrow::Grant}\n", "unchecked"),
        ("  Fn::ForEach::All: [N, [a], {}]\n", "unchecked"),
        ("  Fn::Transform: {Name: AWS::Include}\n", "unchecked"),
        ("  X: not a resource\n", "unchecked"),
        ("Transform: OurMacro\n", "unchecked"),
        ("  F: {Type: AWS::Lambda::Function, Properties: {Role: !ImportValue x}}\n", "unchecked"),
        ("Globals: {Function: {}}\n", "unchecked"),
    ],
)
def test_unread_resources_of_a_template_may_permit_anything_to_anyone(
    tmp_path: Path, rest: str, expected: str
) -> None:
    write(tmp_path, {"t.yml": f"Resources:\n{ROLE}{rest}"})
    found = read_templates([tmp_path / "t.yml"], Names.of(DECLARED), {}, {})
    assert verdict(found) == [expected]
    assert {(u.service, u.modes) for u in found.unresolved} <= {
        (None, frozenset({"read", "write"}))
    }


def test_a_section_reports_the_keys_that_nobody_read() -> None:
    inner = Map(
        UNKNOWN_LOCATION, [("a", Text("1", UNKNOWN_LOCATION)), ("b", Text("2", UNKNOWN_LOCATION))]
    )
    values: list[tuple[str, Value]] = [
        ("in", inner),
        ("known", Text("x", UNKNOWN_LOCATION)),
        ("empty", None),
    ]
    section = Section(Map(UNKNOWN_LOCATION, values), lambda node: node, {"known"})
    assert list(section.unread()) == ["in"]
    section.section("in").get("a")
    assert list(section.unread()) == ["b"]


def test_a_file_without_service_and_provider_is_no_project(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"serverless.yml": "service: web\nfunctions:\n  - ${file(src/shop/serverless.yml)}\n"},
    )
    (tmp_path / "src/shop").mkdir(parents=True)
    (tmp_path / "src/shop/serverless.yml").write_text("pay: {handler: src/shop/pay.main}\n")
    found = read_projects(tmp_path, Names.of(DECLARED), {})
    assert (found.services, found.errors) == ({"web"}, ())
    assert verdict(found) == ["unchecked"]


SECOND = {
    "another configuration": ("serverless.prod.yml", "service: shop\nprovider: {name: aws}\n"),
    "one with a hyphen": ("serverless-jobs.yaml", "service: shop-jobs\n"),
    "one that can't be read": ("serverless.prod.yml", "service: [\n"),
    "code": ("serverless.ts", "export default {}"),
}


@pytest.mark.parametrize(("name", "content"), SECOND.values(), ids=SECOND)
def test_a_second_configuration_in_the_folder_is_named(
    tmp_path: Path, name: str, content: str
) -> None:
    found = read(tmp_path, {FILE: "service: shop\n", f"shop/{name}": content})
    (unresolved,) = found.unresolved
    assert (unresolved.location.file, verdict(found)) == (f"shop/{name}", ["unchecked"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("serverless.common.yml", "service: shop\ncustom: {}\n"),  # which the project includes
        ("serverless-functions.yml", "pay: {handler: a.b}\n"),
        ("serverless-compose.yml", "services: {}\n"),
        ("serverless.md", "service: shop\n"),
        ("serverlesss.yml", "service: shop\n"),
    ],
)
def test_other_files_in_the_folder_are_no_configurations(
    tmp_path: Path, name: str, content: str
) -> None:
    found = read(
        tmp_path,
        {FILE: "service: shop\ncustom: ${file(serverless.common.yml)}\n", f"shop/{name}": content},
    )
    assert [u.location.file for u in found.unresolved if "second" in u.reason] == []


INCLUDED = {
    "a role": "Properties: {TAGS, Fn::Transform: {Name: AWS::Include}}",
    "a policy": "Properties: {TAGS, Policies: [{Fn::Transform: {Name: AWS::Include}}]}",
    "a policy with other keys": (
        "Properties: {TAGS, Policies: "
        "[{Fn::If: [C, !Ref AWS::NoValue, !Ref AWS::NoValue], PolicyDocument: {}}]}"
    ),
    "a document": "Properties: {TAGS, Policies: [{PolicyDocument: {Fn::Transform: {Name: AWS::Include}}}]}",
    "a parameter's document": "Properties: {TAGS, Policies: [{PolicyDocument: !Ref Document}]}",
    "a statement": "Properties: {TAGS, Policies: [{PolicyDocument: {Statement: [{Fn::Transform: {}}]}}]}",
}


@pytest.mark.parametrize("properties", INCLUDED.values(), ids=INCLUDED)
def test_an_include_within_a_role_may_permit_anything(tmp_path: Path, properties: str) -> None:
    tags = "Tags: [{Key: service, Value: shop}]"
    role = f"Resources:\n  R:\n    Type: AWS::IAM::Role\n    {properties.replace('TAGS', tags)}\n"
    write(tmp_path, {"t.yml": role})
    found = read_templates([tmp_path / "t.yml"], Names.of(DECLARED), {}, {})
    assert verdict(found) == ["unchecked"]
    assert [(u.location.line, u.service) for u in found.unresolved] == [(4, "shop")]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("Action: 'sts:AssumeRole', Resource: 'arn:aws:iam::111122223333:role/data'", "unchecked"),
        ("Action: 'sts:*', Resource: '*'", "unchecked"),
        ("Action: 'sts:AssumeRole', Resource: !GetAtt R.Arn", "access_not_granted"),
        ("Action: 'sts:GetCallerIdentity', Resource: '*'", "access_not_granted"),
        ("Action: 'dax:GetItem', Resource: '*'", "unchecked"),
        (
            "Action: 'dax:PutItem', Resource: '*'",
            "access_not_granted",
        ),  # reading is what is declared
        ("Action: 'dax:DescribeClusters', Resource: '*'", "access_not_granted"),
        ("Action: 's3:*', Resource: '*'", "access_not_granted"),
    ],
)
def test_what_leads_to_items_without_dynamodbs_actions_is_unread(
    tmp_path: Path, statement: str, expected: str
) -> None:
    project = f"""
provider:
  iamRoleStatements: [{{Effect: Allow, {statement}}}]
resources: {{Resources: {{R: {{Type: AWS::IAM::Role, Properties: {{Policies: []}}}}}}}}
"""
    assert verdict(read(tmp_path, {FILE: project})) == [expected]


def test_a_template_that_cannot_be_read_may_permit_anything_to_anyone(tmp_path: Path) -> None:
    role = "{Type: AWS::IAM::Role, Properties: {Tags: [{Key: service, Value: shop}], Policies: []}}"
    write(tmp_path, {"role.yml": f"Resources: {{R: {role}}}\n", "broken.yml": "Resources: {\n"})
    paths = [tmp_path / "role.yml"]
    assert verdict(read_templates(paths, Names(), {}, {})) == ["access_not_granted"]
    found = read_templates([*paths, tmp_path / "broken.yml"], Names(), {}, {})
    assert (verdict(found), len(found.errors)) == (["unchecked"], 1)


def test_a_plan_that_cannot_be_read_may_permit_anything_to_anyone(tmp_path: Path) -> None:
    role = {
        "address": "aws_iam_role.shop",
        "mode": "managed",
        "type": "aws_iam_role",
        "name": "shop",
        "values": {"name": "shop"},
    }
    state = {"format_version": "1.0", "values": {"root_module": {"resources": [role]}}}
    write(tmp_path, {"state.json": json.dumps(state), "broken.json": "{"})
    paths = [tmp_path / "state.json"]
    assert verdict(read_plans(paths, SHOP, {})) == ["access_not_granted"]
    found = read_plans([*paths, tmp_path / "broken.json"], SHOP, {})
    assert (verdict(found), len(found.errors)) == (["unchecked"], 1)


GROUPS = {
    "by its name": "U: {Type: AWS::IAM::User, Properties: {UserName: shop, Groups: [other]}}",
    "by a parameter": "U: {Type: AWS::IAM::User, Properties: {UserName: shop, Groups: [!Ref Group]}}",
    "by an addition": (
        "U: {Type: AWS::IAM::User, Properties: {UserName: shop}}\n"
        "  A: {Type: AWS::IAM::UserToGroupAddition, Properties: {GroupName: other, Users: [!Ref U]}}"
    ),
}


@pytest.mark.parametrize("resources", GROUPS.values(), ids=GROUPS)
def test_a_group_from_elsewhere_may_permit_its_users_anything(
    tmp_path: Path, resources: str
) -> None:
    write(tmp_path, {"t.yml": f"Resources:\n  {resources}\n"})
    found = read_templates([tmp_path / "t.yml"], SHOP, {}, {})
    assert verdict(found) == ["unchecked"]
    assert [unresolved.reason for unresolved in found.unresolved] == [
        "the group is defined elsewhere"
    ]


ADDITION = "A: {Type: AWS::IAM::UserToGroupAddition, Properties: {GroupName: GROUP, Users: [shop]}}"
ROLE_OF_SHOP = "R: {Type: AWS::IAM::Role, Properties: {Tags: [{Key: service, Value: shop}]}}"


def test_a_user_and_a_group_from_elsewhere_leave_the_users_service_unchecked(
    tmp_path: Path,
) -> None:
    addition = ADDITION.replace("GROUP", "other")
    write(tmp_path, {"t.yml": f"Resources:\n  {ROLE_OF_SHOP}\n  {addition}\n"})
    stack = f"custom: {{additionalStacks: {{a: {{Resources: {{{addition}}}}}}}}}\n"
    projects = [
        f"resources:\n  Resources:\n    {addition}\n",
        f"plugins: [serverless-plugin-additional-stacks]\n{stack}",
    ]
    runs = [read_templates([tmp_path / "t.yml"], SHOP, {}, {})]
    for number, project in enumerate(projects):
        runs.append(read(tmp_path / str(number), {FILE: project}, services=("shop",)))
    for found in runs:
        assert [(u.text, u.service, u.reason) for u in found.unresolved] == [
            ("other", "shop", "the group is defined elsewhere")
        ]
        assert verdict(found) == ["unchecked"]


def test_a_group_with_a_user_from_elsewhere_may_permit_anyone_what_it_permits(
    tmp_path: Path,
) -> None:
    statement = "{Effect: Allow, Action: 'dynamodb:GetItem', Resource: '*'}"
    policy = f"Policies: [{{PolicyDocument: {{Statement: [{statement}]}}}}]"
    group = f"G: {{Type: AWS::IAM::Group, Properties: {{{policy}}}}}"
    own = "U: {Type: AWS::IAM::User, Properties: {UserName: pay, Groups: [!Ref G]}}"
    resources = [ROLE_OF_SHOP, group, own, ADDITION.replace("GROUP", "!Ref G")]
    write(tmp_path, {"t.yml": "Resources:\n" + "".join(f"  {line}\n" for line in resources)})
    found = read_templates([tmp_path / "t.yml"], names(services=("shop", "pay")), {}, {})
    (unresolved,) = found.unresolved
    assert (unresolved.text, unresolved.service, unresolved.modes) == ("G", None, {"read"})


FAR_ROLE = "arn:aws:iam::111122223333:role/far"
SAM = "Transform: AWS::Serverless-2016-10-31\n"
INCLUDE = "Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://bucket/part.yml}}"
DEFINITION = (
    "{paths: {/a: {get: {x-amazon-apigateway-integration: {credentials: '" + FAR_ROLE + "'}}}}}"
)
PARTS_ELSEWHERE = {
    "a definition of an API that names a role": (
        f"{{Type: AWS::Serverless::Api, Properties: {{DefinitionBody: {DEFINITION}}}}}",
        "the role is defined elsewhere",
    ),
    "a definition of an API in another file": (
        "{Type: AWS::Serverless::Api, Properties: {DefinitionUri: api.yml}}",
        "the API's definition is in another file, and may name roles",
    ),
    "one that CloudFormation loads": (
        "{Type: AWS::ApiGateway::RestApi, Properties: {BodyS3Location: {Bucket: a, Key: b}}}",
        "the API's definition is in another file, and may name roles",
    ),
    "one that is included": (
        f"{{Type: AWS::Serverless::HttpApi, Properties: {{DefinitionBody: {{{INCLUDE}}}}}}}",
        "what Fn::Transform makes is not known, and may name roles",
    ),
    "a function's properties": (
        f"{{Type: AWS::Serverless::Function, Properties: {{{INCLUDE}, Handler: a.b}}}}",
        "what Fn::Transform makes of the resource is not known",
    ),
    "a policy's properties": (
        f"{{Type: AWS::IAM::ManagedPolicy, Properties: {{{INCLUDE}, Roles: [!Ref R]}}}}",
        "what Fn::Transform makes of the resource is not known",
    ),
    "a role as a whole": (
        f"{{Type: AWS::IAM::Role, {INCLUDE}}}",
        "what Fn::Transform makes of the resource is not known",
    ),
    "a profile of a role from elsewhere": (
        "{Type: AWS::IAM::InstanceProfile, Properties: {Roles: [far]}}",
        "the role is defined elsewhere",
    ),
}


@pytest.mark.parametrize(("resource", "reason"), PARTS_ELSEWHERE.values(), ids=PARTS_ELSEWHERE)
def test_a_part_that_is_not_in_the_template_may_permit_anything(
    tmp_path: Path, resource: str, reason: str
) -> None:
    role = "{Type: AWS::IAM::Role, Properties: {Tags: [{Key: service, Value: shop}]}}"
    write(tmp_path, {"t.yml": f"{SAM}Resources:\n  R: {role}\n  X: {resource}\n"})
    found = read_templates([tmp_path / "t.yml"], SHOP, {}, {})
    assert verdict(found) == ["unchecked"]
    assert [unresolved.reason for unresolved in found.unresolved] == [reason]


def test_an_api_without_a_definition_of_its_own_names_no_role(tmp_path: Path) -> None:
    role = "{Type: AWS::IAM::Role, Properties: {Tags: [{Key: service, Value: shop}]}}"
    api = "{Type: AWS::Serverless::HttpApi, Properties: {StageName: live}}"
    write(tmp_path, {"t.yml": f"{SAM}Resources:\n  R: {role}\n  X: {api}\n"})
    found = read_templates([tmp_path / "t.yml"], SHOP, {}, {})
    assert (found.unresolved, verdict(found)) == ((), ["access_not_granted"])


KUBERNETES = {
    "a chart": ("helm_release", "unchecked"),
    "a manifest": ("kubernetes_manifest", "unchecked"),
    "a manifest as text": ("kubectl_manifest", "unchecked"),
    "a namespace": ("kubernetes_namespace", "access_not_granted"),
}


@pytest.mark.parametrize(("resource_type", "expected"), KUBERNETES.values(), ids=KUBERNETES)
def test_what_may_make_anything_in_a_cluster_is_unread(
    tmp_path: Path, resource_type: str, expected: str
) -> None:
    made = plan(role("aws_iam_role.shop", "shop"), resource(f"{resource_type}.x", name="any"))
    assert verdict(read_plan(tmp_path, made, SHOP)) == [expected]


STACK = "AWSTemplateFormatVersion: 2010-09-09\nResources: {Q: {Type: AWS::SQS::Queue}}\n"
OTHER_FORMS = {
    "a template": ("shop/template.yaml", STACK),
    "a template of SAM": (
        "shop/deploy/t.yml",
        f"{SAM}Resources: {{Q: {{Type: AWS::SQS::Queue}}}}\n",
    ),
    "the output of a CDK app": ("shop/cdk.out/manifest.json", '{"artifacts": {}}'),
    "Terraform": ("shop/infra/main.tf", ""),
    "OpenTofu in JSON": ("shop/roles.tofu.json", "{}"),
}


@pytest.mark.parametrize(("name", "content"), OTHER_FORMS.values(), ids=OTHER_FORMS)
def test_another_form_in_a_projects_folder_may_permit_its_service_anything(
    tmp_path: Path, name: str, content: str
) -> None:
    found = read(tmp_path, {FILE: "service: shop\n", name: content})
    (unresolved,) = found.unresolved
    assert (unresolved.service, verdict(found)) == ("shop", ["unchecked"])
    assert name.startswith(unresolved.location.file)


def test_too_many_files_to_look_for_other_forms_may_hide_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ownership.drift.readers.template_files.MAX_FILES", 1)
    found = read(tmp_path, {FILE: "service: shop\n", "shop/a.py": ""})
    (unresolved,) = found.unresolved
    assert unresolved.reason == "has more than 1 files: name the templates in it"
    assert (unresolved.service, verdict(found)) == (None, ["unchecked"])


def test_a_template_that_is_no_utf_8_is_another_form_and_a_pipe_is_none(tmp_path: Path) -> None:
    write(
        tmp_path, {FILE: "service: shop\nprovider: {name: aws}\nfunctions: {a: {handler: a.b}}\n"}
    )
    os.mkfifo(tmp_path / "shop/pipe.json")
    (tmp_path / "shop/template.yml").write_bytes(f"{STACK}# caf\u00e9\n".encode("latin-1"))
    (unresolved,) = read_projects(tmp_path, SHOP, {}).unresolved
    assert unresolved.location.file == "shop/template.yml"


NO_OTHER_FORMS = {
    "a part without its own version": (
        "shop/part.yml",
        "Resources: {Q: {Type: AWS::SQS::Queue}}\n",
    ),
    "a template that is included": ("shop/included.yml", STACK),
    "a template that is nested": ("shop/nested.yml", STACK),
    "a package": ("shop/node_modules/x/main.tf", ""),
    "another folder": ("infra/main.tf", ""),
    "a folder around the project": ("main.tf", ""),
}


@pytest.mark.parametrize(("name", "content"), NO_OTHER_FORMS.values(), ids=NO_OTHER_FORMS)
def test_what_is_a_part_of_a_project_or_outside_of_its_folder_is_not_another_form(
    tmp_path: Path, name: str, content: str
) -> None:
    project = "service: shop\n"
    if "included" in name:
        project += "resources: ${file(included.yml)}\n"
    if "nested" in name:
        stack = "{Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: nested.yml}}"
        project += f"resources: {{Resources: {{N: {stack}}}}}\n"
    found = read(tmp_path, {FILE: project, name: content})
    assert (found.unresolved, verdict(found)) == ((), ["access_not_granted"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [("shop/roles.tf", "unchecked"), ("infra/main.tf", "access_not_granted")],
)
def test_terraform_beside_templates_may_permit_the_service_of_its_folder_anything(
    tmp_path: Path, name: str, expected: str
) -> None:
    write(tmp_path, {"shop/t.yml": f"Resources:\n{ROLE}", name: ""})
    found = read_templates([tmp_path], SHOP, {}, {})
    assert verdict(found) == [expected]

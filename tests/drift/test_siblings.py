"""What a project is given by others: serverless-compose.yml, outputs of stacks, exports, .env files."""

from pathlib import Path

import pytest

from ownership.drift.readers.serverless import read_projects
from ownership.drift.types import GrantedAccess, Infrastructure, Location
from tests.support.drift_projects import ARN, grants, names, read, write

TABLES = """
service: tables
provider: {name: aws, stage: "${opt:stage, 'dev'}"}
resources:
  Resources:
    Orders: {Type: AWS::DynamoDB::Table, Properties: {TableName: "orders${self:provider.stage}"}}
  Outputs:
    OrdersArn: {Value: !GetAtt Orders.Arn}
    OrdersName: {Value: !Ref Orders}
    Either: {Value: !If [IsProd, a, b]}
    Stored: {Value: "${ssm:/stored}"}
    Endless: {Value: !Join ["", [CHOICES]]}
""".replace("CHOICES", ", ".join(["!If [IsProd, a, b]"] * 10))
COMPOSE = """
services:
  tables: {path: tables}
  shop:
    path: ./shop
    params: {arn: "${tables.OrdersArn}", name: "${tables.OrdersName}", literal: carts, mixed: "club-${env:CLUB}",
             code: "${tables.Nothing}", arns: ["arn:aws:dynamodb:*:*:table/carts"],
             strange: "${other.Arn}", more: "${service:tables.OrdersArn}"}
  other: {path: other, component: aws-cdk}
  outside: {path: ../../outside}
  nowhere: {params: {x: y}}
stages: {default: {params: {payments: payments, both: from-compose}}, prod: {params: {payments: payments-prod}}}
"""


def shop(resource: str, more: str = "") -> str:
    """A project with that resource in its only statement, which is its fourth line."""
    statement = f'{{Effect: Allow, Action: dynamodb:GetItem, Resource: "{resource}"}}'
    return f"service: shop\nprovider:\n  iamRoleStatements:\n    - {statement}\n{more}"


def composed(
    tmp_path: Path, resource: str, more: str = "", given: dict[str, str] | None = None
) -> Infrastructure:
    files = {
        "serverless-compose.yml": COMPOSE,
        "tables/serverless.yml": TABLES,
        "shop/serverless.yml": shop(resource, more),
    }
    return read(tmp_path, files, given)


COMPOSED = {
    "an output": ("${param:arn}", "", "orders"),
    "an output, as v4 also writes it": ("${param:more}", "", "orders"),
    "an output in a text": (f"{ARN}${{param:name}}", "", "orders"),
    "a literal": (f"{ARN}${{param:literal}}", "", "carts"),
    "a variable": (f"{ARN}${{param:mixed}}-carts", "", "club-x-carts"),
    "of all services": (f"{ARN}${{param:payments}}", "", "payments"),
    "its own first, in v4": (f"{ARN}${{param:both}}", "params: {default: {both: own}}\n", "own"),
    "its own last, in v3": (
        f"{ARN}${{param:both}}",
        "frameworkVersion: '3'\nparams: {default: {both: own}}\n",
        "from-compose",
    ),
    "v4's form before v3's": (
        f"{ARN}${{param:x}}",
        "params: {dev: {x: a}, default: {x: b}}\nstages: {dev: {params: {x: c}}}\n",
        "c",
    ),
    "of the stage before the default": (
        f"{ARN}${{param:x}}",
        "params: {dev: {x: a}}\nstages: {default: {params: {x: c}}}\n",
        "a",
    ),
}


@pytest.mark.parametrize(("resource", "more", "table"), COMPOSED.values(), ids=COMPOSED)
def test_parameters_come_from_the_compose_file(
    tmp_path: Path, resource: str, more: str, table: str
) -> None:
    found = composed(tmp_path, resource, more, {"env:CLUB": "x"})
    assert (found.errors, found.unresolved) == ((), ())
    assert found.grants == {
        GrantedAccess("shop", table, "read"): (Location("shop/serverless.yml", 4),)
    }


def test_a_parameter_may_be_a_list(tmp_path: Path) -> None:
    assert grants(composed(tmp_path, "${param:arns}")) == {"shop read carts"}


def test_parameters_of_all_services_depend_on_the_stage(tmp_path: Path) -> None:
    found = composed(tmp_path, f"{ARN}${{param:payments}}", given={"opt:stage": "prod"})
    assert grants(found) == {"shop read payments-prod"}


@pytest.mark.parametrize(
    ("parameter", "reason"),
    [
        ("code", "the service tables has no output Nothing in its files"),
        ("strange", "serverless-compose.yml has no project that is read for the service other"),
        ("none", "no value for param:none (--var param:none=…)"),
    ],
)
def test_what_the_compose_file_does_not_give_is_unresolved_with_the_reason(
    tmp_path: Path, parameter: str, reason: str
) -> None:
    (unresolved,) = composed(tmp_path, f"${{param:{parameter}}}").unresolved
    assert (unresolved.reason, unresolved.service) == (reason, "shop")


def test_a_compose_file_that_is_code_is_the_reason(tmp_path: Path) -> None:
    files = {"serverless-compose.ts": "", "shop/serverless.yml": shop("${param:arn}")}
    (unresolved,) = read(tmp_path, files).unresolved
    assert (
        unresolved.reason == "serverless-compose.ts is code, which is not run (--var param:arn=…)"
    )


def test_a_compose_file_of_another_folder_that_is_code_does_not_matter(tmp_path: Path) -> None:
    files = {"web/serverless-compose.ts": "", "shop/serverless.yml": shop("${param:arn}")}
    (unresolved,) = read(tmp_path, files).unresolved
    assert unresolved.reason == "no value for param:arn (--var param:arn=…)"


def test_an_unreadable_compose_file_is_an_error(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        {"serverless-compose.yml": "services: [\n", "shop/serverless.yml": shop(f"{ARN}carts")},
    )
    assert [error.location.file for error in found.errors] == ["serverless-compose.yml"]
    assert grants(found) == {"shop read carts"}


def test_a_project_is_read_from_the_file_that_the_compose_file_names(tmp_path: Path) -> None:
    files = {
        "serverless-compose.yml": "services: {shop: {path: shop, config: serverless.api.yml}}\n",
        "shop/serverless.api.yml": shop(f"{ARN}carts") + "functions: {a: {handler: a.b}}\n",
    }
    found = read(tmp_path, files)
    assert (grants(found), found.unresolved) == ({"shop read carts"}, ())


def test_a_compose_file_above_the_one_project_that_is_read_counts(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        {
            "serverless-compose.yml": COMPOSE,
            "shop/serverless.yml": shop(f"{ARN}${{param:literal}}"),
        },
    )
    found = read_projects(folder / "shop", names(), {}, folder)
    assert grants(found) == {"shop read carts"}


STACKS = {
    "by stage": ("${cf:tables-${self:provider.stage}.OrdersArn}", ""),
    "by name": ("${cf:tables-dev.OrdersArn}", ""),
    "as v4 also writes it": ("${aws:cf:tables-dev.OrdersArn}", ""),
    "in a region": ("${cf(us-east-1):tables-dev.OrdersArn}", ""),
    "in a region, as in v1": ("${cf.us-east-1:tables-dev.OrdersArn}", ""),
    "by a stage that is not given": ("${cf:tables-${opt:stage}.OrdersArn}", "other"),
    "by a setting": (
        "${cf:${self:custom.stack}.OrdersArn}",
        "custom: {stack: 'tables-${sls:stage}'}\n",
    ),
    "a name in a text": (f"{ARN}${{cf:tables-dev.OrdersName}}", ""),
    "before a default": ("${cf:tables-dev.OrdersArn, 'x'}", ""),
}


@pytest.mark.parametrize("folder", ["shop", "upshop"], ids=["read before it", "read after it"])
@pytest.mark.parametrize(("resource", "more"), STACKS.values(), ids=STACKS)
def test_the_outputs_of_another_projects_stack_are_resolved(
    tmp_path: Path, resource: str, more: str, folder: str
) -> None:
    tables = TABLES
    if more == "other":  # the stage is given nowhere
        tables, more = TABLES.replace("${opt:stage, 'dev'}", "${opt:stage}"), ""
    found = read(
        tmp_path,
        {"tables/serverless.yml": tables, f"{folder}/serverless.yml": shop(resource, more)},
    )
    assert (found.errors, found.unresolved) == ((), ())
    assert grants(found) == {f"{folder} read orders"}


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("cf:tables-dev.Missing", "the stack tables-dev has no output Missing in its files"),
        ("cf:tables-dev.Either", "the output Either of the stack tables-dev has several values"),
        ("cf:tables-dev.Endless", "the stack tables-dev has no output Endless in its files"),
        ("cf:tables-dev.Stored", "ssm:/stored is known only when deployed"),
        ("cf:tables-prod.OrdersArn", "no project that was read has the stack tables-prod"),
        ("cf:tables-dev", "cf:tables-dev is known only when deployed"),
    ],
)
def test_an_output_that_is_not_known_has_its_reason(
    tmp_path: Path, reference: str, reason: str
) -> None:
    files = {"tables/serverless.yml": TABLES, "shop/serverless.yml": shop(f"${{{reference}}}")}
    (unresolved,) = read(tmp_path, files).unresolved
    assert unresolved.reason.startswith(reason)


def test_a_stack_may_have_a_name_of_its_own(tmp_path: Path) -> None:
    tables = TABLES.replace("{name: aws,", "{name: aws, stackName: 'club-${sls:stage}-tables',")
    files = {
        "tables/serverless.yml": tables,
        "shop/serverless.yml": shop("${cf:club-dev-tables.OrdersArn}"),
    }
    assert grants(read(tmp_path, files)) == {"shop read orders"}


@pytest.mark.parametrize("order", ["abc", "acb", "bac", "bca", "cab", "cba"])
def test_outputs_pass_through_several_projects_in_any_order(tmp_path: Path, order: str) -> None:
    """The second project puts out what it has of the first, and the third uses that."""
    first, second, third = tuple(order)
    between = (
        "service: between\n"
        "resources: {Outputs: {Arn: {Value: '${cf:tables-dev.OrdersArn}', Export: {Name: b}}}}\n"
    )
    files = {
        f"{first}/serverless.yml": TABLES,
        f"{second}/serverless.yml": between,
        f"{third}/serverless.yml": shop("${cf:between-dev.Arn}", "").replace(
            "iamRoleStatements:\n",
            "iamRoleStatements:\n    - {Effect: Allow, Action: dynamodb:PutItem, Resource: !ImportValue b}\n",
        ),
    }
    found = read(tmp_path, files)
    assert (grants(found), found.unresolved) == ({f"{third} read_write orders"}, ())


def test_outputs_in_a_circle_are_unresolved(tmp_path: Path) -> None:
    outputs = "resources: {Outputs: {Arn: {Value: '${cf:OTHER-dev.Arn}'}}}\n"
    files = {
        "a/serverless.yml": f"service: one\n{outputs.replace('OTHER', 'two')}",
        "b/serverless.yml": f"service: two\n{outputs.replace('OTHER', 'one')}",
        "shop/serverless.yml": shop("${cf:one-dev.Arn}"),
    }
    found = read(tmp_path, files)
    assert (found.errors, found.grants, len(found.unresolved)) == ((), {}, 1)


def test_a_dotenv_file_outside_of_the_folder_is_not_read(tmp_path: Path) -> None:
    files = {"shop/serverless.yml": shop(f"{ARN}${{env:TABLE}}", "useDotenv: true\n")}
    write(tmp_path, {"outside": "TABLE=outside\n", "root/shop/.env": "TABLE=orders\n"})
    (tmp_path / "root/shop/.env.dev").symlink_to(tmp_path / "outside")
    assert grants(read(tmp_path / "root", files)) == {"shop read orders"}


DOTENV = """\
# TABLE=comment
TABLE=first
export  TABLE = "carts" # comment
OTHER=x
"""


@pytest.mark.parametrize(
    ("setting", "files", "expected"),
    [
        ("useDotenv: true\n", {"shop/.env": DOTENV}, {"shop read carts"}),
        ("frameworkVersion: '4'\n", {"shop/.env": DOTENV}, {"shop read carts"}),
        ("frameworkVersion: '3'\n", {"shop/.env": DOTENV}, set()),
        (
            "useDotenv: true\n",
            {"shop/.env": DOTENV, "shop/.env.dev": "TABLE='orders # 1'\nTABLE=orders # x\n"},
            {"shop read orders"},
        ),
        ("useDotenv: true\n", {"shop/.env": "OTHER=x\n"}, set()),
        ("useDotenv: true\n", {}, set()),
    ],
)
def test_environment_variables_come_from_the_file_that_the_framework_loads(
    tmp_path: Path, setting: str, files: dict[str, str], expected: set[str]
) -> None:
    found = read(tmp_path, {"shop/serverless.yml": shop(f"{ARN}${{env:TABLE}}", setting)} | files)
    assert grants(found) == expected
    assert bool(found.unresolved) != bool(expected)

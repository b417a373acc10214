"""What a plan of Terraform knows only after apply: what is certain all the same, and which instance it is of."""

import pytest

from ownership.drift.types import Location
from tests.support.drift_projects import grants
from tests.support.terraform_plans import (
    ARN,
    allow,
    configured,
    plan,
    policy,
    read,
    reasons,
    resource,
    role,
    table,
)

NEW_ENVIRONMENT = (
    table("aws_dynamodb_table.orders", "orders"),
    role("aws_iam_role.run", "shop"),
    resource(
        "data.aws_iam_policy_document.run",
        {"json": True, "id": True, "statement": [{"resources": [True, True]}]},
        statement=[
            {
                "actions": ["dynamodb:Query"],
                "effect": None,
                "resources": [None, None],
                "not_resources": None,
            }
        ],
    ),
    resource("aws_iam_role_policy.run", {"policy": True, "role": True}),
    resource("aws_lambda_function.run", {"role": True, "arn": True}, function_name="run"),
)
STATEMENT = {
    "actions": {"constant_value": ["dynamodb:Query"]},
    "resources": {"references": ["aws_dynamodb_table.orders.arn", "aws_dynamodb_table.orders"] * 2},
}
CONFIGURATION = [
    configured("aws_dynamodb_table.orders"),
    configured("aws_iam_role.run"),
    configured("data.aws_iam_policy_document.run", statement=[STATEMENT]),
    configured(
        "aws_iam_role_policy.run",
        policy=["data.aws_iam_policy_document.run.json"],
        role=["aws_iam_role.run.id"],
    ),
    configured("aws_lambda_function.run", role=["aws_iam_role.run.arn"]),
]


def test_a_new_environment_is_read_before_it_has_arns(tmp_path):
    document = plan(*NEW_ENVIRONMENT, configuration={"resources": CONFIGURATION})
    resources = document["planned_values"]["root_module"]["resources"]
    managed = [node for node in resources if node["mode"] == "managed"]
    for planned in (
        resources,
        managed,
    ):  # data that is read during apply is among the changes alone
        document["planned_values"]["root_module"]["resources"] = planned
        found = read(tmp_path, document)
        assert grants(found) == {"shop read orders"}
        assert found.unresolved == ()


def test_arns_pass_through_modules(tmp_path):
    passed = {**STATEMENT, "resources": {"references": ["var.tables"]}}
    configuration = {
        "module_calls": {
            "tables": {
                "module": {
                    "outputs": {
                        "arn": {"expression": {"references": ["aws_dynamodb_table.orders.arn"]}}
                    },
                    "resources": [configured("aws_dynamodb_table.orders")],
                }
            },
            "shop": {
                "expressions": {"tables": {"references": ["module.tables.arn", "module.tables"]}},
                "module": {
                    "resources": [
                        configured("data.aws_iam_policy_document.run", statement=[passed]),
                        *CONFIGURATION[3:],
                    ]
                },
            },
        }
    }
    resources = []
    for node in NEW_ENVIRONMENT:
        module = "module.tables" if node["type"] == "aws_dynamodb_table" else "module.shop"
        resources.append({**node, "module": module, "address": f"{module}.{node['address']}"})
    found = read(tmp_path, plan(*resources, configuration=configuration))
    assert grants(found) == {"shop read orders"}
    assert found.unresolved == ()


def test_a_default_of_a_module_is_known_and_a_circle_of_references_ends(tmp_path):
    for of_output, expected in (("var.suffix", {"shop read orders"}), ("module.shop.arn", set())):
        passed = {
            **STATEMENT,
            "resources": {"references": ["aws_dynamodb_table.orders.id", "var.suffix"]},
        }
        call = {
            "expressions": {} if of_output == "var.suffix" else {"suffix": {"references": [of_output]}},
            "module": {
                "outputs": {"arn": {"expression": {"references": ["var.suffix"]}}},
                "resources": [
                    configured("data.aws_iam_policy_document.run", statement=[passed]),
                    *CONFIGURATION[3:],
                ],
            },
        }  # fmt: skip
        resources = [
            {**node, "module": "module.shop", "address": f"module.shop.{node['address']}"}
            for node in NEW_ENVIRONMENT
        ]
        found = read(tmp_path, plan(*resources, configuration={"module_calls": {"shop": call}}))
        assert grants(found) == {"shop read orders"}
        assert bool(found.unresolved) == (not expected)


@pytest.mark.parametrize(
    ("references", "reason"),
    [
        (["local.tables"], "it depends on local.tables; resources is known only after apply"),
        (
            ["random_id.suffix.hex"],
            "it depends on random_id.suffix.hex; resources is known only after apply",
        ),
    ],
)
def test_what_a_plan_does_not_show_is_unresolved_with_its_cause(tmp_path, references, reason):
    statement = {**STATEMENT, "resources": {"references": references}}
    configuration = [
        *CONFIGURATION[:2],
        configured("data.aws_iam_policy_document.run", statement=[statement]),
    ]
    found = read(
        tmp_path,
        plan(*NEW_ENVIRONMENT, configuration={"resources": [*configuration, *CONFIGURATION[3:]]}),
    )
    assert grants(found) == set()
    assert reasons(found) == [("data.aws_iam_policy_document.run", reason)]
    assert found.unresolved[0].modes == {"read"}


def deferred(count: int, effect: str | None = None, attribute: str = "resources") -> list[dict]:
    """A new environment whose document has a statement with so many ARNs that are not known yet."""
    statement = {"actions": ["dynamodb:GetItem"], "effect": effect, attribute: [None] * count}
    document = resource(
        "data.aws_iam_policy_document.run",
        {"json": True, "statement": [{attribute: [True] * count}]},
        statement=[statement],
    )
    others = [node for node in NEW_ENVIRONMENT if node["mode"] != "data"]
    return [*others, table("aws_dynamodb_table.carts", "carts"), document]


@pytest.mark.parametrize(
    ("count", "effect", "attribute", "references", "expected"),
    [
        (2, "Allow", "resources", ["orders", "carts"], {"shop read orders", "shop read carts"}),
        (1, "Allow", "resources", ["orders", "carts"], set()),  # a condition chooses one of them
        (1, "Deny", "resources", ["orders"], set()),
        (1, "Allow", "not_resources", ["orders"], set()),
    ],
)
def test_an_arn_counts_only_where_it_is_certain(
    tmp_path, count, effect, attribute, references, expected
):
    statement = {
        attribute: {"references": [f"aws_dynamodb_table.{name}.arn" for name in references]}
    }
    configuration = [
        configured("data.aws_iam_policy_document.run", statement=[statement]),
        *CONFIGURATION[3:],
    ]
    found = read(
        tmp_path,
        plan(*deferred(count, effect, attribute), configuration={"resources": configuration}),
    )
    assert grants(found) == expected
    assert bool(found.unresolved) == (not expected)


def test_a_policy_in_jsonencode_is_known_only_after_apply(tmp_path):
    configuration = [
        *CONFIGURATION[:2],
        configured(
            "aws_iam_role_policy.run",
            policy=["aws_dynamodb_table.orders.arn"],
            role=["aws_iam_role.run.id"],
        ),
    ]
    resources = (NEW_ENVIRONMENT[0], NEW_ENVIRONMENT[1], NEW_ENVIRONMENT[3])
    found = read(tmp_path, plan(*resources, configuration={"resources": configuration}))
    assert reasons(found) == [
        (
            "aws_iam_role_policy.run",
            "it depends on aws_dynamodb_table.orders.arn; policy is known only after apply",
        )
    ]
    assert found.unresolved[0].service == "shop"


@pytest.mark.parametrize("names_of_policies", [["orders"], ["orders", "carts"]])
def test_a_managed_policy_counts_only_where_it_is_certain(tmp_path, names_of_policies):
    resources = [role("aws_iam_role.run", "shop")]
    for name in ("orders", "carts"):
        text = policy(allow("dynamodb:GetItem", f"{ARN}{name}"))
        resources.append(resource(f"aws_iam_policy.{name}", {"arn": True}, policy=text))
    resources.append(
        resource("aws_iam_role_policy_attachment.run", {"policy_arn": True}, role="run-role")
    )
    arns = [f"aws_iam_policy.{name}.arn" for name in names_of_policies]
    configuration = [configured("aws_iam_role_policy_attachment.run", policy_arn=arns)]
    found = read(tmp_path, plan(*resources, configuration={"resources": configuration}))
    is_certain = len(names_of_policies) == 1
    assert grants(found) == ({"shop read orders"} if is_certain else set())
    assert bool(found.unresolved) != is_certain


def test_each_instance_refers_to_the_one_with_its_key(tmp_path):
    resources = []
    for service in ("shop", "billing"):
        resources.append(role(f'aws_iam_role.run["{service}"]', service, name=f"{service}-role"))
        what = allow("dynamodb:GetItem", ARN + ("orders" if service == "shop" else "carts"))
        resources.append(
            resource(f'aws_iam_role_policy.run["{service}"]', {"role": True}, policy=policy(what))
        )
    configuration = [configured("aws_iam_role_policy.run", role=["aws_iam_role.run", "each.key"])]
    found = read(tmp_path, plan(*resources, configuration={"resources": configuration}))
    assert grants(found) == {"shop read orders", "billing read carts"}


ALL = [
    "aws_dynamodb_table.all"
]  # Terraform lists no index that is no constant, nor what comes behind it
ORDERS = ['aws_dynamodb_table.all["orders"].arn', 'aws_dynamodb_table.all["orders"]', *ALL]
CARTS = ['aws_dynamodb_table.all["carts"].arn', 'aws_dynamodb_table.all["carts"]', *ALL]
SWAPPED = {"orders": "carts", "carts": "orders"}
LOOPS = {  # what a document for each key refers to, what it runs over, and the table of the instance "orders"
    "the key": ([*ALL, "each.key"], {"references": ["local.names"]}, "orders"),
    "the position": ([*ALL, "count.index"], None, "orders"),
    "the value, of a set of constants": ([*ALL, "each.value"], None, "orders"),
    "the value, of a set from a variable": (
        [*ALL, "each.value"],
        {"references": ["var.names"]},
        "orders",
    ),
    "the value, of constants": ([*ALL, "each.value"], {"constant_value": SWAPPED}, "carts"),
    "the value, of a variable": ([*ALL, "each.value"], {"references": ["var.swapped"]}, "carts"),
    "the value, of locals": ([*ALL, "each.value"], {"references": ["local.names"]}, None),
    "a part of the value": (
        [*ALL, "each.value.table", "each.value"],
        {"references": ["var.swapped"]},
        None,
    ),
    "a position in a variable": ([*ALL, "var.names", "count.index"], None, None),
    "all tables": (ALL, None, None),
    "the value, which is a table": (
        ["each.value.arn", "each.value"],
        {"references": ALL},
        "orders",
    ),
    "the value, one of several ARNs": (["each.value"], {"references": [*ORDERS, *CARTS]}, None),
    "the value, the only ARN": (["each.value"], {"references": ORDERS}, "orders"),
    "a table by its key": (CARTS, None, "carts"),
    "an output of a module for each": (["module.table", "each.key"], None, "letters"),
    "an output, by its key": (
        ['module.table["orders"].arn', 'module.table["orders"]'],
        None,
        "letters",
    ),
    "an output of any of them": (["module.table"], None, None),
    "a local": (["local.orders"], None, None),
}
MODULE = {
    "table": {
        "module": {
            "outputs": {
                "arn": {
                    "expression": {
                        "references": ["aws_dynamodb_table.this.arn", "aws_dynamodb_table.this"]
                    }
                },
                "id": {
                    "expression": {
                        "references": ["aws_dynamodb_table.this.id", "aws_dynamodb_table.this"]
                    }
                },
            },
            "resources": [configured("aws_dynamodb_table.this")],
        }
    }
}


@pytest.mark.parametrize(("references", "loop", "expected"), LOOPS.values(), ids=LOOPS)
def test_an_instance_has_the_table_that_its_loop_says_and_no_other(
    tmp_path, references, loop, expected
):
    statement = {
        "actions": {"constant_value": ["dynamodb:GetItem"]},
        "resources": {"references": references},
    }
    document = configured("data.aws_iam_policy_document.run", statement=[statement])
    if loop is not None:
        document["for_each_expression"] = loop
    attached = configured(
        "aws_iam_role_policy.run",
        role=["aws_iam_role.run.id"],
        policy=["data.aws_iam_policy_document.run", "each.key"],
    )
    resources = [
        table('aws_dynamodb_table.all["orders"]', "orders"),
        table('aws_dynamodb_table.all["carts"]', "carts"),
        table('module.table["orders"].aws_dynamodb_table.this', "letters"),
        table('module.table["carts"].aws_dynamodb_table.this', "pens"),
        role("aws_iam_role.run", "shop"),
        resource(
            'data.aws_iam_policy_document.run["orders"]',
            {"json": True, "statement": [{"resources": [True]}]},
            statement=[{"actions": ["dynamodb:GetItem"], "resources": [None]}],
        ),
        resource('aws_iam_role_policy.run["orders"]', {"policy": True, "role": True}),
    ]
    configuration = {"resources": [document, attached], "module_calls": MODULE}
    variables = {"names": {"value": ["orders", "carts"]}, "swapped": {"value": SWAPPED}}
    found = read(tmp_path, plan(*resources, configuration=configuration, variables=variables))
    assert grants(found) == ({f"shop read {expected}"} if expected else set())
    assert [u.service for u in found.unresolved] == ([] if expected else ["shop"])
    for locations in found.grants.values():
        assert locations == (Location('plan.json#data.aws_iam_policy_document.run["orders"]'),)


def test_what_a_modules_call_passes_for_each_key_is_that_keys(tmp_path):
    calls = {
        "shop": {
            "expressions": {"table": {"references": [*ALL, "each.key"]}},
            "module": {
                "resources": [
                    configured(
                        "data.aws_iam_policy_document.run",
                        statement=[{"resources": {"references": ["var.table"]}}],
                    ),
                    *CONFIGURATION[3:],
                ]
            },
        }
    }
    resources = [table(f'aws_dynamodb_table.all["{name}"]', name) for name in ("orders", "carts")]
    for node in NEW_ENVIRONMENT[1:]:
        module = 'module.shop["carts"]'
        resources.append({**node, "module": module, "address": f"{module}.{node['address']}"})
    found = read(tmp_path, plan(*resources, configuration={"module_calls": calls}))
    assert (grants(found), found.unresolved) == ({"shop read carts"}, ())

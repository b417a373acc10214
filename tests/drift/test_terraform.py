"""Plans and states of Terraform: tables, roles, policies, and what is not known before apply."""

import json
from pathlib import Path

import pytest

from ownership.drift.command import main
from ownership.drift.types import Keys, Location
from tests.support.drift_projects import a_map, grants, names
from tests.support.terraform_plans import (
    ARN,
    ROLE_ARN,
    allow,
    configured,
    plan,
    policy,
    read,
    reasons,
    resource,
    role,
    state,
    table,
)

READS = ("dynamodb:GetItem", f"{ARN}orders")


def test_a_table_has_its_keys_and_indexes(tmp_path):
    attributes = [{"name": name, "type": "S"} for name in ("id", "day", "total")]
    found = read(
        tmp_path,
        plan(
            table(
                "aws_dynamodb_table.orders",
                "orders",
                range_key="day",
                attribute=attributes,
                global_secondary_index=[
                    {"name": "by-day", "hash_key": "day", "range_key": None},
                    {
                        "name": "by-total",
                        "key_schema": [{"attribute_name": "total", "key_type": "HASH"}],
                    },
                ],
                local_secondary_index=[{"name": "per-order", "range_key": "total"}],
            )
        ),
    )
    shape = found.tables[0]
    assert (shape.name, str(shape.key_schema)) == ("orders", "id (S) + day (S)")
    assert {name: str(keys) for name, keys in shape.indexes} == {
        "by-day": "day (S)",
        "by-total": "total (S)",
        "per-order": "id (S) + total (S)",
    }
    assert shape.locations == (Location("plan.json#aws_dynamodb_table.orders"),)


def test_an_index_that_is_a_resource_is_one_of_its_table(tmp_path):
    keys = [{"attribute_name": "day", "attribute_type": "S", "key_type": "HASH"}]
    index = resource(
        "aws_dynamodb_global_secondary_index.day",
        table_name="orders",
        index_name="by-day",
        key_schema=keys,
    )
    found = read(tmp_path, plan(table("aws_dynamodb_table.orders", "orders"), index))
    assert [name for name, _ in found.tables[0].indexes] == ["by-day"]


INLINE = {"inline_policy": [{"name": "orders", "policy": policy(allow(*READS, Sid=None))}]}
WAYS = {
    "in the role": (role("aws_iam_role.run", "shop", **INLINE),),
    "a policy of the role": (
        role("aws_iam_role.run", "shop"),
        resource("aws_iam_role_policy.run", role="run-role", policy=policy(allow(*READS))),
    ),
    "an attached policy": (
        role("aws_iam_role.run", "shop"),
        resource(
            "aws_iam_policy.orders",
            arn="arn:aws:iam::111122223333:policy/orders",
            policy=policy(allow(*READS)),
        ),
        resource(
            "aws_iam_role_policy_attachment.run",
            role="run-role",
            policy_arn="arn:aws:iam::111122223333:policy/orders",
        ),
    ),
    "a policy attached to several": (
        role("aws_iam_role.run", "shop"),
        resource(
            "aws_iam_policy.orders",
            arn="arn:aws:iam::111122223333:policy/orders",
            policy=policy(allow(*READS)),
        ),
        resource(
            "aws_iam_policy_attachment.run",
            roles=["run-role"],
            policy_arn="arn:aws:iam::111122223333:policy/orders",
        ),
    ),
    "managed policies of the role": (
        role(
            "aws_iam_role.run",
            "shop",
            managed_policy_arns=["arn:aws:iam::111122223333:policy/orders"],
        ),
        resource(
            "aws_iam_policy.orders",
            arn="arn:aws:iam::111122223333:policy/orders",
            policy=policy(allow(*READS)),
        ),
    ),
    "a user's group": (
        resource("aws_iam_user.run", name="runner", tags={"service": "shop"}),
        resource("aws_iam_group.run", name="runners"),
        resource("aws_iam_group_policy.run", group="runners", policy=policy(allow(*READS))),
        resource("aws_iam_user_group_membership.run", user="runner", groups=["runners"]),
    ),
    "a user's policy": (
        resource("aws_iam_user.run", name="runner", tags={"service": "shop"}),
        resource("aws_iam_user_policy.run", user="runner", policy=policy(allow(*READS))),
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_service_may_do_what_its_role_permits(tmp_path, way):
    for document in (plan(*WAYS[way]), state(*WAYS[way])):
        found = read(tmp_path, document)
        assert grants(found) == {"shop read orders"}
        assert (found.unresolved, found.errors, found.services) == ((), (), {"shop"})


def test_evidence_is_the_address_of_the_policy_in_its_module(tmp_path):
    found = read(
        tmp_path,
        plan(
            role('module.shop["eu"].aws_iam_role.run[0]', "shop"),
            resource(
                'module.shop["eu"].aws_iam_role_policy.run[0]',
                role="run-role",
                policy=policy(allow(*READS)),
            ),
        ),
    )
    (locations,) = found.grants.values()
    assert locations == (Location('plan.json#module.shop["eu"].aws_iam_role_policy.run[0]'),)


def test_aws_own_policies_are_known_by_name(tmp_path):
    arn = "arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess"
    found = read(
        tmp_path,
        plan(
            role("aws_iam_role.run", "shop"),
            resource("aws_iam_role_policy_attachment.run", role="run-role", policy_arn=arn),
        ),
    )
    assert grants(found) == {"shop read orders", "shop read carts"}
    assert found.unresolved == ()


def test_what_the_plan_deletes_is_gone_and_what_it_forgets_stays(tmp_path):
    shop = role("aws_iam_role.run", "shop")
    document = plan(shop)
    for action in ("delete", "forget"):
        change = {
            "address": f"aws_iam_role_policy.{action}",
            "mode": "managed",
            "type": "aws_iam_role_policy",
            "name": action,
            "change": {
                "actions": [action],
                "before": {
                    "role": "run-role",
                    "policy": policy(
                        allow(
                            f"dynamodb:{'PutItem' if action == 'delete' else 'GetItem'}", READS[1]
                        )
                    ),
                },
                "after": None,
            },
        }
        document["resource_changes"].append(change)
        if action == "forget":  # which Terraform lists without values
            document["planned_values"]["root_module"]["resources"].append(
                {key: change[key] for key in ("address", "mode", "type", "name")}
            )
    # What was replaced before and could not be deleted then.
    deposed = {**document["resource_changes"][0], "deposed": "00000000"}
    deposed["change"] = {"actions": ["delete"], "before": {}, "after": None}
    document["resource_changes"].append(deposed)
    found = read(tmp_path, document)
    assert found.unresolved == ()
    assert grants(found) == {"shop read orders"}


TABLE_POLICY = allow("dynamodb:GetItem", "*", Principal={"AWS": f"{ROLE_ARN}run-role"})


def test_a_tables_policy_permits_to_the_services_of_its_principals(tmp_path):
    resource_policy = resource(
        "aws_dynamodb_resource_policy.orders", {"resource_arn": True}, policy=policy(TABLE_POLICY)
    )
    configuration = [
        configured(
            "aws_dynamodb_resource_policy.orders", resource_arn=["aws_dynamodb_table.orders.arn"]
        )
    ]
    resources = (
        table("aws_dynamodb_table.orders", "orders"),
        role("aws_iam_role.run", "shop"),
        resource_policy,
    )
    found = read(tmp_path, plan(*resources, configuration={"resources": configuration}))
    assert grants(found) == {"shop read orders"}
    assert found.unresolved == ()


def test_a_tables_policy_for_anybody_is_unresolved(tmp_path):
    anybody = allow("dynamodb:GetItem", "*", Principal={"AWS": "arn:aws:iam::111122223333:root"})
    found = read(
        tmp_path,
        state(
            resource(
                "aws_dynamodb_resource_policy.x",
                resource_arn=f"{ARN}orders",
                policy=policy(anybody),
            )
        ),
    )
    assert [unresolved.text for unresolved in found.unresolved] == [
        "arn:aws:iam::111122223333:root"
    ]


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({}, "it depends on local.readers; policy is known only after apply"),
        (
            None,
            "it depends on what the configuration does not show; policy is known only after apply",
        ),
        ({"policy": '{"Statement": "any"}'}, "the statement is not a mapping"),
        ({"policy": "GetItem"}, "the policy is not valid JSON"),
    ],
)
def test_a_tables_policy_that_can_not_be_read_is_unresolved(tmp_path, known, reason):
    address = "aws_dynamodb_resource_policy.orders"
    unknown = {} if known else {"policy": True}
    configuration = {"resources": [configured(address, policy=["local.readers"])]}
    found = read(
        tmp_path,
        plan(
            role("aws_iam_role.run", "shop"),
            resource(address, unknown, resource_arn=f"{ARN}orders", **(known or {})),
            configuration={} if known is None else configuration,
        ),
    )
    assert [(own.service, own.reason) for own in found.unresolved] == [(None, reason)]


@pytest.mark.parametrize(
    ("known", "unknown", "sensitive", "reason"),
    [
        ([{}], [{"policy": True}], {}, "it depends on local.policy; inline_policy is known only after apply"),
        ([{}], [True], {}, "inline_policy is known only after apply"),
        (
            [{"policy": policy(allow(*READS))}],
            {},
            {"inline_policy": True},
            "inline_policy is sensitive, and therefore not read",
        ),
        ([{}], {}, {}, None),  # which removes all policies that the configuration doesn't have
    ],
)  # fmt: skip
def test_a_roles_own_policy_that_is_not_known_is_unresolved(
    tmp_path, known, unknown, sensitive, reason
):
    own = role("aws_iam_role.run", "shop", inline_policy=known)
    own["after_unknown"]["inline_policy"] = unknown
    own["sensitive_values"] = sensitive
    blocks = [{"policy": {"references": ["local.policy"]}}]
    configuration = {"resources": [configured("aws_iam_role.run", inline_policy=blocks)]}
    found = read(tmp_path, plan(own, configuration=configuration))
    expected = [("shop", reason)] if reason else []
    assert [(own.service, own.reason) for own in found.unresolved] == expected


def test_a_policy_on_what_the_plan_does_not_show_may_be_anyones(tmp_path):
    attached = "aws_iam_role_policy.run"
    found = read(
        tmp_path,
        plan(
            role("aws_iam_role.run", "shop"),
            resource(attached, {"role": True}, policy=policy(allow(*READS))),
            configuration={"resources": [configured(attached, role=["local.role"])]},
        ),
    )
    reason = "is attached to a role that is not in the files (--roles FILE says whose it is)"
    assert [(own.service, own.reason) for own in found.unresolved] == [(None, reason)]
    assert grants(found) == set()


def test_a_managed_policy_from_elsewhere_is_not_known(tmp_path):
    arn = "arn:aws:iam::111122223333:policy/far"
    found = read(
        tmp_path,
        plan(
            role("aws_iam_role.run", "shop"),
            resource("aws_iam_role_policy_attachment.run", role="run-role", policy_arn=arn),
        ),
    )
    reason = "the policy belongs to an account and is not AWS's own: what it permits is not in these files"
    assert [(own.service, own.reason) for own in found.unresolved] == [("shop", reason)]


@pytest.mark.parametrize(
    ("resource_type", "is_unread"),
    [
        ("aws_cloudformation_stack", True),
        ("awscc_iam_role", True),
        ("aws_iam_something_new", True),
        ("vault_aws_secret_backend_role", True),
        ("aws_sqs_queue", False),
        ("random_id", False),
    ],
)
def test_a_type_that_may_permit_something_is_unread(tmp_path, resource_type, is_unread):
    found = read(tmp_path, plan(role("aws_iam_role.run", "shop"), resource(f"{resource_type}.x")))
    reason = f"resources of type {resource_type} are not read, and may permit something"
    assert reasons(found) == ([(f"{resource_type}.x", reason)] if is_unread else [])


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"errored": True}, "the plan ended with an error, so resources may be missing"),
        (
            {"complete": False},
            "the plan covers a part of the configuration only (-target, or deferred changes)",
        ),
        (
            {"deferred_changes": [{"resource_change": {"address": "aws_iam_role_policy.far"}}]},
            "this resource is deferred, and not in the plan",
        ),
    ],
)
def test_a_plan_that_lacks_something_says_so(tmp_path, more, reason):
    address = "aws_iam_role_policy.far" if "deferred_changes" in more else ""
    found = read(tmp_path, plan(role("aws_iam_role.run", "shop"), **more))
    assert reasons(found) == [(address, reason)]


def test_a_provisioner_is_unread(tmp_path):
    configuration = [
        {**configured("null_resource.setup"), "provisioners": [{"type": "local-exec"}]}
    ]
    found = read(
        tmp_path, plan(resource("null_resource.setup"), configuration={"resources": configuration})
    )
    assert [address for address, _ in reasons(found)] == ["null_resource.setup"]


def test_a_sensitive_member_of_a_set_may_be_any_of_them(tmp_path):
    arns = [f"arn:aws:iam::aws:policy/{name}" for name in ("AmazonSQSFullAccess", "Secret")]
    own = role("aws_iam_role.run", "shop", managed_policy_arns=arns)
    own["sensitive_values"] = {"managed_policy_arns": [False, {"x": [True]}]}
    reason = "managed_policy_arns is sensitive, and therefore not read"
    assert reasons(read(tmp_path, plan(own))) == [("aws_iam_role.run", reason)]


def test_sensitive_values_are_neither_kept_nor_shown(tmp_path, capsys):
    secret = "hunter2"
    resources = (
        table("aws_dynamodb_table.orders", "orders"),
        table("aws_dynamodb_table.secret", f"{secret}-table"),
        role("aws_iam_role.run", "shop"),
        resource(
            "aws_iam_role_policy.run",
            role="run-role",
            policy=policy(allow("dynamodb:*", f"{ARN}{secret}")),
        ),
        resource("aws_iam_user.run", name="x", tags={"service": secret}),
    )
    for position, mark in (
        (1, {"name": True}),
        (3, {"policy": True}),
        (4, {"tags": {"service": True}}),
    ):
        resources[position]["sensitive_values"] = mark
    (tmp_path / "map.json").write_text(json.dumps(a_map("shop read orders")), encoding="utf-8")
    for document in (plan(*resources), state(*resources)):
        found = read(tmp_path, document)
        assert secret not in repr(found)
        assert (
            "aws_iam_role_policy.run",
            "policy is sensitive, and therefore not read",
        ) in reasons(found)
        main(
            [
                "terraform",
                str(tmp_path / "plan.json"),
                "--registry",
                str(tmp_path / "map.json"),
                "--format",
                "json",
            ]
        )
        assert secret not in capsys.readouterr().out


def test_a_role_is_a_services_by_address_tag_function_or_name(tmp_path):
    ways = {
        "given": (role("module.x.aws_iam_role.run", None), {"module.x.aws_iam_role.run": "shop"}),
        "given by name": (role("aws_iam_role.run", None), {"run-role": "shop"}),
        "tag": (role("aws_iam_role.run", "shop"), {}),
        "module": (role("module.shop.aws_iam_role.this", None, name="x"), {}),
        "module without a name": (role("module.shop.aws_iam_role.this", None, name=None), {}),
        "name": (role("aws_iam_role.run", None, name="shop-dev"), {}),
        "prefix": (role("aws_iam_role.run", None, name=None, name_prefix="shop-dev-"), {}),
    }
    for node, given in ways.values():
        assert read(tmp_path, plan(node), services=given).services == {"shop"}

    function = resource(
        "aws_lambda_function.run", role=f"{ROLE_ARN}run-role", function_name="shop-checkout"
    )
    assert read(tmp_path, plan(role("aws_iam_role.run", None), function)).services == {"shop"}
    unnamed = resource(
        "aws_lambda_function.checkout",
        {"function_name": True},
        role=f"{ROLE_ARN}run-role",
        tags={"service": "shop"},
    )
    assert read(tmp_path, plan(role("aws_iam_role.run", None), unnamed)).services == {"shop"}


def test_a_type_in_an_address_is_no_word_of_a_role(tmp_path):
    known = names(services=("iam", "role", "lambda"))
    found = read(tmp_path, plan(role("aws_iam_role.run", None, name="run", **INLINE)), known)
    assert found.services == frozenset()
    assert reasons(found) == [
        (
            "aws_iam_role.run",
            "the role's service is not known: tag the role with `service`, or use --roles",
        )
    ]


def test_a_function_in_a_role_from_elsewhere_leaves_its_service_unchecked(tmp_path):
    function = resource(
        "aws_lambda_function.run", role=f"{ROLE_ARN}other", function_name="shop-checkout"
    )
    found = read(tmp_path, plan(function))
    assert [(unresolved.service, unresolved.reason) for unresolved in found.unresolved] == [
        ("shop", "the role is defined elsewhere")
    ]


def test_a_table_without_a_known_name_goes_by_the_table_file(tmp_path, capsys):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan(table("aws_dynamodb_table.orders", None))), encoding="utf-8")
    (tmp_path / "map.json").write_text(json.dumps(a_map("shop read orders")), encoding="utf-8")
    arguments = ["terraform", str(path), "--registry", str(tmp_path / "map.json")]
    main(arguments)
    assert (
        "the name of aws_dynamodb_table.orders is known only after apply" in capsys.readouterr().out
    )

    (tmp_path / "tables.json").write_text(
        '{"aws_dynamodb_table.orders": "orders"}', encoding="utf-8"
    )
    main([*arguments, "--tables", str(tmp_path / "tables.json")])
    assert (
        "the name of aws_dynamodb_table.orders is known only after apply"
        not in capsys.readouterr().out
    )


def test_keys_of_a_table_are_those_of_the_plan_and_not_of_the_state(tmp_path):
    document = plan(table("aws_dynamodb_table.orders", "orders", hash_key="new", attribute=[]))
    old = table("aws_dynamodb_table.orders", "orders", hash_key="old", attribute=[])
    document["prior_state"] = state(old)
    keys = read(tmp_path, document).tables[0].key_schema
    assert isinstance(keys, Keys)
    assert str(keys) == "new"


def test_evidence_has_the_line_where_the_configuration_is_beside_the_plan(tmp_path):
    (tmp_path / "tables.tf").write_text(
        '# tables\n\nresource "aws_dynamodb_table" "orders" {\n}\n', encoding="utf-8"
    )
    module = tmp_path / "services/shop"
    module.mkdir(parents=True)
    (module / "main.tf").write_text(
        'data "aws_x" "run" {\n}\n  resource "aws_iam_role" "run" {\n', encoding="utf-8"
    )
    calls = {"module_calls": {"shop": {"source": "./services/shop"}, "far": {"source": "x/y/aws"}}}
    found = read(
        tmp_path,
        plan(
            table("aws_dynamodb_table.orders", "orders"),
            role('module.shop["eu"].aws_iam_role.run', "shop", **INLINE),
            role("module.far.aws_iam_role.run", "billing", name="far", **INLINE),
            configuration=calls,
        ),
    )
    assert found.tables[0].locations[:-1] == (Location("tables.tf", 3),)
    lines = {access.service: locations[:-1] for access, locations in found.grants.items()}
    assert lines == {"shop": (Location("services/shop/main.tf", 3),), "billing": ()}


def test_no_configuration_outside_the_root_is_opened(tmp_path):
    folder = tmp_path / "infra"
    folder.mkdir()
    text = 'resource "aws_dynamodb_table" "orders" {\n}\n'
    (tmp_path / "main.tf").write_text(text, encoding="utf-8")
    (folder / "linked.tf").symlink_to(tmp_path / "main.tf")
    document = plan(
        table("aws_dynamodb_table.orders", "orders"),
        table("module.up.aws_dynamodb_table.orders", "carts"),
        configuration={"module_calls": {"up": {"source": "../"}}},
    )
    assert [len(shape.locations) for shape in read(folder, document).tables] == [1, 1]
    assert [len(shape.locations) for shape in read(folder, document, root=tmp_path).tables] == [
        2,
        2,
    ]


@pytest.mark.parametrize(
    ("resources", "reason"),
    [
        ((resource("aws_iam_role_policy.run", role="run-role"),), "policy is not in the file"),
        (
            (resource("aws_iam_role_policy_attachment.run", role="run-role"),),
            "policy_arn is not in the file",
        ),
        ((resource("aws_lambda_function.run", function_name="shop-x"),), "role is not in the file"),
        (
            (resource("aws_iam_role_policy.run", policy=policy(allow(*READS))),),
            "is attached to a role that is not in the files (--roles FILE says whose it is)",
        ),
    ],
)
def test_what_a_resource_must_have_and_the_file_lacks_is_unresolved(tmp_path, resources, reason):
    found = read(tmp_path, plan(role("aws_iam_role.run", "shop"), *resources))
    assert [own for _, own in reasons(found)] == [reason]


def test_the_example_in_the_docs_is_what_the_command_prints(tmp_path, capsys):
    text = Path("docs/drift.md").read_text(encoding="utf-8").partition("\n## Before apply\n")[2]
    expected = (
        text.partition("grants the access:\n\n")[2]
        .partition("\n\nThe place of")[0]
        .replace("\n    ", "\n")
        .strip()
    )
    statement = {
        "actions": {"constant_value": ["dynamodb:GetItem", "dynamodb:PutItem"]},
        "resources": {
            "references": ["aws_dynamodb_table.letters.arn", "aws_dynamodb_table.letters"]
        },
    }
    of_billing = [
        configured("data.aws_iam_policy_document.run", statement=[statement]),
        configured("aws_iam_role_policy.run", policy=["data.aws_iam_policy_document.run.json"]),
    ]
    document = plan(
        table("module.billing.aws_dynamodb_table.letters", "letters"),
        role("module.billing.aws_iam_role.run", None, name="run"),
        resource(
            "module.billing.data.aws_iam_policy_document.run",
            {"json": True, "statement": [{"resources": [True]}]},
            statement=[{"actions": ["dynamodb:GetItem", "dynamodb:PutItem"], "resources": [None]}],
        ),
        resource("module.billing.aws_iam_role_policy.run", {"policy": True}, role="run"),
        configuration={
            "module_calls": {
                "billing": {"source": "./billing", "module": {"resources": of_billing}}
            }
        },
    )
    (tmp_path / "plan.json").write_text(json.dumps(document), encoding="utf-8")
    (tmp_path / "map.json").write_text(
        json.dumps(a_map("shop read orders", services={"billing": None})), encoding="utf-8"
    )
    main(["terraform", str(tmp_path / "plan.json"), "--registry", str(tmp_path / "map.json")])
    printed = capsys.readouterr().out
    assert expected.splitlines()[:2] == printed.splitlines()[:2]
    assert expected.splitlines()[2] in printed

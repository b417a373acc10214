"""What is no output of ``terraform show -json`` is refused, with the command to run."""

import json
import os
from pathlib import Path

import pytest

from ownership.drift.readers.terraform import read_plans
from ownership.drift.types import Infrastructure
from tests.support.drift_projects import names
from tests.support.terraform_plans import plan, resource, state, table

PLAN = json.dumps(plan(table("aws_dynamodb_table.orders", "orders")))


def found(path: Path) -> Infrastructure:
    return read_plans([path], names(tables=("orders",)), {})


WRONG = {
    "configuration": (
        '# tables\n\nresource "aws_dynamodb_table" "orders" {\n}\n',
        "is configuration, not a plan: run",
    ),
    "configuration in JSON": (
        '{"resource": {"aws_dynamodb_table": {}}}',
        "is configuration, not a plan: run",
    ),
    "a raw state": (
        '{"version": 4, "serial": 3, "lineage": "x", "resources": []}',
        "is a raw state file: run",
    ),
    "the log of a plan": (
        '{"@level":"info"}\n{"@level":"info"}\n',
        "is the log of `terraform plan -json`",
    ),
    "one line of a log": ('{"@level":"info"}', "is the log of `terraform plan -json`"),
    "an older version": (
        '{"format_version": "0.2", "values": {}}',
        "has format_version 0.2, and only 1.x is read: use Terraform 1.1 or later",
    ),
    "a newer version": (
        '{"format_version": "2.0", "values": {}}',
        "has format_version 2.0, and only 1.x is read",
    ),
    "another command": (
        '{"format_version": "1.0", "provider_schemas": {}}',
        "is the output of another command",
    ),
    "a log of CI": (
        "[command]/usr/bin/terraform-bin show -json\n{}",
        "begins with a line of the CI's log",
    ),
    "another tool's document": (
        '{"Resources": {}}',
        "is not a plan or a state, as it has no format_version",
    ),
    "a list": ("[]", "is not a plan or a state"),
    "text": ("No changes.", "is not JSON (line 1: Expecting value)"),
    "nothing": ("  \n", "is empty: `terraform show -json` may have failed"),
    "a key twice": (
        '{"format_version": "1.0", "values": {}, "values": {}}',
        "duplicate key values",
    ),
    "deep nesting": (
        '{"format_version": "1.0", "values": ' + "[" * 100_000,
        "is nested too deeply",
    ),
    "deep values": (
        json.dumps(state(resource("aws_iam_policy.x", policy=0))).replace(
            " 0", "[" * 450 + "]" * 450
        ),
        "is nested too deeply",
    ),
    "a long number": ('{"format_version": "1.0", "values": ' + "1" * 10_000, "is not JSON"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_plan_says_what_to_do(tmp_path, kind):
    text, reason = WRONG[kind]
    path = tmp_path / "plan.json"
    path.write_text(text, encoding="utf-8")
    (error,) = found(path).errors
    assert str(error).startswith(f"plan.json: {reason}")


def test_a_binary_plan_says_which_command_to_run(tmp_path):
    path = tmp_path / "tfplan"
    path.write_bytes(b"PK\x03\x04\x14\x00")
    (error,) = found(path).errors
    assert "terraform show -json tfplan > plan.json" in str(error)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_plan_is_read_in_the_encodings_that_shells_write(tmp_path, encoding):
    path = tmp_path / "plan.json"
    marked = PLAN if encoding in ("utf-8", "utf-8-sig", "utf-16") else f"\ufeff{PLAN}"
    path.write_bytes(marked.encode(encoding))
    assert [shape.name for shape in found(path).tables] == ["orders"]


def test_text_in_an_older_encoding_is_refused(tmp_path):
    path = tmp_path / "plan.json"
    path.write_bytes('{"name": "caf\u00e9"}'.encode("latin-1"))
    assert [str(error) for error in found(path).errors] == ["plan.json: is not text in UTF-8"]


def test_a_file_outside_the_root_is_refused(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text(PLAN, encoding="utf-8")
    (tmp_path / "infra").mkdir()
    (error,) = read_plans([path], names(), {}, tmp_path / "infra").errors
    assert str(error) == f"{path}: is outside {tmp_path / 'infra'} (--root FOLDER)"


def test_a_folder_a_pipe_and_a_large_file_are_refused(tmp_path, monkeypatch):
    assert "is a folder" in str(found(tmp_path).errors[0])
    os.mkfifo(tmp_path / "pipe")
    assert "is not a file" in str(found(tmp_path / "pipe").errors[0])
    monkeypatch.setattr("ownership.drift.readers.terraform_files.MAX_BYTES", 10)
    (tmp_path / "plan.json").write_text(PLAN, encoding="utf-8")
    assert "is larger than 10 bytes" in str(found(tmp_path / "plan.json").errors[0])


def test_one_unreadable_file_leaves_the_others(tmp_path):
    (tmp_path / "a.json").write_text("{", encoding="utf-8")
    (tmp_path / "b.json").write_text(PLAN, encoding="utf-8")
    infrastructure = read_plans(
        [tmp_path / "a.json", tmp_path / "b.json"], names(tables=("orders",)), {}
    )
    assert len(infrastructure.errors) == 1
    assert [shape.name for shape in infrastructure.tables] == ["orders"]


def test_unknown_keys_and_odd_types_are_ignored(tmp_path):
    document = state(table("aws_dynamodb_table.orders", "orders")) | {
        "novelty": [1, {"x": None}],
        "checks": "?",
    }
    document["values"]["root_module"]["child_modules"] = [
        None,
        7,
        {"resources": {}},
        {"resources": [3, {}]},
    ]
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    result = found(path)
    assert (result.errors, [shape.name for shape in result.tables]) == ((), ["orders"])


def test_control_characters_do_not_reach_a_report(tmp_path):
    node = table('aws_dynamodb_table.orders["\\u0000\\u001b[31m\\ud800"]', "or\x00ders\ud800")
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan(node)), encoding="utf-8")
    for shape in found(path).tables:
        assert str(shape.locations[0]).isprintable()
        assert "\x00" not in shape.name
        shape.name.encode()

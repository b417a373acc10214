"""A project with infrastructure, code and a map, of which every verdict was labelled by hand before it was read."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ownership.drift.command import main

PROJECT = Path(__file__).parent / "labelled_project"
LABELS: list[dict[str, Any]] = json.loads((PROJECT / "labels.json").read_text(encoding="utf-8"))
LABELLED = ("kind", "table", "service", "in_code", "verdict", "verdicts", "to_allow", "to_remove")


def run(*options: str) -> tuple[int, str]:
    """The command's exit status and output, with infrastructure, code and map of the project."""
    output: list[str] = []
    map_file = str(PROJECT / "map.yaml")
    arguments = [
        "serverless",
        str(PROJECT),
        "--code",
        str(PROJECT),
        "--registry",
        map_file,
        *options,
    ]
    status = main(arguments, output.append)
    return status, "".join(output)


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """The report as JSON."""
    content: dict[str, Any] = json.loads(run("--format", "json")[1])
    return content


def in_words(action: dict[str, Any]) -> str:
    words = str(action["action"])
    if action["index"]:
        words += f" on index {action['index']}"
    if "functions" in action:
        words += f" for {', '.join(action['functions'])}"
    return words


def test_every_finding_and_verdict_is_the_labelled_one(report: dict[str, Any]) -> None:
    found = []
    for finding in report["findings"]:
        row = {name: finding[name] for name in LABELLED}
        row["to_allow"] = [in_words(action) for action in row["to_allow"]]
        row["to_remove"] = [in_words(action) for action in row["to_remove"]]
        found.append(row)

    def key(row: dict[str, Any]) -> str:
        return f"{row['table']} {row['service']} {row['kind']}"

    assert sorted(found, key=key) == sorted(LABELS, key=key)


def test_each_verdict_is_in_the_labels() -> None:
    verdicts = {label["verdict"] for label in LABELS}
    assert verdicts == {"fix_map", "fix_iam", "trim_iam", "remove_from_map", "mixed", None}


def test_an_indirect_use_names_the_way(report: dict[str, Any]) -> None:
    (finding,) = [finding for finding in report["findings"] if finding["table"] == "shopMembers"]
    assert finding["code_paths"] == [
        {
            "mode": "read",
            "path": [
                "services/payments/handler.js#charge",
                "lib/members.js#findMember",
                "lib/db.js#getOne",
            ],
        }
    ]
    assert finding["code_evidence"] == [
        {"file": "lib/members.js", "line": 3},
        {"file": "lib/db.js", "line": 6},
    ]


def test_the_text_says_what_is_to_be_done_and_how_much_is_true() -> None:
    status, text = run()
    assert status == 1
    for words in (
        "declared: nothing; found: Read; in code: Read; fix the map",
        "in code: services/bots/handler.py:",
        "IAM grants too much (2): remove the grant: no code uses it",
        "For the owners of IAM",
        "shopPayments: allow dynamodb:Query on index by-day, dynamodb:Scan in the role of report",
        "Map, IAM and code agree on 3 of 17 accesses; 1 not known.",
    ):
        assert words in text


def test_the_owners_of_iam_get_a_list_and_a_patch() -> None:
    _, text = run("--format", "iam", "--environment", "production")
    assert "interactions\n  shopScores: allow dynamodb:Query in the role of rank" in text, (
        "the role is the whole's"
    )
    assert (
        "payments\n  shopLegacy: remove dynamodb:GetItem, dynamodb:PutItem (services/payments/serverless.yml:17)\n"
        in text
    )
    snippet = text[text.index("# payments/serverless.yml\n") :]
    assert snippet.startswith(
        "# payments/serverless.yml\n provider:\n   iam:\n     role:\n       statements:\n"
        "-        # no code uses this (services/payments/serverless.yml:17)\n"
        "-        - Effect: Allow\n"
        "-          Action:\n"
        "-            - dynamodb:GetItem\n"
        "-            - dynamodb:PutItem\n"
        "-          Resource: arn:aws:dynamodb:${aws:region}:${aws:accountId}:table/shopLegacyPROD\n"
    )
    assert (
        "+          Resource: arn:aws:dynamodb:${aws:region}:${aws:accountId}:table/shopPaymentsPROD/index/by-day"
        in text
    )


def squeezed(text: str) -> set[str]:
    """The text's lines without the spaces that align them."""
    return {" ".join(line.split()) for line in text.splitlines()}


def test_the_example_of_the_docs_is_what_the_command_says_of_these_accesses() -> None:
    docs = (Path(__file__).parents[2] / "docs/drift.md").read_text(encoding="utf-8")
    example = docs[docs.index("### One example") : docs.index("### What it cannot see")]
    report, patch = re.findall(r"^    \$ .*\n((?:    .*\n|\n)+)", example, re.MULTILINE)
    facts = {
        line
        for line in squeezed(report)
        if re.match(r"[a-z]+_[a-z]+ |services/|in code:|shop", line)
    }
    assert len(facts) == 10
    assert facts <= squeezed(run()[1])
    assert squeezed(patch) <= squeezed(run("--format", "iam")[1])

"""The example of code in docs/drift.md is what the command prints."""

import re
from pathlib import Path

import pytest

from ownership.drift.command import main

TEXT = (Path(__file__).parents[3] / "docs/drift.md").read_text(encoding="utf-8")
WRAPPER = """\
import { DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";

const client = DynamoDBDocumentClient.from({});

export default {
  async getOne(id, table) {
    return client.send(new GetCommand({ TableName: table, Key: { id } }));
  },

  async create(Item, TableName) {
    return client.send(new PutCommand({ TableName, Item }));
  }
};
"""


def test_the_example_is_what_the_command_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = re.search(r"```javascript\n// (services/\S+)\n.*?```", TEXT, re.DOTALL)
    report = re.search(
        r"^    \$ python -m ownership.drift code .*?\n(.*?)(?=^\S)",
        TEXT,
        re.DOTALL | re.MULTILINE,
    )
    assert code
    assert report
    files = {
        code[1]: code[0].removeprefix("```javascript\n").removesuffix("```"),
        "services/payments/serverless.yml": "service: payments\nfunctions: {refund: {handler: handler.refund}}\n",
        "constants/tables.js": 'export const EVENTS_TABLE = "biztechEvents";\n',
        "lib/db.js": WRAPPER,
    }
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")

    assert main(["code", str(tmp_path)]) == 0
    expected = re.sub(r"^    ", "", report[1], flags=re.MULTILINE)
    assert capsys.readouterr().out.strip() == expected.strip()

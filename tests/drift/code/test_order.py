"""Reports are the same in each run, whatever the addresses of objects and the hashes of texts are in it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.drift_code import SERVERLESS
from tests.support.drift_projects import write

ROOT = Path(__file__).parents[3]

# Which function, variable or item is meant can't be told, so all of them are followed, in some order.
NUMBERS = range(12)
STEPS = [f'const step{number} = () => save("orders");' for number in NUMBERS]
VARIABLES = [f'n{number}: "TABLE_{number}"' for number in NUMBERS]
HANDLER = f"""\
const {{ DynamoDB }} = require("aws-sdk");
const db = new DynamoDB.DocumentClient();
const save = (table) => db.put({{ TableName: table, Item: {{}} }}).promise();
{"".join(STEPS)}
const steps = [{", ".join(f"step{number}" for number in NUMBERS)}];
const variables = {{ {", ".join(VARIABLES)} }};
exports.main = async (event) => {{
  await steps[event.step]();
  await save(process.env[variables[event.kind]]);
}};
"""


def report(folder: Path, hash_seed: int) -> str:
    """What a process of its own reports of the code in a folder."""
    result = subprocess.run(
        [sys.executable, "-m", "ownership.drift", "code", str(folder), "--format", "json"],
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "orders" in result.stdout, result.stderr
    return result.stdout


@pytest.mark.slow
@pytest.mark.sqlite
def test_a_report_is_the_same_in_each_process(tmp_path: Path) -> None:
    serverless = SERVERLESS.replace("HANDLER", "handler.main")
    write(tmp_path, {"serverless.yml": serverless, "handler.js": HANDLER})
    assert report(tmp_path, hash_seed=1) == report(tmp_path, hash_seed=2)

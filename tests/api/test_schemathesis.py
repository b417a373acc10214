"""The API held against its own description, over HTTP: Schemathesis asks what the schema allows and what it forbids."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.tokens import make_token

TESTS = Path(__file__).parent.parent


@pytest.mark.slow
@pytest.mark.postgres  # which refuses more: texts with NUL, numbers out of range
def test_schemathesis_finds_nothing(committed, seeded, viewer, live_server, tmp_path):
    program = Path(sys.executable).with_name("st")
    options = [
        "--checks=all",
        "--max-examples=5",
        "--generation-deterministic",
        "--continue-on-failure",
        "--no-color",
    ]
    schema = f"{live_server.url}/api/v1/schema/?format=json"
    token = f"Authorization: Token {make_token(viewer)[1]}"
    run = subprocess.run(
        [program, f"--config-file={TESTS}/schemathesis.toml", "run", *options, "-H", token, schema],
        cwd=tmp_path,
        env=os.environ | {"NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout[-10_000:] + run.stderr
    addresses = yaml.safe_load((TESTS.parent / "docs/openapi.yaml").read_text())["paths"]
    assert f"Tested: {sum(map(len, addresses.values()))}" in run.stdout

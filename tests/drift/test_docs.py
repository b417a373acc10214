"""The example at the start of docs/drift.md is what the command prints."""

import re
from pathlib import Path

from ownership.drift.command import main

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = (ROOT / "docs/drift.md").read_text(encoding="utf-8")


def test_the_example_is_what_the_command_prints(tmp_path, capsys):
    project = re.search(r"```yaml\n(# (services/\S+)\n.*?)```", TEXT, re.DOTALL)
    report = re.search(r"^    \$ python .*?\n(.*?)^    …\n", TEXT, re.DOTALL | re.MULTILINE)
    file = tmp_path / project[2]
    file.parent.mkdir(parents=True)
    file.write_text(project[1], encoding="utf-8")

    status = main(
        ["serverless", str(tmp_path), "--registry", str(ROOT / "fixtures/ownership.yaml")]
    )

    expected = re.sub(r"^    ", "", report[1], flags=re.MULTILINE)
    assert status == 1
    assert capsys.readouterr().out.startswith(expected)

"""What pipelines run: the action of GitHub, the template of GitLab, and the workflows of docs/pull-requests.md.

Each step's script runs under Bash, with the environment that the file gives it.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.drift.test_baseline import git

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy/drift"
ACTION = yaml.safe_load((DEPLOY / "action.yml").read_text(encoding="utf-8"))
TEMPLATE = yaml.safe_load((DEPLOY / "gitlab.yml").read_text(encoding="utf-8"))
DOCS = (ROOT / "docs/pull-requests.md").read_text(encoding="utf-8")
EXAMPLES = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)]
MAP = str(ROOT / "fixtures/ownership.yaml")

INPUT = re.compile(r"\$\{\{ inputs\.([a-z]+) \}\}")


@pytest.fixture
def backend(tmp_path: Path) -> Path:
    """A repository with the monorepo, whose last commit grants payments the prizes."""
    folder = tmp_path / "backend"
    shutil.copytree(ROOT / "tests/drift/monorepo", folder)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "monorepo")
    project = folder / "services/payments/serverless.yml"
    text = project.read_text(encoding="utf-8")
    (users,) = [line for line in text.splitlines(keepends=True) if "biztechUsers" in line]
    project.write_text(
        text.replace(users, users + users.replace("Users", "Prizes")), encoding="utf-8"
    )
    git(folder, "commit", "--quiet", "--all", "--message", "grant the prizes")
    return folder


def bash(
    script: str, folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a step as GitHub does: in the repository, with these variables and no others."""
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    variables = {
        "PATH": "/usr/bin:/bin",
        "DRIFT_PYTHON": sys.executable,
        "HOME": str(folder.parent),
    } | environment
    return subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, timeout=120
    )


def run_action(backend: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run the action's one step with these inputs, and with its defaults."""
    assert set(inputs) <= set(ACTION["inputs"])
    values = {name: entry.get("default", "") for name, entry in ACTION["inputs"].items()} | inputs
    (step,) = ACTION["runs"]["steps"]
    environment = {
        "GITHUB_ACTION_PATH": str(DEPLOY),
        "GITHUB_STEP_SUMMARY": str(backend.parent / "summary.md"),
    }
    for name, text in step["env"].items():
        environment[name] = INPUT.sub(lambda match: values[match[1]], text)
    return bash(step["run"], backend, environment)


@pytest.mark.slow
def test_the_action_annotates_what_the_change_adds(backend: Path) -> None:
    result = run_action(
        backend, path="services", registry=MAP, baseline="HEAD^1", options="--root=."
    )
    assert result.stdout.startswith("::error file=services/payments/serverless.yml,line=")
    assert "1 new, 0 settled" in result.stdout
    assert (
        "New: Access is not declared | payments | biztechPrizes"
        in (backend.parent / "summary.md").read_text()
    )
    assert result.returncode == 1


@pytest.mark.slow
def test_the_action_passes_where_the_change_adds_nothing(backend: Path) -> None:
    result = run_action(backend, path="services", registry=MAP, baseline="HEAD", options="--root=.")
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.slow
def test_the_action_writes_a_report_to_a_file(backend: Path) -> None:
    result = run_action(backend, registry=MAP, format="sarif", output="drift report.sarif")
    assert (result.returncode, result.stdout) == (1, "")
    assert json.loads((backend / "drift report.sarif").read_text())["version"] == "2.1.0"


def test_the_action_leaves_no_file_where_it_fails(backend: Path) -> None:
    result = run_action(backend, registry="nowhere.json", format="sarif", output="drift.sarif")
    assert result.returncode == 2
    assert "nowhere.json" in result.stderr
    assert not (backend / "drift.sarif").exists()


COMMANDS = "$(touch pwned)`touch pwned`'; touch pwned; '\"; touch pwned; \"; touch pwned #"


@pytest.mark.parametrize(
    "name", ["reader", "path", "registry", "environment", "format", "baseline", "options"]
)
def test_no_input_is_run_as_a_command(backend: Path, name: str) -> None:
    inputs = {"registry": MAP, "path": "services/hello", "baseline": "HEAD"}
    result = run_action(backend, **inputs | {name: COMMANDS})
    assert result.returncode == 2, result.stdout
    assert not (backend / "pwned").exists()


@pytest.mark.parametrize("name", ["reader", "path", "baseline"])
def test_no_input_becomes_an_option(backend: Path, name: str) -> None:
    inputs = {"registry": MAP, "path": "services/hello", "baseline": "HEAD"}
    result = run_action(backend, **inputs | {name: "--help"})
    assert (result.returncode, result.stdout.count("usage:")) == (2, 0)


@pytest.mark.slow
def test_nothing_of_the_repository_is_imported(backend: Path) -> None:
    evil = "open('pwned', 'w')\n"
    for name in (
        "ownership/__init__.py",
        "yaml.py",
        "pip.py",
        "venv.py",
        "sitecustomize.py",
        "argparse.py",
    ):
        file = backend / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(evil)
    assert run_action(backend, path="services", registry=MAP, options="--root=.").returncode == 1
    assert not (backend / "pwned").exists()


def test_no_step_has_an_expression_in_its_script() -> None:
    steps = list(ACTION["runs"]["steps"])
    for example in EXAMPLES:
        for job in example.get("jobs", {}).values():
            steps += job["steps"]
    for step in steps:
        assert "${{" not in step.get("run", "")


@pytest.mark.slow
def test_the_template_runs_the_version_that_it_names(backend: Path, tmp_path: Path) -> None:
    source = tmp_path / "registry"
    source.mkdir()
    for name in ("ownership/drift", "deploy/drift"):
        shutil.copytree(ROOT / name, source / name)
    shutil.copy(ROOT / "ownership/__init__.py", source / "ownership")
    git(source, "init", "--quiet", "--initial-branch", "main")
    git(source, "add", "--all")
    git(source, "commit", "--quiet", "--message", "release")
    git(source, "tag", "v0.2.0")

    job = TEMPLATE["drift"]
    base = git(backend, "rev-parse", "HEAD~1").strip()
    variables = {
        name: value.replace("$CI_MERGE_REQUEST_DIFF_BASE_SHA", base)
        for name, value in job["variables"].items()
    }
    variables |= {
        "DRIFT_SOURCE": f"file://{source}",
        "DRIFT_VERSION": "v0.2.0",
        "DRIFT_REGISTRY": MAP,
    }
    result = bash("\n".join(job["script"]), backend, variables)

    assert result.returncode == 1, result.stderr
    issues = json.loads((backend / job["artifacts"]["reports"]["codequality"]).read_text())
    added = [issue for issue in issues if "The change does not add it" not in issue["description"]]
    assert [issue["check_name"] for issue in added] == ["undeclared_access"]
    assert added[0]["location"]["path"] == "services/payments/serverless.yml"


def test_the_documented_workflows_use_inputs_and_variables_that_exist() -> None:
    on_github = [example for example in EXAMPLES if "jobs" in example]
    for workflow in on_github:
        steps: list[dict[str, Any]] = workflow["jobs"]["drift"]["steps"]
        (ours,) = [
            step for step in steps if "ownership-registry/deploy/drift@" in step.get("uses", "")
        ]
        assert set(ours["with"]) <= set(ACTION["inputs"])
        required = {name for name, entry in ACTION["inputs"].items() if entry.get("required")}
        assert required <= set(ours["with"])
        assert workflow["permissions"]["contents"] == "read"
    assert on_github[1]["permissions"]["security-events"] == "write"
    (on_gitlab,) = [example for example in EXAMPLES if "include" in example]
    script = (DEPLOY / "drift.sh").read_text() + json.dumps(TEMPLATE)
    for name in on_gitlab["drift"]["variables"]:
        assert name in script


def test_each_form_is_documented() -> None:
    for name in ("github", "sarif", "gitlab", "junit"):
        assert f"| `{name}` |" in DOCS


def test_pipelines_install_the_versions_that_are_tested() -> None:
    locked = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    wanted = (DEPLOY / "requirements.txt").read_text(encoding="utf-8")
    for line in wanted.splitlines():
        assert line.rstrip(" \\") in locked
    names = [line.split("==")[0] for line in wanted.splitlines() if not line.startswith(" ")]
    assert "pyyaml" in names
    assert "tree-sitter" in names

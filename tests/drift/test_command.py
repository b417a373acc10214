import ast
import json
import subprocess
import sys
import threading
import urllib.error
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

import ownership.drift
from ownership.drift import registry_client
from ownership.drift.command import main
from ownership.drift.options import parser
from ownership.drift.types import CodeUsage, Location, Note, ReadError
from tests.support.drift_projects import ARN, a_map, statement, write
from tests.support.terraform_plans import plan, role

ROOT = Path(__file__).parents[2]
MAP = a_map("users read biztechUsers", "payments read_write biztechPrizes")

WAIVERS = {
    "results": [
        {
            "kind": "undeclared_access",
            "table": "biztechPrizes",
            "service": "users",
            "environment": None,
            "granted": "read",
            "until": "9999-12-31",
            "reason": "Prizes move soon",
        }
    ]
}


def run(tmp_path: Path, *arguments: str, resource: str = f"{ARN}biztechUsers") -> tuple[int, str]:
    """Run the command on one project, with the map in a file: exit status and output."""
    folder = write(
        tmp_path,
        {"map.json": json.dumps(MAP), "services/users/serverless.yml": statement(resource)},
    )
    output: list[str] = []
    registry = () if "--registry" in arguments else ("--registry", str(folder / "map.json"))
    status = main(["serverless", str(folder / "services"), *registry, *arguments], output.append)
    return status, "".join(output)


def test_no_drift_gives_status_0(tmp_path: Path) -> None:
    status, output = run(tmp_path)
    assert status == 0
    assert (
        "0 findings; serverless read 1 service, 0 deployed tables; compared with the map of revision 7."
        in output
    )


def test_drift_gives_status_1_with_owner_location_and_what_to_do(tmp_path: Path) -> None:
    status, output = run(tmp_path, resource=f"[{ARN}biztechUsers, {ARN}biztechPrizes]")
    assert status == 1
    for part in (
        "Owner: payments (1)",
        "undeclared_access",
        "users/serverless.yml:10",
        "declare the access, or remove",
    ):
        assert part in output


def test_an_unreadable_file_gives_status_2_and_the_rest_is_compared(tmp_path: Path) -> None:
    write(tmp_path, {"services/broken/serverless.yml": "a: 1\na: 2\n"})
    status, output = run(tmp_path, resource=f"{ARN}biztechPrizes")
    assert status == 2
    assert "COULD NOT READ broken/serverless.yml:2: duplicate key a, first used in line 1" in output
    assert "undeclared_access" in output


def test_json_has_the_documented_keys(tmp_path: Path) -> None:
    status, output = run(
        tmp_path, "--format", "json", resource=f"['{ARN}biztechPrizes', '${{ssm:x}}']"
    )
    report = json.loads(output)
    assert status == 1
    assert report["findings"] == [
        {
            "kind": "undeclared_access",
            "table": "biztechPrizes",
            "service": "users",
            "declared": None,
            "granted": "read",
            "owner": "payments",
            "waived": None,
            "evidence": [{"file": "users/serverless.yml", "line": 10}],
            "in_code": None,
            "code_evidence": [],
            "code_paths": [],
            "verdict": None,
            "verdicts": {"read": None},
            "to_allow": [],
            "to_remove": [],
        }
    ]
    assert report["summary"]["truth"] is None
    (unresolved,) = report["unresolved"]
    assert (unresolved["file"], unresolved["line"], unresolved["service"]) == (
        "users/serverless.yml",
        10,
        "users",
    )
    assert report["summary"]["by_kind"] == {"undeclared_access": 1}
    assert report["summary"]["revision"] == 7
    assert {u["service"] for u in report["unchecked"]} == {"users", "payments"}


def test_the_environments_suffix_is_removed(tmp_path: Path) -> None:
    resource = f"['{ARN}biztechUsersPROD', '{ARN}otherPROD']"
    _, output = run(tmp_path, "--environment", "production", "--format", "json", resource=resource)
    assert [f["table"] for f in json.loads(output)["findings"]] == ["other"]


def test_a_file_says_which_table_of_the_map_a_table_is(tmp_path: Path) -> None:
    write(tmp_path, {"tables.yml": "legacy_2019: biztechPrizes\n", "bad.yml": "- biztechPrizes\n"})
    resource = f"{ARN}legacy_2019"
    _, output = run(
        tmp_path, "--tables", str(tmp_path / "tables.yml"), "--format", "json", resource=resource
    )
    tables = {finding["table"] for finding in json.loads(output)["findings"] if finding["granted"]}
    assert tables == {"biztechPrizes"}
    assert run(tmp_path, "--tables", str(tmp_path / "bad.yml"))[0] == 2


UNUSED = "no_such: nothing that was read is called so, so this has no effect"


def test_a_name_in_the_file_for_tables_that_nothing_is_called_by_is_noted(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"tables.yml": "legacy_2019: biztechPrizes\nno_such: biztechUsers\nold: nobodys\n"},
    )
    arguments = ["--tables", str(tmp_path / "tables.yml"), "--format", "json"]
    resource = f"['{ARN}legacy_2019', '{ARN}old']"
    _, output = run(tmp_path, *arguments, resource=resource)
    assert json.loads(output)["notes"] == [
        {"file": "tables.yml", "line": 2, "text": UNUSED},
        {"file": "tables.yml", "line": 3, "text": "old: the map has no table nobodys"},
    ]


@pytest.mark.parametrize("reader", ["cloudformation", "terraform"])
def test_a_name_in_the_file_for_roles_that_no_role_is_called_by_is_noted(
    tmp_path: Path, reader: str
) -> None:
    template = "Resources: {R: {Type: AWS::IAM::Role, Properties: {RoleName: far}}}\n"
    folder = write(
        tmp_path,
        {
            "map.json": json.dumps(MAP),
            "cloudformation": template,
            "terraform": json.dumps(plan(role("aws_iam_role.R", None))),
            "roles.yml": "R: users\naws_iam_role.R: users\nno_such: users\n",
        },
    )
    output: list[str] = []
    options = ["--registry", str(folder / "map.json"), "--roles", str(folder / "roles.yml")]
    main([reader, str(folder / reader), *options, "--format", "json"], output.append)
    report = json.loads("".join(output))
    assert report["summary"]["services"] == ["users"]
    noted = {note["line"]: note["text"] for note in report["notes"]}
    assert noted.pop(3) == UNUSED
    assert len(noted) == 1  # the other reader's name for the role


def test_a_missing_registry_option_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serverless", "."]) == 2
    assert "--registry: say which map to compare with" in capsys.readouterr().err


REFUSED = {
    "no such file": ["--registry", "nowhere.json"],
    "no map": ["--registry", __file__],
    "unknown environment": ["--environment", "moon"],
}


@pytest.mark.parametrize("arguments", REFUSED.values(), ids=REFUSED)
def test_a_bad_map_or_path_gives_status_2_with_the_reason(
    tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    status, output = run(tmp_path, *arguments)
    assert (status, output) == (2, "")
    assert capsys.readouterr().err.startswith("drift: ")


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_map_may_be_a_yaml_file(tmp_path: Path, form: str) -> None:
    known = ROOT / "fixtures" / "ownership.yaml"
    status, output = run(
        tmp_path, "--registry", str(known), "--format", form, resource=f"{ARN}biztechPrizes"
    )
    assert status == 1
    assert "undeclared_access" in output


NO_MAPS = {
    "without tables": ("{}", "returns it (tables is missing)"),
    "with a number for tables": (
        '{"services": [], "environments": [], "tables": 5}',
        "returns it (TypeError: 'int' object is not iterable)",
    ),
    "with another mode": (
        '{"services": [], "environments": [], "tables": [{"name": "orders", "accesses": '
        '[{"service": "shop", "mode": "sing"}]}]}',
        "returns it (sing is not a mode)",
    ),
}


@pytest.mark.parametrize(("content", "reason"), NO_MAPS.values(), ids=NO_MAPS)
def test_a_file_that_is_no_map_is_refused_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, reason: str
) -> None:
    (tmp_path / "map.json").write_text(content, encoding="utf-8")
    assert main(["serverless", str(tmp_path), "--registry", str(tmp_path / "map.json")]) == 2
    assert reason in capsys.readouterr().err


def test_a_list_in_yaml_is_no_map(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, {"map.yml": "- orders\n"})
    assert run(tmp_path, "--registry", str(tmp_path / "map.yml"))[0] == 2
    assert "returns it (not a mapping)" in capsys.readouterr().err


def test_a_registry_that_sends_too_much_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_client, "MAX_BYTES", 1_000)
    assert run(tmp_path, "--registry", "/dev/zero")[0] == 2
    assert "more than 1,000 bytes" in capsys.readouterr().err


def test_an_invalid_address_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "--registry", "http://127.0.0.1:1/a map/")[0] == 2
    assert "drift: http://127.0.0.1:1/a map/: InvalidURL" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "reason"),
    [
        ("stage=prod", "'stage' does not say where the variable comes from: opt:stage=…"),
        ("opt:stage", "'opt:stage' is not NAME=VALUE"),
    ],
)
def test_a_variable_without_its_source_or_value_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], variable: str, reason: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(tmp_path, "--var", variable)
    assert ended.value.code == 2
    assert reason in capsys.readouterr().err


def test_a_variable_has_the_value_that_is_given(tmp_path: Path) -> None:
    resource = f"{ARN}${{ssm:/shop/users}}"
    arguments = ["--var", "ssm:/shop/users=biztechUsers"]
    assert run(tmp_path, *arguments, resource=resource)[0] == 0


@pytest.fixture
def registry() -> Iterator[tuple[str, list[Any]]]:
    """A registry on the loopback interface: its address, and the requests that it received."""
    requests: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append((self.path, self.headers["Authorization"]))
            known = self.headers["Authorization"] == "Token secret"
            is_open = self.path == "/open/map/"
            self.send_response(302 if self.path == "/moved/" else 200 if known or is_open else 401)
            self.send_header("Location", "/map/")
            self.end_headers()
            self.wfile.write(
                json.dumps(WAIVERS if self.path.endswith("/waivers/") else MAP).encode()
            )

        def log_message(self, *args: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", requests
        server.shutdown()
        thread.join()


def test_the_map_is_fetched_with_the_token(
    tmp_path: Path, registry: tuple[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, requests = registry
    monkeypatch.setenv("OWNERSHIP_REGISTRY_TOKEN", "secret")
    assert run(tmp_path, "--registry", f"{address}/map/")[0] == 0
    assert requests == [("/map/", "Token secret")]


def test_a_token_may_end_with_a_line_break(tmp_path: Path, registry: tuple[str, list[Any]]) -> None:
    assert run(tmp_path, "--registry", f"{registry[0]}/map/", "--token", "secret\n")[0] == 0


@pytest.mark.parametrize(
    "token", ["se\ncret", "se cret", "secrét"], ids=["line break", "space", "no ASCII"]
)
def test_no_error_contains_the_token(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], token: str
) -> None:
    assert run(tmp_path, "--registry", "http://127.0.0.1:1/map/", "--token", token)[0] == 2
    errors = capsys.readouterr().err
    assert "--token: contains characters that no token has" in errors
    assert "cr" not in errors.replace("characters", "")


def test_findings_that_the_registry_waived_do_not_count(
    tmp_path: Path, registry: tuple[str, list[Any]]
) -> None:
    address, requests = registry
    status, output = run(
        tmp_path,
        "--registry",
        f"{address}/v1/map/?x=1",
        "--token",
        "secret",
        resource=f"[{ARN}biztechPrizes, {ARN}biztechUsers]",
    )
    assert requests[1] == ("/v1/drift/waivers/", "Token secret")
    assert "undeclared_access biztechPrizes users: until 9999-12-31: Prizes move soon" in output
    assert "1 finding, 1 of them waived" in output
    assert "Owner: payments" not in output
    assert status == 0


def test_every_finding_counts_if_the_waivers_cannot_be_read(
    tmp_path: Path,
    registry: tuple[str, list[Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    address = f"{registry[0]}/open/map/"
    no_connection = urllib.error.URLError("Connection refused")
    for answer, reason in {
        None: "the registry answered 401",
        "[]": "not a list of waivers (TypeError: ",
        no_connection: "Connection refused",
    }.items():
        if answer is not None:
            answers = iter([json.dumps(MAP), answer])

            def fetch(*_: object, answers: Iterator[Any] = answers) -> str:
                given = next(answers)
                if isinstance(given, Exception):
                    raise given
                return str(given)

            monkeypatch.setattr(registry_client, "fetch", fetch)
        status, _ = run(tmp_path, "--registry", address, resource=f"{ARN}biztechPrizes")
        assert status == 1
        error = capsys.readouterr().err
        assert "no waivers, so every finding counts" in error
        assert reason in error


def test_a_refusal_gives_status_2_with_the_http_status(
    tmp_path: Path, registry: tuple[str, list[Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--registry", f"{registry[0]}/map/")[0] == 2
    assert "the registry answered 401" in capsys.readouterr().err


def test_a_redirect_does_not_get_the_token(
    tmp_path: Path, registry: tuple[str, list[Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    address, requests = registry
    assert run(tmp_path, "--registry", f"{address}/moved/", "--token", "secret")[0] == 2
    assert len(requests) == 1
    assert "use that address" in capsys.readouterr().err


@pytest.mark.slow
def test_it_runs_without_django(tmp_path: Path) -> None:
    for path in Path(ownership.drift.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [
                name for name in names if name.startswith(("django", "ownership.models"))
            ], path
    write(
        tmp_path,
        {"map.json": json.dumps(MAP), "users/serverless.yml": statement(f"{ARN}biztechUsers")},
    )
    command = [
        sys.executable,
        "-I",
        "-c",
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.modules['django'] = None;",
    ]
    command[-1] += (
        f"from ownership.drift.command import main; sys.exit(main({['serverless', str(tmp_path)]!r}))"
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "--registry" in done.stderr
    command = [
        sys.executable,
        "-m",
        "ownership.drift",
        "serverless",
        str(tmp_path),
        "--registry",
        str(tmp_path / "map.json"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_code_is_a_part_of_the_report(tmp_path: Path) -> None:
    handler = "import boto3\ndef main(e, c):\n    boto3.resource('dynamodb').Table('biztechEvents').scan()\n"
    (tmp_path / "payments").mkdir()
    (tmp_path / "payments/handler.py").write_text(handler)
    (tmp_path / "payments/serverless.yml").write_text(
        "service: x\nfunctions: {refund: {handler: handler.main}}\n"
    )

    _, report = run(tmp_path, "--code", str(tmp_path / "payments"), "--format", "json")
    (access,) = json.loads(report)["code"]["accesses"]
    assert (access["service"], access["table"], access["mode"]) == (
        "payments",
        "biztechEvents",
        "read",
    )
    assert (
        "\nIn code\n\nService: payments\n" in run(tmp_path, "--code", str(tmp_path / "payments"))[1]
    )


@pytest.mark.parametrize("form", ["text", "json"])
def test_code_that_could_not_be_read_is_said_first(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    status, report = run(tmp_path, "--code", str(folder), "--format", form)
    said = report if form == "text" else capsys.readouterr().err
    reason = f"{folder}: has no infrastructure that deploys functions, so no code was read\n"
    assert (status, said.count(reason)) == (2, 1)
    assert said.startswith(("COULD NOT READ ", "drift: "))


def test_code_alone_takes_a_map_for_its_names_and_says_what_can_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    note = Note(Location("a.py", 1), "a note")
    usage = CodeUsage(notes=(note,), errors=(ReadError(Location("b.py", 2), "is broken"),))
    monkeypatch.setattr("ownership.drift.command.read_code", lambda *_: usage)
    output: list[str] = []
    arguments = ["code", str(tmp_path), "--environment", "dev", "--format", "json"]
    assert main(arguments, output.append) == 2
    assert json.loads("".join(output))["accesses"] == []
    error = capsys.readouterr().err
    assert "--environment has no effect without --registry" in error
    assert error.endswith("drift: b.py:2: is broken\ndrift: a.py:1: a note\n")

    assert main(["code", str(tmp_path), "--registry", "nowhere.json"]) == 2
    assert "nowhere.json: No such file or directory" in capsys.readouterr().err
    monkeypatch.delattr("ownership.drift.command.read_code")
    assert main(["code", str(tmp_path)]) == 2
    assert "NameError" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["text", "json", "sarif"])
def test_notes_offers_and_errors_are_in_a_report(tmp_path: Path, form: str) -> None:
    document = a_map(
        "users read biztechUsers",
        biztechUsers={"indexes": [{"name": "by-day", "key_schema": None}]},
    )
    project = (
        statement(f"{ARN}biztechUsers", "[dynamodb:GetItem, dynamodb:Got]")
        + """\
resources:
  Resources:
    Users:
      Type: AWS::DynamoDB::Table
      Properties:
        TableName: biztechUsers
        GlobalSecondaryIndexes: [{IndexName: by-day, KeySchema: [{AttributeName: day, KeyType: HASH}]}]
"""
    )
    files = {"services/users/serverless.yml": project, "services/broken/serverless.yml": "a: [\n"}
    write(tmp_path, {"map.json": json.dumps(document), **files})
    output: list[str] = []
    options = ["--registry", str(tmp_path / "map.json"), "--format", form]
    assert main(["serverless", str(tmp_path / "services"), *options], output.append) == 2
    report = "".join(output)
    assert "dynamodb:Got is not a DynamoDB action" in report
    assert "broken/serverless.yml" in report
    if form == "json":
        (offer,) = json.loads(report)["offers"]
        assert (offer["table"], offer["index"]) == ("biztechUsers", "by-day")
    else:
        assert "biztechUsers index by-day: day" in report


def test_every_option_and_key_is_documented(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "drift.md").read_text()
    actions = [
        a
        for p in [parser(), *parser()._subparsers._group_actions[0].choices.values()]
        for a in p._actions
    ]  # type: ignore[union-attr]
    options = {
        option for action in actions for option in action.option_strings if option.startswith("--")
    }
    report = json.loads(run(tmp_path, "--format", "json", resource=f"{ARN}biztechPrizes")[1])
    wanted = options | report.keys() | report["summary"].keys() | report["findings"][0].keys()
    assert [
        word
        for word in sorted(wanted - {"--help"})
        if f"`{word}" not in page and f'"{word}"' not in page
    ] == []


def test_a_missing_dependency_is_named() -> None:
    command = [
        sys.executable,
        "-S",
        "-m",
        "ownership.drift",
        "serverless",
        ".",
    ]  # -S: nothing that is installed
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        2,
        "drift: the module yaml is missing; drift needs PyYAML: pip install PyYAML\n",
    )


def test_a_bug_does_not_look_like_drift(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr("ownership.drift.command.compare")
    assert run(tmp_path) == (2, "")
    assert "NameError" in capsys.readouterr().err

"""What a change adds and settles, beside an earlier report or a commit."""

import json
import subprocess
from pathlib import Path

import pytest

from ownership.drift import registry_client
from ownership.drift.baseline import Baseline, changes_since, parts
from ownership.drift.command import main
from ownership.drift.commit_files import files_of, find_commit
from ownership.drift.registry_client import from_map
from ownership.drift.types import ActionOn, Finding, Infrastructure, NeededAction, ReadOrWrite
from tests.support.drift_projects import ARN, a_map, statement, write
from tests.support.drift_reports import a_comparison

MAP = a_map("users read biztechUsers", "prizes read biztechPrizes", "events read biztechEvents")
USERS, PRIZES, EVENTS = f"{ARN}biztechUsers", f"{ARN}biztechPrizes", f"{ARN}biztechEvents"
PROJECT = "services/users/serverless.yml"
AUTHOR = (
    "-c",
    "user.name=lead",
    "-c",
    "user.email=lead@registry.example",
    "-c",
    "commit.gpgsign=false",
)


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *AUTHOR, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def commit(folder: Path, resources: str, **files: str) -> None:
    write(folder, {PROJECT: statement(resources), **files})
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "change")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose first commit grants users the prizes, undeclared."""
    folder = write(tmp_path / "backend", {"map.json": json.dumps(MAP)})
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder, f"[{USERS}, {PRIZES}]")
    return folder


def run(repository: Path, baseline: str, *options: str, path: str = "services") -> tuple[int, str]:
    output: list[str] = []
    command = ["serverless", str(repository / path), "--registry", str(repository / "map.json")]
    status = main([*command, f"--baseline={baseline}", *options], output.append)
    return status, "".join(output)


def refused(
    repository: Path,
    baseline: str,
    capsys: pytest.CaptureFixture[str],
    *options: str,
    path: str = "services",
) -> str:
    """What the command says of a baseline that it can't use."""
    assert run(repository, baseline, *options, path=path) == (2, "")
    return capsys.readouterr().err


# What is the same


def access(
    kind: str, *modes: ReadOrWrite, table: str = "users", service: str | None = "bots"
) -> Finding:
    verdicts = tuple((mode, None) for mode in modes)
    return Finding(kind, table, service, None, None, None, verdicts=verdicts)  # type: ignore[arg-type]


def refusal(*actions: str) -> Finding:
    to_allow = tuple(NeededAction(ActionOn(action), "bots", ("main",)) for action in actions)
    return Finding(
        "action_not_granted",
        "users",
        "bots",
        "read",
        "read",
        None,
        verdicts=(("read", None),),
        to_allow=to_allow,
    )


SAME_OR_LESS = {
    "the same": (access("wider_grant", "write"), access("wider_grant", "write")),
    "one mode less": (
        access("undeclared_access", "read", "write"),
        access("undeclared_access", "read"),
    ),
    "partly granted since": (
        access("access_not_granted", "read", "write"),
        access("narrower_grant", "write"),
    ),
    "partly declared since": (
        access("undeclared_access", "read", "write"),
        access("wider_grant", "write"),
    ),
    "registered since": (access("unregistered_table", "read"), access("undeclared_access", "read")),
    "one refused action less": (refusal("Query", "Scan"), refusal("Scan")),
}


@pytest.mark.parametrize(("before", "now"), SAME_OR_LESS.values(), ids=SAME_OR_LESS)
def test_a_finding_that_says_nothing_more_is_unchanged(before: Finding, now: Finding) -> None:
    changes = changes_since(
        Baseline("main", [before]), a_comparison([now]), Infrastructure("serverless")
    )
    assert (changes.new, list(changes.unchanged), changes.settled) == (frozenset(), [now], [])


MORE = {
    "another mode": (access("wider_grant", "write"), access("wider_grant", "read")),
    "one mode more": (
        access("undeclared_access", "read"),
        access("undeclared_access", "read", "write"),
    ),
    "no grant instead of one": (access("wider_grant", "write"), access("narrower_grant", "write")),
    "another table": (
        access("wider_grant", "write"),
        access("wider_grant", "write", table="events"),
    ),
    "another service": (
        access("wider_grant", "write"),
        access("wider_grant", "write", service="users"),
    ),
    "one refused action more": (refusal("Query"), refusal("Query", "Scan")),
    "other keys": (
        Finding("key_schema_differs", "users", None, "id", "email", None),
        Finding("key_schema_differs", "users", None, "id", "name", None),
    ),
}


@pytest.mark.parametrize(("before", "now"), MORE.values(), ids=MORE)
def test_a_finding_that_says_something_more_is_new(before: Finding, now: Finding) -> None:
    changes = changes_since(
        Baseline("main", [before]), a_comparison([now]), Infrastructure("serverless")
    )
    assert changes.new == {now}


def test_what_was_not_looked_at_is_not_settled() -> None:
    gone, of_code = access("undeclared_access", "read"), access("unused_declaration", "read")
    baseline = Baseline("main", [gone, of_code])
    found = Infrastructure("serverless", unread=frozenset({"bots"}))
    assert changes_since(baseline, a_comparison([]), found).not_judged == [gone, of_code]
    changes = changes_since(baseline, a_comparison([]), Infrastructure("serverless"))
    assert (changes.settled, changes.not_judged) == ([gone], [of_code])


def test_lines_are_no_part_of_a_finding() -> None:
    assert len(parts(access("undeclared_access", "read", "write"))) == 2


# A commit


def test_only_what_the_change_adds_gives_status_1(repository: Path) -> None:
    write(repository, {PROJECT: "# moved\n\n" + statement(f"[{USERS}, {PRIZES}]")})
    status, output = run(repository, "HEAD")
    assert status == 0
    assert "0 new, 0 settled, 1 unchanged." in output

    write(repository, {PROJECT: statement(f"[{USERS}, {EVENTS}]")})
    status, output = run(repository, "HEAD")
    assert status == 1
    assert "Since HEAD (" in output
    assert "1 new, 1 settled, 0 unchanged." in output
    assert "  new: undeclared_access biztechEvents users\n" in output
    assert "  settled: undeclared_access biztechPrizes users\n" in output


def test_a_change_that_settles_everything_gives_status_0(repository: Path) -> None:
    commit(repository, USERS)
    status, output = run(repository, "HEAD~1", "--format", "json")
    assert status == 0
    assert json.loads(output)["baseline"]["settled"] == [
        {"kind": "undeclared_access", "table": "biztechPrizes", "service": "users"}
    ]


def test_a_map_in_the_repository_is_that_of_the_commit(repository: Path) -> None:
    (repository / "map.json").write_text(
        json.dumps(a_map("prizes read biztechPrizes", "events read biztechEvents"))
    )
    commit(repository, f"[{USERS}, {PRIZES}]")
    status, output = run(repository, "HEAD~1")
    assert status == 1
    assert "new: unregistered_table biztechUsers users" in output


def test_a_new_project_is_new_whole(repository: Path) -> None:
    write(repository, {"more/bots/serverless.yml": statement(PRIZES)})
    status, output = run(repository, "HEAD", path="more")
    assert status == 1
    assert "does not have" in output


def test_no_hook_filter_or_attribute_of_the_repository_is_heeded(repository: Path) -> None:
    witness = repository / "ran"
    hook = repository / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {witness}\n")
    hook.chmod(0o755)
    attributes = "*.yml filter=evil export-ignore\n"
    git(repository, "config", "filter.evil.smudge", f"touch {witness}; cat")
    git(repository, "config", "core.fsmonitor", f"touch {witness}")
    (repository / ".gitattributes").write_text(attributes)
    git(repository, "-c", "core.fsmonitor=false", "add", "--all")
    git(repository, "-c", "core.fsmonitor=false", "commit", "--quiet", "--message", "attributes")
    witness.unlink(missing_ok=True)
    assert "1 unchanged" in run(repository, "HEAD")[1]
    assert not witness.exists()


INCLUDING = """service: users
provider:
  name: aws
  iam: {role: {statements: "${file(../included.yml)}"}}
functions: {main: {handler: main.handler}}
"""


@pytest.mark.parametrize("is_link", [False, True], ids=["a file", "a link to the outside"])
def test_links_of_a_commit_lead_nowhere_outside(repository: Path, is_link: bool) -> None:
    statements = f"- Effect: Allow\n  Action: dynamodb:GetItem\n  Resource: {EVENTS}\n"
    included = repository / "services/included.yml"
    if is_link:
        outside = write(repository.parent, {"outside.yml": statements}) / "outside.yml"
        included.symlink_to(outside)
    else:
        included.write_text(statements)
    write(repository, {PROJECT: INCLUDING})
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "include")
    write(repository, {PROJECT: statement(USERS)})
    was_read = "settled: undeclared_access biztechEvents users" in run(repository, "HEAD")[1]
    assert was_read is not is_link


def test_the_temporary_files_are_removed(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    run(repository, "HEAD")
    assert list(temporary.iterdir()) == []


def test_a_reference_is_never_an_option(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = refused(repository, "--output=stolen", capsys)
    assert "--output=stolen is neither a file nor the name of a commit" in error
    assert not Path("stolen").exists()


def test_an_empty_reference_is_refused(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--baseline: is empty" in refused(repository, " ", capsys)


def test_an_unknown_reference_is_named(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "nowhere is neither a file nor a commit of " in refused(repository, "nowhere", capsys)


def test_a_shallow_clone_gets_the_cure(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(repository, USERS)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{repository}", str(clone))
    assert "fetch-depth: 0" in refused(clone, "HEAD~1", capsys)


def test_a_missing_git_is_named(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(repository))
    assert "git is not installed" in refused(repository, "HEAD", capsys)


def test_a_folder_without_git_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path, {"map.json": json.dumps(MAP), PROJECT: statement(USERS)})
    assert "is in no Git repository" in refused(folder, "HEAD", capsys)


def test_what_git_ignores_has_no_baseline_in_a_commit(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(repository, {".gitignore": "built/\n", "built/users/serverless.yml": statement(USERS)})
    error = refused(repository, "HEAD", capsys, path="built")
    assert "so no commit has it" in error


def test_what_was_unreadable_at_the_commit_counts_as_new_and_says_so(repository: Path) -> None:
    broken = "services/broken/serverless.yml"
    commit(repository, USERS, **{broken: "a: 1\na: 2\n"})
    write(repository, {broken: statement(EVENTS)})
    status, output = run(repository, "HEAD")
    assert status == 1
    assert "1 file could not be read then, so what it held counts as new" in output

    # Code without a project is an error, too.
    write(repository, {"code/handler.py": ""})
    commit(repository, USERS, **{broken: "a: 1\na: 2\n"})
    write(repository, {broken: statement(EVENTS)})
    output = run(repository, "HEAD", "--code", str(repository / "code"))[1]
    assert "2 files could not be read then, so what they held counts as new" in output


def test_paths_outside_of_the_repository_are_those_of_now(
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    outside = write(tmp_path / "outside", {"map.json": json.dumps(MAP), "tables.yml": "{}\n"})
    commit(repository, USERS, **{"names.yml": "{}\n"})
    write(repository, {PROJECT: statement(f"[{USERS}, {PRIZES}]")})
    command = ["serverless", str(repository / "services"), "--baseline", "HEAD", "--registry"]
    for arguments in (
        [str(outside / "map.json"), "--tables", str(outside / "tables.yml")],
        [str(repository / "map.json"), "--tables", str(repository / "names.yml")],
        [str(write(repository, {"new.json": json.dumps(MAP)}) / "new.json")],
        ["https://registry.example/api/v1/map/"],
    ):
        if arguments[0].startswith("https:"):
            monkeypatch.setattr(registry_client, "load_map", lambda *_: from_map(MAP))
            monkeypatch.setattr(registry_client, "load_waivers", lambda *_: [])
        output: list[str] = []
        assert main([*command, *arguments], output.append) == 1
        assert "1 new, 0 settled, 0 unchanged." in "".join(output)
    error = refused(repository, "HEAD", capsys, "--code", str(outside))
    assert "give a report of --format json" in error


def test_one_of_several_files_that_the_commit_lacks_counts_as_new(repository: Path) -> None:
    template = "Resources: {Q: {Type: AWS::SQS::Queue}}\n"
    commit(repository, USERS, **{"a.yml": template})
    write(repository, {"b.yml": template})
    output: list[str] = []
    paths = [str(repository / name) for name in ("a.yml", "b.yml")]
    options = ["--registry", str(repository / "map.json"), "--baseline", "HEAD"]
    main(["cloudformation", *paths, *options], output.append)
    assert f"does not have {paths[1]}, so what it holds counts as new" in "".join(output)


# What Git has


def test_a_submodule_and_a_missing_file_are_named(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = git(repository, "rev-parse", "HEAD").strip()
    blob = git(repository, "rev-parse", f"HEAD:{PROJECT}").strip()
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{head},services/lib")
    git(repository, "commit", "--quiet", "--message", "submodule")
    assert "services/lib is a submodule" in refused(repository, "HEAD", capsys)

    (repository / ".git/objects" / blob[:2] / blob[2:]).unlink()
    error = refused(repository, head, capsys)
    assert f"{PROJECT} of {head}" in error
    assert "is not in this clone: fetch all history" in error


def test_a_file_with_a_name_that_leads_elsewhere_is_not_written(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))

    def tree(*entries: str) -> str:
        command = ["git", "-C", str(repository), "mktree"]
        text = "".join(f"{entry}\n" for entry in entries)
        done = subprocess.run(command, input=text, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    blob = git(repository, "rev-parse", f"HEAD:{PROJECT}").strip()
    project = tree(f"100644 blob {blob}\tserverless.yml")
    outside = tree(f"100644 blob {blob}\toutside.yml")
    for _ in range(3):
        outside = tree(f"040000 tree {outside}\t..")
    [up] = git(repository, "ls-tree", outside).splitlines()
    services = tree(f"040000 tree {project}\tusers", up)
    top = tree(f"040000 tree {services}\tservices")
    hostile = git(repository, "commit-tree", "-m", "hostile", top).strip()
    assert "1 unchanged" in run(repository, hostile)[1]
    assert list(temporary.iterdir()) == []


def test_what_is_larger_than_readers_take_is_left_out(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(repository, f"[{USERS}, {PRIZES}]", **{"services/large.txt": "x" * 3_000})
    monkeypatch.setattr("ownership.drift.commit_files.MAX_BYTES", 2_000)
    monkeypatch.setattr("ownership.drift.commit_files.CHUNK", 700)
    assert "1 unchanged" in run(repository, "HEAD")[1]
    with files_of(find_commit(repository, "HEAD"), [repository / "services"]) as top:
        assert (top / "services/large.txt").read_bytes() == bytes(3_000)
        assert (top / PROJECT).read_text() == (repository / PROJECT).read_text()

    monkeypatch.setattr("ownership.drift.commit_files.MAX_TOTAL_BYTES", 10)
    assert "has more than 10 bytes" in refused(repository, "HEAD", capsys)
    monkeypatch.setattr("ownership.drift.commit_files.MAX_FILES", 1)
    assert "has more than 1 files" in refused(repository, "HEAD", capsys)


def test_what_git_complains_about_is_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path, {"map.json": json.dumps(MAP), PROJECT: statement(USERS)})
    (folder / ".git").mkdir()
    assert "git rev-parse failed: fatal: not a git repository" in refused(folder, "HEAD", capsys)
    monkeypatch.setattr("ownership.drift.commit_files.TIMEOUT", 0)
    assert "git rev-parse took longer than 0 seconds" in refused(folder, "HEAD", capsys)


def test_git_is_asked_for_the_folder_not_for_what_the_environment_names(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert run(repository, "HEAD")[0] == 0


# A report


def test_an_earlier_report_is_a_baseline(repository: Path, tmp_path: Path) -> None:
    report = tmp_path / "before.json"
    main(
        [
            "serverless",
            str(repository / "services"),
            "--registry",
            str(repository / "map.json"),
            "--format",
            "json",
        ],
        report.write_text,
    )
    assert run(repository, str(report))[0] == 0
    write(repository, {PROJECT: statement(f"[{USERS}, {EVENTS}]")})
    status, output = run(repository, str(report))
    assert status == 1
    assert "1 new, 1 settled, 0 unchanged." in output


def test_a_report_of_another_environment_is_refused(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "before.json"
    summary = {"reader": "serverless", "environment": "production", "errors": 0}
    report.write_text(json.dumps({"summary": summary, "findings": []}))
    error = refused(repository, str(report), capsys)
    assert (
        "is a report of serverless in production, and this run is of serverless without an environment"
        in error
    )


NO_REPORTS = {
    "empty": "",
    "a list": "[]",
    "another object": '{"summary": {}}',
    "a kind that there is not": json.dumps(
        {
            "summary": {"reader": "serverless", "environment": None, "errors": 0},
            "findings": [{"kind": "odd", "table": "users", "service": None}],
        }
    ),
    "too deep": "[" * 100_000,
    "no text": "\0",
}


@pytest.mark.parametrize("content", NO_REPORTS.values(), ids=NO_REPORTS)
def test_a_file_that_is_no_report_is_refused(
    repository: Path, tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "before.json"
    report.write_text(content)
    assert "is no report of drift --format json" in refused(repository, str(report), capsys)


def test_a_report_that_is_too_large_or_may_not_be_read_is_refused(
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = write(tmp_path, {"before.json": "{}"}) / "before.json"
    monkeypatch.setattr("ownership.drift.baseline.MAX_REPORT_BYTES", 1)
    assert "is larger than 1 bytes" in refused(repository, str(report), capsys)

    def denied(*_: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("ownership.drift.baseline.read_bytes", denied)
    assert "before.json: Permission denied" in refused(repository, str(report), capsys)


def test_an_action_that_code_was_refused_is_not_judged_without_code(
    repository: Path, tmp_path: Path
) -> None:
    needed = {"action": "dynamodb:Query", "index": "by-day", "service": "users", "functions": []}
    finding = {
        "kind": "action_not_granted",
        "table": "biztechUsers",
        "service": "users",
        "declared": "read",
        "granted": "read",
        "owner": None,
        "verdicts": {"read": "fix_iam"},
        "to_allow": [needed],
    }
    summary = {"reader": "serverless", "environment": None, "errors": 0}
    text = json.dumps({"summary": summary, "findings": [finding]})
    report = write(tmp_path, {"before.json": text}) / "before.json"
    status, output = run(repository, str(report))
    assert status == 1
    assert "Since " in output
    assert "1 new, 0 settled, 0 unchanged, 1 not judged this time." in output
    assert "  not judged: action_not_granted biztechUsers users\n" in output


def test_a_long_list_of_changes_ends_with_their_number(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ownership.drift.baseline_words.MAX_LISTED", 1)
    commit(repository, USERS)
    write(repository, {PROJECT: statement(f"[{USERS}, {PRIZES}, {EVENTS}]")})
    output = run(repository, "HEAD")[1]
    assert output.count("  new: ") == 2
    assert "  new: and 1 more\n" in output


def test_a_live_endpoint_has_no_baseline_in_a_commit(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "ownership.drift.command.read_endpoint", lambda *_: Infrastructure("dynamodb")
    )
    status = main(["dynamodb", "--registry", str(repository / "map.json"), "--baseline", "HEAD"])
    assert status == 2
    assert "dynamodb reads no files" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["sarif", "gitlab", "junit"])
def test_a_form_without_room_for_it_leaves_the_baseline_to_standard_error(
    repository: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(repository, "HEAD", "--format", name)[0] == 0
    assert "drift: Since HEAD (" in capsys.readouterr().err

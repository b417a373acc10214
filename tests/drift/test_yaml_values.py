import contextlib
import json
import os
import time
import tracemalloc
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownership.drift.readers.files import MAX_BYTES, Files
from ownership.drift.readers.yaml_values import parse
from ownership.drift.types import Location, Note, ReadError
from ownership.drift.values import Text, concat, from_variable, value_at
from tests.support.drift_projects import ARN, grants, read, statement


def test_yaml_values_stay_text() -> None:
    document = parse(
        "Version: 2012-10-17\nflag: yes\nport: 010\nnothing: null\nquoted: 'null'\n", "x.yml"
    )
    assert document == {
        "Version": "2012-10-17",
        "flag": "yes",
        "port": "010",
        "nothing": None,
        "quoted": "null",
    }


def test_json_may_have_tabs_and_escaped_pairs_and_null_may_be_a_key() -> None:
    assert parse('{\t"a": "\\ud83d\\ude00"}', "x.json") == {"a": "\U0001f600"}
    assert parse("~: a\n", "x.yml") == {"null": "a"}


def test_a_path_that_a_value_does_not_have_leads_to_nothing() -> None:
    document = parse("a: [b]\n", "x.yml")
    assert value_at(document, "a", 0) == "b"
    assert [value_at(document, *path) for path in (("a", 1), ("a", "b"), ("a", 0, "c"))] == [
        None
    ] * 3


def test_a_text_is_copied_as_a_value_of_a_dataclass() -> None:
    text = Text("users", Location("x.yml", 1))
    assert asdict(Note(text.location, text))["text"] is text


def test_every_value_has_its_line() -> None:
    document = parse("a:\n  - b\n  - c: d\n", "x.yml")
    assert [
        document.key_location("a"),
        document["a"].location,
        document["a"][0].location,
        document["a"][1]["c"].location,
    ] == [Location("x.yml", line) for line in (1, 2, 2, 3)]


def test_short_tags_become_long_forms() -> None:
    document = parse(
        "[!Ref A, !GetAtt B.Arn, !Sub '${C}', !Join ['', [x]], !If [d, e, f]]", "x.yml"
    )
    expected: list[object] = [{"Ref": "A"}, {"Fn::GetAtt": ["B", "Arn"]}, {"Fn::Sub": "${C}"}]
    assert document == [*expected, {"Fn::Join": ["", ["x"]]}, {"Fn::If": ["d", "e", "f"]}]


def test_merge_keys_add_missing_keys_only() -> None:
    assert parse("a: &a {x: 1, y: 1}\nb: {<<: *a, y: 2}\n", "x.yml")["b"] == {"x": "1", "y": "2"}


BROKEN = {
    "a doubled key": ("a: 1\nb: 2\na: 3\n", 3, "duplicate key a, first used in line 1"),
    "a second document": ("a: 1\n---\nb: 2\n", 2, "second document"),
    "a bracket left open": ("a: [1, 2\n", 2, ""),
    "an alias to nothing": ("a: *b\n", 1, "has no anchor before it"),
    "an alias to itself": ("a: &a [*a]\n", 1, "or is part of its own value"),
    "a key that is no text": ("? [a]\n: b\n", 1, "a mapping key must be text"),
    "a merge of a text": ("a: {<<: [b]}\n", 1, "<< must be a mapping or a list of mappings"),
    "nesting": ("[" * 101, 1, "is nested deeper than 100 levels"),
    "a character that YAML does not have": ("a: \0\n", None, ""),
    "a tab for indentation": ("a:\n\tb: c\n", 2, ""),
}


@pytest.mark.parametrize(("text", "line", "reason"), BROKEN.values(), ids=BROKEN)
def test_broken_yaml_is_an_error_with_its_line(text: str, line: int | None, reason: str) -> None:
    with pytest.raises(ReadError) as caught:
        parse(text, "x.yml")
    assert caught.value.location == Location("x.yml", line)
    assert reason in caught.value.reason


BOMBS = {
    "10 MB of brackets": b"[" * 10_000_000,
    "brackets within the size": b"[" * (MAX_BYTES - 1),
    "block nesting": "".join(" " * i + "a:\n" for i in range(1500)).encode(),
    "dashes": b"- " * 900_000,
    "keys of keys": b"? " * 900_000,
    "many values": b"[" + b"a," * 900_000 + b"a]",
    "merge keys": b"a0: &a0 {k: v}\n"
    + b"".join(
        b"a%d: &a%d {<<: [*a%d, *a%d], k%d: v}\n" % (i, i, i - 1, i - 1, i) for i in range(1, 5000)
    ),
    "bytes": bytes(range(256)) * 1000,
    "UTF-16": "service: users".encode("utf-16"),
    "NUL": b"a: \0\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS)
def test_yaml_bombs_fail_fast_with_little_memory(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "serverless.yml"
    path.write_bytes(content)
    tracemalloc.start()
    start = time.process_time()
    with pytest.raises(ReadError) as caught:
        Files(tmp_path).load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.location.file == "serverless.yml"
    assert time.process_time() - start < 10
    assert peak < 200_000_000


def doubling(levels: int, join: str) -> str:
    return "custom:\n  a0: x\n" + "".join(
        f"  a{i}: {join.format(i - 1)}\n" for i in range(1, levels + 1)
    )


EXPANDING = {
    "aliases": "custom:\n  a0: &a0 [x]\n"
    + "".join(f"  a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60))
    + "provider: {iamRoleStatements: *a59}\n",
    "aliases in a resource": "x0: &a0 [x]\n"
    + "".join(f"x{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60))
    + 'provider: {iamRoleStatements: [{Effect: Allow, Action: "*", Resource: *a59}]}\n',
    "variables that double": doubling(60, '"${{self:custom.a{0}}}${{self:custom.a{0}}}"')
    + 'provider: {iamRoleStatements: [{Effect: Allow, Action: "*", Resource: "${self:custom.a60}"}]}\n',
    "a circle of variables": """
custom: {a: "${self:custom.b}${self:custom.b}", b: "${self:custom.a}${self:custom.a}"}
"""
    'provider: {iamRoleStatements: "${self:custom.a}"}\n',
    "a variable of itself": 'provider: "${self:provider}"\n',
    "the whole in itself": 'custom: "${self:}"\nprovider: "${self:custom.custom.custom.provider}"\n',
    "a file of itself": "provider: ${file(serverless.yml):provider}\n",
    "nested braces": "provider: {iamRoleStatements: '"
    + "${self:" * 5000
    + "x"
    + "}" * 5000
    + "'}\n",
    "a join of many branches": "provider: {iamRoleStatements: [{Effect: Allow, Action: '*', "
    + "Resource: {'Fn::Join': ['', ["
    + "{'Fn::If': [c, a, b]}, " * 60
    + "x]]}}]}\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("content", EXPANDING.values(), ids=EXPANDING)
def test_endless_expansion_is_stopped(tmp_path: Path, content: str) -> None:
    start = time.process_time()
    found = read(tmp_path, {"users/serverless.yml": content})
    assert time.process_time() - start < 10
    assert found.grants == {}
    assert found.errors or found.unresolved


def test_a_device_or_pipe_is_not_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "serverless.yml")
    with pytest.raises(ReadError, match="is not a file"):
        Files(tmp_path).load(tmp_path / "serverless.yml")


@pytest.mark.parametrize(
    "name", ["../secret.yml", "/etc/hostname", "link.yml", "folder/secret.yml", "~/secret.yml"]
)
def test_no_file_outside_the_root_is_read(tmp_path: Path, name: str) -> None:
    secret = f"arn: {ARN}secret\n"
    (tmp_path / "secret.yml").write_text(secret)
    root = tmp_path / "root"
    root.mkdir()
    (root / "link.yml").symlink_to(tmp_path / "secret.yml")
    (root / "folder").symlink_to(tmp_path)
    found = read(root, {"serverless.yml": statement(f"${{file({name}):arn}}")})
    assert found.grants == {}
    assert len(found.unresolved) == 1


def test_a_project_that_links_outside_the_root_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.yml").write_text(statement(f"{ARN}secret"))
    (tmp_path / "root" / "a").mkdir(parents=True)
    (tmp_path / "root" / "a" / "serverless.yml").symlink_to(tmp_path / "secret.yml")
    found = read(tmp_path / "root", {"b/serverless.yml": statement(f"{ARN}X")})
    assert [str(error) for error in found.errors] == [
        "a/serverless.yml: links to a file outside root, the folder to read"
    ]
    assert grants(found) == {"b read X"}


def test_a_circle_of_links_is_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "serverless.yml").symlink_to("serverless.yml")
    assert [error.reason for error in read(tmp_path, {}).errors] == ["is not a file"]


def test_a_file_inside_the_root_may_be_above_the_project(tmp_path: Path) -> None:
    files = {
        "a/b/serverless.yml": statement("${file(../../shared.yml):arn}"),
        "shared.yml": f"arn: {ARN}X",
    }
    assert grants(read(tmp_path, files)) == {"b read X"}


values = st.recursive(
    st.none() | st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abc<", min_size=1), inner, max_size=4)
    ),
    max_leaves=20,
)


@pytest.mark.slow
@given(values)
def test_json_is_read_like_the_json_module_reads_it(value: object) -> None:
    for ascii_only in (True, False):
        text = json.dumps(value, ensure_ascii=ascii_only, indent="\t")
        assert parse(text, "x.json") == value


@pytest.mark.slow
@given(st.text() | st.text("{}[]:,-?&*!|>'\"#%@` \n\tab<~$"))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ReadError):
        parse(text, "x.yml")


KEYS = [
    "Effect",
    "Action",
    "Resource",
    "Fn::If",
    "Fn::Sub",
    "Fn::Join",
    "Ref",
    "statements",
    "Properties",
    "Type",
    "x",
]
SCALARS = [
    "Allow",
    "dynamodb:*",
    f"{ARN}x",
    "*",
    "${self:custom}",
    "${self:provider.x}",
    "${opt:a, 'b'}",
    "${",
]
nodes = st.recursive(
    st.sampled_from(SCALARS) | st.text("${}:,'()self. ", max_size=15) | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=15,
)
SECTIONS = ["service", "provider", "custom", "functions", "resources", "params"]


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from(SECTIONS), nodes), nodes, nodes)
def test_any_project_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory,
    project: dict[str, object],
    statements: object,
    resources: object,
) -> None:
    if isinstance(project.get("provider"), dict):
        project["provider"]["iamRoleStatements"] = statements  # type: ignore[index]
    if isinstance(project.get("resources"), dict):
        project["resources"]["Resources"] = resources  # type: ignore[index]
    found = read(tmp_path_factory.mktemp("any"), {"users/serverless.json": json.dumps(project)})
    assert found.services or found.errors


POSITIONS = {
    "a superscript": "${self:custom.list.²}",
    "more digits than a number may have": "${self:custom.list." + "9" * 5000 + "}",
}


@pytest.mark.parametrize("variable", POSITIONS.values(), ids=POSITIONS)
def test_a_position_outside_the_list_is_unresolved(tmp_path: Path, variable: str) -> None:
    project = f"custom: {{list: [a]}}\n{statement(variable)}"
    (unresolved,) = read(tmp_path, {"users/serverless.yml": project}).unresolved
    assert unresolved.modes == {"read"}


@given(st.lists(st.tuples(st.text("ab:/"), st.booleans())), st.sampled_from(":/"))
def test_splitting_keeps_every_variable(pieces: list[tuple[str, bool]], separator: str) -> None:
    place = Location("x", 1)
    text = concat(
        [from_variable(p, place, True) if v else Text(p, place) for p, v in pieces], place
    )
    parts = text.split_at(separator)
    assert parts == text.split(separator)
    inside = sum(v.end - v.start for part in parts for v in part.variables)
    assert inside == sum(len(p.replace(separator, "")) for p, v in pieces if v)


@pytest.mark.slow
def test_joining_takes_time_in_proportion_to_the_pieces() -> None:
    location = Location("x.yml")
    pieces = [Text("${a}", location)] * 500_000
    start = time.process_time()
    assert len(concat(pieces, location)) == 2_000_000
    assert time.process_time() - start < 5

"""Hostile and odd files end in bounded time and memory, and reports say what was not read."""

import os
import shutil
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from ownership.drift.code.reader import read_code
from ownership.drift.code.report import as_json
from ownership.drift.naming import Names
from ownership.drift.types import ReadError
from tests.support.drift_code import accesses, places, read_function

JS = 'const { DynamoDB } = require("aws-sdk");\nconst db = new DynamoDB.DocumentClient();\n'
SCAN = 'exports.main = async () => db.scan({ TableName: "a" }).promise();\n'
DEEP = 5000

ODD = {
    "deep lists": "const deep = " + "[" * DEEP + "]" * DEEP + ";\n",
    "deep calls": "const deep = () => " + "f(" * DEEP + ")" * DEEP + ";\n",
    "deep blocks": "function deep() " + "{" * DEEP + "}" * DEEP + "\n",
    "deep functions": "const deep = " + "() =>\n (" * DEEP + "1" + ")" * DEEP + ";\n",
    "a long sum": "const sum = " + "\n + ".join(["1"] * 20_000) + ";\n",
    "a long row of branches": "function row(x) {"
    + "\nelse ".join(f"if (x === {i}) {{ g({i}); }}" for i in range(3000))
    + "}\n",
    "a long chain of calls": "const chain = () => p" + "\n.then((x) => x)" * 3000 + ";\n",
    "many calls within each other": "".join(
        f"const f{i} = (x) => f{i + 1}(x);\n" for i in range(2000)
    )
    + "const f2000 = (x) => x;\nconst end = f0(1);\n",
    "many combinations": "const mix = (a) => { let s = '';"
    + "".join(f"s += a[{i}] ? 'x{i}' : 'y{i}';" for i in range(200))
    + " return s; };\nconst end = mix({});\n",
    "functions that call each other": "".join(
        f"function g{i}(x) {{ return [{', '.join(f'g{j}({{ x, y: [x] }})' for j in range(8))}]; }}\n"
        for i in range(8)
    )
    + "const end = g0({});\n",
    "objects that grow": "function grow(x) { return grow({ x, all: [x, ...x.all], [x.name + '-']: x }); }\n"
    + "const end = grow({ name: 'n', all: [] });\n",
    "loops within loops": "const deep = () => {"
    + "".join(f"for (const x{i} of ['a', 'b', 'c', 'd', 'e', 'f']) {{" for i in range(12))
    + "f(x0 + x11);"
    + "}" * 13
    + ";\n",
    "nulls and lone surrogates": "const odd = '\0\\ud800\\u{110000}';\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_odd_code_does_not_stop_the_reader(tmp_path: Path, text: str) -> None:
    start = time.process_time()
    usage = read_function(tmp_path, {"handler.js": JS + SCAN + text})
    assert "read a" in accesses(usage)
    assert time.process_time() - start < 20


DEEP_PYTHON = {
    "deep lists": "deep = " + "[" * DEEP + "]" * DEEP + "\n",
    "deep blocks": "".join("    " * i + "if x:\n" for i in range(99)) + "    " * 99 + "pass\n",
    "deep sums": "deep = " + "(1+" * DEEP + "1" + ")" * DEEP + "\n",
    "not text": "\0\n",
}


@pytest.mark.parametrize("text", DEEP_PYTHON.values(), ids=DEEP_PYTHON)
def test_odd_python_does_not_stop_the_reader(tmp_path: Path, text: str) -> None:
    usage = read_function(tmp_path, {"handler.py": "def main(event, context): pass\n" + text})
    assert usage.errors == ()


CALLS_ON_UNKNOWN_TABLES = {
    "get": ("db.get({ TableName: event.t }).promise()", "read"),
    "put": ("db.put({ TableName: event.t }).promise()", "write"),
    "batch get": ("db.batchGet({ RequestItems: event.items }).promise()", "read"),
    "reading transaction": ("db.transactGet({ TransactItems: event.items }).promise()", "read"),
    "writing transaction, which may check": (
        "db.transactWrite({ TransactItems: event.items }).promise()",
        None,
    ),
    "command that is not known": ("db[event.method]({ TableName: 'a' })", None),
}


@pytest.mark.parametrize(
    ("call", "mode"), CALLS_ON_UNKNOWN_TABLES.values(), ids=CALLS_ON_UNKNOWN_TABLES
)
def test_a_known_call_on_an_unknown_table_is_unresolved_for_its_mode_alone(
    tmp_path: Path, call: str, mode: str | None
) -> None:
    usage = read_function(
        tmp_path, {"handler.js": f"{JS}exports.main = async (event) => {call};\n"}
    )
    assert [unresolved["mode"] for unresolved in as_json(usage)["unresolved"]] == [mode]


def test_large_and_minified_files_are_passed_over(tmp_path: Path) -> None:
    statement = 'f({a:1,b:[2,3],c:function(){return"x"}});'
    files = {
        "handler.js": JS
        + SCAN
        + 'exports.more = require("./large"); exports.min = require("./minified");\n',
        "large.js": statement * 250_000,  # 10 MB
        "minified.js": statement * 1000,
    }
    start = time.process_time()
    usage = read_function(tmp_path, files)
    assert time.process_time() - start < 2
    assert accesses(usage) == {"read a"}
    notes = {str(note.location): note.text for note in usage.notes}
    assert notes["large.js"].startswith("is larger than")
    assert notes["minified.js"].startswith("is minified")


def test_a_call_of_a_minified_file_is_unresolved(tmp_path: Path) -> None:
    minified = "exports.save=function(){return 1};" * 1000
    files = {
        "handler.js": 'const { save } = require("./m");\nexports.main = () => save();\n',
        "m.js": minified,
    }
    usage = read_function(tmp_path, files)
    (unresolved,) = usage.unresolved
    assert (str(unresolved.location), unresolved.service) == ("handler.js:2", "shop")
    assert "minified" in unresolved.reason


def test_packages_and_built_code_are_passed_over(tmp_path: Path) -> None:
    files = {
        "handler.js": JS + SCAN,
        "node_modules/x/index.js": "exports.x = 1;",
        "dist/handler.js": "exports.x = 1;",
    }
    usage = read_function(tmp_path, files)
    (note,) = usage.notes
    assert (
        note.text
        == "folders of packages, vendored and built code are passed over: dist (1), node_modules (1)"
    )


def test_nothing_outside_the_folder_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.js"
    secret.write_text(JS + 'exports.save = () => db.put({ TableName: "secret" }).promise();')
    folder = tmp_path / "inside"
    folder.mkdir()
    os.symlink(secret, folder / "linked.js")
    os.symlink(tmp_path, folder / "around")
    body = (
        'const a = require("../secret"), b = require("./linked"), c = require("./around/secret");\n'
    )
    body += "exports.main = () => { a.save(); b.save(); c.save(); };\n"
    usage = read_function(folder, {"handler.js": body})
    assert accesses(usage) == set()
    assert places(usage) == ["handler.js:2", "handler.js:2", "handler.js:2"]


def test_links_within_the_folder_are_followed(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "db.js").write_text(JS + SCAN)
    os.symlink(shared, tmp_path / "linked")
    os.symlink(shared / "db.js", tmp_path / "one.js")
    body = 'exports.main = () => require("./linked/db").main() + require("./one").main();\n'
    usage = read_function(tmp_path, {"handler.js": body})
    assert accesses(usage) == {"read a"}
    assert places(usage) == []


def test_files_that_are_not_text_are_unresolved(tmp_path: Path) -> None:
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00")
    os.mkfifo(tmp_path / "pipe.py")
    body = "import binary, pipe\ndef main(event, context):\n    binary.save()\n    pipe.save()\n"
    usage = read_function(tmp_path, {"handler.py": body})
    assert places(usage) == ["handler.py:3", "handler.py:4"]


def test_a_missing_parser_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ownership.drift.code.javascript", None)
    monkeypatch.delattr("ownership.drift.code.javascript", raising=False)
    usage = read_function(tmp_path, {"handler.js": JS + SCAN})
    assert [error.reason for error in usage.errors] == [
        "needs tree-sitter: install the extra `code`"
    ]


BACKENDS = Path(__file__).parent / "backends"
SOURCES = sorted(
    path for path in BACKENDS.rglob("*") if path.suffix in (".js", ".ts", ".py", ".j2")
)


@pytest.mark.slow
@given(data=strategies.data())
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_broken_code_does_not_stop_the_reader(
    data: strategies.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Any file of a backend with a part cut out, or put in elsewhere."""
    backend = data.draw(
        strategies.sampled_from([path for path in BACKENDS.iterdir() if path.is_dir()])
    )
    folder = tmp_path_factory.mktemp("broken") / backend.name
    shutil.copytree(backend, folder)
    name = data.draw(
        strategies.sampled_from([path for path in SOURCES if path.is_relative_to(backend)])
    )
    path = folder / name.relative_to(backend)
    text = path.read_text()
    start = data.draw(strategies.integers(0, len(text)))
    end = data.draw(strategies.integers(start, len(text)))
    put = data.draw(strategies.integers(0, len(text)))
    path.write_text(text[:start] + text[end:put] + text[start:end] + text[put:])
    read_code([folder], Names(), {})


def test_a_file_in_place_of_a_folder_is_an_error_and_the_folder_around_it_is_not_read(
    tmp_path: Path,
) -> None:
    (tmp_path / "broken.yml").write_text("service: [")
    (tmp_path / "users.js").write_text("")
    with pytest.raises(ReadError, match="is a file: name the folder"):
        read_code([tmp_path / "users.js"], Names(), {})


def test_a_folder_without_infrastructure_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "users.js").write_text("")
    [error] = read_code([tmp_path], Names(), {}).errors
    assert (
        str(error)
        == f"{tmp_path}: has no infrastructure that deploys functions, so no code was read"
    )


def test_a_folder_whose_infrastructure_has_no_functions_is_read(tmp_path: Path) -> None:
    (tmp_path / "serverless.yml").write_text("service: users\nprovider: {name: aws}\n")
    usage = read_code([tmp_path], Names(), {})
    assert (usage.errors, usage.services) == ((), {"users"})
    assert [note.text for note in usage.notes] == [
        "the infrastructure in this folder deploys no functions"
    ]


def test_a_path_that_does_not_exist_is_an_error_and_the_folder_above_it_is_not_read(
    tmp_path: Path,
) -> None:
    (tmp_path / "broken.yml").write_text("service: [")
    with pytest.raises(ReadError, match="does not exist") as error:
        read_code([tmp_path / "nowhere"], Names(), {})
    assert error.value.location.file == str(tmp_path / "nowhere")

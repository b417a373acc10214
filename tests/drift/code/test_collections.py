"""Lists, dicts, maps and sets through which names of tables go, in both languages."""

from pathlib import Path

import pytest

from tests.support.drift_code import BOTO, V3, accesses, places, read_function

PYTHON: dict[str, tuple[str, set[str]]] = {
    "lists that grow": (
        """
TABLES = ["t-a"]
TABLES.insert(0, "t-b")
TABLES.extend(["t-c"])
TABLES += ["t-d"]
MORE = TABLES.copy()
MORE.append("t-e")
def main(event, context):
    for table in MORE: scan(table)
""",
        set("abcde"),
    ),
    "lists gone through with other things": (
        """
from functools import reduce
from itertools import chain, islice
def main(event, context):
    for number, table in enumerate(["t-a"]): scan(table)
    for table, key in zip(["t-b"], ["id"]): scan(table)
    for table in sorted({"t-c"}): scan(table)
    for table in filter(None, ["t-d"]): scan(table)
    for table in chain(["t-e"], islice(["t-f"], 1)): scan(table)
    scan(next(iter(["t-g"])))
    scan(reduce(lambda first, second: first or second, ["t-h"]))
    scan(["t-i", "no"][:1][0])
    scan("the t-l"[4:7])
    [*names] = ["t-n", "t-m"]
    names.sort()
    scan(names[0])
    scan(["t-o", "no"][::2][:1].pop(0))
    list(map(scan, ["t-j"]))
    [table] = list(("t-k",))
    scan(table)
""",
        # With a step, a part may have any of the items, and what is first after sorting may be either.
        {*"abcdefghijklmno", "no"},
    ),
    "dicts that change": (
        """
TABLES = {"a": "t-a"}
TABLES.update({"b": "t-b"}, c="t-c")
TABLES.setdefault("d", "t-d")
ALL = {**TABLES, "e": "t-e"} | {"f": "t-f"}
COPY = dict(ALL, g="t-g")
COPY["h"] = "t-h"
def main(event, context):
    for table in COPY.values(): scan(table)
    scan({**TABLES, "a": "t-n"}["a"])
    scan(COPY.pop("i", "t-i"))
    scan(COPY.get("j", "t-j"))
    for name in {"t-k": 1, "t-l": 2}: scan(name)
    for name in {"t-m": 1}.keys(): scan(name)
""",
        set("abcdefghijklmn"),
    ),
    "records": (
        """
from collections import namedtuple
from types import SimpleNamespace
from typing import cast
Table = namedtuple("Table", ["name", "key"])
Index = namedtuple("Index", "table, name")
def main(event, context):
    scan(Table("t-a", "id").name)
    scan(Index(table="t-b", name="by-id").table)
    scan(cast(str, SimpleNamespace(name="t-c").name))
    scan(getattr(Table("t-d", "id"), "name", "no"))
""",
        # `getattr` gives its default, too.
        {*"abcd", "no"},
    ),
    "results of several calls": (
        """
import asyncio
async def load(table):
    scan(table)
    return table + "-more"
async def both():
    for name in await asyncio.gather(load("t-a"), *[load(t) for t in ["t-b"]]):
        scan(name)
def main(event, context):
    asyncio.run(both())
""",
        {"a", "b", "a-more", "b-more"},
    ),
}
JAVASCRIPT: dict[str, tuple[str, set[str]]] = {
    "lists that grow": (
        """
const tables = ["t-a"];
tables.push("t-b");
tables.unshift("t-c");
const all = tables.concat(["t-d"], "t-e");
export const main = async () => {
  for (const table of all) await scan(table);
};""",
        set("abcde"),
    ),
    "methods of lists": (
        """
export const main = async () => {
  ["t-a"].forEach(scan);
  await scan(["t-b"].find((table) => table));
  ["t-c"].some((table) => scan(table));
  for (const table of [["t-d"]].flat()) await scan(table);
  for (const table of ["e"].flatMap((name) => [`t-${name}`])) await scan(table);
  const inOrder = ["t-f"];
  await inOrder.reduce((done, table) => done.then(() => scan(table)), Promise.resolve());
  await scan(["t-g"].filter(Boolean).sort().pop());
  await scan("no/t-m".split("/").slice(-1)[0]);
  const rest = ["no", "t-n"];
  rest.splice(0, 1, "t-o");
  await scan(rest[0]);
  await scan(["t-h"].shift());
  await scan(await Promise.race([Promise.resolve("t-i")]));
  Array.from(["t-j"], scan);
  for (const table of Array.of("t-k")) await scan(table);
  for (const [, table] of ["t-l"].entries()) await scan(table);
};""",
        # A list that was changed within may have any of its items first.
        {*"abcdefghijklmno", "no"},
    ),
    "objects and maps gone through": (
        """
const tables = { a: "t-a", b: "t-b" };
const map = new Map([["c", "t-c"], ...Object.entries({ d: "t-d" })]);
map.set("e", "t-e");
export const main = async () => {
  for (const name in tables) await scan(tables[name]);
  for (const name in tables) await scan(`${name}-key`);
  for (const [name, table] of map.entries()) await scan(table);
  await scan(map.get("e"));
  for (const table of new Set(["t-f"])) await scan(table);
  for (const name of Object.keys({ "t-g": 1 })) await scan(name);
  const copy = Object.fromEntries(Object.entries(tables).map(([key, value]) => [key, `${value}-copy`]));
  for (const table of Object.values(copy)) await scan(table);
  await client.send(new ScanCommand({ ...{ TableName: "no" }, TableName: "t-i" }));
  const { a, ...others } = { a: "no", h: "t-h" };
  for (const table of Object.values(others)) await scan(table);
};""",
        {*"abcdefghi", "a-key", "b-key", "a-copy", "b-copy"},
    ),
}


def _names(found: set[str]) -> set[str]:
    return {name.removeprefix("read ").removeprefix("t-") for name in found}


@pytest.mark.parametrize(("body", "expected"), PYTHON.values(), ids=PYTHON)
def test_names_in_collections_of_python_are_found(
    tmp_path: Path, body: str, expected: set[str]
) -> None:
    scan = "def scan(table): resource.Table(table).scan()\n"
    usage = read_function(tmp_path, {"handler.py": BOTO + scan + body})
    assert _names(accesses(usage)) == expected
    assert places(usage) == []


@pytest.mark.parametrize(("body", "expected"), JAVASCRIPT.values(), ids=JAVASCRIPT)
def test_names_in_collections_of_javascript_are_found(
    tmp_path: Path, body: str, expected: set[str]
) -> None:
    scan = "const scan = (TableName) => client.send(new ScanCommand({ TableName }));\n"
    usage = read_function(tmp_path, {"handler.js": V3 + scan + body})
    assert _names(accesses(usage)) == expected
    assert places(usage) == []

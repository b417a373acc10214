"""Reads Markdown as ``ownership.exchange.exports.to_markdown`` writes it, and as people edit that."""

import re
from dataclasses import dataclass, field
from typing import Any

from ownership.exchange.exports.to_markdown import ENVIRONMENTS, HEAD, INTRODUCTION, TITLE, plain
from ownership.exchange.imports.markdown_sentences import access_fields, keys_of, of_table
from ownership.exchange.imports.statements import KEY_FIELDS, Stated

_SERVICE = re.compile(r"(?P<bold>\*\*)?(?P<name>[^*() ]+)(?(bold)\*\*)(?: \((?P<part_of>[^*() ]+)\))?")
_INDEX = re.compile(r"- Index (?P<name>\S+?)(?: \((?P<kind>GSI|LSI)\))?(?:: (?P<keys>.+))?")
_ENVIRONMENT = re.compile(
    r"- \*\*(?P<name>[^* ]+)\*\* \((?:empty suffix|suffix (?P<suffix>[^) ]+))\)(?:: (?P<description>.*))?"
)


@dataclass
class _Heading:
    """The tables of one heading, until all that stands under it is read."""

    names: list[str]
    line: int
    fields: dict[str, str]
    told: bool = False
    listed: bool = False
    owners: dict[str, int] = field(default_factory=dict)
    rows: list[tuple[int, str, dict]] = field(default_factory=list)
    indexes: list[tuple[int, str, dict]] = field(default_factory=list)


def read(name: str, text: str) -> Stated:
    """What the file states; of each table whose accesses stand in it, all of them."""
    return _Reader(name).read(text)


class _Reader:
    """One run over the lines: the group and the tables that they stand under."""

    def __init__(self, name: str) -> None:
        self.stated = Stated(name, lists={"group", "table"})
        self.group: str | None = None
        self.group_line = 0
        self.environments = False
        self.heading: _Heading | None = None

    def read(self, text: str) -> Stated:
        for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
            line = line.rstrip("\r ")
            if line and not self._understood(number, line):
                self.stated.ignored.append((number, line))
        self._finish()
        return self.stated

    def _understood(self, number: int, line: str) -> bool:
        if line.startswith("### "):
            return self._tables(number, line[4:])
        if line.startswith("## "):
            return self._section(number, line[3:])
        if self.environments:
            return self._environment(number, line)
        if self.heading is not None:
            return self._of_table(number, line, self.heading)
        if self.group is not None and self.group_line and line[0] not in "|#":
            self.group_line = 0
            self.stated.state("group", (self.group,), number, once=False, description=plain(line))
            return True
        return line in (TITLE, INTRODUCTION)

    def _section(self, number: int, text: str) -> bool:
        self._finish()
        self.environments = text == ENVIRONMENTS
        self.group = None
        if self.environments:
            self.stated.lists.add("environment")
        else:
            self.group, self.group_line = plain(text), number
            self.stated.state("group", (self.group,), number)
        return True

    def _tables(self, number: int, text: str) -> bool:
        self._finish()
        if self.group is None:
            self.stated.problem(number, "a table's heading needs a group's heading above it: add `## …`.")
            return True
        names = [plain(name) for name in re.split(r" / |, ", text)]
        fields = dict.fromkeys(["description", *KEY_FIELDS, "more_title", "more_url"], "")
        self.heading = _Heading(names, number, fields)
        return True

    def _environment(self, number: int, line: str) -> bool:
        found = _ENVIRONMENT.fullmatch(line)
        if found is None:
            return False
        suffix, description = (plain(found[part] or "") for part in ("suffix", "description"))
        self.stated.state("environment", (plain(found["name"]),), number, suffix=suffix, description=description)
        return True

    def _of_table(self, number: int, line: str, heading: _Heading) -> bool:
        if line.startswith("|"):
            self._row(number, line, heading)
            return True
        if heading.listed:
            return False
        index = _INDEX.fullmatch(line)
        if index is not None or line.startswith("- Index "):
            keys = keys_of(index["keys"], plain) if index and index["keys"] else dict.fromkeys(KEY_FIELDS, "")
            if index is None or keys is None:
                self.stated.problem(number, "write an index as `- Index name (GSI): id [S] (email) + year`.")
            else:
                heading.indexes.append((number, plain(index["name"]), {"kind": index["kind"] or "", **keys}))
            return True
        if heading.told or line[0] == "#":
            return False
        heading.told = True
        fields = of_table(line, plain)
        if fields is None:
            self.stated.problem(number, "write the key schema as `Primary key: id [S] (email) + year.`")
            return True
        if "owner" in fields:
            heading.owners[fields.pop("owner")] = number
        heading.fields = fields
        return True

    def _row(self, number: int, line: str, heading: _Heading) -> None:
        cells = _cells(line)
        if " ".join(cells).lower() == " ".join(_cells(HEAD)).lower() or all(re.fullmatch(":?-+:?", c) for c in cells):
            heading.listed = True
            return
        if len(cells) != 3:
            self.stated.problem(number, f"has {len(cells)} cells instead of 3: write a | inside a text as \\|.")
            return
        service, mode, notes = cells
        found, fields = _SERVICE.fullmatch(service), access_fields(mode)
        if found is None:
            self.stated.problem(number, f"{service!r} is no service: write `name`, or `name (whole)`.")
        if fields is None:
            modes = "Read, Write or Read + Write"
            self.stated.problem(number, f"{mode!r} is no access: write {modes}, with (indirect) after it or not.")
        if found is None or fields is None:
            return
        name, whole = plain(found["name"]), found["part_of"]
        part_of = plain(whole) if whole else None
        self.stated.state("service", (name,), number, once=False, part_of=part_of)
        if part_of:
            self.stated.state("service", (part_of,), number, once=False)
        if found["bold"]:
            heading.owners.setdefault(name, number)
        heading.rows.append((number, name, {**fields, "notes": plain(notes)}))

    def _finish(self) -> None:
        """State the heading's tables, and that its group has no description where none came."""
        if self.group is not None and self.group_line:
            self.stated.state("group", (self.group,), self.group_line, once=False, description="")
            self.group_line = 0
        heading, self.heading = self.heading, None
        if heading is None or self.group is None:
            return
        if len(heading.owners) > 1:
            line = max(heading.owners.values())
            self.stated.problem(line, f"{' and '.join(heading.owners)} can't both be owner: leave one in bold.")
        fields: dict[str, Any] = dict(heading.fields)
        for owner, line in heading.owners.items():
            fields["owner"] = owner
            self.stated.state("service", (owner,), line, once=False)
        for table in heading.names:
            self.stated.state("table", (table,), heading.line, group=self.group, **fields)
            self.stated.parts.add(("index", table))
            for number, name, said in heading.indexes:
                self.stated.state("index", (table, name), number, **said)
            if heading.listed:
                self.stated.parts.add(("access", table))
            for number, name, said in heading.rows:
                self.stated.state("access", (table, name), number, **said)


def _cells(line: str) -> list[str]:
    """A row's cells; a pipe after a backslash is text."""
    cells, cell, escaped = [], "", False
    for character in line.strip().removeprefix("|"):
        if character == "|" and not escaped:
            cells.append(cell.strip(" "))
            cell = ""
        else:
            cell += character
        escaped = character == "\\" and not escaped
    return [*cells, cell.strip(" ")] if cell.strip(" ") else cells

"""Reads Markdown as ``exports/to_markdown.py`` writes it, and as people edit it."""

import re
from contextlib import suppress
from dataclasses import dataclass, field

from ownership.exchange.exports.to_markdown import (
    ENVIRONMENTS,
    HEAD,
    INTRODUCTION,
    TITLE,
    plain,
)
from ownership.exchange.imports.markdown_sentences import (
    access_fields,
    key_fields,
    table_fields,
)
from ownership.exchange.imports.statements import KEY_FIELDS, Enough, Fields, Statements

_SERVICE = re.compile(r"(?P<bold>\*\*)?(?P<name>[^*() ]+)(?(bold)\*\*)(?: \((?P<part_of>[^*() ]+)\))?")
_INDEX = re.compile(r"- Index (?P<name>\S+?)(?: \((?P<kind>GSI|LSI)\))?(?:: (?P<keys>.+))?")
_ENVIRONMENT = re.compile(
    r"- \*\*(?P<name>[^* ]+)\*\* "
    r"\((?:empty suffix|suffix (?P<suffix>[^) ]+)|pattern (?P<pattern>[^) ]+))\)(?:: (?P<description>.*))?"
)
_RULE_CELL = re.compile(":?-+:?")

INSTEAD_OF_HTML = (
    "copy the table as Markdown, with the columns Service, Access and Notes under a heading ### with the table's name, "
    "or import it as CSV or .xlsx."
)

StatedRow = tuple[int, str, Fields]  # (line, name, fields)


@dataclass
class _TableSection:
    """The tables of one heading, collected until the next heading."""

    names: list[str]
    line: int
    fields: Fields
    has_paragraph: bool = False
    has_accesses: bool = False
    owners: dict[str, int] = field(default_factory=dict)  # {name: line}
    accesses: list[StatedRow] = field(default_factory=list)
    indexes: list[StatedRow] = field(default_factory=list)


def read(name: str, text: str) -> Statements:
    """What the file says; of each table that has a table of accesses, all of them."""
    reader = _Reader(Statements(name, len(text), complete_kinds={"group", "table"}))
    with suppress(Enough):
        reader.read(text)
    return reader.statements


class _Reader:
    """One run over the lines: the group and the tables that the current line belongs to."""

    def __init__(self, statements: Statements) -> None:
        self.statements = statements
        self.group: str | None = None
        self.group_line = 0  # of a group whose description may still come
        self.in_environments = False
        self.section: _TableSection | None = None

    def read(self, text: str) -> None:
        for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
            line = line.rstrip("\r ")
            if line and not self._read_line(number, line):
                self.statements.ignored.append((number, line))
        self._finish_section()

    def _read_line(self, number: int, line: str) -> bool:
        """Read one line; False if it is not understood."""
        if line.startswith("### "):
            self._begin_tables(number, line[4:])
            return True
        if line.startswith("## "):
            self._begin_group(number, line[3:])
            return True
        if self.in_environments:
            return self._read_environment(number, line)
        if self.section is not None:
            return self._read_in_section(number, line, self.section)
        if self.group is not None and self.group_line and line[0] not in "|#":
            self.group_line = 0
            self.statements.mention("group", (self.group,), number, {"description": plain(line)})
            return True
        return line in (TITLE, INTRODUCTION)

    def _begin_group(self, number: int, text: str) -> None:
        self._finish_section()
        # The text as it is: a group of that name has its heading escaped.
        self.in_environments = text == ENVIRONMENTS
        if self.in_environments:
            self.group = None
            self.statements.complete_kinds.add("environment")
        else:
            self.group, self.group_line = plain(text), number
            self.statements.add("group", (self.group,), number, {})

    def _begin_tables(self, number: int, text: str) -> None:
        self._finish_section()
        if self.group is None:
            self.statements.problem(
                number,
                "a table's heading needs a group's heading above it: add `## …`.",
            )
            return
        names = [plain(name) for name in re.split(r" / |, ", text)]
        fields = dict.fromkeys(["description", *KEY_FIELDS, "more_title", "more_url"], "")
        self.section = _TableSection(names, number, {**fields})

    def _read_environment(self, number: int, line: str) -> bool:
        match = _ENVIRONMENT.fullmatch(line)
        if match is None:
            return False
        fields: Fields = {
            "suffix": plain(match["suffix"] or ""),
            "pattern": plain(match["pattern"] or ""),
            "description": plain(match["description"] or ""),
        }
        self.statements.add("environment", (plain(match["name"]),), number, fields)
        return True

    def _read_in_section(self, number: int, line: str, section: _TableSection) -> bool:
        if line.startswith("|"):
            self._read_row(number, line, section)
            return True
        if section.has_accesses:
            return False  # nothing of a table comes after its accesses
        if line.startswith("- Index "):
            return self._read_index(number, line, section)
        if section.has_paragraph or line[0] == "#":
            return False
        self._read_paragraph(number, line, section)
        return True

    def _read_index(self, number: int, line: str, section: _TableSection) -> bool:
        match = _INDEX.fullmatch(line)
        keys: Fields | None = dict.fromkeys(KEY_FIELDS, "")
        if match and match["keys"]:
            keys = key_fields(match["keys"])
        if match is None or keys is None:
            self.statements.problem(number, "write an index as `- Index name (GSI): id [S] (email) + year`.")
        else:
            section.indexes.append((number, plain(match["name"]), {"kind": match["kind"] or "", **keys}))
        return True

    def _read_paragraph(self, number: int, line: str, section: _TableSection) -> None:
        section.has_paragraph = True
        fields = table_fields(line)
        if fields is None:
            self.statements.problem(number, "write the key schema as `Primary key: id [S] (email) + year.`")
            return
        owner = fields.pop("owner", None)
        if owner is not None:
            section.owners[str(owner)] = number
        section.fields = fields

    def _read_row(self, number: int, line: str, section: _TableSection) -> None:
        cells = _cells(line)
        if _is_head_or_rule(cells):
            section.has_accesses = True
            return
        if len(cells) != 3:
            self.statements.problem(
                number,
                f"has {len(cells)} cells instead of 3: write a | inside a text as \\|.",
            )
            return
        service, mode, notes = cells
        match = _SERVICE.fullmatch(service)
        fields = access_fields(mode)
        if match is None:
            self.statements.problem(
                number,
                f"{service!r} is not a service: write `name`, or `name (parent)`.",
            )
        if fields is None:
            self.statements.problem(
                number,
                f"{mode!r} is not an access: write Read, Write or Read + Write, with or without (indirect).",
            )
        if match is None or fields is None:
            return
        name = plain(match["name"])
        part_of = plain(match["part_of"]) if match["part_of"] else None
        self.statements.mention("service", (name,), number, {"part_of": part_of})
        if part_of:
            self.statements.mention("service", (part_of,), number)
        if match["bold"]:
            # A sentence may have named the same owner before.
            section.owners.setdefault(name, number)
        section.accesses.append((number, name, {**fields, "notes": plain(notes)}))

    def _finish_section(self) -> None:
        """State the tables of the section. A group without a paragraph of its own has no description."""
        if self.group is not None and self.group_line:
            self.statements.mention("group", (self.group,), self.group_line, {"description": ""})
            self.group_line = 0
        section, self.section = self.section, None
        if section is None or self.group is None:
            return
        if len(section.owners) > 1:
            line = max(section.owners.values())
            owners = " and ".join(section.owners)
            self.statements.problem(line, f"{owners} can't both be owner: leave one in bold.")
        fields: Fields = {"group": self.group, **section.fields}
        for owner, line in section.owners.items():
            fields["owner"] = owner
            self.statements.mention("service", (owner,), line)
        for table in section.names:
            self.statements.add("table", (table,), section.line, fields)
            self._add_parts(table, section)

    def _add_parts(self, table: str, section: _TableSection) -> None:
        self.statements.complete_parts.add(("index", table))
        for line, name, fields in section.indexes:
            self.statements.add("index", (table, name), line, fields)
        if section.has_accesses:
            self.statements.complete_parts.add(("access", table))
        for line, name, fields in section.accesses:
            self.statements.add("access", (table, name), line, fields)


def _cells(line: str) -> list[str]:
    """A row's cells; a pipe after a backslash is text."""
    cells = []
    cell = ""
    escaped = False
    for character in line.strip().removeprefix("|"):
        if character == "|" and not escaped:
            cells.append(cell.strip(" "))
            cell = ""
        else:
            cell += character
        escaped = character == "\\" and not escaped
    if cell.strip(" "):
        cells.append(cell.strip(" "))
    return cells


def _is_head_or_rule(cells: list[str]) -> bool:
    if [cell.lower() for cell in cells] == [cell.lower() for cell in _cells(HEAD)]:
        return True
    return all(_RULE_CELL.fullmatch(cell) for cell in cells)

"""Reads Markdown as ``exports/to_markdown.py`` writes it, and as people edit it."""

import re
from contextlib import suppress
from dataclasses import dataclass, field

from markdown_it.token import Token

from ownership.exchange.exports.to_markdown import ENVIRONMENTS, INTRODUCTION, TEAMS, TITLE, plain
from ownership.exchange.imports.markdown_blocks import Block, blocks, line_of, words
from ownership.exchange.imports.markdown_sentences import access_fields, key_fields, table_fields
from ownership.exchange.imports.statements import KEY_FIELDS, Enough, Fields, Statements
from ownership.exchange.texts import single_spaced, trimmed, with_unix_line_ends

_SERVICE = re.compile(r"(?P<name>[^*() ]+)(?: \((?P<part_of>[^*() ]+)\))?")
_INDEX = re.compile(r"Index (?P<name>\S+?)(?: \((?P<kind>GSI|LSI)\))?(?:: (?P<keys>.+))?")
_ENVIRONMENT = re.compile(
    r"(?P<name>\S+) "
    r"\((?:empty suffix|suffix (?P<suffix>[^) ]+)|pattern (?P<pattern>[^) ]+))\)(?:: (?P<description>.*))?"
)
_TEAM_WORD = r"(?:[^\\,:]|\\.)+"
_TEAM = re.compile(
    rf"(?P<name>{_TEAM_WORD})(?:, contact (?P<contact>{_TEAM_WORD}))?(?:, e-mail (?P<email>{_TEAM_WORD}))?"
    r"(?:: (?P<services>.+))?"
)
_CELL_END = re.compile(r"(?<!\\)\|")
_HTML_TABLE = re.compile(r"<(table|thead|tbody|tr|td|th)\b", re.IGNORECASE)
_FRONT_MATTER = re.compile(r"---[ \t]*\n(?:(?:[\w-]+:|[ \t#-]).*\n|\n)+?---[ \t]*(?:\n|\Z)")
COLUMNS = ("service", "access", "notes")
EXPECTED = (
    "Expected a group's heading `## …`, below it a table's heading `### …`, and below that a table with the head "
    "| Service | Access | Notes |."
)
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
    paragraphs: list[str] = field(default_factory=list)
    has_accesses: bool = False
    owners: dict[str, int] = field(default_factory=dict)  # {name: line}
    accesses: list[StatedRow] = field(default_factory=list)
    indexes: list[StatedRow] = field(default_factory=list)


def read(name: str, text: str) -> Statements:
    """What the file says; of each table that has a table of accesses, all of them."""
    text = _without_front_matter(with_unix_line_ends(text.removeprefix("\ufeff")))
    reader = _Reader(
        Statements(name, len(text), complete_kinds={"group", "table"}), text.split("\n")
    )
    with suppress(Enough):
        reader.read(text)
    return reader.statements


class _Reader:
    """One run over the blocks: the group and the tables that the current block belongs to."""

    def __init__(self, statements: Statements, lines: list[str]) -> None:
        self.statements = statements
        self.lines = lines
        self.has_title = False
        self.group: str | None = None
        self.group_line = 0  # of a group whose description may still come
        self.group_paragraphs: list[str] = []
        # The heading of a list that belongs to no group: ENVIRONMENTS or TEAMS.
        self.list_heading = ""
        self.section: _TableSection | None = None

    def read(self, text: str) -> None:
        for number, line in enumerate(self.lines, 1):
            if "\0" in line:
                self.statements.problem(number, "Remove the NUL character.")
        for block in blocks(text):
            if not self._read_block(block):
                self._ignore(block.line, block.end)
        self._finish_section()
        self._refuse_if_nothing_is_understood()

    def _ignore(self, first: int, last: int) -> None:
        for number in range(first, last + 1):
            line = self.lines[number - 1].rstrip()
            if line:
                self.statements.ignored.append((number, line))

    def _refuse_if_nothing_is_understood(self) -> None:
        if self.statements.problems:
            return
        kinds = {kind for (kind, _), _ in self.statements.by_mention}
        if not kinds - {"group"} and (self.statements.ignored or not (kinds or self.has_title)):
            self.statements.problem(
                "", f"nothing in it is understood as tables and accesses. {EXPECTED}"
            )

    def _read_block(self, block: Block) -> bool:
        """Read one block; False if it is not understood."""
        match block.kind:
            case "h1":
                self.has_title = words(block.inline) == TITLE.removeprefix("# ")
                return self.has_title
            case "h2":
                self._begin_group(block.line, words(block.inline, links=False))
                return True
            case "h3":
                self._begin_tables(block.line, words(block.inline, links=False))
                return True
            case "paragraph":
                return self._read_paragraph(block.line, block.inline)
            case "bullet_list":
                return self._read_list(block)
            case "table":
                return self._read_table(block)
            case "html_block":
                return self._read_html(block)
        return block.kind == "hr"

    def _begin_group(self, number: int, text: str) -> None:
        self._finish_section()
        # The text as it is: a group of that name has its heading escaped.
        self.list_heading = text if text in (ENVIRONMENTS, TEAMS) else ""
        if self.list_heading:
            self.group = None
            if self.list_heading == ENVIRONMENTS:
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

    def _read_paragraph(self, number: int, inline: Token) -> bool:
        text = words(inline)
        if inline.content.startswith("|") and not self.list_heading:
            self.statements.problem(
                number, "is no table: a table begins with a head and a rule, |---|---|---|."
            )
        elif self.section is not None and not self.section.has_accesses:
            self._read_sentences(number, text, self.section)
        elif self.section is None and self.group is not None:
            self.group_paragraphs.append(plain(text))
        else:
            return not self.list_heading and text == INTRODUCTION
        return True

    def _read_sentences(self, number: int, text: str, section: _TableSection) -> None:
        """Read a paragraph of a table."""
        fields = table_fields(text)
        if fields is None:
            self.statements.problem(
                number, "write the key schema as `Primary key: id [S] (email) + year.`"
            )
            return
        owner = fields.pop("owner", None)
        if owner is not None:
            section.owners[str(owner)] = number
        description = fields.pop("description")
        if description:
            section.paragraphs.append(str(description))
        for name, value in fields.items():
            if value and section.fields[name]:
                self.statements.problem(number, f"{name} is given twice: remove one of the two.")
            section.fields[name] = value or section.fields[name]

    def _read_list(self, block: Block) -> bool:
        section = self.section
        if not self.list_heading and (section is None or section.has_accesses):
            return False
        for item in block.parts("list_item_open"):
            if not self._read_item(item):
                for token in item:
                    first, last = token.map or (0, 0)
                    self._ignore(first + 1, last)
        return True

    def _read_item(self, item: list[Token]) -> bool:
        if len(item) != 1 or item[0].type != "inline":
            return False
        [inline] = item
        if self.section is not None:
            return self._read_index(inline, self.section)
        if self.list_heading == TEAMS:
            return self._read_team(inline)
        return self._read_environment(inline)

    def _read_environment(self, inline: Token) -> bool:
        match = _ENVIRONMENT.fullmatch(words(inline))
        if match is None:
            return False
        fields: Fields = {
            "suffix": plain(match["suffix"] or ""),
            "pattern": plain(match["pattern"] or ""),
            "description": plain(match["description"] or ""),
        }
        self.statements.add("environment", (plain(match["name"]),), line_of(inline), fields)
        return True

    def _read_team(self, inline: Token) -> bool:
        match = _TEAM.fullmatch(words(inline))
        if match is None:
            return False
        number = line_of(inline)
        team = plain(match["name"])
        fields: Fields = {
            "contact": plain(match["contact"] or ""),
            "email": plain(match["email"] or ""),
        }
        self.statements.add("team", (team,), number, fields)
        for text in (match["services"] or "").split(", "):
            if text:
                self.statements.mention("service", (plain(text),), number, {"team": team})
        return True

    def _read_index(self, inline: Token, section: _TableSection) -> bool:
        text = words(inline)
        if not text.startswith("Index "):
            return False
        match = _INDEX.fullmatch(text)
        keys: Fields | None = dict.fromkeys(KEY_FIELDS, "")
        if match and match["keys"]:
            keys = key_fields(match["keys"])
        if match is None or keys is None:
            self.statements.problem(
                line_of(inline), "write an index as `- Index name (GSI): id [S] (email) + year`."
            )
        else:
            stated = (line_of(inline), plain(match["name"]), {"kind": match["kind"] or "", **keys})
            section.indexes.append(stated)
        return True

    def _read_html(self, block: Block) -> bool:
        if _HTML_TABLE.search(block.html):
            self.statements.problem(block.line, f"is a table in HTML: {INSTEAD_OF_HTML}")
            return True
        return trimmed(block.html).startswith("<!--")

    def _read_table(self, block: Block) -> bool:
        if self.list_heading:
            return False
        section = self.section
        if section is None:
            self.statements.problem(
                block.line,
                "a table of accesses needs the heading of its table above it: add `### …`.",
            )
            return True
        if section.has_accesses:
            self.statements.problem(
                block.line, "is a second table of accesses: make one of the two."
            )
            return True
        section.has_accesses = True
        head, *rows = block.parts("tr_open")
        columns = [single_spaced(plain(words(cell, links=False))).lower() for cell in head]
        if sorted(columns) != sorted(COLUMNS):
            self.statements.problem(
                block.line, "the head of a table of accesses is | Service | Access | Notes |."
            )
            return True
        for cells in rows:
            by_column = dict(zip(columns, cells, strict=True))
            self._read_row(line_of(cells[0]), by_column, section)
        return True

    def _read_row(self, number: int, cells: dict[str, Token], section: _TableSection) -> None:
        count = _cell_count(self.lines[number - 1])
        if count > len(COLUMNS):
            self.statements.problem(
                number,
                f"has {count} cells instead of 3: write a | inside a text as \\|.",
            )
            return
        service = single_spaced(words(cells["service"], bold="**", links=False))
        mode = words(cells["access"], links=False)
        match = _SERVICE.fullmatch(service.replace("**", ""))
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
        if service.startswith("**"):
            # A sentence may have named the same owner before.
            section.owners.setdefault(name, number)
        section.accesses.append((number, name, {**fields, "notes": plain(words(cells["notes"]))}))

    def _finish_section(self) -> None:
        """State the tables of the section, and before the first one the group's description."""
        if self.group is not None and self.group_line:
            description = "\n\n".join(self.group_paragraphs)
            self.statements.mention(
                "group", (self.group,), self.group_line, {"description": description}
            )
            self.group_line = 0
            self.group_paragraphs = []
        section, self.section = self.section, None
        if section is None or self.group is None:
            return
        if len(section.owners) > 1:
            line = max(section.owners.values())
            owners = " and ".join(section.owners)
            self.statements.problem(line, f"{owners} can't both be owner: leave one in bold.")
        fields: Fields = {
            "group": self.group,
            **section.fields,
            "description": "\n\n".join(section.paragraphs),
        }
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


def _without_front_matter(text: str) -> str:
    """The text with blank lines for what site generators keep in YAML at the top: the title, most often."""
    match = _FRONT_MATTER.match(text)
    if match is None:
        return text
    return "\n" * match[0].count("\n") + text[match.end() :]


def _cell_count(line: str) -> int:
    """How many cells a row has, those included that a renderer leaves out."""
    line = trimmed(line).removeprefix("|")
    cells = _CELL_END.split(line)
    if not trimmed(cells[-1]):
        cells.pop()
    return len(cells)

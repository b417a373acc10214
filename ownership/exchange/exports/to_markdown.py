r"""The map as Markdown, in the shape of the document that it began as.

Whatever a name or note contains, it reads as itself, both in any renderer and in ``exchange/imports``, which gets each
text back exactly: markup is escaped by ``\``, line breaks are ``<br>``, and invisible characters are character
references.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby

from ownership.exchange.exports import MapContent
from ownership.models import Mode

TITLE = "# Table Ownership Map"
INTRODUCTION = (
    "A map of every DynamoDB table to the services that create, read, and write records in it. "
    "Use this to trace data flow when debugging or planning changes."
)
ENVIRONMENTS = "Environment Suffix Reminder"
TEAMS = "Teams and Their Services"
HEAD = "| Service | Access | Notes |"
RULE = "|---|---|---|"
MODE_NAMES: dict[str, str] = dict(Mode.choices)

PartOf = dict[str, str | None]  # {service: the one that it is part of}

# Markup; an underscore only where it could begin or end emphasis; and what is invisible or ends a line.
_MARKS = re.compile(r"[\\`*\[\]<|~$]|&(?=#?[A-Za-z0-9]+;)|(?<![^\W_])_|_(?![^\W_])")
_UNSEEN = re.compile(
    "^[^\\S\n]|[^\\S\n]$|[\x00-\x09\x0b-\x1f\x7f-\xa0\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
_REFERENCE = re.compile(r"\\([!-/:-@\[-`{-~])|&#([0-9]{1,7});|<br>")
# What would make a line something other than text, and what reads as a generated sentence.
_BEGINS = re.compile(r"^([#+=>-]|[0-9]+(?=[.)]))")
_SENTENCES = re.compile(r"[Pp]rimary [Kk]ey:|[Oo]wned by|for details\.")


def escaped(text: str) -> str:
    """Any text, as one line of Markdown."""
    text = _MARKS.sub(r"\\\g<0>", text)
    text = _UNSEEN.sub(lambda match: _reference(match[0]), text)
    return text.replace("\n", "<br>")


def plain(text: str) -> str:
    """The text that ``escaped`` was given. For Markdown written by hand, what a renderer would show."""
    return _REFERENCE.sub(_referred, text)


def _reference(character: str) -> str:
    """A character reference, for what would be read as markup or lost."""
    return f"&#{ord(character)};"


def _referred(match: re.Match) -> str:
    escaped_mark, number = match[1], int(match[2] or 0)
    if escaped_mark:
        return escaped_mark
    if not match[2]:
        return "\n"
    is_surrogate = 0xD800 <= number < 0xE000
    if is_surrogate or not 0 < number < 0x110000:
        return match[0]
    return chr(number)


def render(content: MapContent) -> str:
    """The whole document. Neighbouring tables that differ by name alone share one heading."""
    return "\n".join(_lines(content))


def _lines(content: MapContent) -> Iterator[str]:
    yield from (TITLE, "", INTRODUCTION, "")
    part_of = {service["name"]: service["part_of"] for service in content["services"]}
    tables_by_group: dict[str, list[MapContent]] = defaultdict(list)
    for table in content["tables"]:
        tables_by_group[table["group"]].append(table)
    for group in content["groups"]:
        yield from (f"## {_heading(group['name'])}", "")
        if group["description"]:
            yield from (_prose(group["description"]), "")
        yield from _tables(tables_by_group[group["name"]], part_of)
    if content["environments"]:
        yield from _environments(content["environments"])
    if content["teams"]:
        yield from _teams(content["teams"], content["services"])


def _environments(environments: Iterable[MapContent]) -> Iterator[str]:
    yield from (f"## {ENVIRONMENTS}", "")
    for environment in environments:
        addition = "empty suffix"
        if environment["suffix"]:
            addition = f"suffix {escaped(environment['suffix'])}"
        if environment["pattern"]:
            addition = f"pattern {escaped(environment['pattern'])}"
        line = f"- **{escaped(environment['name'])}** ({addition})"
        if environment["description"]:
            line += f": {escaped(environment['description'])}"
        yield line
    yield ""


def _teams(teams: Iterable[MapContent], services: Iterable[MapContent]) -> Iterator[str]:
    """A line for each team: its contact, its address, and the services that belong to it."""
    yield from (f"## {TEAMS}", "")
    for team in teams:
        line = f"- **{_team_word(team['name'])}**"
        if team["contact"]:
            line += f", contact {_team_word(team['contact'])}"
        if team["email"]:
            line += f", e-mail {_team_word(team['email'])}"
        names = [
            escaped(service["name"]) for service in services if service["team"] == team["name"]
        ]
        if names:
            line += f": {', '.join(names)}"
        yield line
    yield ""


def _team_word(text: str) -> str:
    """A text in a team's line, in which a comma and a colon end nothing."""
    return re.sub(r"[,:]", r"\\\g<0>", escaped(text))


def _tables(tables: Iterable[MapContent], part_of: PartOf) -> Iterator[str]:
    """The tables of a group."""
    for _, run in groupby(tables, key=_all_but_name):
        alike = list(run)
        names = [escaped(table["name"]) for table in alike]
        yield from (f"### {' / '.join(names)}", "")
        yield from _table(alike[0], part_of)


def _all_but_name(table: MapContent) -> MapContent:
    return table | {"name": "", "physical_name": ""}


def _table(table: MapContent, part_of: PartOf) -> Iterator[str]:
    """What comes after a table's heading."""
    sentences = list(_sentences(table))
    if sentences:
        yield from (" ".join(sentences), "")
    for index in table["indexes"]:
        yield _index(index)
    if table["indexes"]:
        yield ""
    yield from (HEAD, RULE)
    for access in table["accesses"]:
        yield _access(access, table["owner"], part_of.get(access["service"]))
    yield ""


def _sentences(table: MapContent) -> Iterator[str]:
    """The table's paragraph. The owner is in bold among the accesses, or else has a sentence."""
    if table["description"]:
        yield _prose(table["description"])
    if table["key_schema"]:
        yield f"Primary key: {key_text(table['key_schema'])}."
    services = [access["service"] for access in table["accesses"]]
    if table["owner"] not in services:
        yield f"Owned by {escaped(table['owner'])}."
    if table["more"]:
        yield f"See {_more(table['more'])} for details."


def _index(index: MapContent) -> str:
    line = f"- Index {escaped(index['name'])}"
    if index["kind"]:
        line += f" ({index['kind']})"
    if index["key_schema"]:
        line += f": {key_text(index['key_schema'])}"
    return line


def _access(access: MapContent, owner: str, parent: str | None) -> str:
    service = escaped(access["service"])
    if access["service"] == owner:
        service = f"**{service}**"
    if parent:
        service += f" ({escaped(parent)})"
    mode = MODE_NAMES[access["mode"]]
    if access["indirect"]:
        mode += " (indirect)"
    return f"| {service} | {mode} | {escaped(access['notes'])} |"


def key_text(key_schema: MapContent) -> str:
    """``id [S] (email) + year``: names, types in brackets, formats in parentheses."""
    keys = []
    for key in key_schema.values():
        if key is None:
            continue
        text = _key_word(key["name"])
        if key["type"]:
            text += f" [{key['type']}]"
        if key["format"]:
            text += f" ({_key_word(key['format'])})"
        keys.append(text)
    return " + ".join(keys)


def _key_word(text: str) -> str:
    return re.sub(r"[()+]", r"\\\g<0>", _without_sentences(escaped(text)))


def _more(more: MapContent) -> str:
    """A link where there is an address."""
    title = _without_sentences(escaped(more["title"])).replace("See ", "See&#32;")
    if not more["url"]:
        return title
    url = _without_sentences(escaped(more["url"]))
    url = re.sub(r"[()]", r"\\\g<0>", url).replace(" ", "&#32;")
    return f"[{title}]({url})"


def _heading(text: str) -> str:
    """A heading that keeps a # at its end, and is not taken for that of environments or teams."""
    text = re.sub("(?<!&)#", r"\\#", escaped(text))
    if text in (ENVIRONMENTS, TEAMS):
        return _reference(text[0]) + text[1:]
    return text


def _prose(text: str) -> str:
    """A text at the beginning of a line."""
    if text == "\n":
        return _reference(text)  # a line of `<br>` alone would be a block of HTML
    return _without_sentences(_BEGINS.sub(_unlike_a_mark, escaped(text)))


def _unlike_a_mark(match: re.Match) -> str:
    if match[0].isdigit():
        return f"{match[0]}\\"
    return f"\\{match[0]}"


def _without_sentences(text: str) -> str:
    """The text, in which nothing can be taken for a generated sentence."""
    return _SENTENCES.sub(lambda match: match[0][:-1] + _reference(match[0][-1]), text)

r"""The map as Markdown, in the shape of the document that it began as.

Whatever a name or note holds, it reads as itself, in any renderer and for ``ownership.imports``, which takes each text
back exactly: marks are escaped by ``\``, line breaks are ``<br>``, and what can't be seen is a character reference.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from ownership.models import Mode

TITLE = "# Table Ownership Map"
INTRODUCTION = (
    "A map of every DynamoDB table to the services that create, read, and write records in it. "
    "Use this to trace data flow when debugging or planning changes."
)
ENVIRONMENTS = "Environment Suffix Reminder"
HEAD = "| Service | Access | Notes |"
RULE = "|---|---|---|"
MODES = {str(value): str(label) for value, label in Mode.choices}

# Marks; an underscore only where it could begin or end emphasis; and what can't be seen or ends a line.
_MARKS = re.compile(r"[\\`*\[\]<|~$]|&(?=#?[A-Za-z0-9]+;)|(?<![^\W_])_|_(?![^\W_])")
_UNSEEN = re.compile(
    "^[^\\S\n]|[^\\S\n]$|[\x00-\x09\x0b-\x1f\x7f-\xa0\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
_REFERENCE = re.compile(r"\\([!-/:-@\[-`{-~])|&#([0-9]{1,7});|<br>")
# What a line of text would be taken for by its beginning, and what reads as one of our own sentences.
_BEGINS = re.compile(r"^([#+=>-]|[0-9]+(?=[.)]))")
_SENTENCES = re.compile(r"Primary key:|[Oo]wned by|for details\.")


def escaped(text: str) -> str:
    """Any text, on one line of Markdown."""
    text = _UNSEEN.sub(lambda found: f"&#{ord(found[0])};", _MARKS.sub(r"\\\g<0>", text))
    return text.replace("\n", "<br>")


def plain(text: str) -> str:
    """The text that ``escaped`` made it of; of what people wrote by hand, what a renderer would show."""
    return _REFERENCE.sub(_referred, text)


def _referred(found: re.Match) -> str:
    if found[1]:
        return found[1]
    if found[2]:
        number = int(found[2])
        return chr(number) if 0 < number < 0x110000 and not 0xD800 <= number < 0xE000 else found[0]
    return "\n"


def render(content: dict[str, Any]) -> str:
    """The whole document. Tables that stand together and differ by name alone share one heading."""
    return "\n".join(_lines(content))


def _lines(content: dict[str, Any]) -> Iterator[str]:
    yield from (TITLE, "", INTRODUCTION, "")
    part_of = {service["name"]: service["part_of"] for service in content["services"]}
    tables: dict[str, list[dict[str, Any]]] = {group["name"]: [] for group in content["groups"]}
    for table in content["tables"]:
        tables[table["group"]].append(table)
    for group in content["groups"]:
        yield from (f"## {_heading(group['name'])}", "")
        if group["description"]:
            yield from (_prose(group["description"]), "")
        for _, alike in groupby(tables[group["name"]], key=_all_but_name):
            same = list(alike)
            yield f"### {' / '.join(escaped(table['name']) for table in same)}"
            yield ""
            yield from _table(same[0], part_of)
    if content["environments"]:
        yield from (f"## {ENVIRONMENTS}", "")
        for environment in content["environments"]:
            suffix = f"suffix {escaped(environment['suffix'])}" if environment["suffix"] else "empty suffix"
            said = escaped(environment["description"])
            yield f"- **{escaped(environment['name'])}** ({suffix}){': ' if said else ''}{said}"
        yield ""


def _all_but_name(table: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in ("name", "physical_name")}


def _table(table: dict[str, Any], part_of: dict[str, str | None]) -> Iterator[str]:
    """What stands under a table's heading."""
    owner = table["owner"]
    sentences = [_prose(table["description"])] if table["description"] else []
    if table["key_schema"]:
        sentences.append(f"Primary key: {key_text(table['key_schema'])}.")
    if all(access["service"] != owner for access in table["accesses"]):
        sentences.append(f"Owned by {escaped(owner)}.")
    if table["more"]:
        sentences.append(f"See {_more(table['more'])} for details.")
    if sentences:
        yield from (" ".join(sentences), "")
    for index in table["indexes"]:
        kind = f" ({index['kind']})" if index["kind"] else ""
        keys = f": {key_text(index['key_schema'])}" if index["key_schema"] else ""
        yield f"- Index {escaped(index['name'])}{kind}{keys}"
    if table["indexes"]:
        yield ""
    yield from (HEAD, RULE)
    for access in table["accesses"]:
        name = escaped(access["service"])
        whole = part_of.get(access["service"])
        service = (f"**{name}**" if access["service"] == owner else name) + (f" ({escaped(whole)})" if whole else "")
        mode = MODES[access["mode"]] + (" (indirect)" if access["indirect"] else "")
        yield f"| {service} | {mode} | {escaped(access['notes'])} |"
    yield ""


def key_text(key_schema: dict[str, Any]) -> str:
    """``id [S] (email) + year``: names, types in brackets, formats in parentheses."""
    return " + ".join(
        _key_word(key["name"])
        + (f" [{key['type']}]" if key["type"] else "")
        + (f" ({_key_word(key['format'])})" if key["format"] else "")
        for key in key_schema.values()
        if key is not None
    )


def _key_word(text: str) -> str:
    return re.sub(r"[()+]", r"\\\g<0>", _without_sentences(escaped(text)))


def _more(more: dict[str, Any]) -> str:
    """A link where there is an address."""
    title = _without_sentences(escaped(more["title"])).replace("See ", "See&#32;")
    if not more["url"]:
        return title
    url = re.sub(r"[()]", r"\\\g<0>", _without_sentences(escaped(more["url"]))).replace(" ", "&#32;")
    return f"[{title}]({url})"


def _heading(text: str) -> str:
    """A heading that ends in its own #, and is not taken for that of the environments."""
    text = re.sub("(?<!&)#", r"\\#", escaped(text))
    return f"&#{ord(text[0])};{text[1:]}" if text == ENVIRONMENTS else text


def _prose(text: str) -> str:
    """A text that stands at the beginning of a line."""
    return _without_sentences(_BEGINS.sub(_unlike_a_mark, escaped(text)))


def _unlike_a_mark(found: re.Match) -> str:
    return f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}"


def _without_sentences(text: str) -> str:
    """Whatever reads like one of our own sentences is written so that it is not taken for it."""
    return _SENTENCES.sub(lambda found: f"{found[0][:-1]}&#{ord(found[0][-1])};", text)

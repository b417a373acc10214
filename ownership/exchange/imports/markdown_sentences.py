"""The sentences that the Markdown export writes about a table, read back as fields."""

import re

from ownership.exchange.exports.to_markdown import MODE_NAMES, plain
from ownership.exchange.imports.modes import spelled_mode
from ownership.exchange.imports.statements import KEY_FIELDS, Fields

_MODES = {label.lower(): value for value, label in MODE_NAMES.items()}

# Each sentence is searched for at the end of what remains of the paragraph.
_MORE = re.compile(r"(?P<rest>.*?)(?:^| |<br>)See (?:\[(?P<linked>(?:[^\\\[\]]|\\.)*)\]\((?P<url>(?:[^\\()]|\\.)*)\)|"
                   r"(?P<title>(?:(?!(?:^| |<br>)See ).)+)) for details\.")  # fmt: skip
_OWNER = re.compile(
    r"(?P<rest>.*?)(?:^| |<br>)(?:All\s+owned|Owned)\s+by\s+(?:the\s+)?(?P<owner>\S+?)(?:\s+service)?\."
)
_KEYS = re.compile(r"(?P<rest>.*?)(?:^| |<br>)[Pp]rimary\s+[Kk]ey:\s+(?P<keys>.+)\.")
_WORD = r"(?:[^\\()\[\]]|\\.)+"
_KEY = re.compile(rf"(?P<name>{_WORD}?)(?: \[(?P<type>[SNB])\])?(?: \((?P<format>{_WORD})\))?")


def table_fields(line: str) -> Fields | None:
    """The fields that a table's paragraph states, ``owner`` only if it does; None if its keys are unclear."""
    fields: Fields = dict.fromkeys(["description", *KEY_FIELDS, "more_title", "more_url"], "")
    more = _MORE.fullmatch(line)
    if more:
        line = more["rest"]
        title = more["title"] if more["linked"] is None else more["linked"]
        fields["more_title"] = plain(title)
        fields["more_url"] = plain(more["url"] or "")
    owner = _OWNER.fullmatch(line)
    if owner:
        line = owner["rest"]
        fields["owner"] = plain(owner["owner"])
    keys = _KEYS.fullmatch(line)
    if keys:
        line = keys["rest"]
        columns = key_fields(keys["keys"])
        if columns is None:
            return None
        fields |= columns
    fields["description"] = plain(line)
    return fields


def key_fields(text: str) -> Fields | None:
    """The six fields of ``id [S] (email) + year``; None if it does not have that form."""
    fields: Fields = dict.fromkeys(KEY_FIELDS, "")
    keys = text.split(" + ")
    if len(keys) > 2:
        return None
    for role, key in zip(("partition_key", "sort_key"), keys, strict=False):
        match = _KEY.fullmatch(key)
        if match is None:
            return None
        for part in ("name", "type", "format"):
            fields[f"{role}_{part}"] = plain(match[part] or "")
    return fields


def access_fields(mode: str) -> Fields | None:
    """Mode and indirect of ``Write (indirect)``; None if it is not a mode."""
    mode = spelled_mode(mode)
    value = _MODES.get(mode.removesuffix(" (indirect)"))
    if value is None:
        return None
    return {"mode": value, "indirect": mode.endswith(" (indirect)")}

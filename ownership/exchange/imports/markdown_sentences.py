"""What Markdown and the original document have in common: the sentences about a table, and how modes are written."""

import re
from collections.abc import Callable
from typing import Any

from ownership.exchange.exports.to_markdown import MODES
from ownership.exchange.imports.statements import KEY_FIELDS

MODE = {label: value for value, label in MODES.items()}
# A mode as an access's row has it; the longest first.
MODE_WORDS = "|".join(re.escape(words) for words in sorted(MODE, key=len, reverse=True))

_MORE = re.compile(r"(?P<rest>.*?)(?:^| )See (?:\[(?P<linked>(?:[^\\\[\]]|\\.)*)\]\((?P<url>(?:[^\\()]|\\.)*)\)|"
                   r"(?P<title>(?:(?!(?:^| )See ).)+)) for details\.")  # fmt: skip
_OWNER = re.compile(r"(?P<rest>.*?)(?:^| )(?:All owned|Owned) by (?:the )?(?P<owner>\S+?)(?: service)?\.")
_KEYS = re.compile(r"(?P<rest>.*?)(?:^| )Primary key: (?P<keys>.+)\.")
_WORD = r"(?:[^\\()\[\]]|\\.)+"
_KEY = re.compile(rf"(?P<name>{_WORD}?)(?: \[(?P<type>[SNB])\])?(?: \((?P<format>{_WORD})\))?")


def of_table(line: str, plain: Callable[[str], str]) -> dict[str, str] | None:
    """The fields that a table's paragraph tells, ``owner`` where it does; None where its keys are unclear."""
    fields = dict.fromkeys(["description", *KEY_FIELDS, "more_title", "more_url"], "")
    found = _MORE.fullmatch(line)
    if found:
        line = found["rest"]
        fields["more_title"] = plain(found["linked"] if found["linked"] is not None else found["title"])
        fields["more_url"] = plain(found["url"] or "")
    found = _OWNER.fullmatch(line)
    if found:
        line = found["rest"]
        fields["owner"] = plain(found["owner"])
    found = _KEYS.fullmatch(line)
    if found:
        line = found["rest"]
        keys = keys_of(found["keys"], plain)
        if keys is None:
            return None
        fields |= keys
    fields["description"] = plain(line)
    return fields


def keys_of(text: str, plain: Callable[[str], str]) -> dict[str, str] | None:
    """The six fields of ``id [S] (email) + year``; None where it is not of that form."""
    fields: dict[str, Any] = dict.fromkeys(KEY_FIELDS, "")
    keys = text.split(" + ")
    if len(keys) > 2:
        return None
    for role, key in zip(("partition_key", "sort_key"), keys, strict=False):
        found = _KEY.fullmatch(key)
        if found is None:
            return None
        fields |= {f"{role}_{part}": plain(value or "") for part, value in found.groupdict().items()}
    return fields


def access_fields(mode: str) -> dict[str, Any] | None:
    """Mode and indirect of ``Write (indirect)``; None where it is neither mode."""
    indirect = mode.endswith(" (indirect)")
    value = MODE.get(mode.removesuffix(" (indirect)"))
    return None if value is None else {"mode": value, "indirect": indirect}

"""LIKE on SQLite, which by itself ignores the case of ASCII's letters alone: ``Ü`` is not ``ü``.

SQLite calls a function for LIKE, which may be replaced. With this one, each search and filter that ignores case
(``icontains``, ``istartswith``, ``iexact``) finds what it finds on PostgreSQL, which compares ``UPPER(…)``.
Source: SQLite, "The LIKE, GLOB, REGEXP, MATCH, and extract operators" and "Built-in scalar functions", like(X,Y,Z).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

WILDCARDS = {"%": ".*", "_": "."}


def replace_like(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Replace the function for LIKE … ESCAPE, the form that Django uses, of a new connection to SQLite."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("like", 3, like, deterministic=True)


def like(pattern: str | None, text: object, escape: str) -> bool | None:
    """Whether the text is like the pattern, in upper or lower case; None where one of them is NULL."""
    if pattern is None or text is None:
        return None
    return _expression(pattern, escape).search(_upper(str(text))) is not None


@lru_cache(maxsize=256)
def _expression(pattern: str, escape: str) -> re.Pattern[str]:
    """The pattern as a regular expression over texts in upper case."""
    parts = [r"\A"]
    characters = iter(pattern)
    for character in characters:
        if character in WILDCARDS and character != escape:
            parts.append(WILDCARDS[character])
            continue
        if character == escape:
            character = next(characters, "")
        parts.append(re.escape(_upper(character)))
    parts.append(r"\Z")
    # Searching is faster than matching anything before and behind a word.
    if parts[1] == ".*":
        del parts[:2]
    if parts[-2:-1] == [".*"]:
        del parts[-2:]
    return re.compile("".join(parts), re.DOTALL)


def _upper(text: str) -> str:
    """The text in upper case, character by character as databases do it: ``ß`` stays."""
    upper = text.upper()
    if len(upper) == len(text):
        return upper
    characters = []
    for character in text:
        upper = character.upper()
        characters.append(upper if len(upper) == 1 else character)
    return "".join(characters)

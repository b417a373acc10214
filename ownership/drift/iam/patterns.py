"""Matches IAM's wildcards: ``*`` for any characters, ``?`` for one.

``biztech*`` matches ``biztechUsers``; ``biztechUsers`` matches only itself. Case matters here, so actions,
whose case IAM ignores, are compared in lower case.
Source: IAM User Guide, "IAM JSON policy elements: Resource" and "Action".
"""

import fnmatch
import re
from functools import lru_cache


def has_wildcard(pattern: str) -> bool:
    """Whether it may match something other than itself."""
    return "*" in pattern or "?" in pattern


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern matches the whole text."""
    if not has_wildcard(pattern):
        return pattern == text
    return _compiled(pattern).match(text) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    # `[` has a meaning in fnmatch and none in IAM. The expression that fnmatch makes never backtracks over a
    # `*`, so its time can't explode.
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]")))

"""How people write the mode of an access."""

import re

from ownership.exchange.texts import single_spaced

_PLUS = re.compile(r"\s*\+\s*")


def spelled_mode(text: str) -> str:
    """A mode in one spelling, ``read + write``: in lower case, whatever blanks are in it."""
    return _PLUS.sub(" + ", single_spaced(text).lower())

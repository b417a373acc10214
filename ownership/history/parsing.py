"""Numbers in what people and programs send: addresses, forms, headers."""

import re

_DIGITS = re.compile("[0-9]{1,18}")  # a number of 19 may be more than a database holds


def whole_number(text: str | None) -> int | None:
    """The number that the text writes out in at most 18 digits; None where there is none, or anything else."""
    return int(text) if text and _DIGITS.fullmatch(text) else None

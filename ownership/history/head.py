"""The head of history: what names its latest state. Apart from the models, whose types mypy can't resolve beside it."""

from __future__ import annotations

import re
from typing import NamedTuple


class Head(NamedTuple):
    """The latest revision with its digest, written ``41:8f3c…``; (0, "") before the first change set.

    Whoever keeps a head can check later that history up to there is still the same.
    """

    revision: int
    digest: str

    @classmethod
    def parse(cls, text: str) -> Head:
        """From ``REVISION:DIGEST``; ValueError for anything else."""
        match = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{64})", text)
        if match is None:
            raise ValueError(
                f"{text!r} is not a head: expected REVISION:DIGEST, as a run of this command prints it."
            )
        return cls(int(match[1]), match[2])

    def __str__(self) -> str:
        return f"{self.revision}:{self.digest}"

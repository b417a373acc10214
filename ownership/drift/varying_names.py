"""Base names in texts that have the environment in them, wherever it is: ``shop-${opt:stage}-users``."""

import re
from collections.abc import Iterator, Sequence

from ownership.drift.physical_names import NamePattern
from ownership.drift.values import PLACEHOLDER, Text

Span = tuple[int, int]  # where a part of a text begins and ends


def bases_by_patterns(text: Text, patterns: Sequence[NamePattern]) -> list[str]:
    """The base names by patterns, whatever environment it is that the text's variables are.

    Of ``shop-${opt:stage}-users``, with ``shop-{stage}-{name}``: ``users``.
    """
    spans = _varying_spans(text)
    bases: list[str] = []
    if not spans:
        return bases
    for pattern in patterns:
        # A suffix is taken off without being asked for, whatever the map's suffixes are.
        if pattern.before:
            bases += _bases_by_pattern(text, spans, pattern)
    return bases


def _varying_spans(text: Text) -> list[Span]:
    """Where the text has variables that are the environment, in order; those that overlap as one."""
    varying = [
        (variable.start, variable.end) for variable in text.variables if variable.is_environment
    ]
    # Of those that begin at one place, the longest first.
    varying.sort(key=lambda span: (span[0], -span[1]))
    spans: list[Span] = []
    for start, end in varying:
        if spans and start < spans[-1][1]:
            last_start, last_end = spans.pop()
            spans.append((last_start, max(last_end, end)))
        else:
            spans.append((start, end))
    return spans


def _bases_by_pattern(text: Text, spans: Sequence[Span], pattern: NamePattern) -> Iterator[str]:
    """The base names in a text that a pattern fits, if the variables may have any value."""
    for number in range(len(spans) + 1):
        start = _longest_match(text, spans[:number], pattern.before)
        # The end is read backwards, so that the same search finds its beginning.
        mirrored = [(len(text) - end, len(text) - begin) for begin, end in reversed(spans[number:])]
        tail = _longest_match(text[::-1], mirrored, pattern.after[::-1])
        if start is None or tail is None:
            continue
        base = text[start : len(text) - tail]
        if base and PLACEHOLDER not in base:
            yield base


def _longest_match(text: str, spans: Sequence[Span], addition: str) -> int | None:
    """How much of the text's beginning, with these variables in it, may be the addition; None if none can."""
    expression = ""
    position = 0
    for start, end in spans:
        expression += re.escape(text[position:start]) + "[^\0]*"
        position = end
    longest = None
    last = min(len(text), position + len(addition))
    for end in range(position, last + 1):
        behind_variables = text[position:end]
        in_variables = addition.removesuffix(behind_variables)
        if addition.endswith(behind_variables) and re.fullmatch(expression, in_variables):
            longest = end
    return longest

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
    spans = _environment_spans(text)
    bases: list[str] = []
    for pattern in patterns:
        # A suffix is taken off without being asked for, whatever the map's suffixes are.
        if spans and pattern.before:
            bases += _bases_by_pattern(text, spans, pattern)
    return bases


def _environment_spans(text: Text) -> list[Span]:
    """Where the text has variables that are the environment, in order; those that overlap as one."""
    spans: list[Span] = []
    # Of those that begin at one place, the longest first.
    for variable in sorted(text.environment, key=lambda variable: (variable.start, -variable.end)):
        start, end = variable.start, variable.end
        if spans and start < spans[-1][1]:
            start, last_end = spans.pop()
            end = max(last_end, end)
        spans.append((start, end))
    return spans


def _bases_by_pattern(text: Text, spans: Sequence[Span], pattern: NamePattern) -> Iterator[str]:
    """The base names in a text that a pattern fits, if the variables may have any value."""
    for number in range(len(spans) + 1):
        # The first variables are a part of what stands before the base, the others of what stands after it.
        start = _start_of_base(text, spans[:number], pattern.before)
        end = _end_of_base(text, spans[number:], pattern.after)
        base = text[start:end]
        if base and PLACEHOLDER not in base:
            yield base


def _start_of_base(text: str, spans: Sequence[Span], before: str) -> int:
    """Where the base begins in a text with these variables, if ``before`` stands before it.

    The end of the text, so that nothing is left, if that can't be, whatever the variables' values are. Of several
    places it is the last: the longest match.
    """
    expression = ""  # for the text as far as the last variable's end
    position = 0
    for start, end in spans:
        expression += re.escape(text[position:start]) + "[^\0]*"
        position = end
    last = min(len(text), position + len(before))
    for end in range(last, position - 1, -1):
        if re.fullmatch(expression + re.escape(text[position:end]), before):
            return end
    return len(text)


def _end_of_base(text: str, spans: Sequence[Span], after: str) -> int:
    """Where the base ends in a text with these variables, if ``after`` stands after it; 0 if that can't be.

    It is where the base begins in the text read backwards.
    """
    length = len(text)
    mirrored = [(length - end, length - start) for start, end in reversed(spans)]
    return length - _start_of_base(text[::-1], mirrored, after[::-1])

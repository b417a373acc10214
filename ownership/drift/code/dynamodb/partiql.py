"""The tables that a PartiQL statement names.

``SELECT * FROM "users"."by-email" WHERE …`` reads the index ``by-email`` of ``users``.
Source: Amazon DynamoDB Developer Guide, "PartiQL statements for DynamoDB".
"""

import re
from dataclasses import dataclass

from ownership.drift.code.possibilities import (
    Derived,
    EnvironmentVariable,
    Str,
    TextPart,
)

# Stands for an environment variable while the statement is searched.
MARK = re.compile("\x01(\\d+)\x01")
NAME = "(?:\"([^\"]+)\"|'([^']+)'|([\\w.\x01-]+))"
STATEMENTS = (
    (
        "PartiQLInsert",
        re.compile(rf"^\s*INSERT\s+INTO\s+{NAME}", re.IGNORECASE),
    ),
    ("PartiQLUpdate", re.compile(rf"^\s*UPDATE\s+{NAME}", re.IGNORECASE)),
    (
        "PartiQLDelete",
        re.compile(rf"^\s*DELETE\s+FROM\s+{NAME}", re.IGNORECASE),
    ),
    (
        "PartiQLSelect",
        re.compile(
            rf"^\s*(?:EXISTS\s*\(\s*)?SELECT\b.*?\bFROM\s+{NAME}(?:\s*\.\s*{NAME})?",
            re.IGNORECASE | re.DOTALL,
        ),
    ),
)


@dataclass(frozen=True)
class StatementTable:
    """What a statement does with which table and index."""

    operation: str
    table: Str
    index: Str | None = None


def table_of(statement: Str) -> StatementTable | None:
    """The table of a statement; None where it can't be told."""
    flat, variables = _flattened(statement)
    for operation, pattern in STATEMENTS:
        match = pattern.match(flat)
        if match is None:
            continue
        names = [name for name in match.groups() if name]
        # Without quotes, `users.by-email` is a table and its index.
        if len(names) == 1 and match[1] is None and match[2] is None:
            names = names[0].split(".", 1)
        texts = [_text(name, variables, statement) for name in names]
        index = texts[1] if len(texts) > 1 else None
        return StatementTable(operation, texts[0], index)
    return None


def _flattened(statement: Str) -> tuple[str, list[EnvironmentVariable | Derived]]:
    """The statement with a mark for each of its variables, and the variables."""
    flat = ""
    variables: list[EnvironmentVariable | Derived] = []
    for part in statement.parts:
        if isinstance(part, str):
            flat += part
        else:
            flat += f"\x01{len(variables)}\x01"
            variables.append(part)
    return flat, variables


def _text(name: str, variables: list[EnvironmentVariable | Derived], statement: Str) -> Str:
    parts: list[TextPart] = []
    # Every second piece is the number of a variable.
    for position, piece in enumerate(MARK.split(name)):
        if position % 2:
            parts.append(variables[int(piece)])
        elif piece:
            parts.append(piece)
    return Str(tuple(parts), statement.named_at)

"""What methods make of texts whose environment variables are known by now: the name in an ARN, a field of JSON."""

import json

from ownership.drift.values import Text, placeholder


def derived_text(text: Text, operation: str, argument: str) -> Text:
    """What an operation makes of a text; a placeholder where that can't be told."""
    kind, _, detail = operation.partition(":")
    result: Text | None = None
    match kind:
        case "split":
            result = _piece(text, detail, argument)
        case "json":
            result = _field_of_json(text, argument)
        case "strip":
            result = text.stripped()
        case "lower" if not text.reason:
            result = Text(text.lower(), text.location, text.variables)
        case "upper" if not text.reason:
            result = Text(text.upper(), text.location, text.variables)
    if result is None:
        return placeholder(
            text.location, "can't be worked out from the value of the environment variable"
        )
    return result


def _piece(text: Text, separator: str, position: str) -> Text | None:
    """The piece at a position; negative ones count from the end."""
    pieces = text.split_at(separator)
    try:
        return pieces[int(position)]
    except (ValueError, IndexError):
        return None


def _field_of_json(text: Text, name: str) -> Text | None:
    """What a JSON object has under a name, with the variables that are in that part of the text."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    value = content.get(name) if isinstance(content, dict) else None
    if not isinstance(value, str):
        return None
    quoted = json.dumps(value)
    start = text.find(quoted, text.find(json.dumps(name)))
    if start < 0:
        return Text(value, text.location)
    return text.part(start + 1, start + len(quoted) - 1)

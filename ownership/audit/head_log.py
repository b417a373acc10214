"""Heads from a log: each change set logs its head, so whoever keeps the log can hold the history against it later."""

import json
from collections.abc import Iterable

from ownership.history.head import Head


def heads_in_log(lines: Iterable[str]) -> list[Head]:
    """The heads in a log, by revision.

    The log is one of production: JSON objects, with anything before them in a line (the name of a container, a
    time). Other lines are skipped. After a restore, whose line names the head that it went back to, revisions are
    given again: the heads after it no longer count.

    ValueError if the log has no head, or two for the same revision.
    """
    heads: dict[int, str] = {}
    for line in lines:
        record = _record(line)
        if record is None:
            continue
        revision, digest = Head.parse(record["head"])
        if record.get("restored"):
            heads = {kept: heads[kept] for kept in heads if kept <= revision}
        if heads.setdefault(revision, digest) != digest:
            raise ValueError(
                f"The log has two heads of revision {revision}: {heads[revision]} and {digest}. "
                "If a backup was restored, start with the log after it."
            )
    if not heads:
        raise ValueError(
            "There is no head in the log. It takes lines of JSON, as the registry logs in production."
        )
    return [Head(revision, digest) for revision, digest in sorted(heads.items())]


def _record(line: str) -> dict | None:
    """The line's object, if it is a line of a change set or a restore."""
    start = line.find("{")
    if start < 0 or '"head"' not in line:
        return None
    try:
        record = json.loads(line[start:])
    except ValueError:
        return None
    is_of_history = record.get("logger") == "ownership.history"
    return record if is_of_history and isinstance(record.get("head"), str) else None

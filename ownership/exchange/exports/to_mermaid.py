"""The neighbourhood of one table or service as a Mermaid flow chart: data flows along the arrows, indirect ones dotted.

Not of the whole map: as a drawing of nodes and lines that is a tangle, at any size worth drawing.
"""

from collections.abc import Iterable
from typing import Any

from ownership.models import Mode

_WORDS = {Mode.READ: "reads", Mode.WRITE: "writes", Mode.READ_WRITE: "reads + writes"}


def of_table(table: dict[str, Any]) -> str:
    """Who writes the table, and who reads it; the shape is that of ``tables/{name}/``."""
    accesses = [access | {"table": table["name"], "owner": table["owner"]} for access in table["accesses"]]
    return _chart(table["name"], accesses, tables=[table["name"]], services=[])


def of_service(service: dict[str, Any], parts: list[dict[str, Any]], accesses: list[dict[str, Any]]) -> str:
    """What the service and its parts write and read.

    ``service`` and ``parts`` are as in ``services/``; ``accesses`` as in ``accesses/``, with the ``owner`` of each
    table.
    """
    services = [one["name"] for one in (service, *parts)]
    inside = {one["name"]: one["part_of"] for one in parts}
    return _chart(service["name"], accesses, tables=[], services=services, part_of=inside)


def _chart(
    title: str,
    accesses: list[dict[str, Any]],
    *,
    tables: Iterable[str],
    services: Iterable[str],
    part_of: dict[str, str] | None = None,
) -> str:
    """Writers to the left, then tables, then those that only read."""
    boxes = {
        name: f"s{number}"
        for number, name in enumerate(dict.fromkeys([*services, *(access["service"] for access in accesses)]))
    }
    stores = {
        name: f"t{number}"
        for number, name in enumerate(dict.fromkeys([*tables, *(access["table"] for access in accesses)]))
    }
    lines = ["flowchart LR", f"  accTitle: Who writes and reads {title}"]
    lines += [f'  {box}["{label(name)}"]' for name, box in boxes.items()]
    lines += [f'  {store}[("{label(name)}")]' for name, store in stores.items()]
    lines += [f'  {boxes[name]} -. "part of" .-> {boxes[whole]}' for name, whole in (part_of or {}).items()]
    for access in accesses:
        words = _WORDS[Mode(access["mode"])]
        if access["service"] == access["owner"]:
            words = f"owns, {words}"
        if access["indirect"]:
            words += " indirectly" + (f": {access['notes']}" if access["notes"] else "")
        ends = [boxes[access["service"]], stores[access["table"]]]
        if access["mode"] == Mode.READ:
            ends.reverse()
        line = "-.->" if access["indirect"] else "-->"
        arrow = f"<{line}" if access["mode"] == Mode.READ_WRITE else line
        lines.append(f'  {ends[0]} {arrow}|"{label(words)}"| {ends[1]}')
    return "\n".join(lines) + "\n"


def label(text: str) -> str:
    """Any text on one line; what Mermaid or its HTML could take for a mark is a character's number between # and ;"""
    # Mermaid takes the last ; off a line with "style" or "classDef", a colon and a number, wherever they stand.
    plain = " _-.,()/+'" if "style" in text or "classDef" in text else " _-.,:()/+'"
    return "".join(
        character if character.isalnum() or character in plain else f"#{ord(character)};"
        for character in " ".join(text.split())
    )

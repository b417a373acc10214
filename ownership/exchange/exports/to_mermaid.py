"""The neighbourhood of one table or service as a Mermaid flow chart.

Data flows along the arrows; indirect accesses are dotted. There is no chart of the whole map: drawn as nodes and lines,
it is a tangle at any size worth drawing.
"""

from collections.abc import Iterable

from ownership.exchange.exports import MapContent
from ownership.models import Mode

_VERBS = {Mode.READ: "reads", Mode.WRITE: "writes", Mode.READ_WRITE: "reads + writes"}


def of_table(table: MapContent) -> str:
    """Who writes the table, and who reads it. ``table`` has the shape of ``tables/{name}/``."""
    accesses = []
    for access in table["accesses"]:
        accesses.append(access | {"table": table["name"], "owner": table["owner"]})
    return _chart(table["name"], accesses, tables=[table["name"]])


def of_service(service: MapContent, parts: list[MapContent], accesses: list[MapContent]) -> str:
    """What the service and its parts write and read.

    ``service`` and ``parts`` have the shape of ``services/``; ``accesses`` that of ``accesses/``, with the ``owner`` of
    each table.
    """
    part_of = {part["name"]: part["part_of"] for part in parts}
    services = [service["name"], *part_of]
    return _chart(service["name"], accesses, services=services, part_of=part_of)


def _chart(
    title: str,
    accesses: list[MapContent],
    *,
    tables: Iterable[str] = (),
    services: Iterable[str] = (),
    part_of: dict[str, str] | None = None,
) -> str:
    """The named tables and services, and those of the accesses: writers left of the tables, readers right."""
    boxes = _numbered("s", [*services, *(access["service"] for access in accesses)])
    stores = _numbered("t", [*tables, *(access["table"] for access in accesses)])
    lines = ["flowchart LR", f"  accTitle: Who writes and reads {title}"]
    for name, box in boxes.items():
        lines.append(f'  {box}["{label(name)}"]')
    for name, store in stores.items():
        lines.append(f'  {store}[("{label(name)}")]')
    for name, parent in (part_of or {}).items():
        lines.append(f'  {boxes[name]} -. "part of" .-> {boxes[parent]}')
    for access in accesses:
        lines.append(_arrow(access, boxes[access["service"]], stores[access["table"]]))
    return "\n".join(lines) + "\n"


def _numbered(letter: str, names: list[str]) -> dict[str, str]:
    """{name: the node's id}, in the names' order; a name that comes again keeps its id."""
    ids: dict[str, str] = {}
    for name in names:
        ids.setdefault(name, f"{letter}{len(ids)}")
    return ids


def _arrow(access: MapContent, box: str, store: str) -> str:
    """The line from a service's box to a table, or the other way where the service only reads."""
    mode = Mode(access["mode"])
    words = _VERBS[mode]
    arrow = "-->"
    if access["service"] == access["owner"]:
        words = f"owns, {words}"
    if access["indirect"]:
        arrow = "-.->"
        words += " indirectly"
        if access["notes"]:
            words += f": {access['notes']}"
    text = label(words)
    if mode == Mode.READ:
        return f'  {store} {arrow}|"{text}"| {box}'
    if mode == Mode.READ_WRITE:
        arrow = f"<{arrow}"
    return f'  {box} {arrow}|"{text}"| {store}'


def label(text: str) -> str:
    """Any text on one line. What could be read as markup becomes ``#``, the character's code and ``;``."""
    plain = " _-.,:()/+'"
    if "style" in text or "classDef" in text:
        # After these words, a colon and a number, wherever they are, Mermaid drops the last ; of a line.
        plain = plain.replace(":", "")
    characters = []
    for character in " ".join(text.split()):
        if character.isalnum() or character in plain:
            characters.append(character)
        else:
            characters.append(f"#{ord(character)};")
    return "".join(characters)

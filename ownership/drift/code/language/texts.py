"""Methods of texts: what makes a name of other texts."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from ownership.drift.code.possibilities import (
    NOTHING,
    UNKNOWN,
    UNKNOWN_VALUE,
    CodeValue,
    Derived,
    Obj,
    Pieces,
    Possibility,
    Str,
)
from ownership.drift.code.values import joined, one, text, union

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls, CallSite


FORMAT_FIELD = re.compile(r"\{(\w*)(?:![rsa])?(?::[^{}]*)?\}")
PERCENT_FIELD = re.compile(r"%(?:\((\w+)\))?[-+ #0]*\d*(?:\.\d+)?[sdr]")


def call_text_method(calls: "Calls", owner: Str, name: str, site: "CallSite") -> CodeValue:
    method = TEXT_METHODS.get(name)
    if method is not None:
        return method(calls, owner, site)
    return UNKNOWN_VALUE


def _same_text(calls: "Calls", owner: Str, site: "CallSite") -> CodeValue:
    return one(owner)


def _changed(
    change: Callable[[str], str],
) -> Callable[["Calls", Str, "CallSite"], CodeValue]:
    """A method that changes a text's letters, which can be told only if all are known."""

    def changed(calls: "Calls", owner: Str, site: "CallSite") -> CodeValue:
        if owner.literal is None:
            return one(Str((Derived(owner.parts, change.__name__, ""),), owner.named_at))
        return one(Str((change(owner.literal),), owner.named_at))

    return changed


def _split(calls: "Calls", owner: Str, site: "CallSite") -> CodeValue:
    """``arn.split("/")``."""
    separators = [item.literal for item in site.arguments.at(0) if isinstance(item, Str)]
    if len(separators) != 1 or not separators[0]:
        return UNKNOWN_VALUE
    if owner.literal is None:
        return one(Pieces(owner, f"split:{separators[0]}"))
    frame = calls.interpreter.stack[-1]
    pieces = calls.interpreter.object_at((site.node, "split", owner.parts), frame, site.line, is_list=True)
    for position, piece in enumerate(owner.literal.split(separators[0])):
        calls.interpreter.write_field(pieces, str(position), text(piece))
    return one(pieces)


def from_json(calls: "Calls", site: "CallSite") -> CodeValue:
    """``json.loads(os.environ["TABLES"])``."""
    pieces: set[Possibility] = set()
    for possibility in site.arguments.at(0):
        if isinstance(possibility, Str) and possibility.literal is None:
            pieces.add(Pieces(possibility, "json"))
        else:
            pieces.add(UNKNOWN)
    return frozenset(pieces)


def _replaced(calls: "Calls", owner: Str, site: "CallSite") -> CodeValue:
    results: set[Possibility] = set()
    for old in site.arguments.at(0):
        for new in site.arguments.at(1):
            if not isinstance(old, Str) or not isinstance(new, Str) or owner.literal is None:
                return UNKNOWN_VALUE
            if not old.literal:
                return UNKNOWN_VALUE
            pieces: list[CodeValue] = []
            for piece in owner.literal.split(old.literal):
                pieces += [text(piece), one(new)]
            results |= concatenation(pieces[:-1])
    return frozenset(results) or UNKNOWN_VALUE


def _part(calls: "Calls", owner: Str, site: "CallSite") -> CodeValue:
    """``text.substring(1)``, with positions that are written out."""
    positions: list[int] = []
    for argument in site.arguments.positional[:2]:
        literals = [item.literal for item in argument if isinstance(item, Str)]
        if len(literals) != 1 or literals[0] is None or not literals[0].lstrip("-").isdigit():
            return UNKNOWN_VALUE
        positions.append(int(literals[0]))
    if owner.literal is None:
        return UNKNOWN_VALUE
    return one(Str((owner.literal[slice(*positions) if len(positions) > 1 else slice(positions[0], None)],)))


def _concatenated(calls: "Calls", owner: Str, site: "CallSite") -> CodeValue:
    return concatenation([one(owner), *site.arguments.positional])


def _joined_by(calls: "Calls", owner: Str, site: "CallSite") -> CodeValue:
    """Python's ``separator.join(list)``."""
    return joined_items(calls, site.arguments.at(0), one(owner))


def joined_items(calls: "Calls", value: CodeValue, separator: CodeValue) -> CodeValue:
    interpreter = calls.interpreter
    results: list[CodeValue] = []
    for possibility in value:
        if not isinstance(possibility, Obj) or interpreter.read(possibility.rest) or possibility.is_open:
            return UNKNOWN_VALUE
        pieces: list[CodeValue] = []
        for position in range(len(interpreter.field_names(possibility))):
            if pieces:
                pieces.append(separator)
            pieces.append(interpreter.read_field(possibility, str(position)))
        results.append(concatenation(pieces) if pieces else text(""))
    return union(results)


def _formatted(calls: "Calls", owner: Str, site: "CallSite") -> CodeValue:
    """Python's ``"{}-{name}".format(a, name=b)``."""
    arguments = site.arguments
    numbers = iter(range(1000))

    def value_of(field: str) -> CodeValue:
        if not field:
            return arguments.at(next(numbers)) or UNKNOWN_VALUE
        if field.isdigit():
            return arguments.at(int(field)) or UNKNOWN_VALUE
        return arguments.keywords.get(field, arguments.more) or UNKNOWN_VALUE

    return _filled(owner, FORMAT_FIELD, value_of)


def _percent(calls: "Calls", owner: Str, site: "CallSite") -> CodeValue:
    """Python's ``"%s-%(name)s" % values``."""
    interpreter = calls.interpreter
    argument = site.arguments.at(0)
    numbers = iter(range(1000))

    def value_of(field: str) -> CodeValue:
        key = field or str(next(numbers))
        values: list[CodeValue] = []
        for possibility in argument:
            if isinstance(possibility, Obj):
                values.append(interpreter.read_field(possibility, key) or UNKNOWN_VALUE)
            else:
                values.append(one(possibility))
        return union(values)

    return _filled(owner, PERCENT_FIELD, value_of)


def _filled(owner: Str, fields: re.Pattern[str], value_of: Callable[[str], CodeValue]) -> CodeValue:
    """A text with each of its fields replaced."""
    pieces: list[CodeValue] = []
    for part in owner.parts:
        if not isinstance(part, str):
            pieces.append(one(Str((part,))))
            continue
        position = 0
        for match in fields.finditer(part):
            pieces.append(text(part[position : match.start()]))
            pieces.append(value_of(match[1] or ""))
            position = match.end()
        pieces.append(text(part[position:]))
    return concatenation(pieces)


def concatenation(pieces: list[CodeValue]) -> CodeValue:
    """Texts in a row, in every combination; UNKNOWN where a piece is no text."""
    results: set[Str] = {Str(())}
    is_known = True
    for piece in pieces:
        texts = [possibility for possibility in piece if isinstance(possibility, Str)]
        if len(texts) < len(piece):
            is_known = False
        longer: set[Str] = set()
        for first in results:
            for second in texts:
                both = joined(first, second) if first.parts else second
                if both is None or len(longer) > 50:
                    is_known = False
                else:
                    longer.add(both)
        if not piece:
            return NOTHING
        results = longer
    if is_known:
        return frozenset(results)
    return frozenset((*results, UNKNOWN))


TEXT_METHODS: dict[str, Callable[["Calls", Str, "CallSite"], CodeValue]] = {
    "__mod__": _percent,
    "asString": _same_text,
    "concat": _concatenated,
    "format": _formatted,
    "join": _joined_by,
    "lower": _changed(str.lower),
    "lstrip": _same_text,
    "replace": _replaced,
    "required": _same_text,
    "rsplit": _split,
    "rstrip": _same_text,
    "slice": _part,
    "split": _split,
    "substring": _part,
    "strip": _same_text,
    "toLowerCase": _changed(str.lower),
    "toString": _same_text,
    "toUpperCase": _changed(str.upper),
    "trim": _same_text,
    "upper": _changed(str.upper),
    "valueOf": _same_text,
}

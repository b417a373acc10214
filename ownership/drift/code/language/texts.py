"""Methods of texts: what makes a name of other texts."""

import re
from collections.abc import Callable, Iterable
from itertools import product
from typing import TYPE_CHECKING

from ownership.drift.code.frames import Arguments
from ownership.drift.code.ordered_set import OrderedSet
from ownership.drift.code.possibilities import (
    NOTHING,
    UNKNOWN,
    UNKNOWN_VALUE,
    CodeValue,
    Derived,
    Obj,
    Possibility,
    Str,
    TextPieces,
)
from ownership.drift.code.values import joined, literals_in, one, only, text, union

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls, CallSite


MAX_COMBINED = 50  # texts that are made of others
FORMAT_FIELD = re.compile(r"\{(\w*)(?:![rsa])?(?::[^{}]*)?\}")
PERCENT_FIELD = re.compile(r"%(?:\((\w+)\))?[-+ #0]*\d*(?:\.\d+)?[sdr]")


def call_text_method(calls: "Calls", owner: Str, name: str, site: "CallSite") -> CodeValue:
    method = TEXT_METHODS.get(name)
    if method is None:
        return UNKNOWN_VALUE
    return method(calls, owner, site)


def _same_text(calls: "Calls", owner: Str, site: "CallSite") -> CodeValue:
    return one(owner)


def _changed(
    change: Callable[[str], str],
) -> Callable[["Calls", Str, "CallSite"], CodeValue]:
    """A method without arguments that changes a text, which can be told only if all of it is known."""

    def changed(calls: "Calls", owner: Str, site: "CallSite") -> CodeValue:
        if site.arguments.positional:
            return UNKNOWN_VALUE
        if owner.literal is None:
            return one(Str((Derived(owner.parts, change.__name__, ""),), owner.named_at))
        return one(Str((change(owner.literal),), owner.named_at))

    return changed


def _split(calls: "Calls", owner: Str, site: "CallSite") -> CodeValue:
    """``arn.split("/")``."""
    separators = only(site.arguments.at(0), Str)
    if len(separators) != 1:
        return UNKNOWN_VALUE
    [separator] = literals_in(separators) or [""]
    if not separator:
        return UNKNOWN_VALUE
    if owner.literal is None:
        return one(TextPieces(owner, f"split:{separator}"))
    pieces = calls.object_of(site, ("split", owner.parts), is_list=True)
    for position, piece in enumerate(owner.literal.split(separator)):
        calls.interpreter.write_field(pieces, str(position), text(piece))
    return one(pieces)


def parsed_json(calls: "Calls", site: "CallSite") -> CodeValue:
    """``json.loads(os.environ["TABLES"])``."""
    pieces: list[Possibility] = []
    for possibility in site.arguments.at(0):
        if isinstance(possibility, Str) and possibility.literal is None:
            pieces.append(TextPieces(possibility, "json"))
        else:
            pieces.append(UNKNOWN)
    return OrderedSet(pieces)


def _replaced(calls: "Calls", owner: Str, site: "CallSite") -> CodeValue:
    """``text.replace("old", "new")``, which replaces all in Python, and the first in JavaScript."""
    maximum = -1 if calls.interpreter.current.is_python else 1
    return _with_replaced(owner, site.arguments, maximum)


def _all_replaced(calls: "Calls", owner: Str, site: "CallSite") -> CodeValue:
    return _with_replaced(owner, site.arguments, -1)


def _with_replaced(owner: Str, arguments: Arguments, maximum: int) -> CodeValue:
    old_values, new_values = arguments.at(0), arguments.at(1)
    old_texts = [old for old in literals_in(old_values) if old]
    if len(old_texts) < len(old_values) or new_values != only(new_values, Str):
        return UNKNOWN_VALUE
    if owner.literal is None:
        return UNKNOWN_VALUE
    results: list[Possibility] = []
    for old, new in product(old_texts, new_values):
        pieces: list[CodeValue] = []
        for piece in owner.literal.split(old, maximum):
            pieces += [text(piece), one(new)]
        results += concatenation(pieces[:-1])
    return OrderedSet(results) or UNKNOWN_VALUE


def _part(calls: "Calls", owner: Str, site: "CallSite") -> CodeValue:
    """``text.substring(1)``, with positions that are written out."""
    bounds = bounds_of(site.arguments)
    if owner.literal is None or bounds is None:
        return UNKNOWN_VALUE
    return one(Str((owner.literal[bounds],)))


def bounds_of(arguments: Arguments) -> slice | None:
    """From where to where a part goes, by the first two arguments; None where that isn't written out."""
    bounds: list[int | None] = []
    for argument in (arguments.at(0), arguments.at(1)):
        number = _number(argument)
        if argument and number is None:
            return None
        bounds.append(number)
    return slice(*bounds)


def _number(value: CodeValue) -> int | None:
    """The number that is written out; None for anything else."""
    match literals_in(value):
        case [literal] if len(value) == 1 and literal.lstrip("-").isdigit():
            return int(literal)
    return None


def _concatenated(calls: "Calls", owner: Str, site: "CallSite") -> CodeValue:
    return concatenation([one(owner), *site.arguments.positional])


def _joined_by(calls: "Calls", owner: Str, site: "CallSite") -> CodeValue:
    """Python's ``separator.join(list)``."""
    return joined_items(calls, site.arguments.at(0), one(owner))


def joined_items(calls: "Calls", value: CodeValue, separator: CodeValue) -> CodeValue:
    """The items of each list in a value as one text."""
    interpreter = calls.interpreter
    results: list[CodeValue] = []
    for possibility in value:
        if not isinstance(possibility, Obj) or interpreter.has_more(possibility):
            return UNKNOWN_VALUE
        pieces: list[CodeValue] = []
        for position in range(len(interpreter.field_names(possibility))):
            pieces += [separator, interpreter.read_field(possibility, str(position))]
        results.append(concatenation(pieces[1:]) if pieces else text(""))
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
        mappings = only(argument, Obj)
        values = [interpreter.read_field(mapping, key) or UNKNOWN_VALUE for mapping in mappings]
        return union([argument - mappings, *values])

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
    results = OrderedSet([Str(())])
    is_known = True
    for piece in pieces:
        if not piece:
            return NOTHING
        texts = only(piece, Str)
        longer, is_all = _combined(results, texts)
        if not is_all or len(texts) < len(piece):
            is_known = False
        results = longer
    if is_known:
        return results
    return OrderedSet((*results, UNKNOWN))


def _combined(starts: Iterable[Str], ends: Iterable[Str]) -> tuple[OrderedSet[Str], bool]:
    """Each text of the first ones followed by each of the second ones; and whether that is not too much."""
    combined: dict[Str, None] = {}
    is_all = True
    for start, end in product(starts, ends):
        both = joined(start, end) if start.parts else end
        if both is None or len(combined) > MAX_COMBINED:
            is_all = False
        else:
            combined[both] = None
    return OrderedSet(combined), is_all


TEXT_METHODS: dict[str, Callable[["Calls", Str, "CallSite"], CodeValue]] = {
    "__mod__": _percent,
    "asString": _same_text,
    "concat": _concatenated,
    "format": _formatted,
    "join": _joined_by,
    "lower": _changed(str.lower),
    "replace": _replaced,
    "replaceAll": _all_replaced,
    "required": _same_text,
    "rsplit": _split,
    "slice": _part,
    "split": _split,
    "substring": _part,
    "strip": _changed(str.strip),
    "toLowerCase": _changed(str.lower),
    "toString": _same_text,
    "toUpperCase": _changed(str.upper),
    "trim": _changed(str.strip),
    "upper": _changed(str.upper),
    "valueOf": _same_text,
}

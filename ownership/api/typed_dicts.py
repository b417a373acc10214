"""Serializers that describe plain values in the OpenAPI document, made from the TypedDicts that type them."""

from datetime import datetime
from functools import cache
from typing import (
    Annotated,
    Any,
    Literal,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from rest_framework import serializers

from ownership.drift.report_json import IsoDate
from ownership.models import KeyType

FIELDS: dict[object, type[serializers.Field]] = {
    bool: serializers.BooleanField,
    datetime: serializers.DateTimeField,
    int: serializers.IntegerField,
    IsoDate: serializers.DateField,
    str: serializers.CharField,
}
# Choices that a model labels: with the same labels they are one type in the document.
LABELED = {tuple(KeyType.values): KeyType.choices}


@cache
def serializer_of(shape: type) -> type[serializers.Serializer]:
    """A serializer with the TypedDict's keys, for its docstring and types; ``FindingJSON`` gives "Finding"."""
    name = shape.__name__.removesuffix("JSON")
    attributes: dict[str, Any] = {"__doc__": shape.__doc__}
    for key, hint in get_type_hints(shape, include_extras=True).items():
        attributes[key] = _field(hint)
    return type(f"{name}Serializer", (serializers.Serializer,), attributes)


def _field(hint: Any) -> serializers.Field:
    """The field for a type hint; ``Annotated[int, "text"]`` gives it a help text."""
    options: dict[str, Any] = {}
    if get_origin(hint) is Annotated:
        hint, options["help_text"] = get_args(hint)
    members = get_args(hint)
    if type(None) in members:
        options["allow_null"] = True
        hint = members[0]
    if get_origin(hint) is Literal:
        values = get_args(hint)
        return serializers.ChoiceField(LABELED.get(values, values), **options)
    if get_origin(hint) is dict:
        return serializers.DictField(child=_field(get_args(hint)[1]), **options)
    if get_origin(hint) is list:
        member = get_args(hint)[0]
        if is_typeddict(member):
            return serializer_of(member)(many=True, **options)
        return serializers.ListField(child=_field(member), **options)
    if is_typeddict(hint):
        return serializer_of(hint)(**options)
    return FIELDS[hint](**options)

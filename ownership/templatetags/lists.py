"""The filters of the admin's lists as fields of one form, so that several are applied in one go."""

from typing import Any
from urllib.parse import parse_qs

from django import template
from django.contrib.admin import ListFilter
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, SEARCH_VAR, ChangeList

register = template.Library()


@register.inclusion_tag("admin/ownership/filter_field.html")
def filter_field(changelist: ChangeList, spec: ListFilter) -> dict[str, Any]:
    """A filter as a field: a text or days to type, or a list to choose from."""
    choices: list[dict[str, Any]] = [dict(choice) for choice in spec.choices(changelist)]
    context: dict[str, Any] = {"title": spec.title, "error": getattr(spec, "error", "")}
    if context["error"] and hasattr(spec, "similar"):
        context["similar"] = spec.similar(changelist)
    if choices and "days" in choices[0]:
        return context | {"kind": "days", "filter": choices[0]}
    if choices and "parameter" in choices[0]:
        return context | {"kind": "name", "filter": choices[0]}
    parameter = str(next(iter(spec.expected_parameters())))
    options = []
    for choice in choices:
        # Each of Django's choices is an address; what it gives the parameter is the option's value.
        values = parse_qs(choice["query_string"].removeprefix("?")).get(parameter, [""])
        options.append(
            {"value": values[-1], "label": choice["display"], "selected": choice["selected"]}
        )
    return context | {"kind": "choice", "parameter": parameter, "options": options}


@register.simple_tag
def other_parameters(changelist: ChangeList) -> list[tuple[str, str]]:
    """The address's parameters that no field of the form has, for it to keep. The page starts anew."""
    fields: set[str | None] = {SEARCH_VAR, PAGE_VAR}
    for spec in changelist.filter_specs:
        fields.update(spec.expected_parameters())
    return [(name, value) for name, value in changelist.params.items() if name not in fields]


@register.simple_tag
def default_order(changelist: ChangeList) -> str:
    """The address of the list in its own order; empty if it is in that order."""
    if ORDER_VAR not in changelist.params:
        return ""
    return changelist.get_query_string(remove=[ORDER_VAR])

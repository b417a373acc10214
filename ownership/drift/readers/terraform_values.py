"""Values of Terraform as those of other files: mappings, lists, policies in JSON, what is not known yet."""

from ownership.drift.readers.terraform_files import parse
from ownership.drift.readers.terraform_references import References
from ownership.drift.readers.terraform_resource import UNKNOWN, is_unknown
from ownership.drift.types import Location
from ownership.drift.values import Map, Text, Value, from_json, members, placeholder


def mapping(location: Location, **members: Value) -> Map:
    """A mapping of what is not None."""
    items = [(Text(key, location), value) for key, value in members.items() if value is not None]
    return Map(location, items)


def not_known(location: Location, attribute: str, references: References) -> Text:
    """What replaces a value that is not known yet, with what it comes from as the reason."""
    causes = dict.fromkeys(references.others)
    for resource, name in references.resources:
        causes[f"{resource.reference_name}.{name}".rstrip(".")] = None
    reason = f"{attribute} {UNKNOWN}"
    if causes:
        shown = ", ".join(list(causes)[:3])
        reason = f"it depends on {shown}; {reason}"
    return placeholder(location, reason)


def unknown_members(value: Value) -> int:
    """How many members of a list, or whether a single value, is known only after apply."""
    return sum(map(is_unknown, members(value)))


def parsed(text: Text) -> Value:
    """The policy document that a text has; a placeholder where it is no JSON."""
    try:
        return from_json(parse(text), text.location)
    except (ValueError, RecursionError):
        return placeholder(text.location, "the policy is not valid JSON")

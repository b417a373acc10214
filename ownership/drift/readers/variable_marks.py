"""What the Serverless Framework's variables have to do with the environment, by their names and how they are chosen.

``opt:stage`` is an input, and by its name the environment. ``self:custom.suffixes.${opt:stage}`` is chosen by it, so it
means it even without a value. ``self:custom.${opt:stage}.users`` depends on it, and may be a part of a table's name.
"""

import re
from copy import copy

from ownership.drift.environment_words import names_environment
from ownership.drift.types import Location
from ownership.drift.values import SomeValue, Text, from_variable

INPUT = re.compile(r"(?:opt|env|sls|param):")  # values that may differ in each environment
FILE = re.compile(r"file\((?P<name>[^)]*)\)(?::(?P<address>.*))?$", re.DOTALL)


def depends_on_environment(reference: Text) -> bool:
    """Whether a reference is an input, is chosen by the environment, or is named like it."""
    return INPUT.match(reference) is not None or reference.varies or names_environment(reference)


def means_environment(reference: Text) -> bool:
    """Whether the value of a reference is the environment by the reference's name."""
    return names_environment(reference) and not FILE.match(reference)


def is_environment(reference: Text) -> bool:
    """Whether a reference without a value means the environment all the same: by its name, or chosen by it.

    ``self:custom.suffixes.${opt:stage}`` is chosen by it; ``self:custom.${opt:stage}.users`` may well be part
    of a table's name.
    """
    if reference.has_unknown_part:
        return False
    if names_environment(reference):
        return True
    file = FILE.match(reference)
    if file:
        return not file["address"] and reference.varies
    if not reference.startswith("self:"):
        return False
    last_key = max(reference.rfind("."), reference.rfind(":")) + 1
    return any(
        variable.is_environment and variable.end > last_key for variable in reference.variables
    )


def marked_varying(value: SomeValue, location: Location) -> SomeValue:
    """The value, marked as one that the environment chooses."""
    if isinstance(value, Text):
        return from_variable(value, location, may_vary=True)
    value = copy(value)
    value.varies = True
    return value

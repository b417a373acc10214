"""Which words mean the environment: in the name of a variable, and as the value of one.

::

    tableSuffix, custom.suffixes.prod, opt:stage     names of variables that mean it
    -dev, PROD, stage2                               what environments are called

Nothing says so for certain; people call environments like this.
"""

import re

SEPARATORS = "-_."  # between a table's name and the environment

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")  # `tableSuffix` is table, Suffix
# Words for the environment in a variable's name, and those that may follow them: `stageName`.
_ENVIRONMENT_WORDS = frozenset(
    {"env", "environment", "stage", "suffix", "postfix", "suffixes", "stages"}
)
_SOURCE = re.compile(r"^(?:env|opt|param|self|sls):")
# How words for the environment end that nobody separated: `tablesuffix`
_WORD_ENDINGS = ("suffix", "postfix", "environment")
_NEUTRAL_WORDS = frozenset({"name", "id", "tag", "short", "label", "value", "key", "code", "type"})
# What environments are called, or nothing. As a value of a variable, such a word is no part of a table's name.
_ENVIRONMENT_VALUES = re.compile(
    r"(?:(?:dev|develop|development|test|testing|qa|uat|stg|stage|staging|sandbox|sbx|preview|pre-?prod|beta|prod"
    r"|production|prd|live|local)[0-9]*)?",
    re.IGNORECASE,
)


def names_environment(variable: str) -> bool:
    """Whether a variable is named like the environment or its suffix: ``self:custom.tableSuffix``.

    ``custom.suffixes.prod`` is; ``stagedOrders`` and ``envelopes`` only look like it.
    """
    # Of `env:STAGE`, the source says nothing.
    address = _SOURCE.sub("", variable)
    for name in reversed(re.split(r"[.:/]", address)):
        # `suffixes.prod`: the environment has chosen, and the name before it says what.
        if not is_environment_value(name):
            return _is_environment_name(name)
        if name.lower() in _ENVIRONMENT_WORDS:
            return True
    return False


def _is_environment_name(name: str) -> bool:
    for word in reversed(WORD.findall(name)):
        word = word.lower()
        if word not in _NEUTRAL_WORDS:
            return word in _ENVIRONMENT_WORDS or word.endswith(_WORD_ENDINGS)
    return False


def is_environment_value(value: str) -> bool:
    """Whether a variable's value is what environments are called, or nothing: ``-dev``, ``PROD``."""
    return _ENVIRONMENT_VALUES.fullmatch(value.strip(SEPARATORS)) is not None

"""Reads a statement's resource: which tables and indexes an ARN means.

::

    arn:aws:dynamodb:us-west-2:*:table/biztechUsersPROD            table/biztechUsers
    arn:aws:dynamodb:*:*:table/biztech*/index/*                    table/biztech*/index/*
    *                                                              *
    arn:aws:s3:::exports                                           nothing of DynamoDB

Region and account are ignored: the map has one table of a name per environment.
Source: IAM User Guide, "IAM JSON policy elements: Resource" (an ARN with fewer than six fields is filled up with
``*``); Amazon DynamoDB Developer Guide, "Resource types defined by Amazon DynamoDB", for what follows the account.
"""

import re
from dataclasses import dataclass

from ownership.drift.iam.patterns import has_wildcard, matches
from ownership.drift.naming import Names
from ownership.drift.values import PLACEHOLDER, Text

ARN_FIELDS = 6
TABLE_PATTERN = re.compile(r"[\w.*?-]{1,255}", re.ASCII)  # or a pattern of such names

UNRESOLVED = "can't be resolved"
FIELD_MISSING = "is not a table ARN: a field is missing"


class ArnError(ValueError):
    """A resource that can't be resolved or is not a valid ARN; the message says why.

    ``part`` is what can't be resolved of it. Its reason is the cause, and not that of a region or an account.
    """

    def __init__(self, message: str, part: Text | None = None) -> None:
        if part is not None and part.reason:
            message = part.reason.text
        super().__init__(message)


@dataclass(frozen=True)
class _Arn:
    prefix: Text
    partition: Text
    service: Text
    region: Text
    account: Text
    path: Text


def table_path(text: Text, names: Names) -> str | None:
    """The path of an ARN with base names, such as ``table/biztechUsers``; None if it is not a table's.

    Raises ArnError.
    """
    arn = _parsed(text.stripped())
    # An unresolved region or account does not matter; an unresolved service might be DynamoDB.
    if PLACEHOLDER in arn.service:
        raise ArnError(UNRESOLVED, arn.service)
    if not _is_aws(arn.partition):
        partition = arn.partition or "empty"
        raise ArnError(f"is not an ARN: the partition must be aws, not {partition}")
    if not matches(arn.service, "dynamodb"):
        return None
    if "/" in arn.account:
        raise ArnError(FIELD_MISSING)
    resource_type, slash, _ = arn.path.partition("/")
    if resource_type == "table" and slash:
        return _base_path(arn.path, names)
    return _other_path(arn.path, resource_type)


def _parsed(text: Text) -> _Arn:
    """The fields of an ARN; missing ones are ``*``."""
    fields = text.split_at(":", ARN_FIELDS - 1)
    missing = ARN_FIELDS - len(fields)
    # With a field left out, `table/…` would be read as the region or the account.
    if missing and any(field.startswith("table/") for field in fields):
        raise ArnError(FIELD_MISSING)
    if not matches(fields[0], "arn"):
        if PLACEHOLDER in text:
            raise ArnError(UNRESOLVED, text)
        raise ArnError("is not an ARN")
    any_value = Text("*", text.location)
    return _Arn(*fields, *[any_value] * missing)


def _is_aws(partition: str) -> bool:
    """Whether a partition is one of AWS (``aws``, ``aws-cn``), or may be."""
    if PLACEHOLDER in partition:
        return True
    return partition.startswith("aws") or matches(partition, "aws")


def _base_path(path: Text, names: Names) -> str:
    """The path ``table/NAME/…`` with the base name of the table."""
    # `part` and not `removeprefix`, which would lose the name's variables and with them the suffix.
    below_table = path.part(len("table/"), len(path))
    name, *rest = below_table.split_at("/", 1)
    if rest == [""]:
        raise ArnError("is not a DynamoDB resource: it ends with a slash")
    base = names.table(name)
    if base is None:
        reason = "the table name can't be resolved"
        if has_wildcard(name):
            reason = "only the name pattern of an environment can say which tables this means"
        raise ArnError(reason, name)
    if not TABLE_PATTERN.fullmatch(base):
        reason = "the table name is too long or contains characters that DynamoDB does not allow"
        raise ArnError(f"is not a table ARN: {reason}")
    return "/".join(["table", base, *rest])


def _other_path(path: Text, resource_type: str) -> str | None:
    """A path that is not ``table/…``: a pattern may match tables all the same."""
    # It might be `table` once it is resolved.
    if PLACEHOLDER in resource_type:
        raise ArnError(UNRESOLVED, path.part(0, len(resource_type)))
    if has_wildcard(path):
        return str(path)
    if resource_type == "global-table":
        return None
    raise ArnError("is not a DynamoDB resource: did you mean table/NAME?")

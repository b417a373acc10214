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

from ownership.drift.iam.patterns import has_wildcard, matches
from ownership.drift.naming import Names
from ownership.drift.values import PLACEHOLDER, Text

FIELDS = 6  # arn:partition:service:region:account:path
TABLE_NAME = re.compile(r"[\w.*?-]{1,255}", re.ASCII)  # or a pattern of such names

UNRESOLVED = "can't be resolved"
FIELD_MISSING = "is not a table ARN: a field is missing"


class ArnError(ValueError):
    """A resource that can't be resolved or is not a valid ARN; the message says why."""


def table_path(arn: Text, names: Names) -> str | None:
    """The path of an ARN with base names, such as ``table/biztechUsers``; None if it is not a table's.

    Raises ArnError.
    """
    fields = _fields(arn.stripped())
    partition, service, account, path = fields[1], fields[2], fields[4], fields[5]
    if PLACEHOLDER in service:
        raise ArnError(UNRESOLVED)
    if not _is_aws(partition):
        raise ArnError(f"is not an ARN: the partition must be aws, not {partition or 'empty'}")
    if not matches(service, "dynamodb"):
        return None
    if "/" in account:
        raise ArnError(FIELD_MISSING)
    resource_type, slash, _ = path.partition("/")
    if resource_type == "table" and slash:
        return _base_path(path, names)
    return _other_path(path, resource_type)


def _fields(arn: Text) -> list[Text]:
    """The six fields of an ARN; missing ones are ``*``."""
    fields = arn.split_at(":", FIELDS - 1)
    missing = FIELDS - len(fields)
    if missing:
        for field in fields:
            if field.startswith("table/"):
                raise ArnError(FIELD_MISSING)
    if not matches(fields[0], "arn"):
        raise ArnError(UNRESOLVED if PLACEHOLDER in arn else "is not an ARN")
    return fields + [Text("*", arn.location)] * missing


def _is_aws(partition: str) -> bool:
    """Whether a partition is one of AWS (``aws``, ``aws-cn``), or may be."""
    if PLACEHOLDER in partition or partition.startswith("aws"):
        return True
    return matches(partition, "aws")


def _base_path(path: Text, names: Names) -> str:
    """The path ``table/NAME/…`` with the base name of the table."""
    name, *rest = path.part(len("table/"), len(path)).split_at("/", 1)
    if rest == [""]:
        raise ArnError("is not a DynamoDB resource: it ends with a slash")
    base = names.table(name)
    if base is None:
        raise ArnError("the table name can't be resolved")
    if not TABLE_NAME.fullmatch(base):
        raise ArnError(
            "is not a table ARN: the table name is too long or contains characters that DynamoDB does not allow"
        )
    return "/".join(["table", base, *rest])


def _other_path(path: Text, resource_type: str) -> str | None:
    """A path that is not ``table/…``: a pattern may match tables all the same."""
    if PLACEHOLDER in resource_type:
        raise ArnError(UNRESOLVED)
    if has_wildcard(path):
        return str(path)
    if resource_type == "global-table":
        return None
    raise ArnError("is not a DynamoDB resource: did you mean table/NAME?")

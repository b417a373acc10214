"""Small backends, written into a temporary folder and read, and the score of what was found against a truth."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ownership.drift.code.reader import read_code
from ownership.drift.naming import Names
from ownership.drift.types import ActionOn, CodeAccess, CodeUsage, Location, Unresolved
from tests.support.drift_projects import write

SERVERLESS = """\
service: shop
provider:
  name: aws
  environment:
    STAGE: ${opt:stage, 'dev'}
    TABLE: users-${opt:stage, 'dev'}
    ORDERS: !Ref OrdersTable
functions:
  main: {handler: HANDLER}
resources:
  Resources:
    OrdersTable: {Type: AWS::DynamoDB::Table, Properties: {}}
"""

# What a handler's file begins with: both SDKs for JavaScript, and boto3.
V3 = """\
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import * as lib from "@aws-sdk/lib-dynamodb";
const { DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, ScanCommand } = lib;
const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));
"""
V2 = """\
const AWS = require("aws-sdk");
const documents = new AWS.DynamoDB.DocumentClient();
"""
BOTO = """\
import os
import boto3
resource = boto3.resource("dynamodb")
client = boto3.client("dynamodb")
"""


def read_files(folder: Path, files: dict[str, str], names: Names | None = None) -> CodeUsage:
    """What the code in these files does."""
    return read_code([write(folder, files)], names or Names(), {})


def read_function(folder: Path, files: dict[str, str], handler: str = "handler.main") -> CodeUsage:
    """What one function of one project does, whose handler is in these files."""
    serverless = SERVERLESS.replace("HANDLER", handler)
    return read_files(folder, {"serverless.yml": serverless, **files})


def accesses(usage: CodeUsage) -> set[str]:
    """Mode and table of each access of deployed functions: ``read users``."""
    return {f"{access.mode} {access.table}" for access in usage.accesses if access.reachable}


def places(usage: CodeUsage) -> list[str]:
    """Where something is unresolved: ``handler.js:3``."""
    return sorted(str(unresolved.location) for unresolved in usage.unresolved)


# Scores


@dataclass(frozen=True)
class Score:
    """How much of what was found is true, and how much of the truth was found; 1 is all."""

    precision: float
    recall: float
    wrong: tuple[tuple[str, ...], ...]
    missing: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        return f"precision {self.precision:.3f}, recall {self.recall:.3f}"


def score(found: Iterable[tuple[str, ...]], truth: Iterable[tuple[str, ...]]) -> Score:
    """The score of a set against the true one."""
    found, truth = set(found), set(truth)
    right = found & truth
    precision = len(right) / len(found) if found else 1.0
    recall = len(right) / len(truth) if truth else 1.0
    return Score(precision, recall, tuple(sorted(found - truth)), tuple(sorted(truth - found)))


def truth_of(backend: Path) -> list[dict[str, str]]:
    """The accesses of a backend as they were labelled by hand."""
    labels: list[dict[str, str]] = json.loads((backend / "truth.json").read_text())
    return labels


# Uses without code, for comparisons

OPERATION_OF = {"read": "GetItem", "write": "PutItem"}


def code_usage(
    *uses: str,
    services: Iterable[str] = (),
    unresolved: tuple[Unresolved, ...] = (),
    calls: Iterable[ActionOn] = (),
) -> CodeUsage:
    """What code does, from lines like ``"users read_write biztechUsers"``; ``indirectly`` at the end makes it so.

    Each service has one function, ``main``. It gets or puts an item, unless ``calls`` says what it does.
    """
    accesses = []
    for line, use in enumerate(uses, 1):
        service, modes, table, *rest = use.split()
        for mode in modes.split("_"):
            called = tuple(calls) or (ActionOn(OPERATION_OF[mode]),)
            indexes = {call.index for call in called if call.index}
            accesses.append(
                CodeAccess(
                    service,
                    table,
                    mode,  # type: ignore[arg-type]
                    function="main",
                    direct=not rest,
                    path=(f"{service}/handler.js#main", "lib/db.js#call"),
                    operations=tuple(sorted({call.action for call in called})),
                    indexes=tuple(sorted(indexes)),
                    evidence=(Location(f"{service}/handler.js", line),),
                    calls=called,
                )
            )
    read = frozenset(services) | {access.service for access in accesses}
    return CodeUsage(tuple(accesses), read, unresolved)

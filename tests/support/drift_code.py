"""Small backends, written into a temporary folder and read, and the score of what was found against a truth."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ownership.drift.code.reader import read_code
from ownership.drift.naming import Names
from ownership.drift.types import CodeUsage
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

"""Plans that put rows in another order."""

from collections.abc import Sequence
from typing import Any

from ownership.history.models import current_head
from ownership.plans.plan import Plan
from ownership.plans.steps import Step, copy_of


def plan_order(rows: Sequence[Any]) -> Plan:
    """The rows in this order, by the positions that they have: rows that keep their place change nothing.

    Where two rows have the same position, all are numbered anew from 0.
    """
    revision = current_head().revision
    positions = sorted(row.position for row in rows)
    if len(set(positions)) < len(positions):
        positions = list(range(len(rows)))
    steps = []
    for row, position in zip(rows, positions, strict=True):
        if row.position != position:
            after = copy_of(row)
            after.position = position
            steps.append(Step(row, after))
    return Plan(steps, revision)

"""Waiving findings: the team's decision to ignore them until a day, as rows of the registry."""

from collections.abc import Iterable
from datetime import date

from django.core.exceptions import ValidationError
from django.utils.timezone import localdate

from ownership.drift.types import Finding
from ownership.findings.runs import Basis
from ownership.history.row_states import foreign_keys
from ownership.models import Environment, Waiver
from ownership.plans.plan import Plan
from ownership.plans.steps import Step, copy_of


def last_day() -> date:
    """The last day on which a waiver may end: today's date in the next year."""
    day = localdate()
    try:
        return day.replace(year=day.year + 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year + 1, day=28)


def check_until(until: date) -> None:
    """Raise ValidationError for a day on which no waiver may end: one in the past, or more than a year ahead."""
    if until < localdate():
        raise ValidationError("This day is in the past. A waiver ends today at the earliest.")
    if until > last_day():
        raise ValidationError(f"A waiver lasts a year at most: until {last_day()}.")


def plan_waivers(basis: Basis, findings: Iterable[Finding], until: date) -> Plan:
    """Plan to waive the findings in the run's environment until a day, for what is granted now.

    A finding that was waived before keeps its waiver, with the new day and grant. Raises ValidationError.
    """
    check_until(until)
    environment = _environment(basis)
    steps = []
    for finding in findings:
        before = basis.waiver_by_finding.get(finding.identity)
        if before is None:
            waiver = Waiver(kind=finding.kind, environment=environment)
        else:
            waiver = copy_of(before)
        _name_finding(waiver, basis, finding)
        waiver.granted = finding.granted or ""
        waiver.until = until
        waiver.clean_fields(exclude=foreign_keys(Waiver))
        steps.append(Step(before, waiver))
    return Plan(steps, basis.head.revision)


def _environment(basis: Basis) -> Environment | None:
    name = basis.run.environment
    if not name:
        return None
    for environment in basis.rows["environments"]:
        if environment.name == name:
            return environment
    raise ValidationError(
        f"The map no longer has an environment {name}: save a run in one that it has."
    )


def _name_finding(waiver: Waiver, basis: Basis, finding: Finding) -> None:
    """Refer to table and service as rows where the map has them, and by name otherwise."""
    service = finding.service or ""
    waiver.table = basis.tables.get(finding.table)
    waiver.table_name = "" if waiver.table else finding.table
    waiver.service = basis.services.get(service)
    waiver.service_name = "" if waiver.service else service

"""Waiving findings: the team's decision to live with them until a day, as rows of the registry."""

from collections.abc import Sequence
from datetime import date

from django.core.exceptions import ValidationError

from ownership.drift.types import Finding
from ownership.findings.runs import today
from ownership.models import Environment, Service, Table, Waiver


def last_day() -> date:
    """The last day on which a waiver may end: this day in a year."""
    day = today()
    try:
        return day.replace(year=day.year + 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year + 1, day=28)


def check_until(until: date) -> None:
    """Raises ValidationError for a day on which no waiver may end: one that is past, or more than a year ahead."""
    if until < today():
        raise ValidationError("This day is past: a waiver ends today at the earliest.")
    if until > last_day():
        raise ValidationError(f"A waiver holds for a year at most: up to {last_day()}.")


def waivers_of(findings: Sequence[Finding], environment: str | None) -> dict[Finding, Waiver]:
    """The waivers that the findings have in that environment, those included whose day is past; with who and why."""
    known = {(one.identity(), one.environment.name if one.environment else None): one for one in Waiver.objects.told()}
    return {
        finding: known[finding.identity, environment]
        for finding in findings
        if (finding.identity, environment) in known
    }


def waive(findings: Sequence[Finding], environment: str | None, until: date) -> list[Waiver]:
    """Waive the findings in that environment until a day, for what is granted now. Within a change set.

    A finding that was waived before keeps its waiver, with the new day and grant. Raises ValidationError.
    """
    check_until(until)
    where = Environment.objects.filter(name=environment).first() if environment else None
    if environment and where is None:
        raise ValidationError(f"The map has no environment {environment} any more: keep a run in one that it has.")
    known = waivers_of(findings, environment)
    tables = Table.objects.in_bulk([finding.table for finding in findings], field_name="name")
    waivers = []
    for finding in findings:
        waiver = known.get(finding) or Waiver(kind=finding.kind, environment=where)
        table = tables.get(finding.table)
        waiver.table, waiver.table_name = table, "" if table else finding.table
        service = Service.objects.filter(name=finding.service).first() if finding.service else None
        waiver.service, waiver.service_name = service, "" if service else finding.service or ""
        waiver.granted, waiver.until = finding.granted or "", until
        waiver.full_clean()
        waiver.save()
        waivers.append(waiver)
    return waivers

"""Waiving findings: the team's decision to live with them until a day, as rows of the registry."""

from collections.abc import Sequence
from datetime import date, timedelta

from django.core.exceptions import ValidationError

from ownership.drift.model import Finding
from ownership.models import Environment, Service, Table, Waiver
from ownership.runs import today

LONGEST = timedelta(days=366)


def check_until(until: date) -> None:
    """Raises ValidationError for a day on which no waiver may end: one that is past, or more than a year ahead."""
    if until < today():
        raise ValidationError("This day is past: a waiver ends today at the earliest.")
    if until > today() + LONGEST:
        raise ValidationError(f"A waiver holds for a year at most: up to {today() + LONGEST}.")


def waive(findings: Sequence[Finding], environment: str | None, until: date) -> list[Waiver]:
    """Waive the findings in that environment until a day, for what is granted now. Within a change set.

    A finding that was waived before keeps its waiver, with the new day and grant. Raises ValidationError.
    """
    check_until(until)
    where = Environment.objects.filter(name=environment).first() if environment else None
    if environment and where is None:
        raise ValidationError(f"The map has no environment {environment} any more: keep a run in one that it has.")
    known = {(one.identity(), one.environment_id): one for one in Waiver.objects.told()}
    tables = Table.objects.in_bulk([finding.table for finding in findings], field_name="name")
    waivers = []
    for finding in findings:
        waiver = known.get((finding.identity, where.pk if where else None)) or Waiver(
            kind=finding.kind, environment=where
        )
        table = tables.get(finding.table)
        waiver.table, waiver.table_name = table, "" if table else finding.table
        service = Service.objects.filter(name=finding.service).first() if finding.service else None
        waiver.service, waiver.service_name = service, "" if service else finding.service or ""
        waiver.granted, waiver.until = finding.granted or "", until
        waiver.full_clean()
        waiver.save()
        waivers.append(waiver)
    return waivers

"""Keeps runs of drift and decides about their findings; a test names only what was found."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from ownership.drift.types import CodeUsage, Finding, GrantedAccess, Infrastructure, Location
from ownership.findings import runs
from ownership.findings.keeping import keep
from ownership.findings.waiving import plan_waivers
from ownership.history.models import ChangeSet
from ownership.models import DriftRun, Waiver


def keep_run(
    *grants: str,
    environment: str | None = None,
    reader: str = "serverless",
    code: CodeUsage | None = None,
    **found: Any,
) -> DriftRun:
    """A kept run that found grants like ``"bots read_write biztechUsers"``, each in a file of its service."""
    accesses: dict[GrantedAccess, tuple[Location, ...]] = {}
    for line, grant in enumerate(grants, 1):
        service, modes, table = grant.split()
        for mode in modes.split("_"):
            accesses[GrantedAccess(service, table, mode)] = (
                Location(f"{service}/serverless.yml", line),
            )  # type: ignore[arg-type]
    found.setdefault("services", frozenset(access.service for access in accesses))
    head, declared = runs.declared_now()
    return keep(
        head, declared, Infrastructure(reader, accesses, **found), code, environment, "nightly"
    )


def show(run: DriftRun) -> runs.ComparedRun:
    """The run as the pages show it: compared with the map and the waivers of today."""
    return runs.compare_run(run, runs.declared_now()[1], runs.waivers_in_force())


def waive(
    run: DriftRun,
    until: date,
    reason: str = "The old bot goes",
    user: AbstractBaseUser | None = None,
    which: Callable[[Finding], bool] = lambda finding: True,
) -> list[Waiver]:
    """Waive the run's findings, or those that ``which`` picks; the waivers."""
    basis = runs.read_basis(run)
    plan = plan_waivers(basis, filter(which, basis.findings), until)
    plan.apply(user=user, reason=reason, source=ChangeSet.Source.DRIFT)
    return list(Waiver.objects.filter(pk__in=[step.pk for step in plan.steps]))

"""Addresses in the admin of rows and of their history."""

from django.urls import reverse

from ownership.history.models import TrackedRow
from ownership.plans.blockers import Cause


def edit_url(row: TrackedRow) -> str:
    """Where a row is edited."""
    return change_url(type(row), row.pk)


def change_url(model: type[TrackedRow], pk: int) -> str:
    """Where the row with that id is edited."""
    return reverse(f"admin:ownership_{model._meta.model_name}_change", args=[pk])


def history_url(model: type[TrackedRow], pk: int) -> str:
    """Where the row's timeline is, also when the row is deleted."""
    return reverse(f"admin:ownership_{model._meta.model_name}_history", args=[pk])


def cause_url(cause: Cause) -> str:
    """Where to do something about the row that is in the way of a plan."""
    if cause.deleted:
        return history_url(cause.model, cause.pk)
    return change_url(cause.model, cause.pk)

"""Addresses in the admin of rows and of their history."""

from django.db.models import Model
from django.urls import reverse

from ownership.history.models import Entry, TrackedRow
from ownership.models import Membership, SecondaryIndex, Service, Table, Team
from ownership.plans.blockers import Cause

# Rows that have no form of their own: {model: (the model in whose form they are, their column with its id)}.
FORMS: dict[type[TrackedRow], tuple[type[TrackedRow], str]] = {
    SecondaryIndex: (Table, "table_id"),
    Membership: (Team, "team_id"),
}


def edit_url(row: TrackedRow) -> str:
    """Where a row is edited."""
    if type(row) in FORMS:
        model, column = FORMS[type(row)]
        return change_url(model, getattr(row, column))
    return change_url(type(row), row.pk)


def entry_url(entry: Entry) -> str:
    """Where the timeline is that has the entry."""
    if entry.instance_type in FORMS:
        model, column = FORMS[entry.instance_type]
        return history_url(model, getattr(entry, column))
    return history_url(entry.instance_type, entry.id)


def change_url(model: type[Model], pk: int) -> str:
    """Where the row with that id is edited."""
    return reverse(f"admin:ownership_{model._meta.model_name}_change", args=[pk])


def history_url(model: type[Model], pk: int) -> str:
    """Where the row's timeline is, also when the row is deleted."""
    return reverse(f"admin:ownership_{model._meta.model_name}_history", args=[pk])


def readers_history_url(row: Model) -> str:
    """Where the history of a row that exists is read: of tables and services on a page for every reader."""
    if isinstance(row, Table | Service):
        return f"{row.get_absolute_url()}history/"
    return history_url(type(row), row.pk)


def cause_url(cause: Cause) -> str:
    """Where to do something about the row that is in the way of a plan."""
    if cause.deleted:
        return history_url(cause.model, cause.pk)
    return change_url(cause.model, cause.pk)

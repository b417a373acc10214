"""The action on the list of tables that makes another service their owner."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from ownership.admin.base import RegistryAdmin, selected_ids
from ownership.admin.conflict import Conflict
from ownership.admin.forms import Autocomplete
from ownership.audit.descriptions import FieldChange
from ownership.history.models import ChangeSet, current_head
from ownership.models import Service, Table
from ownership.plans.plan import NotApplied, Plan, Stale
from ownership.plans.steps import Preview, Step, copy_of
from ownership.web.forms import ReasonField


class HandOverForm(forms.Form):
    """To whom the tables go, and why."""

    owner = forms.ModelChoiceField(Service.objects.all(), label="New owner")
    reason = ReasonField()

    def __init__(self, *args: Any, admin_site: admin.AdminSite, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner = self.fields["owner"]
        owner.widget = Autocomplete(Table._meta.get_field("owner"), admin_site)
        owner.widget.choices = owner.choices  # type: ignore[attr-defined]


@admin.action(description="Hand over to another service", permissions=["change"])
def hand_over(model_admin: RegistryAdmin, request: HttpRequest, queryset: QuerySet[Table]) -> HttpResponse | None:
    """Make another service the owner of the selected tables: one reason, one change set.

    The page is shown again if one of the tables changed since it was opened.
    """
    confirmed = "hand_over" in request.POST
    form = HandOverForm(request.POST if confirmed else None, admin_site=model_admin.admin_site)
    conflict = None
    problem = ""
    if confirmed and form.is_valid():
        # Planned before looking for a conflict: what changes between the two is one as well.
        plan = _plan(queryset, form.cleaned_data["owner"])
        conflict = model_admin.find_conflict(request, selected_ids(request))
        if conflict is None:
            try:
                _apply(model_admin, request, plan, form)
                return None
            except Stale:
                conflict = model_admin.find_conflict(request, selected_ids(request))
            except NotApplied as error:
                problem = f"Nothing was changed. {error}"
    return _page(model_admin, request, queryset, form, conflict, problem)


def _plan(tables: QuerySet[Table], owner: Service) -> Plan:
    """The tables that the service does not own yet, with it as their owner."""
    revision = current_head().revision  # before the rows: what changes after that makes the plan stale
    steps = []
    for table in tables.select_related("owner"):
        if table.owner_id != owner.pk:
            after = copy_of(table)
            after.owner = owner
            steps.append(Step(table, after))
    return Plan(steps, revision)


def _apply(model_admin: RegistryAdmin, request: HttpRequest, plan: Plan, form: HandOverForm) -> None:
    """Hand over, and say so. Raises NotApplied."""
    owner = form.cleaned_data["owner"]
    plan.apply(
        user=request.user,  # type: ignore[arg-type]
        reason=form.cleaned_data["reason"],
        source=ChangeSet.Source.ADMIN,
    )
    number = len(plan.steps)
    if number == 0:
        message = f"Nothing was changed: {owner} already owns these tables."
        model_admin.message_user(request, message, messages.INFO)
    else:
        tables = "1 table now belongs" if number == 1 else f"{number} tables now belong"
        model_admin.message_user(request, f"{tables} to {owner}.", messages.SUCCESS)


def _page(
    model_admin: RegistryAdmin,
    request: HttpRequest,
    queryset: QuerySet[Table],
    form: HandOverForm,
    conflict: Conflict | None,
    problem: str,
) -> HttpResponse:
    """The page that previews the hand-over and asks for the new owner and a reason."""
    revision = current_head().revision  # before the rows: what changes after that is a conflict
    tables = list(queryset.select_related("owner"))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Hand over to another service",
        "form": form,
        "tables": tables,
        "previews": [_preview(table) for table in tables],
        "conflict": conflict,
        "problem": problem,
        "shown_revision": revision,
        "opts": model_admin.opts,
        "media": model_admin.media + form.media,
    }
    return TemplateResponse(request, "admin/ownership/hand_over.html", context)


def _preview(table: Table) -> Preview:
    """What the hand-over does to a table, whoever the new owner will be."""
    change = FieldChange("owner", table.owner.name, "the new owner")
    return Preview(kind="table", label=table.name, verb="changed", changes=[change])

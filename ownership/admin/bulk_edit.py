"""Changing many rows alike from their list: a page with a preview, one reason, one change set."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from ownership.admin.base import RegistryAdmin
from ownership.admin.conflict import FormConflict
from ownership.admin.deleting import selected_ids
from ownership.admin.forms import Autocomplete, LinesField
from ownership.history.models import ChangeSet
from ownership.history.row_states import foreign_keys
from ownership.models import Mode, Service, Table, TableGroup, Team
from ownership.plans.bulk_edit import AccessEdit, ServiceEdit, TableEdit
from ownership.plans.division import divide
from ownership.plans.plan import NotApplied, Plan, Stale
from ownership.web.forms import ReasonField
from ownership.web.suggestions import rows_of_others, send

MAX_SHOWN = 200  # previews on a page
KEEP = ("", "Keep as it is")
NOTHING_DIFFERS = "Nothing was changed: these rows already have the values that you chose."
LOOK_FIRST = "Nothing was changed yet. Check the preview, then apply."

Action = Callable[["RegistryAdmin", HttpRequest, QuerySet], HttpResponse | None]


class BulkEditForm(forms.Form):
    """What to set in all selected rows, and why."""

    reason = ReasonField()

    def __init__(self, *args: Any, admin_site: admin.AdminSite, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.admin_site = admin_site

    def choices(self) -> list[forms.BoundField]:
        """The fields other than the reason, which has its place in the bar at the bottom."""
        return [self[name] for name in self.fields if name != "reason"]

    def plan(self, pks: list[int]) -> Plan:
        """What the form says, for these rows. Fields that are not valid change nothing."""
        raise NotImplementedError

    def _chosen(self, name: str) -> Any:
        """A field's value; None where it keeps what is stored, or is not valid."""
        value = getattr(self, "cleaned_data", {}).get(name)
        return None if value in ("", None) else value


class AccessEditForm(BulkEditForm):
    """Mode, indirect and notes of accesses."""

    mode = forms.ChoiceField(
        choices=[KEEP, *Mode.choices],
        required=False,
        widget=forms.RadioSelect,
    )
    indirect = forms.ChoiceField(
        choices=[KEEP, ("yes", "Indirect"), ("no", "Direct")],
        required=False,
        widget=forms.RadioSelect,
    )
    notes = LinesField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}),
        help_text="Replaces the notes of all selected accesses. Leave blank to keep them.",
    )
    clear_notes = forms.BooleanField(required=False, label="Remove the notes")

    def plan(self, pks: list[int]) -> Plan:
        """The accesses with what was chosen."""
        indirect = self._chosen("indirect")
        notes = "" if self._chosen("clear_notes") else self._chosen("notes")
        edit = AccessEdit(
            mode=self._chosen("mode"),
            indirect=None if indirect is None else indirect == "yes",
            notes=notes,
        )
        return edit.plan(pks)


class TableEditForm(BulkEditForm):
    """Owner and group of tables."""

    owner = forms.ModelChoiceField(
        Service.objects.all(),
        label="New owner",
        required=False,
        help_text="Leave blank to keep the owners.",
    )
    move_accesses = forms.BooleanField(
        required=False,
        initial=True,
        label="Also move the old owner’s accesses to the new owner",
        help_text="If the new owner already has an access, the modes of both are combined.",
    )
    group = forms.ModelChoiceField(
        TableGroup.objects.all(),
        label="New group",
        required=False,
        help_text="Leave blank to keep the groups.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("owner", "group"):
            field = self.fields[name]
            field.widget = Autocomplete(Table._meta.get_field(name), self.admin_site)
            field.widget.choices = field.choices  # type: ignore[attr-defined]
        self.fields["owner"].widget.attrs["data-open"] = "yes"

    def plan(self, pks: list[int]) -> Plan:
        """The tables with what was chosen, and the accesses that move along."""
        edit = TableEdit(
            owner=self._chosen("owner"),
            group=self._chosen("group"),
            move_accesses=bool(self._chosen("move_accesses")),
        )
        return edit.plan(pks)


class ServiceEditForm(BulkEditForm):
    """The team of services."""

    team = forms.ModelChoiceField(Team.objects.all(), label="New team", required=False)
    no_team = forms.BooleanField(
        required=False,
        label="No team",
        help_text="Takes the services out of their teams. A part then belongs to its parent’s team.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["team"]
        field.widget = Autocomplete(Service._meta.get_field("team"), self.admin_site)
        field.widget.choices = field.choices  # type: ignore[attr-defined]
        field.widget.attrs["data-open"] = "yes"

    def clean(self) -> None:
        """Refuse a team and none at once."""
        if self._chosen("team") and self._chosen("no_team"):
            self.add_error("no_team", "Choose a team or “No team”, not both.")

    def plan(self, pks: list[int]) -> Plan:
        """The services with the chosen team, or without one."""
        team = self._chosen("team")
        if team is None and not self._chosen("no_team"):
            pks = []
        return ServiceEdit(team).plan(pks)


def _bulk_edit(
    model_admin: RegistryAdmin,
    request: HttpRequest,
    queryset: QuerySet,
    form: BulkEditForm,
    action: str,
) -> HttpResponse | None:
    """Preview what the form says, and apply or suggest it if that is what was shown. None once that is done.

    The page is shown again if one of the rows changed since it was opened.
    """
    pks = list(queryset.order_by().values_list("pk", flat=True))
    form.is_valid()
    plan = form.plan(pks)
    conflict = None
    problem = ""
    if "apply" in request.POST or "suggest" in request.POST:
        conflict = model_admin.find_conflict(request, selected_ids(request))
        if conflict is None and form.is_valid():
            if request.POST.get("fingerprint") != plan.fingerprint():
                problem = LOOK_FIRST
            elif "suggest" in request.POST:
                pks = _suggest(model_admin, request, plan, form)
                if not pks:
                    return None
                plan = form.plan(pks)
            else:
                try:
                    _apply(model_admin, request, plan, form)
                    return None
                except Stale:
                    conflict = model_admin.find_conflict(request, selected_ids(request))
                except NotApplied as error:
                    problem = f"Nothing was changed. {error}"
    else:
        # Looking asks for no reason yet.
        form.errors.pop("reason", None)
    if conflict is not None:
        plan = form.plan(pks)
    return _page(model_admin, request, pks, form, plan, conflict, problem, action)


def _apply(
    model_admin: RegistryAdmin, request: HttpRequest, plan: Plan, form: BulkEditForm
) -> None:
    """Write the plan, and say so. Raises NotApplied."""
    user: Any = request.user
    writable = divide(plan, user).to_apply()
    revision = writable.apply(
        user=user,
        reason=form.cleaned_data["reason"],
        source=ChangeSet.Source.ADMIN,
    )
    if revision is None:
        model_admin.message_user(request, NOTHING_DIFFERS, messages.INFO)
        return
    number = len(writable.steps)
    entries = "1 entry" if number == 1 else f"{number} entries"
    message = format_html(
        'Saved: {} changed. <a href="{}">View</a> · <a href="{}">Undo</a>',
        entries,
        reverse("admin:ownership_changeset_change", args=[revision]),
        reverse("admin:ownership_undo", args=[revision]),
    )
    model_admin.message_user(request, message, messages.SUCCESS)


def _suggest(
    model_admin: RegistryAdmin, request: HttpRequest, plan: Plan, form: BulkEditForm
) -> list[int]:
    """Send what is for others to those who own it. Return the ids of the rows left to apply."""
    left = send(request, plan, form.cleaned_data["reason"]).writable.steps
    return [step.pk for step in left if step.model is model_admin.model and step.pk is not None]


def _page(
    model_admin: RegistryAdmin,
    request: HttpRequest,
    pks: list[int],
    form: BulkEditForm,
    plan: Plan,
    conflict: FormConflict | None,
    problem: str,
    action: str,
) -> HttpResponse:
    """The page that asks what to set, previews it, and asks for a reason."""
    rows = model_admin.model._default_manager.select_related(*foreign_keys(model_admin.model))
    number = len(pks)
    division = divide(plan, request.user)  # type: ignore[arg-type]
    shown = division.shown
    may_change = model_admin.has_change_permission(request)
    noun = model_admin.opts.verbose_name if number == 1 else model_admin.opts.verbose_name_plural
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"{'Edit' if may_change else 'Suggest a change to'} {number} {noun}",
        "form": form,
        "rows": [] if plan.steps else rows.filter(pk__in=pks[:MAX_SHOWN]),
        "more_rows": max(0, number - MAX_SHOWN),
        "selected": pks,
        "previews": [step.preview() for step in shown[:MAX_SHOWN]],
        "more_previews": max(0, len(shown) - MAX_SHOWN),
        "unchanged": number
        - len({step.pk for step in plan.steps if step.model is model_admin.model}),
        "blockers": plan.blockers,
        **rows_of_others(division.pending, division.waiting),
        "may_suggest": not division.others_are_asked or not may_change,
        "fingerprint": plan.fingerprint(),
        "conflict": conflict,
        "problem": problem,
        "action": action,
        # Before any row was read: what changes after that is a conflict.
        "shown_revision": plan.revision,
        "opts": model_admin.opts,
        "media": model_admin.media + form.media,
    }
    return TemplateResponse(request, "admin/ownership/bulk_edit.html", context)


def _posted(request: HttpRequest) -> QueryDict | None:
    """What the page's own buttons post; None where the list's button opens the page."""
    if any(button in request.POST for button in ("preview", "apply", "suggest")):
        return request.POST
    return None


@admin.action(description="Hand over or change group…", permissions=["change", "suggest"])
def edit_tables(
    model_admin: RegistryAdmin, request: HttpRequest, queryset: QuerySet
) -> HttpResponse | None:
    """Give the selected tables another owner or group."""
    form = TableEditForm(_posted(request), admin_site=model_admin.admin_site)
    return _bulk_edit(model_admin, request, queryset, form, "edit_tables")


@admin.action(description="Edit…", permissions=["change", "suggest"])
def edit_accesses(
    model_admin: RegistryAdmin, request: HttpRequest, queryset: QuerySet
) -> HttpResponse | None:
    """Set mode, indirect or notes of the selected accesses."""
    form = AccessEditForm(_posted(request), admin_site=model_admin.admin_site)
    return _bulk_edit(model_admin, request, queryset, form, "edit_accesses")


@admin.action(description="Set team…", permissions=["change", "suggest"])
def set_team(
    model_admin: RegistryAdmin, request: HttpRequest, queryset: QuerySet
) -> HttpResponse | None:
    """Give the selected services a team, or take it away."""
    form = ServiceEditForm(_posted(request), admin_site=model_admin.admin_site)
    return _bulk_edit(model_admin, request, queryset, form, "set_team")


def _set_mode(mode: Mode) -> Action:
    """The action that previews this mode for the selected accesses."""

    @admin.action(description=f"Set {mode.label}", permissions=["change", "suggest"])
    def set_mode(
        model_admin: RegistryAdmin, request: HttpRequest, queryset: QuerySet
    ) -> HttpResponse | None:
        form = AccessEditForm({"mode": str(mode)}, admin_site=model_admin.admin_site)
        return _bulk_edit(model_admin, request, queryset, form, "edit_accesses")

    set_mode.__name__ = f"set_{mode.value}"
    return set_mode


set_modes = [_set_mode(mode) for mode in Mode]
